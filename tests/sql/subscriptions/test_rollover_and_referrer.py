"""The wallet of who brought a subscriber is locked by payments, and not by the end of a period."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import pytest
from callers import Caller
from subscribing import FEB, JAN, MAR, PRO, Subscriber
from subscription_events import at, line

pytestmark = pytest.mark.slow


def test_rollover_does_not_wait_for_the_referrer(bank: Caller, ada: Subscriber, own_url: str) -> None:
    """A hundredth of the first period was refunded, and so was that of the rewards for it."""
    bank.rows("select credits.define_campaign('brought', 'referral', 'Brought', 300, p_referee_tokens => 20)")
    bea = Subscriber(bank, "bea")
    code = bank.call("referral_code", user_id=ada.user_id)["code"]
    bank.call("redeem_code", code=code, user_id=bea.user_id)
    bea.pay(1, line(PRO, 2900, JAN, FEB), reason="create")
    refund = {
        "id": bea.named("re_1"),
        "object": "refund",
        "amount": 29,
        "currency": "eur",
        "status": "succeeded",
        "payment_intent": f"pi_in_1_{bea.user_id}",
    }
    assert bea.apply(at("refund.created", refund, JAN)) == "applied"
    bea.pay(2, line(PRO, 2900, FEB, MAR))
    assert (ada.balance(), bea.balance()) == (297, Decimal("19.8") + 2970 + 3000)
    with psycopg.connect(own_url) as busy:
        busy.execute("select from credits.wallets where account_id = %s for update", (ada.account_id,))
        bank.rows("select set_config('lock_timeout', '5s', false)")
        bea.clock(FEB)
    assert bea.lots()[-1] == ("rollover", "Pro", 1000, 1000, MAR)
