"""A service, users and an administrator on the database that the tests of this folder share.

A test that changes prices, settings or the books behind the bank's back takes a database of its own (`db`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import SETTABLE_CLOCK, Caller, Connection
from holding import Bank
from support import PASSWORD

from pgcredits.database_urls import as_login

_numbers = itertools.count(1)
NOON = "2098-06-01 12:00Z"


class Town:
    """A database of one test module, and its callers. Its campaigns do not affect other tests."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self.stack = stack
        self.urls = {
            role: as_login(url, login, PASSWORD)
            for role, login in (("authenticated", "pgcredits_api"), ("service_role", "pgcredits_service"))
        }
        self.admin = stack.enter_context(psycopg.connect(url, autocommit=True))
        self.bank = Caller(self.admin, "none")  # the superuser
        self.service = self.someone("service_role")
        self.api_login = self.someone("authenticated").connection

    def someone(self, role: str, user_id: str | None = None) -> Caller:
        """A caller with a connection of their own."""
        connection = psycopg.connect(self.urls[role], autocommit=True)
        self.stack.callback(connection.close)
        return Caller(connection, role, user_id)

    def user(self) -> Caller:
        """A user whom the bank does not know yet."""
        return Caller(self.api_login, "authenticated", f"user_{next(_numbers)}_{uuid4().hex[:8]}")

    def campaign(self, campaign_id: str, kind: str, tokens: int, **more: Any) -> str:
        """Defines a campaign; `more` are its other parameters, without p_."""
        named = "".join(f", p_{name} => %({name})s" for name in more)
        self.bank.rows(
            f"select credits.define_campaign(%(id)s, %(kind)s, %(id)s, %(tokens)s{named})",
            {"id": campaign_id, "kind": kind, "tokens": tokens} | more,
        )
        return campaign_id

    def code(self, tokens: int, **more: Any) -> str:
        """A code of a new promotion."""
        number = next(_numbers)
        self.bank.rows(
            "select credits.define_code(%s, %s)",
            (f"code-{number}", self.campaign(f"promo {number}", "promo", tokens, **more)),
        )
        return f"CODE-{number}"

    def grants(self, campaign_id: str) -> int:
        """How many grants a campaign has counted."""
        row = self.bank.row("select grants from credits.campaigns where campaign_id = %s", (campaign_id,))
        return int(row["grants"])


@pytest.fixture(scope="session")
def admin(admin_url: str) -> Iterator[Connection]:
    """The superuser on the shared database. After all tests its books must close."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        yield connection
        assert connection.execute("select * from audit.findings").fetchall() == []


@pytest.fixture(scope="session")
def service(service_url: str, admin: Connection) -> Iterator[Caller]:
    with psycopg.connect(service_url, autocommit=True) as connection:
        yield Caller(connection, "service_role")


@pytest.fixture(scope="session")
def api_login(api_url: str, admin: Connection) -> Iterator[Connection]:
    """The one connection that all users share, as they share the API's pool."""
    with psycopg.connect(api_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def user(api_login: Connection, service: Caller) -> Callable[..., Caller]:
    """user(tokens=0, **grant): somebody new, with tokens when asked for."""

    def make(tokens: Decimal | int = 0, **grant: Any) -> Caller:
        caller = Caller(api_login, "authenticated", f"user_{next(_numbers)}_{uuid4().hex[:8]}")
        if tokens:
            service.call("add_tokens", user_id=caller.user_id, tokens=tokens, **grant)
        return caller

    return make


@pytest.fixture
def crowd(service_url: str) -> Iterator[Callable[[int], list[Caller]]]:
    """crowd(n): the service, n times, each with a connection of its own."""
    with ExitStack() as stack:

        def gather(number: int) -> list[Caller]:
            connections = [psycopg.connect(service_url, autocommit=True) for _ in range(number)]
            for connection in connections:
                stack.callback(connection.close)  # and with it what a test has left open
            return [Caller(connection, "service_role") for connection in connections]

        yield gather


@pytest.fixture(scope="module")
def own_town(own_url: str) -> Iterator[Town]:
    """After all tests its books must close."""
    with ExitStack() as stack:
        town = Town(own_url, stack)
        yield town
        assert town.bank.rows("select * from audit.findings") == []


@pytest.fixture
def town(own_town: Town) -> Iterator[Town]:
    """The database of this module. Its campaigns end with the test."""
    with ExitStack() as stack:
        before, own_town.stack = own_town.stack, stack
        yield own_town
        own_town.stack = before
    own_town.admin.execute("update credits.campaigns set active = false")


@pytest.fixture(scope="session")
def still(still_url: str) -> Iterator[Connection]:
    """The superuser of a bank whose clock stands still, with the partitions of that year. It stays empty."""
    with psycopg.connect(still_url, autocommit=True) as connection:
        connection.execute(SETTABLE_CLOCK)
        connection.execute(f"set tests.clock = '{NOON}'")
        Bank(connection, "none").call("maintain")  # it makes the partitions of that year, and nothing else
        yield connection


def stand_still(connection: Connection) -> Bank:
    bank = Bank(connection, "none")
    bank.at(NOON)
    bank.call("maintain")
    return bank


@pytest.fixture
def bank(request: pytest.FixtureRequest) -> Iterator[Bank]:
    """A bank whose clock stands still. When the test is over, its books must close, and are forgotten.

    Only a test that connects by itself needs a database of its own: nobody else sees an open transaction.
    """
    if {"db", "url", "connect_as"}.isdisjoint(request.fixturenames):
        still: Connection = request.getfixturevalue("still")
        still.execute("begin")
        try:
            bank = Bank(still, "none")
            yield bank
            bank.sound()
        finally:
            still.execute("rollback")
    else:
        bank = stand_still(request.getfixturevalue("db"))
        yield bank
        bank.sound()
