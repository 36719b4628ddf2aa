"""An event and the payment that it is about, both in transactions that are open at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from callers import Caller, Connection, Row, stop_clock, wait_until_blocked
from sql.reversals.payments import Payment

pytestmark = pytest.mark.slow

Crowd = Callable[[int], list[Caller]]


@pytest.fixture
def payment(service: Caller) -> Payment:
    return Payment(service, f"met_{uuid4().hex[:8]}", pack_id="standard")


def _meanwhile(
    admin: Connection, first: Caller, call: Callable[[], Any], second: Caller, other: Callable[[], Row]
) -> Row:
    """Do `call` in an open transaction of `first`. Commit it when `other` of `second` waits for it."""
    answers: list[Row] = []
    thread = Thread(target=lambda: answers.append(other()))
    with first.connection.transaction():
        call()
        thread.start()
        wait_until_blocked(admin, second.connection.info.backend_pid)
    thread.join()
    return answers[0]


def _refund(payment: Payment, bank: Caller) -> Callable[[], Row]:
    def tell() -> Row:
        payment.bank = bank
        return payment.refund(1000)

    return tell


def _pay(payment: Payment, bank: Caller) -> Callable[[], Row]:
    def tell() -> Row:
        payment.bank = bank
        return payment.pay()

    return tell


def _reversed(admin: Connection, payment: Payment) -> int:
    row = admin.execute(
        "select reversed from credits.orders where order_id = %s", (payment.order["order_id"],)
    ).fetchone()
    assert row
    return int(row[0])


def test_a_refund_waits_for_the_payment_that_is_being_granted(
    crowd: Crowd, admin: Connection, payment: Payment
) -> None:
    one, two = crowd(2)
    answer = _meanwhile(admin, one, _pay(payment, one), two, _refund(payment, two))
    assert answer["outcome"] == "applied"
    assert _reversed(admin, payment) == 1000


def test_a_payment_waits_for_the_refund_that_is_being_stored(
    crowd: Crowd, admin: Connection, payment: Payment
) -> None:
    one, two = crowd(2)
    answer = _meanwhile(admin, one, _refund(payment, one), two, _pay(payment, two))
    assert answer["outcome"] == "granted"
    assert _reversed(admin, payment) == 1000


def test_a_refund_does_not_wait_longer_than_a_few_seconds(
    crowd: Crowd, service: Caller, admin: Connection, payment: Payment
) -> None:
    one, two = crowd(2)
    with one.connection.transaction():
        _pay(payment, one)()
        assert _refund(payment, two)()["outcome"] == "waiting"
    assert service.call("maintain")["events"] == 1
    assert _reversed(admin, payment) == 1000


def test_a_payment_does_not_wait_longer_than_a_few_seconds(
    crowd: Crowd, service: Caller, admin: Connection, payment: Payment
) -> None:
    one, two = crowd(2)
    with one.connection.transaction():
        assert _refund(payment, one)()["outcome"] == "waiting"
        assert _pay(payment, two)()["outcome"] == "granted"
    assert service.call("maintain")["events"] == 1
    assert _reversed(admin, payment) == 1000


def test_the_locks_leave_nothing_behind(service: Caller, admin: Connection, payment: Payment) -> None:
    payment.refund(1000)
    payment.pay()
    assert admin.execute("select * from credits.awaited_objects").fetchall() == []


def test_maintenance_looks_at_very_many_events_in_turns(bank: Caller) -> None:
    """12,000 events wait in three turns. The payment of one of them appeared without anybody's notice."""
    now = datetime.now(UTC)  # which is when PostgreSQL says that the rows below came
    stop_clock(bank.connection, str(now))
    payment = Payment(bank, f"late_{uuid4().hex[:8]}", pack_id="standard")
    payment.pay()
    payment.refund(1000)
    bank.connection.execute(
        "insert into credits.stripe_events"
        " (event_id, bucket, type, object_id, names, livemode, outcome, payload)"
        " select 'evt_of_others_' || n, n, 'refund.created', 're_' || n, array['re_' || n], false,"
        " 'waiting', '{}'"
        " from generate_series(1, 12000) as n"
    )
    bank.connection.execute(
        "update credits.stripe_events set outcome = 'waiting' where %s = any (names) and type ~ '^refund'",
        (payment.intent,),
    )
    done = []
    for minute in range(3):
        stop_clock(bank.connection, str(now + timedelta(minutes=minute)))
        done.append(bank.call("maintain")["events"])
    assert sorted(done) == [0, 0, 1]


def test_refund_that_came_first_is_applied_when_its_payment_is_parked(bank: Caller) -> None:
    payment = Payment(bank, f"odd_{uuid4().hex[:8]}", pack_id="standard")
    assert payment.refund(1000)["outcome"] == "waiting"
    payment.session["amount_total"] = payment.session["amount_subtotal"] = 5
    assert payment.pay()["outcome"] == "parked"
    told = bank.row("select amount, status from credits.reversals")
    assert told == {"amount": 1000, "status": "succeeded"}
