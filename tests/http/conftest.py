"""The HTTP API as a real server, on the migrated database that all tests share."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import OLD_WEBHOOK_SECRET, SECRET, WEBHOOK_SECRET, User, bearer, grant, serving

from pgcredits.http.app import create_app
from pgcredits.settings import Settings

_names = itertools.count(1)


@pytest.fixture(scope="session")
def settings(api_url: str, service_url: str) -> Settings:
    return Settings(
        api_database_url=api_url,
        service_database_url=service_url,
        jwt_secret=SECRET,
        stripe_webhook_secrets=(WEBHOOK_SECRET, OLD_WEBHOOK_SECRET),
        pool_size=4,
        max_rows=50,
    )


@pytest.fixture(scope="session")
def base_url(settings: Settings) -> Iterator[str]:
    with serving(create_app(settings)) as url:
        yield url


@pytest.fixture(scope="session")
def client(base_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base_url, timeout=20) as client:
        yield client


@pytest.fixture
def user() -> User:
    """A new user, whom the database has never heard of."""
    user_id = f"user_{os.getpid()}_{next(_names)}_{time.time_ns()}"
    return User(user_id, bearer("authenticated", user_id))


@pytest.fixture(scope="session")
def service() -> dict[str, str]:
    return bearer("service_role")


@pytest.fixture
def rich(client: httpx.Client, user: User, service: dict[str, str]) -> User:
    """A user with 1000 tokens."""
    grant(client, service, user, 1000)
    return user


@pytest.fixture
def admin(admin_url: str) -> Iterator[psycopg.Connection[Any]]:
    """The superuser of the database behind the API."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        yield connection
