"""Calls with `conn`: a part of the application's own transaction, which they neither commit nor break."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from client_calls import MODULE, Books, run
from support import PASSWORD

from pgcredits.client import (
    AsyncBank,
    Bank,
    Busy,
    HoldClosed,
    InsufficientTokens,
    NotAllowed,
    NoTransaction,
    TransactionFailed,
    Unavailable,
    UnknownModule,
)
from pgcredits.database_urls import as_login

pytestmark = pytest.mark.one_version

Connection = psycopg.Connection[Any]
bank = Bank()
BOUNDS = (
    "set statement_timeout = '30s'",
    "set lock_timeout = '10s'",
    "set idle_in_transaction_session_timeout = '30s'",
)


@pytest.fixture(scope="module")
def app_url(admin_url: str) -> Iterator[str]:
    """The login of an application, a member of spender, with a table of its own."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("create role client_app login connection limit 20 in role spender")
        admin.execute(
            "create role client_actor login noinherit connection limit 20 in role spender, service_role"
        )
        admin.execute("grant connect on database pgcredits_shared to client_actor")
        for login in ("client_app", "client_actor"):
            for setting in (f"password '{PASSWORD}'", *BOUNDS):
                admin.execute(f"alter role {login} {setting}".encode())
        admin.execute("create schema app authorization client_app")
        admin.execute("create table app.jobs (prompt text)")
        admin.execute("grant all on app.jobs to client_app")
        yield as_login(admin_url, "client_app", PASSWORD)
        admin.execute("drop schema app cascade")
        admin.execute("drop owned by client_app, client_actor")
        admin.execute("drop role client_app, client_actor")


@pytest.fixture
def conn(app_url: str, base_url: str) -> Iterator[Connection]:
    with psycopg.connect(app_url) as conn:
        yield conn


def jobs(books: Books) -> int:
    row = books.admin.execute("select count(*) from app.jobs").fetchone()
    assert row
    return int(row[0])


def submit(conn: Connection, user: str, calls: int = 1) -> None:
    conn.execute("insert into app.jobs values ('a lighthouse')")
    bank.spend(MODULE, user, usage={"calls": calls}, conn=conn)


def test_charge_is_committed_with_the_row_or_not_at_all(conn: Connection, user: str, books: Books) -> None:
    before = jobs(books)
    submit(conn, user)
    assert (books.charges(user), jobs(books)) == ([], before), "it was committed by itself"
    conn.commit()
    assert (books.charges(user), jobs(books)) == ([50], before + 1)
    submit(conn, user)
    conn.rollback()
    assert (books.charges(user), jobs(books)) == ([50], before + 1)


def test_first_call_of_a_transaction_leaves_it_open(conn: Connection, user: str, books: Books) -> None:
    assert bank.quote(MODULE, user, conn=conn).sufficient
    receipt = bank.spend(MODULE, user, key="one", metadata={"job": 1}, tags={"job": "1"}, conn=conn)
    assert (receipt.cost, receipt.balance) == (50, 70)
    assert bank.spend(MODULE, user, key="one", metadata={"job": 1}, tags={"job": "1"}, conn=conn).replayed
    assert books.charges(user) == []
    conn.commit()
    assert books.charges(user) == [50]


def test_refusal_leaves_the_transaction_as_it_was(conn: Connection, user: str, books: Books) -> None:
    before = jobs(books)
    conn.execute("insert into app.jobs values ('before')")
    with pytest.raises(InsufficientTokens) as caught:
        bank.spend(MODULE, user, usage={"calls": 3}, conn=conn)
    assert (caught.value.missing, caught.value.status) == (30, 402)
    with pytest.raises(UnknownModule):
        bank.spend("Whisper", user, conn=conn)
    with pytest.raises(NotAllowed):
        bank.grant(user, 1, conn=conn)
    bank.spend("whisper", user, conn=conn)
    conn.commit()
    assert (books.charges(user), jobs(books)) == ([25], before + 1)


def test_refusal_undoes_the_job_when_nobody_catches_it(conn: Connection, user: str, books: Books) -> None:
    before = jobs(books)
    with pytest.raises(InsufficientTokens), conn.transaction():
        submit(conn, user, calls=3)
    assert (books.charges(user), jobs(books)) == ([], before)


def test_failed_transaction_is_named(conn: Connection, user: str, books: Books) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        conn.execute("select 1 / 0")
    with pytest.raises(TransactionFailed, match="roll it back"):
        bank.spend(MODULE, user, conn=conn)
    with pytest.raises(TransactionFailed), bank.hold(MODULE, user, conn=conn):
        raise AssertionError("the work began")
    conn.rollback()
    assert bank.spend(MODULE, user, conn=conn).cost == 50
    conn.commit()
    assert books.charges(user) == [50]


def test_connection_in_autocommit_needs_a_transaction(conn: Connection, user: str, books: Books) -> None:
    conn.autocommit = True
    with pytest.raises(NoTransaction, match="autocommit"):
        bank.spend(MODULE, user, conn=conn)
    with conn.transaction():
        bank.spend(MODULE, user, conn=conn)
    assert books.charges(user) == [50]
    with conn.pipeline(), conn.transaction(), pytest.raises(NoTransaction, match="pipeline"):
        bank.spend(MODULE, user, conn=conn)


