"""`pgcredits logins`: the passwords of the bank's logins, from variables of the environment.

A password may have any characters: it stands in no URL and in no text of SQL. Only its hash reaches the
server, so no log of a statement ever has it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from pgcredits.bank import admin
from pgcredits.settings import SettingsError

PURPOSE = "pgcredits logins"
VARIABLES = {
    "PGCREDITS_API_PASSWORD": "pgcredits_api",
    "PGCREDITS_SERVICE_PASSWORD": "pgcredits_service",
    "PGCREDITS_ANALYST_PASSWORD": "pgcredits_analyst",
    "PGCREDITS_AUDITOR_PASSWORD": "pgcredits_auditor",
    "PGCREDITS_ACCOUNTANT_PASSWORD": "pgcredits_accountant",
}
_POOLED = ("pgcredits_api", "pgcredits_service")
_SCRAM = re.compile(
    r"SCRAM-SHA-256\$(?P<rounds>\d+):(?P<salt>[A-Za-z0-9+/=]+)"
    r"\$(?P<stored>[A-Za-z0-9+/=]+):[A-Za-z0-9+/=]+"
)


class PasswordError(RuntimeError):
    """A password cannot be set, or a file of logins cannot be written. The message says what to do."""


def from_env(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The passwords that the environment gives, by login. Raises SettingsError."""
    env = os.environ if env is None else env
    given = {
        login: password
        for variable, login in VARIABLES.items()
        if (password := _read(env, variable)) is not None
    }
    if not given:
        raise SettingsError(f"None of {', '.join(VARIABLES)} is set.")
    return given


def of_a_login(env: Mapping[str, str] | None = None) -> str | None:
    """The password that the environment gives a login with a name of its own. Raises SettingsError."""
    return _read(os.environ if env is None else env, "PGCREDITS_LOGIN_PASSWORD")


def _read(env: Mapping[str, str], variable: str) -> str | None:
    password = env.get(variable)
    if not password:
        return None
    try:
        password.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"{variable} is not text in UTF-8.") from None
    return password


def run(url: str, passwords: Mapping[str, str]) -> dict[str, bool]:
    """Give each login its password, all or none. Says of each whether it had another one before.

    `url` is an administrator's. Raises PasswordError, psycopg.Error.
    """
    try:
        return _set(url, passwords)
    except psycopg.errors.InternalError_:  # "tuple concurrently updated"
        raise PasswordError("somebody else changes these logins at this moment: run it again") from None


def _set(url: str, passwords: Mapping[str, str]) -> dict[str, bool]:
    with admin.connect(url, PURPOSE) as connection:
        changed = {}
        for login, password in passwords.items():
            if not connection.execute("select from pg_roles where rolname = %s", (login,)).rowcount:
                raise PasswordError(
                    f"this server has no login {login}: run `pgcredits migrate` first. Nothing was changed."
                )
            changed[login] = not _is(_hash_of(connection, login), password)
            if changed[login]:
                set_password(connection, login, password)
        return changed


def set_password(connection: psycopg.Connection[Any], login: str, password: str) -> None:
    """Hashed here, so that the server's log never has it. Raises psycopg.Error."""
    hashed = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
    connection.execute(
        sql.SQL("alter role {} password {}").format(sql.Identifier(login), sql.Literal(hashed.decode()))
    )


def write_pooler_users(url: str, file: Path) -> None:
    """Write PgBouncer's auth_file: the API's two logins, with the hashes that the server keeps.

    PgBouncer lets a client in with such a hash, and signs in at the server with what that client has proved.
    Only a superuser may read hashes. Raises PasswordError, psycopg.Error.
    """
    with admin.connect(url, PURPOSE) as connection:
        hashes = {login: _hash_of(connection, login) for login in _POOLED}
    lines = []
    for login, hashed in hashes.items():
        if hashed is None or not _SCRAM.fullmatch(hashed):
            raise PasswordError(
                f"the hash of {login}'s password cannot be read: set the password, and use a superuser's URL"
            )
        lines.append(f'"{login}" "{hashed}"\n')
    try:
        beside = file.with_name(f".{file.name}.new")
        beside.write_text("".join(lines))
        beside.chmod(0o644)  # PgBouncer runs as somebody else
        beside.replace(file)
    except OSError as error:
        raise PasswordError(f"{file} cannot be written: {error.strerror}") from None


def _hash_of(connection: psycopg.Connection[Any], login: str) -> str | None:
    """None also when we cannot know, because only a superuser may look."""
    try:
        with connection.transaction():
            row = connection.execute(
                "select a.rolpassword from pg_authid as a where a.rolname = %s", (login,)
            ).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return None
    return None if row is None or row[0] is None else str(row[0])


def _is(hashed: str | None, password: str) -> bool:
    """Is this the hash of that password? False also for one that SCRAM writes in another form."""
    parts = _SCRAM.fullmatch(hashed or "")
    if parts is None:
        return False
    salted = hashlib.pbkdf2_hmac(
        "sha256", password.encode(), base64.b64decode(parts["salt"]), int(parts["rounds"])
    )
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return hmac.compare_digest(stored, base64.b64decode(parts["stored"]))
