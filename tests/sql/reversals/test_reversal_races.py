"""Events of many payments at once, each three times, shuffled, while their users spend and hold."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import Caller, Connection, at_once
from psycopg.rows import dict_row
from sql.reversals.payment_model import Event, Payment
from sql.reversals.scenarios import LIVES, renamed
from stripe_events import attached

pytestmark = pytest.mark.slow

Crowd = Callable[[int], list[Caller]]


def _works(caller: Caller, news: list[Event], users: list[str], seed: int) -> list[Any]:
    """Deliver these events, with spends and holds between them. The refusals are part of the day."""
    chance, slugs = random.Random(seed), []
    for told in news:
        caller.call("apply_stripe_event", event=told)
        user_id = chance.choice(users)
        try:
            if chance.random() < 0.5:
                caller.call("consume_tokens", user_id=user_id, module_id="metube")
            else:
                held = caller.call("hold_tokens", user_id=user_id, module_id="whisper")
                end = chance.choice(("capture_hold", "release_hold"))
                caller.call(end, hold_id=held["hold_id"])
        except psycopg.Error as error:
            slugs.append(error.sqlstate)
    return slugs


def test_shuffled_events_of_many_payments_end_as_their_models_say(
    service: Caller, crowd: Crowd, admin: Connection
) -> None:
    chance = random.Random(11)
    payments: list[tuple[Payment, dict[str, Any]]] = []
    news: list[Event] = []
    users = [f"racer_{uuid4().hex[:8]}" for _ in range(6)]
    for number in range(48):
        life = LIVES[chance.choice(list(LIVES))]
        order = attached(
            service, service.call("create_order", user_id=chance.choice(users), pack_id="standard")
        )
        events = renamed(life.events, order, f"_{number}_{uuid4().hex[:6]}")
        payment = Payment(3999, tokens=service.row("select 500::numeric as n")["n"])
        for told in events:
            payment.deliver(told)
        payments.append((payment, order))
        news += events * 3
    chance.shuffle(news)
    workers = crowd(16)
    shares = [news[place::16] for place in range(16)]
    results = at_once(
        [lambda p=place: _works(workers[p], shares[p], users, p) for place in range(16)]  # type: ignore[misc]
    )
    assert {type(result) for result in results} == {list}, results
    refusals = {state for result in results for state in result}
    assert refusals <= {"PT402", "PT429", "PT503"}, refusals
    assert service.call("maintain")["events"] == 0, "an event was left to maintenance"

    rows = admin.cursor(row_factory=dict_row)
    for payment, order in payments:
        row = rows.execute(
            "select state, reversed, reversal_pending from credits.orders where order_id = %s",
            (order["order_id"],),
        ).fetchone()
        assert row == {"state": payment.state, "reversed": payment.back, "reversal_pending": payment.pending}
    assert admin.execute("select * from audit.findings").fetchall() == []
