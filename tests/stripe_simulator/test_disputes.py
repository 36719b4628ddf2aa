"""Disputes, inquiries and warnings of fraud: each state, the money that moves, the events that tell it."""

import pytest
import stripe

pytestmark = pytest.mark.one_version


def disputed(simulator, **options):
    opened = simulator.play(f"charges/{simulator.paid().latest_charge}/dispute", **options)
    return simulator.stripe.disputes.retrieve(opened["id"])


def test_dispute_takes_the_money_and_a_fee(simulator):
    dispute = disputed(simulator)
    assert (dispute.amount, dispute.status, dispute.reason) == (3999, "needs_response", "fraudulent")
    (taken,) = dispute.balance_transactions
    assert (taken.amount, taken.fee, taken.net) == (-3999, 1500, -5499)
    assert (taken.type, taken.reporting_category, taken.source) == ("adjustment", "dispute", dispute.id)
    assert simulator.told(dispute.id) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    opened = simulator.receiver.wait(dispute.id, "charge.dispute.created")
    assert opened["data"]["object"]["balance_transactions"] == []
    charge = simulator.stripe.charges.retrieve(dispute.charge)
    assert charge.disputed and dispute.payment_intent == charge.payment_intent
    with pytest.raises(stripe.InvalidRequestError) as caught:
        simulator.stripe.refunds.create({"charge": charge.id})
    assert caught.value.code == "charge_disputed"


def test_won_dispute_returns_the_money(simulator):
    dispute = disputed(simulator)
    sent = simulator.stripe.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "They used it."}})
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
    assert simulator.play(f"disputes/{dispute.id}/win")["status"] == "won"
    assert simulator.told(dispute.id)[2:] == [
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]
    won = simulator.stripe.disputes.retrieve(dispute.id)
    assert [t.amount for t in won.balance_transactions] == [-3999, 3999]
    assert simulator.stripe.refunds.create({"charge": dispute.charge, "amount": 100}).status == "succeeded"
    for move in ("win", "lose", "evidence", "withdraw", "escalate"):
        assert simulator.browser.post(f"/_control/disputes/{dispute.id}/{move}").status_code == 409


@pytest.mark.parametrize("by", ["bank", "us"])
def test_lost_dispute_keeps_the_money_away(simulator, by):
    dispute = disputed(simulator)
    if by == "bank":
        simulator.play(f"disputes/{dispute.id}/lose")
    else:
        simulator.stripe.disputes.close(dispute.id)
    lost = simulator.stripe.disputes.retrieve(dispute.id)
    assert (lost.status, [t.amount for t in lost.balance_transactions]) == ("lost", [-3999])
    assert simulator.told(dispute.id)[2:] == ["charge.dispute.closed"]
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        simulator.stripe.disputes.close(dispute.id)


def test_inquiry_moves_no_money(simulator):
    dispute = disputed(simulator, inquiry=True)
    assert (dispute.status, dispute.balance_transactions) == ("warning_needs_response", [])
    assert dispute.is_charge_refundable
    assert simulator.play(f"disputes/{dispute.id}/evidence")["status"] == "warning_under_review"
    assert simulator.play(f"disputes/{dispute.id}/lose")["status"] == "warning_closed"
    assert simulator.told(dispute.id) == [
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
    ]
    assert simulator.stripe.balance_transactions.list({"source": dispute.id}).data == []
    assert simulator.stripe.refunds.create({"charge": dispute.charge}).amount == 3999


def test_inquiry_can_become_a_dispute(simulator):
    dispute = disputed(simulator, inquiry=True)
    escalated = simulator.play(f"disputes/{dispute.id}/escalate")
    assert (escalated["status"], escalated["is_charge_refundable"]) == ("needs_response", False)
    assert [t["amount"] for t in escalated["balance_transactions"]] == [-3999]
    assert simulator.told(dispute.id)[1:] == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]


def test_dispute_is_about_what_was_not_refunded_or_about_less(simulator):
    intent = simulator.paid()
    simulator.stripe.refunds.create({"payment_intent": intent.id, "amount": 1500})
    dispute = simulator.play(f"charges/{intent.latest_charge}/dispute", withdraw=False)
    assert (dispute["amount"], dispute["balance_transactions"]) == (2499, [])
    assert simulator.play(f"disputes/{dispute['id']}/withdraw")["balance_transactions"][0]["amount"] == -2499
    assert disputed(simulator, amount=100, reason="product_not_received").amount == 100
    whole = simulator.paid()
    for options in ({"amount": 4000}, {"amount": 0}, {"reason": "spite"}):
        answer = simulator.browser.post(f"/_control/charges/{whole.latest_charge}/dispute", json=options)
        assert answer.status_code == 400


