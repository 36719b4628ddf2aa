"""A service, users and an administrator on the database that the tests of this folder share.

Tests that change prices, settings or the books behind the bank's back take a database of their own (`db`).
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
from people import Caller, Connection

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def admin(admin_url: str) -> Iterator[Connection]:
    """The superuser on the shared database. When all is over, its books must close."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        yield connection
        assert connection.execute("select * from audit.findings").fetchall() == []


@pytest.fixture(scope="session")
def service(service_url: str, admin: Connection) -> Iterator[Caller]:
    with psycopg.connect(service_url, autocommit=True) as connection:
        yield Caller(connection, "service_role")


@pytest.fixture(scope="session")
def door(api_url: str, admin: Connection) -> Iterator[Connection]:
    """The one connection that all users share, as they share the API's pool."""
    with psycopg.connect(api_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def user(door: Connection, service: Caller) -> Callable[..., Caller]:
    """user(tokens=0, **grant): somebody new, with tokens when asked for."""

    def make(tokens: Decimal | int = 0, **grant: Any) -> Caller:
        caller = Caller(door, "authenticated", f"user_{next(_numbers)}_{uuid4().hex[:8]}")
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
