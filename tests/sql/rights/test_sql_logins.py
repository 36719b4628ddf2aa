"""Tries the table in SECURITY.md: what an SQL login can do to others, and what bounds it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection

from pgcredits.database_urls import as_login

pytestmark = pytest.mark.slow

Login = Callable[..., str]
_numbers = itertools.count(1)
BOUNDS = {"statement_timeout": "5min", "idle_in_transaction_session_timeout": "60s"}


@pytest.fixture
def login(db: Connection, url: str) -> Iterator[Login]:
    """login(role, limit, **settings): the URL of a new login, by the recipe of SECURITY.md."""
    with ExitStack() as stack:

        def make(role: str, limit: int = 2, **settings: str) -> str:
            name = f"person_{next(_numbers)}"
            db.execute(
                f"create role {name} login password 'of a person' connection limit {limit} in role {role}"
            )
            stack.callback(db.execute, f"drop role {name}")
            stack.callback(db.execute, f"drop owned by {name}")
            db.execute(f"grant connect on database {db.info.dbname} to {name}")
            if db.info.server_version >= 170000:
                settings = {"transaction_timeout": "10min"} | settings
            for setting, value in (BOUNDS | settings).items():
                db.execute(f"alter role {name} set {setting} = '{value}'")
            return as_login(url, name, "of a person")

        yield make


def connect(url: str) -> Any:
    return psycopg.connect(url, autocommit=True)


def about(db: Connection, url: str) -> list[str]:
    """What the audit finds about this login."""
    name = psycopg.conninfo.conninfo_to_dict(url)["user"]
    rows = db.execute(
        "select f.expected || ': ' || f.found from audit.findings as f where f.expected like %s",
        (f"login {name}:%",),
    ).fetchall()
    return [text for (text,) in rows]


@pytest.mark.parametrize("role", ["analyst", "auditor", "support", "authenticated", "spender"])
def test_login_made_by_the_recipe_is_not_a_finding(role: str, db: Connection, login: Login) -> None:
    url = login(role)
    connect(url).close()
    assert about(db, url) == []


def test_login_cannot_pass_its_connection_limit(login: Login) -> None:
    url = login("analyst", limit=2)
    with connect(url) as first, connect(url), pytest.raises(psycopg.OperationalError, match="too many conn"):
        connect(url)
    with connect(url) as first:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            first.execute(f"alter role {first.info.user} connection limit 100")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            first.execute(f"alter role {first.info.user} createrole")


def test_idle_transaction_of_a_login_ends(db: Connection, login: Login) -> None:
    url = login("analyst", idle_in_transaction_session_timeout="200ms")
    with connect(url) as connection:
        connection.execute("begin")
        connection.execute("select * from analytics.module_usage")
        time.sleep(0.6)
        with pytest.raises(psycopg.Error, match="timeout"):
            connection.execute("select 1")


def test_busy_transaction_of_a_login_ends_from_17_on(db: Connection, login: Login) -> None:
    bound = {"transaction_timeout": "300ms"} if db.info.server_version >= 170000 else {}
    with connect(login("analyst", **bound)) as connection:
        connection.execute("begin")

        def keep_busy() -> None:
            for _ in range(8):
                connection.execute("select pg_sleep(0.1)")

        if bound:
            with pytest.raises(psycopg.Error, match="timeout"):
                keep_busy()
        else:
            keep_busy()  # what SECURITY.md says of 15 and 16


def test_login_can_lift_its_bounds_and_the_audit_sees_it(db: Connection, login: Login) -> None:
    url = login("analyst")
    with connect(url) as connection:
        connection.execute("set statement_timeout = 0")
        assert connection.execute("show statement_timeout").fetchone() == ("0",)
        assert about(db, url) == []  # of a session nobody knows
        connection.execute(f"alter role {connection.info.user} set statement_timeout = 0")
        assert about(db, url) == [f"login {connection.info.user}: a statement_timeout of at most 60 min: 0"]
        connection.execute(f"alter role {connection.info.user} reset all")
        assert len(about(db, url)) == (3 if db.info.server_version >= 170000 else 2)


def test_login_neither_sees_nor_ends_others_sessions(db: Connection, login: Login) -> None:
    with connect(login("support")) as one, connect(login("support")) as other:
        seen = one.execute(
            "select query from pg_stat_activity where pid = %s", (other.info.backend_pid,)
        ).fetchone()
        assert seen == ("<insufficient privilege>",)
        for function in ("pg_cancel_backend", "pg_terminate_backend"):
            for pid in (other.info.backend_pid, db.info.backend_pid):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    one.execute(f"select {function}({pid})")


def test_login_delays_only_those_who_need_the_same_wallet(db: Connection, login: Login) -> None:
    bank = Caller(db, "none")
    for name in ("ada", "bob"):
        bank.call("add_tokens", user_id=name, tokens=100)
    with connect(login("spender")) as application:
        application.execute("begin")
        application.execute("select api.consume_tokens('whisper', user_id => 'ada')")
        assert bank.call("consume_tokens", module_id="whisper", user_id="bob")["balance"] == 75
        assert (
            bank.row("select balance from api.balance where user_id = 'ada'")["balance"] == 100
        )  # as it was
        db.execute("set lock_timeout = '200ms'")
        with pytest.raises(psycopg.Error):
            bank.call("consume_tokens", module_id="whisper", user_id="ada")
        application.execute("rollback")
    assert bank.call("consume_tokens", module_id="whisper", user_id="ada")["balance"] == 75


def test_no_login_locks_a_table(login: Login) -> None:
    """So no reader stops a spend."""
    for role in ("analyst", "auditor", "support", "authenticated", "spender"):
        with connect(login(role)) as connection:
            connection.execute("set default_transaction_read_only = off")
            for mode in ("row exclusive", "share", "exclusive", "access exclusive"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(f"lock table credits.wallets in {mode} mode")