def test_dispute_that_was_won_before_the_money_went_returns_nothing(simulator):
    dispute = disputed(simulator, withdraw=False)
    simulator.play(f"disputes/{dispute.id}/win")
    assert simulator.told(dispute.id) == ["charge.dispute.created", "charge.dispute.closed"]


def test_charge_is_disputed_once(simulator):
    dispute = disputed(simulator)
    answer = simulator.browser.post(f"/_control/charges/{dispute.charge}/dispute")
    assert answer.status_code == 400 and "cannot be disputed" in answer.json()["error"]["message"]


def test_warning_of_fraud_moves_no_money(simulator):
    intent = simulator.paid()
    warning = simulator.play(f"charges/{intent.latest_charge}/warn")
    read = simulator.stripe.radar.early_fraud_warnings.retrieve(warning["id"])
    assert (read.actionable, read.fraud_type) == (True, "made_with_stolen_card")
    assert (read.charge, read.payment_intent) == (intent.latest_charge, intent.id)
    assert simulator.told(warning["id"]) == ["radar.early_fraud_warning.created"]
    listed = simulator.stripe.radar.early_fraud_warnings.list({"charge": intent.latest_charge}).data
    assert [one.id for one in listed] == [warning["id"]]


@pytest.mark.parametrize(
    ("number", "status"),
    [("4000000000000259", "needs_response"), ("4000000000001976", "warning_needs_response")],
)
def test_some_cards_are_disputed_by_themselves(simulator, number, status):
    session = simulator.new_session()
    simulator.press(session, "pay", card=number)
    paid = simulator.stripe.checkout.sessions.retrieve(session.id)
    (dispute,) = simulator.stripe.disputes.list({"payment_intent": paid.payment_intent}).data
    assert (paid.payment_status, dispute.status) == ("paid", status)


def test_a_card_can_bring_a_warning_of_fraud(simulator):
    session = simulator.new_session()
    simulator.press(session, "pay", card="4000000000005423")
    intent = simulator.stripe.checkout.sessions.retrieve(session.id).payment_intent
    assert simulator.stripe.radar.early_fraud_warnings.list({"payment_intent": intent}).data


def test_bank_debit_can_come_back_after_it_arrived(simulator):
    intent = simulator.debited()
    simulator.play(f"payment_intents/{intent.id}/bounce")
    charge = simulator.stripe.charges.retrieve(intent.latest_charge)
    assert (charge.status, charge.paid, charge.amount_captured) == ("failed", False, 0)
    amounts = [t.amount for t in simulator.stripe.balance_transactions.list({"source": charge.id}).data]
    assert amounts == [-3999, 3999] and charge.failure_balance_transaction
    failed = simulator.stripe.payment_intents.retrieve(intent.id)
    assert (failed.status, failed.amount_received) == ("requires_payment_method", 0)
    assert simulator.told(intent.id)[-2:] == ["payment_intent.succeeded", "payment_intent.payment_failed"]
    (session,) = simulator.stripe.checkout.sessions.list({"payment_intent": intent.id}).data
    assert session.payment_status == "unpaid"
    assert simulator.told(session.id)[1:] == [
        f"checkout.session.async_payment_{word}" for word in ("succeeded", "failed")
    ]
    for other in (intent, simulator.paid()):  # once, and never a card
        assert simulator.browser.post(f"/_control/payment_intents/{other.id}/bounce").status_code == 409


def test_unknown_moves_are_refused(simulator):
    intent = simulator.paid()
    for path, status in (
        ("disputes/dp_none/win", 404),
        (f"charges/{intent.latest_charge}/vanish", 404),
        (f"charges/{intent.id}/dispute", 404),
        (f"payment_intents/{intent.id}/fail", 409),
    ):
        assert simulator.browser.post(f"/_control/{path}").status_code == status
    answer = simulator.browser.post(f"/_control/charges/{intent.latest_charge}/dispute", json={"much": 1})
    assert answer.status_code == 400


def test_every_event_about_money_has_the_members_of_its_class(simulator):
    types = {type for type in simulator.receiver.typed() if type.startswith(("charge.", "refund.", "radar."))}
    assert types >= {
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.refunded",
        "charge.succeeded",
        "radar.early_fraud_warning.created",
        "refund.created",
    }
