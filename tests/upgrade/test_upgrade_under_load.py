"""Users spend, hold and capture while migrate replaces the functions that they are in: no call fails."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support import PASSWORD

from pgcredits.bank.migrate import HOME, SQL, Options, retired, run
from pgcredits.bank.migrate.retired import UNFINISHED
from pgcredits.database_urls import as_login

Connection = psycopg.Connection[Any]
CLIENTS = 2
CALLS = (
    "select api.consume_tokens('whisper', user_id => %(user)s)",
    "select api.consume_tokens('whisper', user_id => %(user)s, idempotency_key => gen_random_uuid()::text)",
    "select api.consume_tokens('metube', user_id => 'everybody')",
    "select api.capture_hold(h.hold_id) from api.hold_tokens('whisper', user_id => %(user)s) as h",
    "select api.release_hold(h.hold_id) from api.hold_tokens('whisper', user_id => %(user)s) as h",
    "select api.refund_usage(c.entry_id) from api.consume_tokens('whisper', user_id => %(user)s) as c",
    "select balance from api.balance where user_id = %(user)s",
    "select count(*) from api.entries where user_id = %(user)s",
)


class Client(threading.Thread):
    """Calls one after the other, without a pause; each transaction is one call."""

    def __init__(self, url: str, number: int, done: threading.Event) -> None:
        super().__init__(daemon=True)
        self.url, self.user, self.done = url, f"user_{number}", done
        self.calls = 0
        self.failures: list[str] = []

    def run(self) -> None:
        with psycopg.connect(as_login(self.url, "pgcredits_service", PASSWORD), autocommit=True) as service:
            service.execute("set role service_role")
            while not self.done.is_set():
                call = CALLS[self.calls % len(CALLS)]
                try:
                    service.execute(call.encode(), {"user": self.user})
                except psycopg.Error as error:
                    self.failures.append(f"{call}: {error}")
                self.calls += 1


def private_names() -> set[str]:
    """Private functions that only functions call, and that do not name themselves (`enter.account_id`)."""
    text = "".join(path.read_text() for path in SQL.glob("credits/**/*.sql"))
    program = "".join(path.read_text() for path in (HOME / "api").rglob("*.py"))
    attached = [path.read_text() for path in SQL.rglob("*.sql") if path.parent.name != "catalogs"]
    elsewhere = program + "".join(
        text for text in attached if re.search("create (or replace )?(view|policy|trigger)", text)
    )
    named = set(re.findall(r"create or replace function credits\.(\w+)\(", text))
    named -= set(re.findall(r"func = credits\.(\w+)", text))  # an aggregate calls it
    return {
        name
        for name in named
        if not re.search(rf"\b{name}\b", elsewhere) and not re.search(rf"(?<![.\w]){name}\.", text)
    }


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A tree of before: the same functions, under other names."""
    sql = Path(shutil.copytree(SQL, tmp_path / "older"))
    names = "|".join(sorted(private_names(), key=len, reverse=True))
    for path in sql.rglob("*.sql"):
        if path.parent.name != "catalogs":
            path.write_text(re.sub(rf"\bcredits\.({names})\(", r"credits.\1_of_before(", path.read_text()))
    return sql


@pytest.fixture
def clients(url: str, db: Connection) -> Iterator[list[Client]]:
    for number in range(CLIENTS):
        db.execute("select api.add_tokens(%s, 1000000)", [f"user_{number}"])
    db.execute("select api.add_tokens('everybody', 1000000)")
    done = threading.Event()
    made = [Client(url, number, done) for number in range(CLIENTS)]
    with ExitStack() as stack:
        stack.callback(lambda: [client.join(20) for client in made if client.is_alive()])
        stack.callback(done.set)
        yield made


