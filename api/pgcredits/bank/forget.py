"""`pgcredits forget`: forget users, and forget them again after a restore. The database decides."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from pgcredits.bank import admin

_LISTED = re.compile(
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) {2}"
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}(?:forgotten|under way)"
)
_STEPS = 100_000  # of 10,000 entries each


class ForgetError(Exception):
    """The bank has refused. The message says why."""

    def __init__(self, message: str, slug: str | None = None) -> None:
        super().__init__(message)
        self.slug = slug


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A user who was forgotten. `given_up`: the tokens that expired, as text."""

    account_id: str
    given_up: str
    sql_logins: list[str]
    replayed: bool


@dataclass(frozen=True, slots=True)
class Again:
    """What became of an account of the list: forgotten, unknown (this bank does not have it), or refused."""

    account_id: str
    state: str
    why: str | None = None


def forget(url: str, user_id: str | None, account_id: str | None, give_up_balance: bool) -> Forgotten:
    """Forget a user, named by user id or account. Each step is a transaction of its own.

    `url` is of a login that may become service_role. Raises ForgetError, psycopg.Error.
    """
    with admin.connect(url, "pgcredits forget", autocommit=True) as connection:
        return _forget(connection, user_id, account_id, give_up_balance)


def again(url: str, accounts: Iterable[str], give_up_balance: bool) -> Iterator[Again]:
    """Forget the users of these accounts again.

    `give_up_balance`: whether a paid balance that an older backup has brought back may expire. Raises
    psycopg.Error. What the bank refuses is an answer.
    """
    with admin.connect(url, "pgcredits forget", autocommit=True) as connection:
        for account in accounts:
            try:
                _forget(connection, None, account, give_up_balance)
            except ForgetError as error:
                if error.slug == "unknown_user":
                    yield Again(account, "unknown")
                else:
                    yield Again(account, "refused", str(error))
            else:
                yield Again(account, "forgotten")


def listed(url: str) -> list[tuple[str, datetime, datetime | None]]:
    """Accounts of users who were forgotten: since when, and when that was finished. Raises psycopg.Error."""
    with admin.connect(url, "pgcredits forget") as connection:
        connection.execute("set local role service_role")
        found = connection.execute(
            "select account_id::text, forgotten_at, finished_at from api.forgotten_users"
            " order by forgotten_at, account_id"
        )
        return [(str(account), since, done) for account, since, done in found.fetchall()]


def accounts_in(content: bytes) -> list[str]:
    """The accounts of a list that `pgcredits forget --list` wrote. Raises ForgetError for anything else."""
    accounts = []
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        if line.strip():
            found = _LISTED.fullmatch(line.strip())
            if found is None:
                raise ForgetError(
                    f"line {number} is not a line of `pgcredits forget --list`: nobody was forgotten"
                )
            accounts.append(found.group(1))
    return accounts


def _forget(
    connection: admin.Connection, user_id: str | None, account_id: str | None, give_up_balance: bool
) -> Forgotten:
    row = _step(connection, user_id, account_id, give_up_balance)
    first = row
    for _ in range(_STEPS):
        if row["state"] == "forgotten":
            break
        row = _step(connection, None, str(row["account_id"]), False)
        time.sleep(0.05)  # maintenance may be at it
    return Forgotten(
        str(first["account_id"]), f"{first['given_up']:f}", list(first["sql_logins"]), bool(first["replayed"])
    )


def _step(
    connection: admin.Connection, user_id: str | None, account_id: str | None, give_up_balance: bool
) -> dict[str, Any]:
    try:
        with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute("set local role service_role")  # the login does not inherit it
            (row,) = cursor.execute(
                "select * from api.forget_user(%s, %s, %s)", (user_id, account_id, give_up_balance)
            ).fetchall()
    except psycopg.Error as error:
        if (error.sqlstate or "").startswith("PT"):
            facts = json.loads(error.diag.message_detail or "{}")
            raise ForgetError(error.diag.message_primary or str(error), facts.get("error")) from None
        raise
    return row
