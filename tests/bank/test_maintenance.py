"""`pgcredits maintain` books what is due, even if nobody uses the account."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import psycopg
from click.testing import CliRunner
from support import PASSWORD

from pgcredits.cli import main
from pgcredits.database_urls import as_login


def _let_expire(url: str, accounts: int) -> None:
    """Accounts that each have an expired lot."""
    with psycopg.connect(url) as connection:
        for number in range(accounts):
            connection.execute("select api.add_tokens(%s, 10, expires_at => '2100-01-01')", (f"due{number}",))
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


def test_maintenance_repeats_by_itself(db: psycopg.Connection, url: str) -> None:
    arguments = [sys.executable, "-m", "pgcredits.cli", "maintain", "--every", "1", "--database-url", url]
    process = subprocess.Popen(arguments)
    try:
        for round_ in (1, 2):
            with psycopg.connect(url) as connection:
                connection.execute("select api.add_tokens('due', 10, expires_at => '2100-01-01')")
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
    months = sorted(there - {"default"})
    service = as_login(url, "pgcredits_service", PASSWORD)
    for missing in (months[2:], months[1:2]):  # all the later ones, and the next one alone
        for month in missing:
            db.execute(f"drop table credits.entries_{month}".encode())
        assert CliRunner().invoke(main, ["maintain", "--database-url", service]).exit_code == 0
        assert _months(url) == there
    assert db.execute("select * from audit.findings").fetchall() == []


def test_month_begun_in_the_default_partition_is_sound(db: psycopg.Connection, url: str) -> None:
    this, following = sorted(_months(url) - {"default"})[:2]
    finding = "select expected from audit.check_partitions order by expected"
    for month in (this, following):
        db.execute(f"drop table credits.entries_{month}".encode())
    expected = [(f"a partition of the ledger for {month.replace('_', '-')}",) for month in (this, following)]
    assert db.execute(finding).fetchall() == expected
    db.execute("select api.add_tokens(user_id => 'ada', tokens => 5, reason => 'promo')")
    assert db.execute(finding).fetchall() == expected[1:]
    service = as_login(url, "pgcredits_service", PASSWORD)
    assert CliRunner().invoke(main, ["maintain", "--database-url", service]).exit_code == 0
    assert db.execute("select * from audit.findings").fetchall() == []


def test_reader_of_the_ledger_only_delays_partitions(db: psycopg.Connection, url: str) -> None:
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


def _idle(url: str, statement: str) -> psycopg.Connection:
    """A session that has executed this in a transaction, and has been idle since."""
    connection = psycopg.connect(url)
    connection.execute(statement.encode())
    return connection


def _alive(connection: psycopg.Connection) -> bool:
    try:
        connection.execute("select 1")
    except psycopg.OperationalError:
        return False
    return True


def test_sessions_that_are_idle_with_locks_of_the_bank_are_ended(db: psycopg.Connection, url: str) -> None:
    db.execute("select api.add_tokens('ada', 10)")
    service = as_login(url, "pgcredits_service", PASSWORD)
    spend = "set local role service_role; select api.consume_tokens('metube', user_id => 'ada')"
    holding, elsewhere = _idle(service, spend), _idle(service, "select 1")
    above = _idle(url, "lock table credits.notice_rules in access share mode")  # a superuser's
    time.sleep(1.1)
    fresh = _idle(service, "set local role service_role; table api.balance")
    runner = CliRunner()
    with_patience = runner.invoke(main, ["maintain", "--end-idle", "--database-url", url])
    assert "ended" not in with_patience.output
    done = runner.invoke(main, ["maintain", "--end-idle=1", "--database-url", url])
    assert done.exit_code == 0, done.output
    first, *rest = done.output.splitlines()
    assert re.match(r"ended a session of pgcredits_service: idle in a transaction for \d+ s", first)
    assert rest == ["0 account(s) brought up to date"]
    assert [_alive(one) for one in (holding, elsewhere, above, fresh)] == [False, True, True, True]
    db.execute("set lock_timeout = '100ms'")
    db.execute("select api.consume_tokens('metube', user_id => 'ada')")  # nobody has the wallet any more


def test_ending_sessions_without_the_right_is_refused(db: psycopg.Connection, url: str) -> None:
    service = as_login(url, "pgcredits_service", PASSWORD)
    done = CliRunner().invoke(main, ["maintain", "--end-idle=1", "--database-url", service])
    assert done.exit_code == 1
    assert "pg_signal_backend" in done.output
    db.execute("create role warden login in role pg_signal_backend, pg_read_all_stats, service_role")
    try:
        db.execute(f"alter role warden password '{PASSWORD}'")
        db.execute(f"grant connect on database {db.info.dbname} to warden")
        done = CliRunner().invoke(
            main, ["maintain", "--end-idle=1", "--database-url", as_login(url, "warden", PASSWORD)]
        )
        assert (done.exit_code, done.output) == (0, "0 account(s) brought up to date\n")
    finally:
        db.execute("drop owned by warden; drop role warden")
