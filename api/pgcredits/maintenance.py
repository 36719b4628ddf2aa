"""What the clock has made due, booked for accounts that nobody touches."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg

from pgcredits import admin


def maintain(url: str) -> int:
    """Call api.maintain until nothing is left; returns how many accounts were brought up to date.

    `url` is of any login that may become service_role. Each call is a transaction of its own.
    Raises psycopg.OperationalError.
    """
    accounts = 0
    with admin.connect(url, "pgcredits maintain", autocommit=True, lock_seconds=10) as connection:
        while True:
            with connection.transaction():
                connection.execute("set local role service_role")  # the login does not inherit it
                row = connection.execute(
                    "select accounts, keys, events, partitions from api.maintain()"
                ).fetchone()
            if row is None or not any(row):
                return accounts
            accounts += row[0]


def keep_maintaining(url: str, seconds: float, say: Callable[[str], None]) -> None:
    """A round every so many seconds, for ever; a database that is away is waited for."""
    while True:
        try:
            maintain(url)
        except psycopg.OperationalError as error:
            say(f"maintenance: {str(error).strip()}")
        time.sleep(seconds)
