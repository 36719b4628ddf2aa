"""Checkout with discounts, tax and invoices: what the totals are, and who is told."""

import pytest
import stripe

pytestmark = pytest.mark.one_version


def item(amount, behavior="exclusive", quantity=1):
    return {
        "price_data": {
            "currency": "eur",
            "unit_amount": amount,
            "tax_behavior": behavior,
            "product_data": {"name": "Pack"},
        },
        "quantity": quantity,
    }


def completed(simulator, session):
    return simulator.receiver.wait(session.id, "checkout.session.completed")["data"]["object"]


def test_coupon_lowers_the_total_and_is_spread_over_the_lines(simulator):
    coupon = simulator.stripe.coupons.create({"amount_off": 1000, "currency": "eur", "duration": "once"})
    session = simulator.new_session(
        line_items=[item(2000), item(1000), item(999)], discounts=[{"coupon": coupon.id}]
    )
    assert (session.amount_subtotal, session.amount_total) == (3999, 2999)
    assert session.total_details.amount_discount == 1000
    lines = simulator.stripe.checkout.sessions.line_items.list(session.id).data
    assert sum(line.amount_discount for line in lines) == 1000
    assert all(line.amount_total == line.amount_subtotal - line.amount_discount for line in lines)
    simulator.press(session, "pay")
    told = completed(simulator, session)
    assert told["amount_total"] == 2999
    intent = simulator.stripe.payment_intents.retrieve(told["payment_intent"])
    assert (intent.amount, intent.amount_received) == (2999, 2999)
    assert simulator.stripe.coupons.retrieve(coupon.id).times_redeemed == 1


def test_buyer_types_a_promotion_code(simulator):
    coupon = simulator.stripe.coupons.create({"percent_off": 25, "duration": "once"})
    promotion = simulator.stripe.promotion_codes.create(
        {"code": "SPRING", "promotion": {"type": "coupon", "coupon": coupon.id}, "max_redemptions": 1}
    )
    session = simulator.new_session(allow_promotion_codes=True)
    wrong = simulator.press(session, "promotion", code="WINTER")
    assert wrong.status_code == 400 and "This code is invalid." in wrong.text
    simulator.press(session, "promotion", code="SPRING")
    assert "29.99 EUR" in simulator.browser.get(session.url).text
    simulator.press(session, "pay")
    told = completed(simulator, session)
    assert told["amount_total"] == 2999 and told["amount_subtotal"] == 3999
    assert told["discounts"] == [{"coupon": None, "promotion_code": promotion.id}]
    used = simulator.stripe.promotion_codes.retrieve(promotion.id)
    assert (used.times_redeemed, used.active) == (1, False)
    late = simulator.new_session(allow_promotion_codes=True)
    assert simulator.press(late, "promotion", code="SPRING").status_code == 400
    plain = simulator.new_session()
    assert simulator.press(plain, "promotion", code="SPRING").status_code == 400


def test_whole_discount_leaves_nothing_to_pay(simulator):
    coupon = simulator.stripe.coupons.create({"percent_off": 100, "duration": "once"})
    session = simulator.new_session(discounts=[{"coupon": coupon.id}])
    simulator.press(session, "pay")
    told = completed(simulator, session)
    assert (told["amount_total"], told["payment_status"]) == (0, "no_payment_required")
    assert (told["payment_intent"], told["total_details"]["amount_discount"]) == (None, 3999)


def test_discount_below_the_smallest_charge_is_refused(simulator):
    coupon = simulator.stripe.coupons.create({"amount_off": 3980, "currency": "eur", "duration": "once"})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        simulator.new_session(discounts=[{"coupon": coupon.id}])
    assert caught.value.code == "amount_too_small"


def test_discounts_that_do_not_hold_are_refused(simulator):
    dollars = simulator.stripe.coupons.create({"amount_off": 100, "currency": "usd", "duration": "once"})
    with pytest.raises(stripe.InvalidRequestError, match="is in usd"):
        simulator.new_session(discounts=[{"coupon": dollars.id}])
    coupon = simulator.stripe.coupons.create({"percent_off": 10, "duration": "once"})
    promotion = {"type": "coupon", "coupon": coupon.id}
    for limits in (
        {"restrictions": {"minimum_amount": 5000, "minimum_amount_currency": "eur"}},
        {"customer": simulator.stripe.customers.create({}).id},
        {"expires_at": 1},
        {"active": False},
    ):
        code = simulator.stripe.promotion_codes.create({"promotion": promotion, **limits})
        with pytest.raises(stripe.InvalidRequestError):
            simulator.new_session(discounts=[{"promotion_code": code.id}])
    with pytest.raises(stripe.InvalidRequestError, match="You may only specify one"):
        simulator.new_session(discounts=[{"coupon": coupon.id}], allow_promotion_codes=True)
    simulator.stripe.coupons.delete(coupon.id)
    with pytest.raises(stripe.InvalidRequestError, match="not valid any more"):
        simulator.new_session(discounts=[{"coupon": coupon.id}])
    for bad in ({}, {"percent_off": 10, "amount_off": 1}, {"percent_off": 0}, {"percent_off": 101}):
        with pytest.raises(stripe.InvalidRequestError):
            simulator.stripe.coupons.create({"duration": "once", **bad})


