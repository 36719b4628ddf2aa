"""Every function that says what is available says the same number, in every state of an account."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from callers import refused
from holding import METUBE, WHISPER, Bank, clock_hold
from psycopg.types.json import Jsonb
from sql.reversals.payments import paid

KEY = {"module_id": "metube", "user_id": "clock", "idempotency_key": "k"}


def hundred(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)


def spent_from_the_head_lot(bank: Bank) -> None:
    """The wallet has a permit now."""
    hundred(bank)
    bank.call("consume_tokens", user_id="clock", module_id="metube")
    assert bank.row("select head_permit from credits.wallets")["head_permit"] > 0


def held(bank: Bank) -> None:
    hundred(bank)
    clock_hold(bank, 1)


def held_in_the_head_lot(bank: Bank) -> None:
    spent_from_the_head_lot(bank)
    clock_hold(bank, 1)


def withheld(bank: Bank) -> None:
    hundred(bank)
    paid(bank).refund(1000, status="pending")


def withheld_beside_a_hold(bank: Bank) -> None:
    payment = paid(bank)
    clock_hold(bank, 18)
    payment.refund(1000, status="pending")


def frozen(bank: Bank) -> None:
    hundred(bank)
    paid(bank).dispute("created")


def frozen_beside_a_hold_that_has_ended(bank: Bank) -> None:
    payment = paid(bank)
    hundred(bank)
    clock_hold(bank, 2, ttl="1 minute")
    payment.dispute("created")
    bank.at("2098-06-01 12:10Z")


def in_debt(bank: Bank) -> None:
    """A gift repays no debt, and can be spent."""
    bank.call("add_tokens", user_id="clock", tokens=WHISPER)
    bank.call("set_overdraft_limit", user_id="clock", tokens=500)
    bank.call("capture_hold", hold_id=clock_hold(bank)["hold_id"], usage={"calls": 4})
    assert bank.row("select debt from credits.wallets")["debt"] == 75
    hundred(bank)


def in_debt_and_spending_from_the_head_lot(bank: Bank) -> None:
    in_debt(bank)
    bank.call("consume_tokens", user_id="clock", module_id="metube")
    assert bank.row("select head_permit from credits.wallets")["head_permit"] > 0


def in_more_debt_than_allowed(bank: Bank) -> None:
    in_debt(bank)
    bank.call("set_overdraft_limit", user_id="clock", tokens=0)


def expired(bank: Bank) -> None:
    hundred(bank)
    bank.call("add_tokens", user_id="clock", tokens=50, expires_at="2098-06-01 12:05Z")
    bank.at("2098-06-01 12:10Z")


def expired_but_held(bank: Bank) -> None:
    hundred(bank)
    bank.call("add_tokens", user_id="clock", tokens=50, expires_at="2098-06-01 12:05Z")
    clock_hold(bank, 1, ttl="1 hour")
    bank.at("2098-06-01 12:10Z")


def begins_later(bank: Bank) -> None:
    hundred(bank)
    bank.call("add_tokens", user_id="clock", tokens=70)
    bank.rows("update credits.lots set effective_at = '2098-06-02 12:00Z' where granted = 70 returning 1")


STATES: dict[Callable[[Bank], None], int] = {
    hundred: 100,
    spent_from_the_head_lot: 90,
    held: 75,
    held_in_the_head_lot: 65,
    withheld: 474,
    withheld_beside_a_hold: 0,
    frozen: 100,
    frozen_beside_a_hold_that_has_ended: 100,
    in_debt: 100,
    in_debt_and_spending_from_the_head_lot: 90,
    in_more_debt_than_allowed: 0,
    expired: 100,
    expired_but_held: 100,
    begins_later: 100,
}


def told(bank: Bank) -> dict[str, Decimal]:
    """What each of them says. None of these calls changes anything."""
    user = bank.user()
    says = {
        "view": user.row("select available from api.balance")["available"],
        "view of a service": bank.row("select available from api.balance where user_id = 'clock'")[
            "available"
        ],
        "quote": user.call("quote_tokens", module_id="metube")["available"],
    }
    huge = {"module_id": "metube", "usage": {"calls": 1000000}}
    for name in ("consume_tokens", "hold_tokens"):
        with refused("insufficient_tokens") as facts, bank.connection.transaction():
            bank.call(name, user_id="clock", **huge)
        says[name] = facts["available"]
    return says


@pytest.mark.parametrize(("state", "available"), STATES.items(), ids=lambda it: getattr(it, "__name__", ""))
def test_everything_says_the_same_number(bank: Bank, state: Callable[[Bank], None], available: int) -> None:
    state(bank)
    says = told(bank)
    assert says == dict.fromkeys(says, says["view"])
    assert abs(says["view"] - available) < 1
    bank.call("maintain")
    assert told(bank) == says
    if says["view"] < METUBE:
        return
    made = bank.call("hold_tokens", **KEY)
    left = says["view"] - METUBE
    assert made["available"] == left
    assert told(bank) == dict.fromkeys(says, left)
    assert bank.call("extend_hold", hold_id=made["hold_id"])["available"] == left
    # A repeat says what was available then.
    bank.call("consume_tokens", user_id="clock", module_id="metube")
    assert bank.call("hold_tokens", **KEY)["available"] == left
    left = says["view"] - 2 * METUBE
    (verdict,) = bank.call(
        "consume_tokens_batch",
        items=Jsonb([{"user_id": "clock", "module_id": "metube", "usage": {"calls": 1000000}}]),
    )["verdicts"]
    assert verdict["available"] == left
    # Whatever is available can be spent, and nothing more.
    while left >= METUBE:
        bank.call("consume_tokens", user_id="clock", module_id="metube")
        left -= METUBE
    with refused("insufficient_tokens") as facts, bank.connection.transaction():
        bank.call("consume_tokens", user_id="clock", module_id="metube")
    assert facts["available"] == left
