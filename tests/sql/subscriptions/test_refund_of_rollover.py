"""Refunds of a period whose tokens have gone over into the next one. They were granted once, and go once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from callers import findings
from subscribing import FEB, JAN, MAR, PRO, TEAM, Subscriber
from subscription_events import at, line

PRICES = {PRO: 2900, TEAM: 9900}


def refund(ada: Subscriber, amount: int, status: str = "succeeded", kind: str = "created") -> str:
    """Money of the first invoice goes back."""
    thing = {"object": "refund", "amount": amount, "currency": "eur", "status": status}
    named = {"id": ada.named("re_1"), "payment_intent": f"pi_in_1_{ada.user_id}"}
    return ada.apply(at(f"refund.{kind}", thing | named, FEB))


def carried(ada: Subscriber, price: str, spent: int) -> None:
    """One period of which so many tokens were spent, and the next one, which has begun."""
    ada.pay(1, line(price, PRICES[price], JAN, FEB), reason="create")
    ada.spend(spent)
    ada.clock(FEB)
    ada.pay(2, line(price, PRICES[price], FEB, MAR))


def left(ada: Subscriber) -> tuple[Decimal, Decimal]:
    """What remains of the tokens that went over, and what the user owes."""
    (rollover,) = [lot[3] for lot in ada.lots() if lot[0] == "rollover"]
    return rollover, ada.own("select debt from credits.wallets")["debt"]


def withheld(ada: Subscriber) -> Decimal:
    row = ada.bank.row(
        "select withheld from credits.lots where account_id = %s and source = 'rollover'", (ada.account_id,)
    )
    return Decimal(row["withheld"])


@pytest.mark.parametrize(
    ("price", "spent", "quarters", "after"),
    [
        # 3000 granted, and 1000 of the 2000 that were left went over.
        (PRO, 1000, 1, (250, 0)),
        (PRO, 1000, 2, (0, 0)),
        (PRO, 1000, 4, (0, 1000)),
        # 10000 granted, and all of the 2000 that were left went over.
        (TEAM, 8000, 1, (0, 500)),
        (TEAM, 8000, 2, (0, 3000)),
        (TEAM, 8000, 4, (0, 8000)),
    ],
)
def test_refund_takes_the_share_of_what_was_granted(
    ada: Subscriber, price: str, spent: int, quarters: int, after: tuple[int, int]
) -> None:
    carried(ada, price, spent)
    before = left(ada)
    part = PRICES[price] * quarters // 4
    refund(ada, part)
    assert left(ada) == after
    assert findings(ada.bank) == []
    refund(ada, part, "failed", "failed")
    assert left(ada) == before
    assert findings(ada.bank) == []


def test_pending_refund_withholds_what_it_will_take(ada: Subscriber) -> None:
    carried(ada, PRO, 1000)
    refund(ada, 725, "pending")
    assert withheld(ada) == 750
    refund(ada, 725)
    assert left(ada) == (250, 0)


def test_request_refunds_what_is_left_of_the_period(ada: Subscriber) -> None:
    carried(ada, PRO, 1000)
    order = ada.bank.row(
        "select order_id from credits.subscription_invoices where invoice_id = %s", (f"in_1_{ada.user_id}",)
    )
    request = ada.call("request_refund", user_id=ada.user_id, tokens="Infinity", **order)
    # 1000 of 3000 tokens are free: a third of 29.00.
    assert (request["amount"], round(request["tokens"], 1)) == (966, Decimal("999.3"))
