"""Administrators' commands run nobody else's code, whatever a login or a database was set to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import pgcredits
from pgcredits.bank import admin, audit
from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.maintenance import maintain
from pgcredits.bank.migrate import Options, run

PACKAGE = Path(pgcredits.__file__).parent
ALLOWED = {"bank/admin.py", "http/database/pools.py"}  # the helper, and the pools of the API


def connections(path: Path) -> list[int]:
    """The lines of a module that open a connection with psycopg by themselves."""
    lines = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef) and any("ConnectionPool" in ast.unparse(b) for b in node.bases):
            lines.append(node.lineno)  # a pool of our own
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
            continue
        name = ast.unparse(node.func)
        if name in {"psycopg.connect", "connect", "ConnectionPool", "AsyncConnectionPool"} or (
            name.endswith("Connection.connect") or name.startswith("psycopg_pool.")
        ):
            lines.append(node.lineno)
    return lines


def test_administrators_connect_through_one_helper() -> None:
    found = {
        name: lines
        for path in PACKAGE.rglob("*.py")
        if (name := path.relative_to(PACKAGE).as_posix()) and (lines := connections(path))
    }
    assert found.keys() == ALLOWED


def test_connection_outside_the_helper_is_found(tmp_path: Path) -> None:
    for line in ("psycopg.connect(url)", "psycopg.Connection.connect(url)", "AsyncConnectionPool(url)"):
        module = tmp_path / "module.py"
        module.write_text(f"connection = {line}\n")
        assert connections(module) == [1], line
    module.write_text("class Pool(AsyncConnectionPool[Connection]): ...")
    assert connections(module) == [1]


@pytest.fixture
def trap(db: psycopg.Connection[Any]) -> Iterator[str]:
    """Foreign functions and an operator, found before PostgreSQL's own. Each records who ran it."""
    for statement in (
        "create schema trap",
        "create table trap.caught (what text)",
        *(
            f"create function trap.{name}({arguments}) returns {result} language plpgsql as"
            f" $$ begin insert into trap.caught values ('{name}'); return {value}; end $$"
            for name, arguments, result, value in (
                ("starts_with", "name, text", "boolean", "true"),
                ("to_regclass", "text", "regclass", "null"),
                ("to_regprocedure", "text", "regprocedure", "null"),
                ("current_setting", "text", "text", "'1'"),
                ("set_config", "text, text, boolean", "text", "'1'"),
                ("count", "", "bigint", "1"),
            )
        ),
        "create view trap.pg_roles as select 'nobody'::name as rolname",
        "grant usage on schema trap to public",
        "do $$ begin execute format("
        "'alter database %I set search_path = trap, pg_catalog', current_database()); end $$",
    ):
        db.execute(statement)
    yield "select what from trap.caught"
    db.execute("drop schema trap cascade")


@pytest.mark.one_version
def test_administrators_run_no_foreign_functions(
    db: psycopg.Connection[Any], url: str, trap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c search_path=trap,pg_catalog")
    with psycopg.connect(url) as naive:
        assert naive.execute("select current_setting('server_version')").fetchone() == ("1",)
        naive.execute("delete from trap.caught")
    own = url + ("&" if "?" in url else "?") + "options=-csearch_path%3Dtrap,pg_catalog"
    for where in (url, own):
        run(where, Options(force=True))
        apply_catalog(where, "iahome")
        audit.run(where)
        maintain(where)
        with admin.connect(where, "test") as connection:
            assert connection.execute("show search_path").fetchone() == ("pg_catalog,pg_temp",)
    assert db.execute(trap).fetchall() == []


def test_administrators_have_bounds(url: str) -> None:
    with admin.connect(url, "pgcredits test") as connection:
        row = connection.execute(
            "select current_setting('lock_timeout'), current_setting('statement_timeout'),"
            " current_setting('idle_in_transaction_session_timeout'), current_setting('application_name')"
        ).fetchone()
    assert row == ("2s", "10min", "2min", "pgcredits test")


@pytest.mark.parametrize(
    ("given", "used"), [("", "10"), ("0", "10"), ("-1", "10"), ("7", "7"), ("600", "600")]
)
def test_every_connection_wait_has_a_bound(monkeypatch: pytest.MonkeyPatch, given: str, used: str) -> None:
    """To libpq, 0 and less mean for ever. A server that has disappeared is noticed, too."""
    asked: dict[str, Any] = {}

    def connect(conninfo: str, **_: object) -> None:
        asked.update(conninfo_to_dict(conninfo))
        raise psycopg.OperationalError

    monkeypatch.setattr(psycopg, "connect", connect)
    more = f"?connect_timeout={given}" if given else ""
    with pytest.raises(psycopg.OperationalError):
        admin.connect(f"postgresql://postgres@127.0.0.1/x{more}", "test")
    assert asked["connect_timeout"] == used
    assert int(asked["keepalives_idle"]) + 6 * int(asked["keepalives_interval"]) <= 120
    assert asked["tcp_user_timeout"] == "90000"
