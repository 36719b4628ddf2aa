"""Sixteen clients at once: one charge, and one only."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from callers import Caller, at_once, slugs
from topping import WORDS, agree, claim, intent, somebody, tell, with_customer

Crowd = Callable[[int], list[Caller]]


@pytest.fixture
def ada(service: Caller, admin: Any) -> str:
    """Somebody with 110 tokens, who is topped up below 100."""
    user_id = somebody()
    with_customer(Caller(admin, "none"), user_id)
    agree(service, user_id)
    service.call("add_tokens", user_id=user_id, tokens=110)
    return user_id


def attempts(admin: Any, user_id: str) -> list[Any]:
    return list(
        admin.execute(
            "select a.state, a.attempt_id from credits.topup_attempts as a"
            " join credits.identities as i using (account_id) where i.subject = %s",
            (user_id,),
        ).fetchall()
    )


def test_spends_that_cross_at_once_begin_one_charge(ada: str, crowd: Crowd, admin: Any) -> None:
    def spend(caller: Caller) -> Any:
        return caller.call("consume_tokens", user_id=ada, module_id="metube")

    results = at_once([partial(spend, caller) for caller in crowd(11)])
    assert slugs(results) == []
    assert [state for state, _ in attempts(admin, ada)] == ["open"]


def test_holds_and_spends_at_once_begin_one_charge(ada: str, crowd: Crowd, admin: Any) -> None:
    def take(caller: Caller, number: int) -> Any:
        name = "hold_tokens" if number % 2 else "consume_tokens"
        return caller.call(name, user_id=ada, module_id="metube")

    results = at_once([partial(take, caller, number) for number, caller in enumerate(crowd(10))])
    assert slugs(results) == []
    assert len(attempts(admin, ada)) == 1


def test_workers_at_once_share_the_calls(crowd: Crowd, service: Caller, admin: Any) -> None:
    users = [somebody() for _ in range(8)]
    for user_id in users:
        with_customer(Caller(admin, "none"), user_id)
        agree(service, user_id)
        service.call("add_tokens", user_id=user_id, tokens=100)
        service.call("consume_tokens", user_id=user_id, module_id="metube")
    taken = at_once([partial(claim, caller, most=3) for caller in crowd(16)])
    names = [call["call_id"] for calls in taken for call in calls]
    assert len(names) == len(set(names)) >= 8


def test_event_report_and_withdrawal_at_once_grant_once(
    ada: str, crowd: Crowd, service: Caller, admin: Any
) -> None:
    for _ in range(2):
        service.call("consume_tokens", user_id=ada, module_id="metube")
    (call,) = [c for c in claim(service, most=100) if c["params"]["customer"] == f"cus_{ada}"]
    answer = intent(call)

    def step(caller: Caller, number: int) -> Any:
        if number % 4 == 0:
            return caller.call("stop_auto_topup", user_id=ada)
        if number % 4 == 1:
            return caller.call(
                "report_stripe_call",
                **{name: call[name] for name in ("account_id", "call_id", "lease")},
                answer={"object": answer},
            )
        if number % 4 == 2:
            return caller.call(
                "set_auto_topup", user_id=ada, threshold=50, pack_id="basique", monthly_limit=999, words=WORDS
            )
        return tell(caller, "payment_intent.succeeded", answer)

    results = at_once([partial(step, caller, number) for number, caller in enumerate(crowd(16))])
    assert slugs(results) == []
    (state,) = attempts(admin, ada)
    assert state[0] == "succeeded"
    assert service.row("select balance from api.balance where user_id = %s", (ada,))["balance"] == 190
