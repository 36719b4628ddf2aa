"""`pgcredits maintain`: what is due gets booked without anybody touching the account."""

from __future__ import annotations

import subprocess
import sys
import time

import psycopg
from click.testing import CliRunner
from support import PASSWORD

from pgcredits.addresses import as_login
from pgcredits.cli import main


def _let_expire(url: str, accounts: int) -> None:
    """Accounts with a lot each whose time has come."""
    with psycopg.connect(url) as connection:
        for number in range(accounts):
            connection.execute("select api.add_tokens(%s, 10, expires_at => 'infinity')", (f"due{number}",))
        connection.execute("update credits.lots set expires_at = clock_timestamp()")
        connection.execute("update credits.wallets set due_at = clock_timestamp()")


def _expired(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select count(*) from credits.entries where kind = 'expire'").fetchone()
        assert row is not None
        return int(row[0])


def test_everything_due_is_booked_once(db: psycopg.Connection, url: str) -> None:
    _let_expire(url, 130)  # more than one call of the function does
    runner = CliRunner()
    first = runner.invoke(main, ["maintain", "--database-url", as_login(url, "pgcredits_service", PASSWORD)])
    assert first.output == "130 account(s) brought up to date\n"
    assert _expired(url) == 130
    assert runner.invoke(main, ["maintain", "--database-url", url]).output.startswith("0 account(s)")


def test_it_goes_on_every_so_often(db: psycopg.Connection, url: str) -> None:
    arguments = [sys.executable, "-m", "pgcredits.cli", "maintain", "--every", "1", "--database-url", url]
    process = subprocess.Popen(arguments)
    try:
        for round_ in (1, 2):
            with psycopg.connect(url) as connection:
                connection.execute("select api.add_tokens('due', 10, expires_at => 'infinity')")
                connection.execute("update credits.lots set expires_at = clock_timestamp() where live")
                connection.execute("update credits.wallets set due_at = clock_timestamp()")
            deadline = time.monotonic() + 20
            while _expired(url) < round_:
                assert time.monotonic() < deadline, "nothing was booked"
                time.sleep(0.1)
    finally:
        process.terminate()
        process.wait()


def _months(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select right(c.relname, 7) from pg_class as c join pg_inherits as i on i.inhrelid = c.oid"
            " where i.inhparent = 'credits.entries'::regclass"
        ).fetchall()
        return {str(month) for (month,) in rows}


def test_partitions_that_are_missing_are_made(db: psycopg.Connection, url: str) -> None:
    there = _months(url)
    for month in sorted(there - {"default"})[2:]:
        db.execute(f"drop table credits.entries_{month}".encode())
    service = as_login(url, "pgcredits_service", PASSWORD)
    assert CliRunner().invoke(main, ["maintain", "--database-url", service]).exit_code == 0
    assert _months(url) == there
    assert db.execute("select * from audit.findings").fetchall() == []


def test_a_reader_of_the_ledger_only_puts_partitions_off(db: psycopg.Connection, url: str) -> None:
    months = sorted(_months(url) - {"default"})
    for month in months[2:]:
        db.execute(f"drop table credits.entries_{month}".encode())
    _let_expire(url, 3)
    service = as_login(url, "pgcredits_service", PASSWORD)
    with psycopg.connect(as_login(url, "pgcredits_auditor", PASSWORD)) as reader:
        reader.execute("select count(*) from credits.entries")  # and stays in its transaction
        done = CliRunner().invoke(main, ["maintain", "--database-url", service])
        assert done.output == "3 account(s) brought up to date\n"
        assert months[-1] not in _months(url)
    CliRunner().invoke(main, ["maintain", "--database-url", service])
    assert months[-1] in _months(url)