@pytest.mark.one_version
@pytest.mark.long
def test_an_upgrade_fails_no_call_that_is_under_way(
    url: str, db: Connection, older: Path, clients: list[Client]
) -> None:
    run(url, Options(sql=older))
    for client in clients:
        client.start()
    dropped: list[str] = []
    for sql in (SQL, older, SQL):
        before = [client.calls for client in clients]
        dropped += run(url, Options(sql=sql)).dropped
        assert all(client.calls > calls for client, calls in zip(clients, before, strict=True))
    for client in clients:
        client.done.set()
        client.join(20)
    assert len(dropped) > 300
    assert [failure for client in clients for failure in client.failures] == []
    assert db.execute("table audit.findings").fetchall() == []
    assert run(url).up_to_date


SLOW = """
create or replace function credits.slow_answer(p_number integer) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$ begin return p_number; end $$;
create or replace function credits.slow_call() returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_advisory_xact_lock(4711);
    return credits.slow_answer(42);
end
$$;
"""


@pytest.fixture
def slow(url: str, db: Connection, tmp_path: Path) -> None:
    """A bank of a release with a call that waits, and then looks for another function."""
    sql = Path(shutil.copytree(SQL, tmp_path / "slow"))
    (sql / "credits/slow.sql").write_text(SLOW)
    run(url, Options(sql=sql))


def standing(db: Connection) -> list[str]:
    rows = db.execute("select proname from pg_proc where proname ~ '^slow_' order by 1").fetchall()
    return [name for (name,) in rows]


def wait_until(db: Connection, query: str) -> None:
    deadline = time.monotonic() + 60
    while db.execute(query.encode()).fetchone() != (True,):
        assert time.monotonic() < deadline, query
        time.sleep(0.02)


@pytest.mark.one_version
@pytest.mark.usefixtures("slow")
def test_a_call_that_began_before_finds_its_functions(
    url: str, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call goes on when migrate has looked three times whether it has ended."""
    looks, look = threading.Semaphore(0), retired._under_way
    monkeypatch.setattr(retired, "_under_way", lambda connection: (looks.release(), look(connection))[1])
    db.execute("select pg_advisory_lock(4711)")
    answers: list[Any] = []

    def call() -> None:
        with psycopg.connect(url, autocommit=True) as owner:
            answers.append(owner.execute("select credits.slow_call()").fetchone())

    caller = threading.Thread(target=call)
    migrating = threading.Thread(target=lambda: answers.append(run(url).dropped))
    caller.start()
    wait_until(db, "select exists (select from pg_locks where locktype = 'advisory' and not granted)")
    migrating.start()
    assert all(looks.acquire(timeout=60) for _ in range(3))
    assert db.execute("select digest from credits.releases").fetchall() == [(UNFINISHED,)]
    assert standing(db) == ["slow_answer", "slow_call"]
    db.execute("select pg_advisory_unlock(4711)")
    caller.join(60)
    migrating.join(60)
    gone = ["function credits.slow_answer(p_number integer)", "function credits.slow_call()"]
    assert answers == [(42,), gone]
    assert standing(db) == []
    assert db.execute("table audit.findings").fetchall() == []
    assert run(url).up_to_date


@pytest.mark.one_version
@pytest.mark.usefixtures("slow")
def test_a_session_that_is_idle_in_its_transaction_is_not_waited_for(url: str, db: Connection) -> None:
    with psycopg.connect(url) as idle:
        idle.execute("select credits.slow_call()")
        run(url)
        assert standing(db) == []
        assert idle.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


@pytest.mark.one_version
@pytest.mark.usefixtures("slow")
def test_a_migrate_that_was_killed_is_finished_by_the_next(
    url: str, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(retired, "wait_for_calls", _killed)
        with pytest.raises(KeyboardInterrupt):
            run(url)
    assert standing(db) == ["slow_answer", "slow_call"]
    assert db.execute("table audit.findings").fetchall() == []
    assert len(run(url).dropped) == 2
    assert standing(db) == []
    assert run(url).up_to_date


def _killed(connection: Connection) -> None:
    raise KeyboardInterrupt