def test_broken_connection_has_done_nothing(
    conn: Connection, user: str, books: Books, admin: Connection
) -> None:
    conn.execute("select 1")
    admin.execute("select pg_terminate_backend(%s, 5000)", (conn.info.backend_pid,))
    with pytest.raises(Unavailable) as caught:
        bank.spend(MODULE, user, conn=conn)
    assert caught.value.outcome == "nothing"
    with pytest.raises(Unavailable, match="closed"):
        bank.spend(MODULE, user, conn=conn)
    assert books.charges(user) == []


def test_hold_in_a_transaction_ends_in_it(conn: Connection, user: str, books: Books) -> None:
    with bank.hold("whisper", user, usage={"calls": 3}, conn=conn) as hold:
        hold.used({"calls": 1})
    assert books.holds(user) == []
    conn.commit()
    with pytest.raises(ZeroDivisionError), bank.hold("whisper", user, conn=conn):
        _ = 1 / 0
    conn.commit()
    assert (books.charges(user), books.holds(user)) == ([25], ["captured", "released"])
    with pytest.raises(psycopg.errors.DivisionByZero), bank.hold("whisper", user, conn=conn):
        conn.execute("select 1 / 0")
    conn.rollback()
    assert books.holds(user) == ["captured", "released"]


def test_job_enqueued_with_its_hold_is_finished_by_another(
    conn: Connection, app_url: str, user: str, books: Books
) -> None:
    with bank.hold(MODULE, user, ttl=timedelta(minutes=5), conn=conn) as hold:
        hold.keep_open()
    conn.commit()
    with psycopg.connect(app_url) as worker:
        assert bank.extend(hold.hold_id, conn=worker).state == "open"
        assert bank.capture(hold.hold_id, conn=worker).cost == 50
        worker.rollback()  # it dies
        assert bank.capture(hold.hold_id, conn=worker).cost == 50
        worker.commit()
        with pytest.raises(HoldClosed):
            bank.release(hold.hold_id, conn=worker)
    assert books.charges(user) == [50]


def test_login_that_inherits_nothing_takes_its_role_for_a_call(
    app_url: str, base_url: str, user: str, books: Books
) -> None:
    with psycopg.connect(as_login(app_url, "client_actor", PASSWORD)) as conn:
        with pytest.raises(NotAllowed):
            bank.spend(MODULE, user, conn=conn)
        acting = Bank(role="spender")
        assert acting.spend(MODULE, user, conn=conn).cost == 50
        with pytest.raises(NotAllowed):
            acting.grant(user, 1, conn=conn)
        assert Bank(role="service_role").grant(user, 1, conn=conn).balance == 71
        assert conn.execute("select current_user, current_setting('role')").fetchone() == (
            "client_actor",
            "none",
        )
        with pytest.raises(NotAllowed):
            Bank(role="credits_owner").spend(MODULE, user, conn=conn)
        conn.commit()
    assert books.balance(user) == 71


def test_busy_account_is_told_and_not_waited_for_again(
    conn: Connection, app_url: str, user: str, books: Books
) -> None:
    conn.execute("set local lock_timeout = '50ms'")
    with psycopg.connect(app_url) as other:
        bank.spend("whisper", user, conn=other)
        with pytest.raises(Unavailable) as caught:
            bank.spend("whisper", user, conn=conn)
        assert isinstance(caught.value, Busy)
        assert caught.value.outcome == "nothing"
        other.commit()
    bank.spend("whisper", user, conn=conn)
    conn.commit()
    assert books.charges(user) == [25, 25]


def test_async_calls_are_parts_of_the_transaction(
    app_url: str, base_url: str, user: str, books: Books
) -> None:
    async def work() -> None:
        bank = AsyncBank()
        async with await psycopg.AsyncConnection.connect(app_url) as conn:
            with pytest.raises(InsufficientTokens):
                await bank.spend(MODULE, user, usage={"calls": 3}, conn=conn)
            async with bank.hold("whisper", user, conn=conn) as hold:
                assert hold.receipt.held == 25
            assert books.charges(user) == []
            await conn.commit()
            with pytest.raises(psycopg.errors.DivisionByZero):
                await conn.execute("select 1 / 0")
            with pytest.raises(TransactionFailed):
                await bank.spend(MODULE, user, conn=conn)
            await conn.rollback()
            await conn.set_autocommit(True)
            with pytest.raises(NoTransaction):
                await bank.spend(MODULE, user, conn=conn)

    run(work())
    assert books.charges(user) == [25]


def test_cancelled_async_call_leaves_nothing_of_its_transaction(
    app_url: str, base_url: str, user: str, books: Books
) -> None:
    async def work() -> None:
        bank = AsyncBank()

        async def job(conn: psycopg.AsyncConnection[Any]) -> None:
            async with conn.transaction():
                await bank.spend("whisper", user, conn=conn)

        async with (
            await psycopg.AsyncConnection.connect(app_url) as other,
            await psycopg.AsyncConnection.connect(app_url) as conn,
        ):
            await bank.spend("whisper", user, conn=other)
            task = asyncio.create_task(job(conn))  # it waits for the other
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert conn.info.transaction_status.name == "IDLE"
            await other.commit()

    run(work())
    assert books.charges(user) == [25]
