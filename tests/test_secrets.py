"""A password that is marked, looked for in everything that is printed, raised, logged or shown."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import logging
import pkgutil
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import psycopg
import pytest
from click.testing import CliRunner

import pgcredits
import stripe_simulator
from pgcredits.bank.admin import connect
from pgcredits.cli import main
from pgcredits.database_urls import AddressError, as_login, as_user, parts_of
from pgcredits.http.database.pools import Database, Statement, UnavailableError
from pgcredits.settings import Settings, SettingsError
from pgcredits.tokens import ANONYMOUS

pytestmark = pytest.mark.one_version

MARK = "s3cr3tMARK"
# How a password with a special character looks in a URL when it is not written as it has to be.
UNREADABLE = [
    f"postgresql://postgres:%zz{MARK}@127.0.0.1:1/x",
    f"postgresql://postgres:p%{MARK}@127.0.0.1:1/x",
    f"postgresql://postgres:{MARK}@{MARK}@127.0.0.1:1/x",
    f"postgresql://postgres:{MARK}/{MARK}@127.0.0.1:1/x",
    f"postgresql://postgres:1/{MARK}?{MARK}@127.0.0.1:1/x",
    f"postgresql://postgres:{MARK}[@127.0.0.1:{MARK}/x",
    f"postgresql://postgres:{MARK}@[::1:1/x",
    f"postgresql://127.0.0.1:1/x?{MARK}={MARK}",
    f"postgresql://127.0.0.1:1/x?password={MARK}={MARK}",
    f"host=127.0.0.1 port=1 password=my {MARK}",
    f"host=127.0.0.1 port=1 password='{MARK}",
    f"host=127.0.0.1 port={MARK}",
    f"{MARK}",
    f"postgres:{MARK}@127.0.0.1:1/x",
    f"mysql://postgres:{MARK}@127.0.0.1:1/x",
]
# Read as they should be; nobody listens there, or there is no such host.
READABLE = [
    f"postgresql://postgres:{MARK}?{MARK}@127.0.0.1:1/x",
    f"postgresql://postgres:[{MARK}@127.0.0.1:1/x",
    f"postgresql://postgres:{MARK}@127.0.0.1:1/x",
    f"postgresql://postgres:{MARK}@nowhere.invalid:1/x",
    f"postgresql://postgres@127.0.0.1:1/x?password={MARK}",
    f"host=127.0.0.1 port=1 user=postgres password={MARK}",
]
COMMANDS = [
    ["migrate"],
    ["migrate", "--plan"],
    ["roles"],
    ["catalog", "apply", "iahome"],
    ["audit"],
    ["maintain"],
    ["maintain", "--end-idle"],
    ["up", "--port", "1", "--simulator-port", "2"],
]


@pytest.mark.parametrize("url", [*UNREADABLE, *READABLE])
def test_no_command_repeats_a_password(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCREDITS_DATABASE_URL", url)
    monkeypatch.setattr("pgcredits.local.up.port_is_free", lambda port: True)
    for command in COMMANDS:
        done = CliRunner().invoke(main, [*command, "--data-dir", str(tmp_path)])
        assert done.exit_code == 1, (command, done.output)
        assert "Error: " in done.output, command
        assert MARK not in done.output, command


@pytest.mark.parametrize("url", UNREADABLE)
def test_no_exception_repeats_a_password(url: str) -> None:
    for act in (
        lambda: parts_of(url),
        lambda: connect(url, "test"),
        lambda: as_login(url, "somebody", "x"),
        lambda: as_user(url, "somebody"),
    ):
        with pytest.raises(AddressError) as caught:
            act()
        assert MARK not in "".join(traceback.format_exception(caught.value))
    for one, other in ((url, READABLE[0]), (READABLE[0], url)):
        with pytest.raises(SettingsError) as refused:
            Settings(one, other, "0123456789abcdef" * 4)
        assert MARK not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("url", READABLE)
def test_a_refused_login_is_told_without_its_password(url: str) -> None:
    with pytest.raises(psycopg.OperationalError) as caught:
        connect(url, "test", connect_timeout=2)
    assert MARK not in str(caught.value)


def test_the_pools_log_no_password(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    settings = Settings(READABLE[0], READABLE[0], "0123456789abcdef" * 4, pool_timeout=1)

    async def ask() -> None:
        database = Database(settings)
        async with database.opened():
            await database.call(ANONYMOUS, Statement("select 1"), read_only=True, method="GET")

    with pytest.raises(UnavailableError) as caught:
        asyncio.run(ask())
    assert MARK not in "".join(traceback.format_exception(caught.value))
    assert caplog.text
    assert MARK not in caplog.text


def modules() -> Iterator[ModuleType]:
    """Every module of the program. Those for LiteLLM may lack its packages, which lie apart."""
    packages = (pgcredits, stripe_simulator)
    for found in [m for p in packages for m in pkgutil.walk_packages(p.__path__, f"{p.__name__}.")]:
        try:
            yield importlib.import_module(found.name)
        except ModuleNotFoundError as error:
            if error.name != "litellm" or not found.name.startswith("pgcredits.client.litellm."):
                raise


def records() -> Iterator[type]:
    """Every dataclass of the program."""
    for module in modules():
        for thing in vars(module).values():
            if isinstance(thing, type) and dataclasses.is_dataclass(thing):
                yield thing


def test_no_record_shows_a_secret_in_its_repr() -> None:
    """A record ends up in a log, or in the message of an exception."""
    secret = re.compile(
        r"password$|secret|token$|database_url|analyst_url|accountant_url|auditor_url|^environ"
    )
    shown = {
        f"{record.__name__}.{field.name}"
        for record in records()
        for field in dataclasses.fields(record)
        if secret.search(field.name) and field.repr and field.type not in ("bool", "int", bool, int)
    }
    assert shown == set()
