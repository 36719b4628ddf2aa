"""Migrate and catalog apply wait only briefly for a lock that somebody keeps, and everybody else goes on."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support import PASSWORD, free_port

from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.migrate import SQL, LockedError, Options, run
from pgcredits.bank.migrate.locks import describe
from pgcredits.database_urls import as_login
from pgcredits.local import embedded

Connection = psycopg.Connection[Any]


@pytest.fixture
def sql(tmp_path: Path) -> Path:
    """A copy of sql/, to change."""
    return Path(shutil.copytree(SQL, tmp_path / "sql"))


def change(sql: Path, name: str, old: str, new: str) -> None:
    path = sql / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    """An analyst who has read the figures and left the transaction open."""
    with psycopg.connect(
        as_login(url, "pgcredits_analyst", PASSWORD), application_name="a notebook"
    ) as analyst:
        analyst.execute("select * from analytics.module_usage")
        analyst.execute("select * from analytics.module_margin")
        yield analyst


class Spending(threading.Thread):
    """A user who spends and reads all the time, as the API lets them: a lock is waited for five seconds."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.done = as_login(url, "pgcredits_service", PASSWORD), threading.Event()
        self.calls = 0
        self.refusals: list[str] = []

    def run(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as service:
            service.execute("set role service_role")
            service.execute("set lock_timeout = '5s'")
            service.execute("set statement_timeout = '4s'")  # longer would be a refusal that no test expects
            while not self.done.wait(0.02):
                try:
                    service.execute("select api.consume_tokens('metube', user_id => 'spender')")
                    service.execute("select * from api.balance where user_id = 'spender'")
                except psycopg.Error as error:
                    self.refusals.append(str(error))
                self.calls += 1


@contextmanager
def spending(url: str, db: Connection) -> Iterator[Spending]:
    db.execute("select api.add_tokens('spender', 100000)")
    somebody = Spending(url)
    somebody.start()
    try:
        yield somebody
    finally:
        somebody.done.set()
        somebody.join(20)


def test_nothing_changed_locks_nothing(url: str, db: Connection) -> None:
    run(url)  # a clone is hardened anew
    with reading(url), spending(url, db) as somebody:
        db.execute("begin; lock table credits.wallets in row exclusive mode")  # and an open spend
        outcome = run(url)
        db.execute("commit")
    assert outcome.up_to_date
    assert somebody.refusals == []


def test_a_changed_function_waits_for_no_reader_of_tables_and_views(
    url: str, db: Connection, sql: Path
) -> None:
    change(
        sql,
        "credits/base/settings.sql",
        "returns boolean\nlanguage plpgsql\nstable",
        "returns boolean\nlanguage plpgsql\nvolatile",
    )
    with reading(url), spending(url, db) as somebody:
        outcome = run(url, Options(sql=sql))
    assert outcome.changed_files == ["credits/base/settings.sql"]
    assert somebody.refusals == []


@pytest.mark.one_version
def test_changed_view_waits_and_names_its_reader(url: str, db: Connection, sql: Path) -> None:
    change(sql, "analytics/module_usage.sql", "\nas\n", "\nas -- another text\n")
    said: list[str] = []
    with reading(url) as analyst, spending(url, db) as somebody:
        with pytest.raises(
            LockedError, match=r"held by pid \d+ \(login pgcredits_analyst, a notebook, idle in"
        ):
            run(url, Options(sql=sql, wait_seconds=4), say=said.append)
        analyst.rollback()
        outcome = run(url, Options(sql=sql))
    assert outcome.changed_files == ["analytics/module_usage.sql"]
    assert [line for line in said if "pgcredits_analyst" in line]
    assert not [line for line in said if "select" in line.lower()]  # what they execute is theirs
    assert somebody.refusals == []
    assert somebody.calls > 20


@pytest.mark.one_version
def test_migration_lets_everybody_pass_between_its_attempts(url: str, db: Connection, tmp_path: Path) -> None:
    """The bank answers all the time. The migration is applied when the reader has gone."""
    migrations = Path(shutil.copytree(SQL.parent / "migrations", tmp_path / "migrations"))
    (migrations / "9999-wider.sql").write_text(
        "set local role credits_owner;\nalter table credits.entries add column note text;\n"
    )
    with spending(url, db) as somebody:
        with reading(url), pytest.raises(LockedError, match="pgcredits_analyst"):
            run(url, Options(migrations=migrations, wait_seconds=6))
        refused_between_tries = len(somebody.refusals)
        assert run(url, Options(migrations=migrations)).applied == ["9999-wider"]
    assert refused_between_tries == 0
    # A call that comes while the columns change is refused within two seconds.
    assert all('"error": "busy"' in refusal for refusal in somebody.refusals)


@pytest.mark.one_version
def test_no_login_can_keep_migrate_waiting_with_a_lock_of_its_own(url: str, db: Connection) -> None:
    with psycopg.connect(as_login(url, "pgcredits_analyst", PASSWORD)) as squatter:
        for number in range(7_310_579_263_000, 7_310_579_263_003):
            squatter.execute("select pg_advisory_lock(%s)", (number,))
        for attempt in (
            "lock table yoyo.migrating in access share mode",
            "lock table yoyo._yoyo_migration in access share mode",
            "select 1 from yoyo.migrating for update",
        ):
            squatter.commit()
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                squatter.execute(attempt)
        squatter.rollback()
        assert not run(url, Options(force=True, wait_seconds=1)).up_to_date


@pytest.mark.one_version
def test_another_migrate_is_waited_for_and_named(url: str, db: Connection) -> None:
    with psycopg.connect(url, application_name="somebody's migrate") as other:
        other.execute("lock table yoyo.migrating in access exclusive mode")
        for work in (
            lambda: run(url, Options(force=True, wait_seconds=3)),
            lambda: apply_catalog(url, "iahome", wait_seconds=3),
        ):
            with pytest.raises(
                LockedError, match=r"no lock within 3 s: held by pid \d+ \(login postgres, some"
            ):
                work()


def test_a_prepared_transaction_is_named(tmp_path: Path, bin_dir: Path) -> None:
    """It has no session that could be ended, and keeps its locks over a restart."""
    server = embedded.start(
        tmp_path, free_port(), PASSWORD, bin_dir, {"max_prepared_transactions": "2"}, say=lambda text: None
    )
    try:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute("create table kept ()")
            admin.execute("begin")
            admin.execute("lock table kept in access exclusive mode")
            admin.execute("prepare transaction 'forgotten'")
            waiting = psycopg.connect(server.url())
            pid = waiting.info.backend_pid
            thread = threading.Thread(target=_wait_for_kept, args=(waiting,), daemon=True)
            thread.start()
            while not (said := describe(admin, pid)):
                time.sleep(0.02)
            admin.execute("rollback prepared 'forgotten'")
            thread.join(10)
            waiting.close()
        assert re.fullmatch(r"prepared transaction forgotten of postgres since 2\d{3}-.*", said)
    finally:
        embedded.stop(server)


def _wait_for_kept(connection: Connection) -> None:
    connection.execute("table kept")


@pytest.mark.one_version
def test_catalog_that_needs_a_locked_wallet_is_applied_later(
    url: str, db: Connection, tmp_path: Path
) -> None:
    """A changed rule for notices changes every wallet. A user's open transaction has locked one of them."""
    catalog = tmp_path / "louder.sql"
    catalog.write_text("select credits.define_notice('low_balance', p_below => 77);\n")
    db.execute("select api.add_tokens('holder', 100)")
    with spending(url, db) as somebody, psycopg.connect(url, application_name="a job") as holder:
        holder.execute("select api.consume_tokens('metube', user_id => 'holder')")
        with pytest.raises(
            LockedError, match=r"held by pid \d+ \(login postgres, a job, idle in transaction"
        ):
            apply_catalog(url, str(catalog), wait_seconds=4)
        assert db.execute("select count(*) from credits.notice_rules where below = 77").fetchone() == (0,)
        holder.commit()
        apply_catalog(url, str(catalog))
    assert db.execute("select count(*) from credits.notice_rules where below = 77").fetchone() == (1,)
    assert somebody.refusals == []
