"""The passwords of the bank's logins. `up` sets those that are missing, and changes none of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from pgcredits.bank import admin
from pgcredits.bank.passwords import VARIABLES, set_password
from pgcredits.database_urls import as_login, with_password
from pgcredits.local.instance import LOGINS

_PASSWORDS = {login: variable for variable, login in VARIABLES.items()}


class LoginError(RuntimeError):
    """A login has a password that is not ours. The message says what to do."""


def existing(connection: psycopg.Connection[Any]) -> frozenset[str]:
    """The logins that exist. Ask before migrating, since that makes the missing ones."""
    rows = connection.execute(
        "select r.rolname from pg_catalog.pg_roles as r where r.rolname = any (%s)", (list(LOGINS.values()),)
    )
    return frozenset(str(name) for (name,) in rows)


def urls(
    connection: psycopg.Connection[Any],
    admin_url: str,
    passwords: Mapping[str, str],
    environ: Mapping[str, str],
    before: frozenset[str],
) -> dict[str, str]:
    """A URL for each login, by its name in `instance.Running`. One that the environment gives is left alone.

    `before`: the logins that existed before migrating. Raises LoginError.
    """
    found = {}
    for name, login in LOGINS.items():
        variable = f"PGCREDITS_{name.upper()}"
        if own := environ.get(variable):
            try:
                found[name] = with_password(own, environ.get(_PASSWORDS[login]))
            except ValueError as error:
                raise LoginError(f"{_PASSWORDS[login]}: {error}") from None
            continue
        found[name] = as_login(admin_url, login, passwords[login])
        if login not in before or not _has_password(connection, login):
            set_password(connection, login, passwords[login])
        elif not _lets_in(found[name]):
            raise LoginError(
                f"the login {login} has a password that was not set from this data folder: give its URL as"
                f" {variable}, or remove the password with `alter role {login} password null` and start again"
            )
    return found


def _has_password(connection: psycopg.Connection[Any], login: str) -> bool:
    """True also when we cannot know, because only a superuser may look."""
    try:
        row = connection.execute(
            "select a.rolpassword is not null from pg_catalog.pg_authid as a where a.rolname = %s", (login,)
        ).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return True
    return row is None or row[0] is True


def _lets_in(url: str) -> bool:
    try:
        admin.connect(url, "pgcredits up").close()
    except psycopg.OperationalError:
        return False
    return True
