"""Refunds: whole, in part, several, pending, failed, cancelled, and those that are refused."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

pytestmark = pytest.mark.one_version


def refused(call, *args):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call(*args)
    return caught.value


def test_payment_has_a_charge_and_a_balance_transaction(simulator):
    intent = simulator.paid()
    charge = simulator.stripe.charges.retrieve(intent.latest_charge, {"expand": ["balance_transaction"]})
    assert (charge.status, charge.paid, charge.amount, charge.amount_captured) == (
        "succeeded",
        True,
        3999,
        3999,
    )
    assert (charge.payment_intent, charge.metadata.to_dict()) == (intent.id, {"kind": "pack"})
    assert charge.payment_method_details.card.last4 == "4242" and charge.outcome.type == "authorized"
    money = charge.balance_transaction
    assert (money.amount, money.fee, money.net, money.type) == (3999, 85, 3914, "charge")
    assert money.source == charge.id
    assert simulator.told(charge.id) == ["charge.succeeded"]
    page = simulator.browser.get(charge.receipt_url)
    assert page.status_code == 200 and "39.99 EUR" in page.text
    assert [c.id for c in simulator.stripe.charges.list({"payment_intent": intent.id}).data] == [charge.id]


def test_declined_card_leaves_a_failed_charge(simulator):
    session = simulator.new_session()
    simulator.press(session, "fail")
    session = simulator.stripe.checkout.sessions.retrieve(session.id)
    (charge,) = simulator.stripe.charges.list({"payment_intent": session.payment_intent}).data
    assert (charge.status, charge.paid, charge.failure_code) == ("failed", False, "card_declined")
    assert charge.outcome.reason == "generic_decline" and charge.balance_transaction is None
    assert simulator.told(charge.id) == ["charge.failed"]
    error = refused(simulator.stripe.refunds.create, {"payment_intent": session.payment_intent})
    assert "successful charge" in str(error)
    assert refused(simulator.stripe.refunds.create, {"charge": charge.id}).code == "charge_not_refundable"


def test_whole_refund_leaves_nothing_to_refund(simulator):
    intent = simulator.paid()
    refund = simulator.stripe.refunds.create(
        {"payment_intent": intent.id, "reason": "requested_by_customer", "metadata": {"order": "1"}}
    )
    assert (refund.amount, refund.status, refund.charge) == (3999, "succeeded", intent.latest_charge)
    assert refund.metadata.to_dict() == {"order": "1"} and refund.reason == "requested_by_customer"
    charge = simulator.stripe.charges.retrieve(intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (3999, True)
    assert simulator.told(refund.id) == ["refund.created"]
    assert simulator.told(charge.id) == ["charge.succeeded", "charge.refunded"]
    event = simulator.receiver.wait(charge.id, "charge.refunded")
    assert event["data"]["previous_attributes"] == {"amount_refunded": 0, "refunded": False}
    error = refused(simulator.stripe.refunds.create, {"charge": charge.id})
    assert (error.code, error.http_status) == ("charge_already_refunded", 400)


def test_refunds_add_up_to_the_charge_and_no_further(simulator):
    intent = simulator.paid()
    for amount in (1000, 2000):
        simulator.stripe.refunds.create({"charge": intent.latest_charge, "amount": amount})
    error = refused(
        simulator.stripe.refunds.create, {"payment_intent": intent.id, "amount": 1000, "metadata": {"a": "b"}}
    )
    assert error.param == "amount" and "9.99 EUR" in str(error)
    last = simulator.stripe.refunds.create({"payment_intent": intent.id})
    assert last.amount == 999
    refunds = simulator.stripe.refunds.list({"payment_intent": intent.id}).data
    assert [refund.amount for refund in refunds] == [999, 2000, 1000]
    transactions = simulator.stripe.balance_transactions.list({"source": refunds[1].id}).data
    assert [(t.amount, t.type) for t in transactions] == [(-2000, "refund")]


def test_refunds_at_once_never_exceed_the_charge(simulator):
    intent = simulator.paid()

    def refund(_):
        try:
            return simulator.stripe.refunds.create({"payment_intent": intent.id, "amount": 700}).amount
        except stripe.InvalidRequestError:
            return 0

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(refund, range(10))) == 3500
    assert simulator.stripe.charges.retrieve(intent.latest_charge).amount_refunded == 3500


def test_same_idempotency_key_refunds_once(simulator):
    intent = simulator.paid()
    params, options = {"payment_intent": intent.id, "amount": 500}, {"idempotency_key": f"r:{intent.id}"}
    first, second = (simulator.stripe.refunds.create(params, options) for _ in range(2))
    assert first.id == second.id
    assert simulator.stripe.charges.retrieve(intent.latest_charge).amount_refunded == 500
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        simulator.stripe.refunds.create({**params, "amount": 600}, options)


@pytest.mark.parametrize("end", ["succeed", "fail", "cancel"])
def test_refund_of_a_bank_debit_is_pending_first(simulator, end):
    intent = simulator.debited()
    refund = simulator.stripe.refunds.create({"payment_intent": intent.id})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    assert simulator.stripe.charges.retrieve(intent.latest_charge).refunded is True
    moved = simulator.play(f"refunds/{refund.id}/{end}")
    status = {"succeed": "succeeded", "fail": "failed", "cancel": "canceled"}[end]
    assert moved["status"] == status
    told = ["refund.created", "refund.updated", "charge.refund.updated"]
    assert simulator.told(refund.id) == ([*told, "refund.failed"] if end == "fail" else told)
    updated = simulator.receiver.wait(refund.id, "refund.updated")
    assert updated["data"]["previous_attributes"] == {"status": "pending"}
    charge = simulator.stripe.charges.retrieve(intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == ((3999, True) if end == "succeed" else (0, False))
    if end == "fail":
        assert moved["failure_reason"] == "lost_or_stolen_card"
        back = simulator.stripe.balance_transactions.retrieve(moved["failure_balance_transaction"])
        assert (back.amount, back.type) == (3999, "refund_failure")
    if end != "succeed":  # the money is there again, and can be refunded again
        assert simulator.stripe.refunds.create({"payment_intent": intent.id}).amount == 3999


def test_refund_that_succeeded_can_still_come_back(simulator):
    refund = simulator.stripe.refunds.create({"payment_intent": simulator.paid().id, "amount": 1000})
    assert simulator.play(f"refunds/{refund.id}/fail")["status"] == "failed"
    assert simulator.stripe.charges.retrieve(refund.charge).amount_refunded == 0
    answer = simulator.browser.post(f"/_control/refunds/{refund.id}/succeed")
    assert answer.status_code == 409 and "failed" in answer.json()["error"]["message"]


def test_only_a_pending_refund_can_be_cancelled(simulator):
    refund = simulator.stripe.refunds.create({"payment_intent": simulator.paid().id})
    assert "cannot be canceled" in str(refused(simulator.stripe.refunds.cancel, refund.id))
    pending = simulator.stripe.refunds.create({"payment_intent": simulator.debited().id})
    assert simulator.stripe.refunds.cancel(pending.id).status == "canceled"
    changed = simulator.stripe.refunds.update(pending.id, {"metadata": {"why": "mistake"}})
    assert changed.metadata.to_dict() == {"why": "mistake"}


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({}, "parameter_missing", "charge"),
        ({"charge": "ch_none"}, "resource_missing", "charge"),
        ({"payment_intent": "pi_none"}, "resource_missing", "payment_intent"),
        ({"charge": "ch_1", "payment_intent": "pi_1"}, None, "charge"),
        ({"charge": "ch_1", "amount": 0}, "parameter_invalid_integer", "amount"),
        ({"charge": "ch_1", "amount": -5}, "parameter_invalid_integer", "amount"),
        ({"charge": "ch_1", "reason": "because"}, None, "reason"),
        ({"charge": "ch_1", "reverse_transfer": True}, "parameter_unknown", "reverse_transfer"),
    ],
)
def test_bad_refunds_are_refused(simulator, params, code, param):
    error = refused(simulator.stripe.refunds.create, params)
    assert (error.http_status, error.code, error.param) == (400, code, param)


def test_lists_have_pages_and_bounds_of_time(simulator):
    intent = simulator.paid()
    made = [simulator.stripe.refunds.create({"charge": intent.latest_charge, "amount": 10}) for _ in range(5)]
    ids = [refund.id for refund in reversed(made)]
    api, filters = simulator.stripe.refunds, {"charge": intent.latest_charge, "limit": 2}
    assert [refund.id for refund in api.list(filters).auto_paging_iter()] == ids
    assert [r.id for r in api.list({**filters, "ending_before": ids[4]}).data] == ids[2:4]
    assert api.list({**filters, "created": {"lt": made[0].created}}).data == []
    assert len(api.list({"charge": intent.latest_charge, "created": {"gte": made[0].created}}).data) == 5
    for service in ("charges", "disputes", "balance_transactions", "payouts", "events"):
        listed = getattr(simulator.stripe, service).list({"limit": 1, "created": {"gt": 1}})
        assert listed.url == f"/v1/{service}"


def test_payout_takes_the_balance_once(start_simulator, tmp_path):
    simulator = start_simulator(tmp_path)
    intent = simulator.paid()
    simulator.stripe.refunds.create({"payment_intent": intent.id, "amount": 1000})
    (made,) = simulator.play("payouts")["payouts"]
    payout = simulator.stripe.payouts.retrieve(made["id"])
    assert (payout.amount, payout.status, payout.automatic) == (2914, "paid", True)
    inside = simulator.stripe.balance_transactions.list({"payout": payout.id}).data
    assert {t.type for t in inside} == {"charge", "refund", "payout"} and sum(t.net for t in inside) == 0
    assert simulator.play("payouts")["payouts"] == []
    error = refused(simulator.stripe.payouts.create, {"amount": 1, "currency": "eur"})
    assert error.code == "balance_insufficient"
    simulator.paid()
    assert simulator.stripe.payouts.create({"amount": 100, "currency": "eur"}).automatic is False
    assert simulator.told(payout.id) == ["payout.created", "payout.paid"]
    assert [p.amount for p in simulator.stripe.payouts.list({"arrival_date": {"gt": 1}}).data] == [100, 2914]
