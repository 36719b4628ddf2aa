"""The HTTP API on a database that has views and functions of its own: things.sql."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import bearer, serving
from postgrest_server import installed
from support import PASSWORD

from pgcredits.database_urls import as_login
from pgcredits.http.app import create_app
from pgcredits.settings import Settings

MAX_ROWS = 15


@pytest.fixture(scope="session")
def things(things_url: str) -> str:
    """The superuser's URL of the database with things.sql."""
    with psycopg.connect(things_url, autocommit=True) as admin:
        admin.execute((Path(__file__).parent / "things.sql").read_bytes())
    return things_url


@pytest.fixture(scope="session")
def things_settings(things: str, settings: Settings) -> Settings:
    return replace(
        settings,
        api_database_url=as_login(things, "pgcredits_api", PASSWORD),
        service_database_url=as_login(things, "pgcredits_service", PASSWORD),
        max_rows=MAX_ROWS,
    )


@pytest.fixture(scope="session")
def things_api(things_settings: Settings) -> Iterator[str]:
    """The URL of the HTTP API on this database."""
    with serving(create_app(things_settings)) as url:
        yield url


@pytest.fixture(scope="session")
def ada(things_api: str) -> Iterator[httpx.Client]:
    """The client of the user who owns the things 1 to 12."""
    with httpx.Client(base_url=things_api, timeout=20, headers=bearer("authenticated", "ada")) as client:
        yield client


@pytest.fixture(scope="session")
def bob(things_api: str) -> Iterator[httpx.Client]:
    """The client of the user who owns the things 13 to 20."""
    with httpx.Client(base_url=things_api, timeout=20, headers=bearer("authenticated", "bob")) as client:
        yield client


@pytest.fixture(scope="session")
def modules(request: pytest.FixtureRequest) -> Path:
    """PostgREST and its JavaScript clients. Skips the test without the option --differential."""
    return installed(request.config)


@pytest.fixture
def things_admin(things: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(things, autocommit=True) as connection:
        yield connection
