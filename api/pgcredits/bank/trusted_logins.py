"""`pgcredits trust`: which logins of other programs say who their user is. The database decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg

from pgcredits.bank import admin


class TrustError(Exception):
    """The bank has refused. The message says why."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """A login whose claims count, and the roles in which they do."""

    login: str
    roles: list[str]
    trusted_at: datetime


def trust(url: str, login: str, roles: Sequence[str]) -> None:
    """Trust the claims of a login. `url` is of an administrator. Raises TrustError, psycopg.Error."""
    with _owner(url) as connection:
        connection.execute("select credits.trust_claims(%s, %s)", (login, list(roles)))


def distrust(url: str, login: str) -> None:
    """Trust them no longer. Raises TrustError, psycopg.Error."""
    with _owner(url) as connection:
        connection.execute("select credits.distrust_claims(%s)", (login,))


def listed(url: str) -> list[Trusted]:
    """The logins whose claims count."""
    with _owner(url) as connection:
        rows = connection.execute(
            "select t.login, t.roles, t.trusted_at from credits.trusted_logins as t order by t.login"
        ).fetchall()
    return [Trusted(*row) for row in rows]


@contextmanager
def _owner(url: str) -> Iterator[admin.Connection]:
    """A transaction as the owner of the bank."""
    try:
        with admin.connect(url, "pgcredits trust") as connection:
            connection.execute("set local role credits_owner")
            yield connection
    except psycopg.Error as error:
        if (error.sqlstate or "").startswith("PT"):
            raise TrustError(error.diag.message_primary or str(error)) from None
        raise
