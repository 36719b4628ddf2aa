"""Closing months: what may be closed, what a close stores, and what happens to entries that come later."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from threading import Thread
from typing import Any

import psycopg
import pytest
from callers import Row, refused
from sql.conftest import Town
from sql.finance import story


def close(town: Town, month: str | None) -> Row:
    return town.bank.row("select * from finance.close_period(%s)", (month,))


def purchases(town: Town) -> list[Row]:
    return town.bank.rows(
        "select * from finance.liability_rollforward where source = 'purchase' order by month"
    )


@pytest.fixture(scope="module")
def closing(own_url: str) -> Iterator[Town]:
    """A bank on 3 March, before maintenance has booked what expired in February."""
    with ExitStack() as stack:
        town = Town(own_url, stack)
        payments = story.january(town.admin, town.service)
        story.february(town.admin, town.service, payments)
        story.at(town.admin, "2027-03-03 12:00Z")
        yield town
        assert town.bank.rows("select * from audit.findings where check_name <> 'check_release'") == []


def test_months_close_one_after_the_other_and_stay_closed(closing: Town) -> None:
    for month, slug in (
        (None, "bad_period"),
        ("2027-01-02", "bad_period"),
        ("2026-12-01", "bad_period"),
        ("2027-02-01", "month_open"),
    ):
        with refused(slug):
            close(closing, month)
    before = purchases(closing)
    told = close(closing, "2027-01-01")
    assert (told["accounts"], told["entries"]) == (3, 8)
    with refused("month_closed"):
        close(closing, "2027-01-01")
    # A lot expired on 5 February, and nobody has booked it.
    with refused("books_behind") as facts:
        close(closing, "2027-02-01")
    assert facts["lots"] == 1
    closing.service.call("maintain")
    story.at(closing.admin, "2027-03-03 12:01Z")
    close(closing, "2027-02-01")
    with refused("month_not_over") as facts:
        close(closing, "2027-03-01")
    assert facts["ends_at"].startswith("2027-04-01T00:00:00")
    after = purchases(closing)
    assert [row["is_closed"] for row in after] == [True, True, False]
    assert after == [row | {"is_closed": row["month"].month < 3} for row in before]


def test_root_is_the_hash_of_the_last_entries(closing: Town) -> None:
    """As docs/auditing.md describes it for an anchor, so that anybody can work it out."""
    heads = closing.admin.execute(
        "select distinct on (account_id) account_id, seq, hash from credits.entries"
        " where posted_at < (select closed_at from finance.closed_months where month = '2027-02-01')"
        " order by account_id, seq desc"
    ).fetchall()
    lines = "".join(f"{account} {seq} {digest.hex()}\n" for account, seq, digest in heads)
    rows = closing.bank.rows("select root_hash from finance.closed_months where month = '2027-02-01'")
    assert rows == [{"root_hash": sha256(lines.encode()).hexdigest()}]


def test_entry_that_comes_late_counts_in_the_open_month(closing: Town) -> None:
    """Nothing of the bank writes such an entry after its month is closed but a late booking of an expiry."""
    closed = purchases(closing)[:2]
    closing.service.call("add_tokens", user_id="carla", tokens=10, expires_at="2027-03-20 00:00Z")
    story.at(closing.admin, "2027-04-01 00:00Z")
    with closing.admin.transaction():
        # A close that does not look for expiries that are due.
        closing.admin.execute(
            "insert into credits.closed_months (month, closed_at, actor, accounts, entries, root_hash)"
            " select '2027-03-01', credits.clock(), 'me', r.accounts, r.entries, r.root"
            " from credits.ledger_root(credits.clock()) as r"
        )
        closing.admin.execute("select credits.store_sums('2027-03-01')")
    story.at(closing.admin, "2027-04-02 00:00Z")
    closing.service.call("maintain")
    march, april = closing.bank.rows(
        "select month, expired_tokens, late_tokens, closing_tokens from finance.liability_rollforward"
        " where source = 'grant' and month >= '2027-03-01' order by month"
    )
    assert (march["expired_tokens"], march["late_tokens"], march["closing_tokens"]) == (0, 0, 10)
    assert (april["expired_tokens"], april["late_tokens"], april["closing_tokens"]) == (10, -10, 0)
    (late,) = closing.bank.rows("select * from finance.late_entries")
    assert (str(late["month"]), str(late["happened_in"])) == ("2027-04-01", "2027-03-01")
    assert (late["source"], late["way"], late["movements"], late["tokens"]) == ("grant", "expired", 1, -10)
    assert purchases(closing)[:2] == closed


def test_close_waits_for_a_transaction_that_writes(closing: Town, own_url: str) -> None:
    """An entry is dated before it is committed. A close that did not wait would miss it."""
    story.at(closing.admin, "2027-04-30 23:59:59Z")
    outcome: list[Any] = []
    with psycopg.connect(own_url) as writer, psycopg.connect(own_url, autocommit=True) as closer:
        writer.execute(
            "select set_config('role', 'service_role', true), set_config('request.jwt.claims',"
            ' \'{"role": "service_role"}\', true)'
        )
        writer.execute("select * from api.add_tokens(user_id => 'carla', tokens => 5)")
        story.at(closing.admin, "2027-05-01 00:00Z")
        thread = Thread(
            target=lambda: outcome.append(
                closer.execute("select entries from finance.close_period('2027-04-01')").fetchone()
            )
        )
        thread.start()
        waiting = "select from pg_locks where relation = 'credits.wallets'::regclass and not granted"
        give_up = time.monotonic() + 20
        while not closing.admin.execute(waiting).fetchall() and time.monotonic() < give_up:
            time.sleep(0.01)
        writer.commit()
        thread.join(20)
    (counted,) = closing.admin.execute(
        "select count(*) from credits.entries where posted_at < '2027-05-01Z'"
    ).fetchone() or (None,)
    assert outcome == [(counted,)]


def test_close_gives_up_while_somebody_writes_for_long(closing: Town, own_url: str) -> None:
    story.at(closing.admin, "2027-06-01 00:00Z")
    with psycopg.connect(own_url) as writer:
        writer.execute("select from credits.wallets for no key update")
        with refused("busy"):
            close(closing, "2027-05-01")
    assert closing.bank.rows("select from finance.closed_months where month = '2027-05-01'") == []


def test_close_demands_that_no_test_clock_shows_an_earlier_time(closing: Town) -> None:
    """The entries of an account are dated by its clock. The root covers every entry from before the close."""
    closing.bank.rows("select credits.allow_test_clocks(true)")
    story.at(closing.admin, "2027-06-01 00:00Z")
    closing.service.call("set_test_clock", user_id="dora", frozen_time="2027-06-01 06:00Z")
    story.at(closing.admin, "2027-06-01 12:00Z")
    # The month is over by the clock of the account, too.
    with refused("month_not_over") as facts:
        close(closing, "2027-05-01")
    assert facts["accounts"] == 1
    assert facts["closed_at"].startswith("2027-06-01T12:00:00")
    closing.service.call("add_tokens", user_id="dora", tokens=5)
    closing.service.call("set_test_clock", user_id="dora", frozen_time="2027-06-01 12:00Z")
    close(closing, "2027-05-01")
    closing.service.call("add_tokens", user_id="dora", tokens=5)
    assert closing.bank.rows("select * from audit.check_finance_months") == []


def test_closed_month_is_append_only(closing: Town) -> None:
    for table in ("closed_months", "closed_sums", "closed_postings"):
        for change in (f"delete from credits.{table}", f"truncate credits.{table} cascade"):
            with refused("append_only"):
                closing.admin.execute(change)


def test_accountant_cannot_close_a_month(closing: Town) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), closing.admin.transaction():
        closing.admin.execute("set local role accountant")
        closing.admin.execute("select finance.close_period('2027-05-01')")