@pytest.mark.parametrize(("behavior", "total", "tax"), [("exclusive", 4759, 760), ("inclusive", 3999, 638)])
def test_tax_follows_when_the_buyer_is_known(simulator, behavior, total, tax):
    session = simulator.new_session(line_items=[item(3999, behavior)], automatic_tax={"enabled": True})
    assert (session.automatic_tax.status, session.amount_total) == ("requires_location_inputs", 3999)
    simulator.press(session, "pay")
    told = completed(simulator, session)
    assert (told["automatic_tax"]["status"], told["amount_subtotal"]) == ("complete", 3999)
    assert (told["amount_total"], told["total_details"]["amount_tax"]) == (total, tax)
    assert told["customer_details"]["address"]["country"] == "DE"
    assert simulator.stripe.payment_intents.retrieve(told["payment_intent"]).amount == total


def test_customer_with_tax_needs_an_address_or_gets_one(simulator):
    customer = simulator.stripe.customers.create({"email": "ada@example.com"}).id
    tax = {"automatic_tax": {"enabled": True}, "customer": customer}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        simulator.new_session(**tax)
    assert caught.value.code == "customer_tax_location_invalid"
    session = simulator.new_session(**tax, customer_update={"address": "auto"})
    simulator.press(session, "pay")
    assert completed(simulator, session)["amount_total"] == 4759
    assert simulator.stripe.customers.retrieve(customer).address.country == "DE"
    assert simulator.new_session(**tax).amount_total == 4759  # known from the beginning


def test_discount_comes_before_tax(simulator):
    coupon = simulator.stripe.coupons.create({"percent_off": 50, "duration": "once"})
    session = simulator.new_session(
        line_items=[item(4000)], discounts=[{"coupon": coupon.id}], automatic_tax={"enabled": True}
    )
    simulator.press(session, "pay")
    told = completed(simulator, session)
    assert (told["amount_total"], told["total_details"]["amount_tax"]) == (2380, 380)


def test_payment_can_have_a_paid_invoice(simulator):
    coupon = simulator.stripe.coupons.create({"percent_off": 50, "duration": "once"})
    session = simulator.new_session(
        line_items=[item(4000)],
        discounts=[{"coupon": coupon.id}],
        automatic_tax={"enabled": True},
        invoice_creation={"enabled": True, "invoice_data": {"metadata": {"order_id": "order-1"}}},
    )
    simulator.press(session, "pay")
    told = completed(simulator, session)
    invoice = simulator.receiver.wait(told["invoice"], "invoice.paid")["data"]["object"]
    assert (invoice["billing_reason"], invoice["parent"], invoice["status"]) == ("manual", None, "paid")
    assert (invoice["subtotal"], invoice["total"], invoice["amount_paid"]) == (4000, 2380, 2380)
    assert invoice["metadata"] == {"order_id": "order-1"} and invoice["customer"] == told["customer"]
    (payment,) = invoice["payments"]["data"]
    assert payment["payment"]["payment_intent"] == told["payment_intent"]
    words = ("created", "finalized", "paid", "payment_succeeded")
    assert simulator.told(told["invoice"]) == [f"invoice.{word}" for word in words]


def test_invoice_of_a_bank_debit_comes_with_the_money(simulator):
    session = simulator.new_session(invoice_creation={"enabled": True})
    simulator.press(session, "pay_later")
    assert completed(simulator, session)["invoice"] is None
    simulator.press(session, "debit_succeeds")
    told = simulator.receiver.wait(session.id, "checkout.session.async_payment_succeeded")
    simulator.receiver.wait(told["data"]["object"]["invoice"], "invoice.paid")


def test_events_of_checkout_have_the_members_of_their_classes(simulator):
    assert set(simulator.receiver.typed()) >= {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "customer.updated",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    }
