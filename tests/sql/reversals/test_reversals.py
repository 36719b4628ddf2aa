"""Refunds and disputes beside everything else that an account does: holds, expiry, debt, other purchases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from callers import Caller, Connection, Row, refused
from holding import Bank, clock_hold
from sql.reversals.payments import Payment, books, paid


def spend(bank: Bank, calls: int) -> Row:
    """25 tokens a call."""
    return bank.call("consume_tokens", user_id="clock", module_id="whisper", usage={"calls": calls})


def left_of(granted: int, back: int, paid: int) -> Decimal:
    """What is left of a grant when so much of what was paid has gone back."""
    return granted - Decimal(granted * back * 10**6 // paid) / 10**6


# Proportions


def test_partial_refunds_never_compound(bank: Bank) -> None:
    payment = paid(bank)
    for _ in range(4):
        payment.refund(1000)
    assert bank.row("select balance from api.balance") == {"balance": 0}
    assert bank.row("select reversed from api.orders") == {"reversed": 3999}


def test_tokens_follow_what_was_paid_with_tax_and_without_the_discount(bank: Bank) -> None:
    payment = Payment(bank, "clock", pack_id="standard")
    payment.session["total_details"] = {"amount_discount": 999, "amount_tax": 570, "amount_shipping": 0}
    payment.session["amount_total"] = 3570
    payment.pay()
    assert bank.row("select paid from api.orders") == {"paid": 3570}
    payment.refund(357)
    assert books(bank) == (450, 0, 450, 0)


def test_bonus_goes_in_proportion_and_then_stands_in_for_its_purchase(bank: Bank) -> None:
    bank.rows("select credits.define_pack('more', 'More', 400, 4000, 'eur', p_bonus_tokens => 100)")
    payment = paid(bank, pack_id="more")
    payment.refund(2000)
    lots = "select source, remaining, reversed from api.lots order by lot_id"
    assert bank.rows(lots) == [
        {"source": "purchase", "remaining": 200, "reversed": 200},
        {"source": "bonus", "remaining": 50, "reversed": 50},
    ]
    spend(bank, 2)  # the bonus, which was free, goes first
    payment.refund(1000)
    assert bank.rows(lots) == [
        {"source": "purchase", "remaining": 75, "reversed": 325},
        {"source": "bonus", "remaining": 0, "reversed": 50},
    ]
    assert books(bank) == (75, 0, 75, 0)


def test_other_lots_are_never_touched(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=1000, priority=90)
    payment = paid(bank)
    spend(bank, 20)
    payment.refund()
    assert books(bank) == (500, 0, 0, 500)  # nothing can be spent beside a debt
    assert bank.rows("select source, remaining from api.lots order by lot_id") == [
        {"source": "grant", "remaining": 1000},
        {"source": "purchase", "remaining": 0},
    ]
    with refused("insufficient_tokens") as facts:
        spend(bank, 1)
    assert facts["debt"] == 500


# Holds in flight


def test_hold_of_a_refunded_lot_is_captured_and_the_rest_ends_the_debt(bank: Bank) -> None:
    payment = paid(bank)
    hold = clock_hold(bank, 4)["hold_id"]
    payment.refund()
    assert books(bank) == (0, 100, 0, 100)
    bank.call("capture_hold", hold_id=hold, usage={"calls": 3})
    assert books(bank) == (-75, 0, 0, 75)


@pytest.mark.parametrize("end", ["released", "expired"])
def test_hold_of_a_refunded_lot_that_charges_nothing_leaves_nothing(end: str, bank: Bank) -> None:
    payment = paid(bank)
    hold = clock_hold(bank, 4)["hold_id"]
    payment.refund()
    if end == "released":
        bank.call("release_hold", hold_id=hold)
    else:
        bank.at("2098-06-01 13:00Z")
        bank.call("maintain")
    assert books(bank) == (0, 0, 0, 0)
    assert bank.row("select reversed from api.lots") == {"reversed": 500}


def test_part_of_a_hold_is_freed_when_only_part_of_the_money_went_back(bank: Bank) -> None:
    payment = paid(bank)
    hold = clock_hold(bank, 16)["hold_id"]  # 400 of 500
    payment.refund(3999 // 2 + 1)
    balance, held, available, debt = books(bank)
    assert (held, available) == (400, 0)
    assert balance == pytest.approx(250, abs=1)
    bank.call("release_hold", hold_id=hold)
    after, _, available, debt = books(bank)
    assert (after, available, debt) == (balance, balance, 0)


def test_charge_that_is_refunded_after_its_money_went_back_ends_the_debt(bank: Bank) -> None:
    payment = paid(bank)
    charge = spend(bank, 8)["entry_id"]
    payment.refund()
    assert books(bank) == (-200, 0, 0, 200)
    bank.call("refund_usage", entry_id=charge)
    assert books(bank) == (0, 0, 0, 0)


@pytest.mark.parametrize("state", ["frozen", "withheld"])
def test_tokens_of_an_expired_hold_are_not_available_while_their_money_may_go_back(
    state: str, bank: Bank
) -> None:
    payment = paid(bank)
    clock_hold(bank, 2)
    if state == "frozen":
        payment.dispute("created")
    else:
        payment.refund(3999, "pending")
    assert books(bank) == (500, 50, 0, 0)
    bank.at("2098-06-01 13:00Z")  # nothing has been booked yet
    assert books(bank) == (500, 0, 0, 0)
    bank.call("maintain")
    assert books(bank) == (500, 0, 0, 0)


# Expiry


def test_expiry_between_refund_and_dispute_is_owed_by_nobody(bank: Bank) -> None:
    bank.rows("select credits.define_pack('brief', 'Brief', 400, 4000, 'eur', p_expires_after => '30 days')")
    payment = paid(bank, pack_id="brief")
    spend(bank, 4)
    payment.refund(1000)
    assert books(bank) == (200, 0, 200, 0)
    bank.at("2098-07-02 12:00Z")
    bank.call("maintain")
    assert books(bank) == (0, 0, 0, 0)
    payment.dispute("funds_withdrawn", 3000)
    # 100 were used, and all of the money is back. The 200 that expired are owed by nobody.
    assert books(bank) == (-100, 0, 0, 100)
    payment.dispute("funds_reinstated", 3000)
    assert books(bank) == (0, 0, 0, 0)


def test_tokens_given_back_after_their_date_expire_on_the_books(bank: Bank) -> None:
    bank.rows("select credits.define_pack('brief', 'Brief', 400, 4000, 'eur', p_expires_after => '30 days')")
    payment = paid(bank, pack_id="brief")
    payment.dispute("funds_withdrawn")
    bank.at("2098-07-02 12:00Z")
    payment.dispute("funds_reinstated")
    assert books(bank) == (0, 0, 0, 0)
    moved = bank.rows("select kind, tokens from api.entries where kind in ('reinstatement', 'expire')")
    assert {row["kind"]: row["tokens"] for row in moved} == {"reinstatement": 400, "expire": -400}


# Debt that was repaid


def test_money_that_returns_goes_to_the_lot_that_repaid_the_debt(bank: Bank) -> None:
    first = paid(bank)
    spend(bank, 12)
    first.dispute("funds_withdrawn")
    assert books(bank) == (-300, 0, 0, 300)
    paid(bank, pack_id="premium")  # of 1000, which repay 300
    assert books(bank) == (700, 0, 700, 0)
    first.dispute("funds_reinstated")
    first.dispute("won")
    assert books(bank) == (1200, 0, 1200, 0)
    assert [row["remaining"] for row in bank.rows("select remaining from api.lots order by lot_id")] == [
        200,
        1000,
    ]


def test_both_purchases_refunded_owe_what_was_used(bank: Bank) -> None:
    first = paid(bank)
    spend(bank, 12)
    first.refund()
    second = paid(bank, pack_id="premium")
    second.refund()
    assert books(bank) == (-300, 0, 0, 300)
    third = paid(bank, pack_id="premium")
    assert books(bank) == (700, 0, 700, 0)
    third.refund()
    assert books(bank) == (-300, 0, 0, 300)


# Disputes


def test_tokens_of_a_disputed_payment_cannot_be_spent(bank: Bank) -> None:
    payment = paid(bank)
    hold = clock_hold(bank, 2)["hold_id"]
    payment.dispute("created")
    assert books(bank) == (500, 50, 0, 0)
    with refused("insufficient_tokens") as facts:
        spend(bank, 1)
    assert (facts["balance"], facts["available"]) == (500, 0)
    bank.call("capture_hold", hold_id=hold)  # what was held before is charged
    payment.dispute("won")
    spend(bank, 1)
    assert books(bank) == (425, 0, 425, 0)


def test_pending_refund_withholds_only_its_share(bank: Bank) -> None:
    bank.rows("select credits.define_pack('even', 'Even', 400, 4000, 'eur')")
    payment = paid(bank, pack_id="even")
    payment.refund(1000, "pending", "re_1")
    assert books(bank) == (400, 0, 300, 0)
    with refused("insufficient_tokens") as facts:
        spend(bank, 13)
    assert facts["available"] == 300
    spend(bank, 12)
    payment.refund(1000, "failed", "re_1")
    assert books(bank) == (100, 0, 100, 0)


def test_fraud_warning_freezes_only_where_the_operator_wants_it(bank: Bank) -> None:
    payment = paid(bank)
    warning = payment.about("radar.early_fraud_warning.created", id="issfr_1", actionable=True)
    assert payment.tell(warning)["outcome"] == "applied"
    assert books(bank) == (500, 0, 500, 0)
    bank.rows("select credits.freeze_on_fraud_warnings(true)")
    assert books(bank) == (500, 0, 500, 0)  # the setting counts for later events
    bank.call("replay_event", event_id=warning["id"], reason="we freeze now")
    assert books(bank) == (500, 0, 0, 0)
    bank.rows("select credits.freeze_on_fraud_warnings(false)")
    bank.call("replay_event", event_id=warning["id"], reason="we do not freeze")
    assert books(bank) == (500, 0, 500, 0)


# What a person must decide


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"amount": 4000}, "an amount of 4000, of a payment of 3999"),
    ({"currency": "usd"}, "currency usd, paid in eur"),
    ({"amount": "3999"}, 'an amount of "3999"'),
    ({"amount": -1}, "an amount of -1"),
    ({"amount": 0.5}, "an amount of 0.5"),
    ({"status": "odd"}, "a refund of status odd"),
    ({"status": None}, "a refund of status "),
]


@pytest.mark.parametrize(("members", "reason"), WRONG, ids=str)
def test_refund_that_cannot_be_is_parked_and_moves_nothing(
    members: dict[str, Any], reason: str, bank: Bank
) -> None:
    payment = paid(bank)
    refund = {"id": "re_1", "object": "refund", "amount": 100, "status": "succeeded"}
    odd = payment.about("refund.created", **refund | members)
    assert payment.tell(odd)["outcome"] == "parked"
    assert payment.tell(odd)["outcome"] == "duplicate"
    assert books(bank) == (500, 0, 500, 0)
    listed = bank.rows("select event_id, parked_reason from audit.parked")
    assert listed == [{"event_id": odd["id"], "parked_reason": reason}]
    decided = bank.call("dismiss_event", event_id=odd["id"], reason="Stripe says it is a fault")
    assert decided["outcome"] == "dismissed"
    assert bank.rows("select 1 from audit.parked") == []
    assert payment.tell(odd)["outcome"] == "duplicate"


def test_reversal_waits_for_its_purchase_and_is_listed_until_then(bank: Bank) -> None:
    payment = Payment(bank, "clock", pack_id="standard")
    assert payment.refund(1000, refund_id="re_1")["outcome"] == "waiting"
    assert [row["parked_reason"] for row in bank.rows("select parked_reason from audit.parked")] == [
        "it names no payment of ours yet"
    ]
    payment.pay()
    assert bank.rows("select 1 from audit.parked") == []
    assert bank.row("select reversed from api.orders") == {"reversed": 1000}


def test_dismissed_reversal_is_not_applied_when_its_purchase_comes(bank: Bank) -> None:
    payment = Payment(bank, "clock", pack_id="standard")
    refund = payment.about("refund.created", id="re_1", object="refund", amount=100, status="succeeded")
    payment.tell(refund)
    bank.call("dismiss_event", event_id=refund["id"], reason="of another shop")
    payment.pay()
    assert books(bank) == (500, 0, 500, 0)
    assert bank.call("replay_event", event_id=refund["id"], reason="it was ours")["outcome"] == "applied"
    assert bank.row("select reversed from api.orders") == {"reversed": 100}
    decided = bank.rows("select decision, reason, outcome from credits.event_decisions order by number")
    assert [tuple(row.values()) for row in decided] == [
        ("dismissed", "of another shop", "dismissed"),
        ("replayed", "it was ours", "applied"),
    ]


def test_only_what_needs_a_decision_can_be_dismissed(bank: Bank) -> None:
    payment = paid(bank)
    refund = payment.refund()
    with refused("event_closed") as facts:
        bank.call("dismiss_event", event_id=refund["event_id"], reason="no")
    assert facts["outcome"] == "applied"
    with refused("bad_reason"):
        bank.call("dismiss_event", event_id=refund["event_id"], reason="")
    assert bank.call("replay_event", event_id=refund["event_id"], reason="to see")["outcome"] == "duplicate"
    assert books(bank) == (0, 0, 0, 0)


def test_maintenance_applies_a_reversal_whose_purchase_was_not_seen(bank: Bank) -> None:
    payment = paid(bank)
    refund = payment.about("refund.created", id="re_1", object="refund", amount=3999, status="succeeded")
    payment.tell(refund)
    bank.rows(
        "update credits.stripe_events set outcome = 'waiting', account_id = null, order_id = null,"
        " received_at = credits.clock()"
        " where event_id = %s returning 1",
        (refund["id"],),
    )
    assert bank.call("maintain")["events"] == 1
    assert books(bank) == (0, 0, 0, 0)


def test_event_of_the_other_mode_or_of_a_stranger_is_refused(bank: Bank) -> None:
    payment = paid(bank)
    refund = payment.about("refund.created", id="re_1", object="refund", amount=3999, status="succeeded")
    bank.rows("update credits.settings set stripe_livemode = true returning 1")
    with refused("wrong_mode"):
        payment.tell(refund)
    bank.rows("update credits.settings set stripe_livemode = null returning 1")
    with refused("foreign_account"):
        payment.tell(refund | {"account": "acct_other"})
    assert books(bank) == (500, 0, 500, 0)


def test_user_reads_the_refunds_of_their_own_orders_only(
    user: Any, service: Caller, admin: Connection
) -> None:
    ada, bob = user(), user()
    payment = paid(service, ada.user_id, pack_id="standard")
    payment.refund(1000)
    row = ada.row("select kind, amount, currency, status, withdrawn from api.reversals")
    assert tuple(row.values()) == ("refund", 1000, "eur", "succeeded", False)
    assert bob.rows("select * from api.reversals") == []
    told = ada.rows("select kind, facts from api.notices where kind = 'reversed'")
    assert [notice["facts"]["order_id"] for notice in told] == [str(payment.order["order_id"])]


def test_charge_alone_is_enough_to_find_the_payment_later(bank: Bank) -> None:
    payment = paid(bank)
    payment.refund(100)
    dispute = payment.about(
        "charge.dispute.created", id="dp_1", amount=3899, status="needs_response", balance_transactions=[]
    )
    dispute["data"]["object"]["payment_intent"] = None
    assert payment.tell(dispute)["outcome"] == "applied"


# Events that contradict each other


def test_refund_that_names_the_payments_of_two_users_is_parked(bank: Bank) -> None:
    mine, theirs = paid(bank), paid(bank, "other", pack_id="premium")
    mine.refund(1000, refund_id="re_mine")  # makes the charge known
    swapped = mine.about("refund.created", id="re_1", object="refund", amount=500, status="succeeded")
    swapped["data"]["object"]["payment_intent"] = theirs.intent
    assert mine.tell(swapped)["outcome"] == "parked"
    assert (books(bank)[0], books(bank, "other")[0]) == (left_of(500, 1000, 3999), 1000)


def test_refund_that_took_money_back_from_another_order_is_parked(bank: Bank) -> None:
    first, second = paid(bank), paid(bank)
    first.refund(1000, refund_id="re_1")
    assert second.refund(2000, refund_id="re_1")["outcome"] == "parked"
    assert books(bank)[0] == 500 + left_of(500, 1000, 3999)
