"""docs/examples/uninstall.sql removes a bank and its roles, and nothing of anybody else."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from callers import Caller
from support import PASSWORD, free_port

from pgcredits.bank.migrate import HOME, Options, migrate
from pgcredits.local import embedded

pytestmark = [pytest.mark.slow, pytest.mark.one_version]

Connection = psycopg.Connection[Any]
SCRIPT = HOME / "docs/examples/uninstall.sql"
SCHEMAS = {"credits", "api", "analytics", "finance", "audit", "yoyo"}


@pytest.fixture
def server(bin_dir: Path) -> Iterator[embedded.Server]:
    """A server of its own, because roles belong to the server."""
    folder = Path(tempfile.mkdtemp(prefix="pgcredits-uninstall-"))
    started = embedded.start(folder, free_port(), PASSWORD, bin_dir, say=lambda text: None)
    try:
        yield started
    finally:
        embedded.stop(started)
        shutil.rmtree(folder)


@pytest.fixture
def uninstall(server: embedded.Server, bin_dir: Path) -> Callable[..., tuple[int, str]]:
    """uninstall(dbname, *arguments): the exit code of the script, and what it said."""

    def run(dbname: str, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [bin_dir / "psql", "-X", f"--dbname={server.url(dbname)}", *arguments, "-f", str(SCRIPT)],
            env={"PATH": os.defpath, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def made(server: embedded.Server, name: str) -> Connection:
    """A database with a bank in it, and its administrator."""
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"create database {name}".encode())
    migrate(server.url(name), options=Options(harden=True))
    connection = psycopg.connect(server.url(name), autocommit=True)
    Caller(connection, "none").call("add_tokens", user_id="ada", tokens=100)
    return connection


def schemas(connection: Connection) -> set[str]:
    return {name for (name,) in connection.execute("select nspname from pg_namespace")} & SCHEMAS


def roles(connection: Connection) -> set[str]:
    return {
        name
        for (name,) in connection.execute("select rolname from pg_roles where rolname !~ '^pg_'")
        if name != "postgres"
    }


def test_bank_is_removed_with_its_roles_and_nothing_else(
    server: embedded.Server, uninstall: Callable[..., tuple[int, str]]
) -> None:
    with made(server, "bank") as bank, made(server, "other") as other:
        ours = roles(bank)
        assert len(ours) == 15
        bank.execute("create role shop login connection limit 5 in role spender")
        for name in ("statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"):
            bank.execute(f"alter role shop set {name} = '60s'".encode())
        bank.execute("create schema app authorization shop")
        bank.execute("create table app.jobs (id int primary key); insert into app.jobs values (1)")
        bank.execute("create view app.balances as select * from api.balance")
        bank.execute("create policy of_payers on app.jobs using (exists (select from api.balance))")
        bank.execute("create index sizes on app.jobs (credits.whole(id))")
        bank.execute("alter table app.jobs add column kept credits.entries")
        bank.execute(
            "create trigger noted before insert on app.jobs for each row execute function credits.note_role()"
        )

        # 1. Without the name, with another one, and where no bank is, nothing happens.
        assert uninstall("bank")[1].startswith("say which database")
        code, text = uninstall("bank", "-v", "database=other")
        assert (code, "this is the database bank, not other" in text) == (3, True)
        code, text = uninstall("postgres", "-v", "database=postgres")
        assert (code, "no bank is in the database postgres" in text) == (3, True)
        # 2. What others have made of the bank stops it, and is named.
        code, text = uninstall("bank", "-v", "database=bank")
        assert code == 3, text
        for mine in (
            *("view app.balances", "policy of_payers on app.jobs", "index app.sizes"),
            *("table column app.jobs.kept", "trigger noted on app.jobs"),
        ):
            assert mine in text, text
        assert schemas(bank) == SCHEMAS
        bank.execute("drop view app.balances; drop policy of_payers on app.jobs; drop index app.sizes")
        bank.execute("alter table app.jobs drop column kept; drop trigger noted on app.jobs")
        # 3. The bank goes. The roles stay, because the other bank needs them.
        code, text = uninstall("bank", "-v", "database=bank")
        assert (code, "the bank is removed" in text) == (0, True), text
        assert "the roles stay: another database of this server has a bank" in text
        assert schemas(bank) == set()
        assert bank.execute("select id from app.jobs").fetchall() == [(1,)]
        assert roles(bank) == ours | {"shop"}
        assert other.execute("select * from audit.findings").fetchall() == []
        # 4. The last bank takes the roles with it, but not the one that somebody is a member of.
        code, text = uninstall("other", "-v", "database=other")
        assert (code, roles(other)) == (0, {"shop", "spender"}), text
        assert "the role spender stays: shop is a member of it" in text
    # 5. A new bank can be made there.
    migrate(server.url("bank"))
    with psycopg.connect(server.url("bank")) as again:
        assert again.execute("select * from audit.findings").fetchall() == []
        assert again.execute("select * from api.balance").fetchall() == []
