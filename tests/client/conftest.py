"""A bank behind a real HTTP API, the client of a backend that charges in it, and users with tokens."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from callers import Caller, findings
from client_calls import QUICK, Books
from http_calls import SECRET, bearer, serving

from pgcredits.client import Bank
from pgcredits.http.app import create_app
from pgcredits.settings import Settings

_names = itertools.count(1)


@pytest.fixture(scope="session")
def base_url(api_url: str, service_url: str) -> Iterator[str]:
    settings = Settings(api_database_url=api_url, service_database_url=service_url, jwt_secret=SECRET)
    with serving(create_app(settings)) as url:
        yield url


@pytest.fixture(scope="session")
def api_key(base_url: str) -> str:
    """Of a backend that charges and grants nothing."""
    answer = httpx.post(
        f"{base_url}/rest/v1/rpc/create_api_key",
        json={"name": "the application", "role": "spender"},
        headers=bearer("service_role"),
        timeout=20,
    )
    return str(answer.raise_for_status().json()["api_key"])


@pytest.fixture(scope="session")
def bank(base_url: str, api_key: str) -> Iterator[Bank]:
    with Bank(base_url, api_key, retries=QUICK) as bank:
        yield bank


@pytest.fixture(scope="session")
def service(base_url: str) -> Iterator[Bank]:
    """The client of a backend that may do everything."""
    with Bank(base_url, bearer("service_role")["Authorization"].removeprefix("Bearer ")) as bank:
        yield bank


@pytest.fixture
def user(service: Bank) -> str:
    """A user with 120 tokens."""
    user = f"client_{os.getpid()}_{next(_names)}"
    service.grant(user, 120)
    return user


@pytest.fixture(scope="session")
def admin(admin_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def books(admin: psycopg.Connection[Any]) -> Books:
    return Books(admin)


@pytest.fixture(scope="session")
def auditor(admin_url: str) -> Iterator[Caller]:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        yield Caller(connection, "none")


@pytest.fixture(autouse=True)
def sound(request: pytest.FixtureRequest) -> Iterator[None]:
    """The audit finds nothing after any test."""
    auditor = request.getfixturevalue("auditor") if "base_url" in request.fixturenames else None
    yield
    if auditor is not None:
        assert findings(auditor) == []
