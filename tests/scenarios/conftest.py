"""A system for each test module, in a database of its own on the server under test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from scenarios.system import System, running

from pgcredits.bank.migrate import Options, migrate


@pytest.fixture(scope="module")
def started(
    request: pytest.FixtureRequest,
    cluster: Any,  # of tests/conftest.py
    template: object,  # made first, it leaves the logins with their passwords
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[System]:
    """The system that the module's name says: test_scenario_NAME."""
    name = request.path.stem.removeprefix("test_scenario_")
    database = f"pgcredits_{name}"
    with psycopg.connect(cluster.url(), autocommit=True) as admin:
        admin.execute(f"create database {database}".encode())
        try:
            with running(name, tmp_path_factory.mktemp(name) / "data", cluster.url(database)) as system:
                # A database of its own, as the embedded one is: else PUBLIC may make temporary tables in it.
                migrate(cluster.url(database), options=Options(harden=True))
                yield system
        finally:
            admin.execute(f"drop database {database} with (force)".encode())


@pytest.fixture
def system(started: System) -> Iterator[System]:
    """The running system; whatever a test did to it, its books close."""
    yield started
    assert started.findings() == []
    assert started.query("AUDITOR", "table audit.parked") == []
