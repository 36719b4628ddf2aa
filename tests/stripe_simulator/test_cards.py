"""Test cards by number, on the pay page, saved, and charged when nobody is there."""

import pytest
import stripe

pytestmark = pytest.mark.one_version

PAID, DECLINED = "4242424242424242", "4000000000000002"
NEEDS_OWNER, DECLINED_LATER = "4000002500003155", "4000000000000341"
OFF_SESSION = {"amount": 3999, "currency": "eur", "off_session": True, "confirm": True}


def charge(simulator, customer, method, options=None, **changes):
    params = {**OFF_SESSION, "customer": customer, "payment_method": method, **changes}
    return simulator.stripe.payment_intents.create(params, options)


def refused(simulator, customer, method, **changes):
    with pytest.raises(stripe.CardError) as caught:
        charge(simulator, customer, method, **changes)
    return caught.value


@pytest.mark.parametrize("number", [DECLINED, DECLINED_LATER])
def test_declined_card_leaves_the_session_open(simulator, number):
    session = simulator.new_session()
    answer = simulator.press(session, "pay", card=number)
    assert answer.headers["location"] == f"/pay/{session.id}"
    intent_id = simulator.stripe.checkout.sessions.retrieve(session.id).payment_intent
    told = simulator.told(intent_id)
    assert told == ["payment_intent.created", "payment_intent.payment_failed"]
    assert "Your card was declined." in simulator.browser.get(session.url).text
    simulator.press(session, "pay", card=PAID)
    assert simulator.stripe.checkout.sessions.retrieve(session.id).payment_status == "paid"
    charges = simulator.stripe.charges.list({"payment_intent": intent_id}).data
    assert [one.status for one in charges] == ["succeeded", "failed"]


def test_card_that_needs_its_owner_is_paid_when_they_confirm(simulator):
    session = simulator.new_session()
    simulator.press(session, "pay", card=NEEDS_OWNER)
    waiting = simulator.stripe.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (waiting.status, waiting.payment_intent.status) == ("open", "requires_action")
    assert "Your bank asks" in simulator.browser.get(session.url).text
    answer = simulator.press(session, "authenticate")
    assert answer.headers["location"].startswith("https://shop.example/done")
    told = simulator.told(waiting.payment_intent.id)
    assert told == [f"payment_intent.{word}" for word in ("created", "requires_action", "succeeded")]
    charge = simulator.stripe.payment_intents.retrieve(
        waiting.payment_intent.id, {"expand": ["latest_charge"]}
    ).latest_charge
    assert charge.payment_method_details.card.three_d_secure.result == "authenticated"


def test_owner_who_refuses_leaves_the_session_open(simulator):
    session = simulator.new_session()
    simulator.press(session, "pay", card=NEEDS_OWNER)
    simulator.press(session, "refuse")
    open_one = simulator.stripe.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert open_one.payment_intent.last_payment_error.code == "payment_intent_authentication_failure"
    assert (open_one.status, open_one.payment_intent.status) == ("open", "requires_payment_method")
    simulator.press(session, "refuse")  # asked no longer
    simulator.press(session, "pay")
    assert simulator.stripe.checkout.sessions.retrieve(session.id).status == "complete"


def test_card_is_saved_for_later_only_when_the_session_says_so(simulator):
    customer = simulator.stripe.customers.create({"email": "ada@example.com"})
    simulator.press(simulator.new_session(customer=customer.id), "pay")
    assert simulator.stripe.payment_methods.list({"customer": customer.id}).data == []
    later = simulator.new_session(
        customer=customer.id, payment_intent_data={"setup_future_usage": "off_session"}
    )
    simulator.press(later, "pay")
    (method,) = simulator.stripe.payment_methods.list({"customer": customer.id, "type": "card"}).data
    assert (method.card.last4, method.card.brand, method.customer) == ("4242", "visa", customer.id)
    assert simulator.told(method.id) == ["payment_method.attached"]
    assert [m.id for m in simulator.stripe.customers.payment_methods.list(customer.id).data] == [method.id]
    assert (
        "Pay by card visa 4242" in simulator.browser.get(simulator.new_session(customer=customer.id).url).text
    )
    again = simulator.new_session(customer=customer.id)
    simulator.press(again, "pay", method=method.id)
    intent = simulator.stripe.checkout.sessions.retrieve(again.id, {"expand": ["payment_intent"]})
    assert intent.payment_intent.payment_method == method.id
    foreign = simulator.new_session()
    assert simulator.press(foreign, "pay", method=method.id).status_code == 400


def test_buyer_can_save_the_card_where_the_session_offers_it(simulator):
    customer = simulator.stripe.customers.create({})
    session = simulator.new_session(
        customer=customer.id, saved_payment_method_options={"payment_method_save": "enabled"}
    )
    assert "Pay and save the card" in simulator.browser.get(session.url).text
    simulator.press(session, "pay", save="yes")
    assert len(simulator.stripe.payment_methods.list({"customer": customer.id}).data) == 1


def test_guest_whose_card_is_saved_becomes_a_customer(simulator):
    session = simulator.new_session(payment_intent_data={"setup_future_usage": "off_session"})
    simulator.press(session, "pay")
    paid = simulator.stripe.checkout.sessions.retrieve(session.id)
    assert (
        simulator.stripe.payment_methods.list({"customer": paid.customer}).data[0].customer == paid.customer
    )


def test_saved_card_is_charged_off_session(simulator):
    customer, method = simulator.saved()
    intent = charge(simulator, customer, method, metadata={"kind": "auto_topup"}, description="Top-up")
    assert (intent.status, intent.amount_received, intent.customer) == ("succeeded", 3999, customer)
    assert intent.metadata.to_dict() == {"kind": "auto_topup"}
    assert simulator.told(intent.id) == ["payment_intent.created", "payment_intent.succeeded"]
    assert simulator.told(intent.latest_charge) == ["charge.succeeded"]
    assert simulator.stripe.refunds.create({"payment_intent": intent.id}).status == "succeeded"
    event = simulator.receiver.wait(intent.id, "payment_intent.succeeded")
    assert event["request"]["id"].startswith("req_")


def test_declined_saved_card_answers_402_and_keeps_the_attempt(simulator):
    customer, method = simulator.saved(DECLINED_LATER)
    error = refused(simulator, customer, method, metadata={"kind": "auto_topup"})
    assert (error.http_status, error.code) == (402, "card_declined")
    body = error.json_body["error"]
    assert (body["type"], body["decline_code"]) == ("card_error", "generic_decline")
    assert body["payment_intent"]["status"] == "requires_payment_method"
    assert body["payment_method"]["id"] == method and body["charge"].startswith("ch_")
    intent = simulator.stripe.payment_intents.retrieve(body["payment_intent"]["id"])
    assert intent.last_payment_error.code == "card_declined" and intent.latest_charge == body["charge"]
    assert simulator.told(intent.id) == ["payment_intent.created", "payment_intent.payment_failed"]
    assert simulator.told(intent.latest_charge) == ["charge.failed"]


def test_card_that_needs_its_owner_fails_off_session_and_can_be_confirmed(simulator):
    customer, method = simulator.saved(NEEDS_OWNER)
    error = refused(simulator, customer, method)
    assert (error.http_status, error.code) == (402, "authentication_required")
    body = error.json_body["error"]
    assert body["decline_code"] == "authentication_required"
    id = body["payment_intent"]["id"]
    assert simulator.told(id) == ["payment_intent.created", "payment_intent.payment_failed"]
    asked = simulator.stripe.payment_intents.confirm(
        id, {"payment_method": method, "return_url": "https://shop.example/back"}
    )
    assert (asked.status, asked.next_action.type) == ("requires_action", "redirect_to_url")
    page = asked.next_action.redirect_to_url.url
    assert "39.99 EUR" in simulator.browser.get(page).text
    answer = simulator.browser.post(page, data={"action": "authenticate"})
    assert answer.headers["location"] == "https://shop.example/back"
    assert simulator.stripe.payment_intents.retrieve(id).status == "succeeded"
    assert "Nothing to confirm" in simulator.browser.get(page).text
    assert simulator.browser.post(page, data={"action": "authenticate"}).status_code == 303


def test_caller_may_refuse_to_wait_for_the_owner(simulator):
    customer, method = simulator.saved(NEEDS_OWNER)
    error = refused(simulator, customer, method, off_session=False, error_on_requires_action=True)
    assert error.code == "authentication_required"


def test_same_idempotency_key_charges_once_and_repeats_a_refusal(simulator):
    customer, method = simulator.saved()
    options = {"idempotency_key": f"topup:{customer}"}
    ids = {charge(simulator, customer, method, options).id for _ in range(3)}
    assert len(ids) == 1 and len(simulator.stripe.charges.list({"customer": customer}).data) == 1
    with pytest.raises(stripe.IdempotencyError):
        charge(simulator, customer, method, options, amount=4000)
    customer, method = simulator.saved(DECLINED_LATER)
    options = {"idempotency_key": f"topup:{customer}"}
    intents = set()
    for _ in range(2):
        with pytest.raises(stripe.CardError) as caught:
            charge(simulator, customer, method, options)
        intents.add(caught.value.json_body["error"]["payment_intent"]["id"])
    assert len(intents) == 1 and len(simulator.stripe.charges.list({"customer": customer}).data) == 1


def test_stripe_names_of_test_cards_are_known(simulator):
    customer = simulator.stripe.customers.create({}).id
    method = simulator.stripe.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    assert (method.card.last4, method.customer) == ("0341", customer)
    assert refused(simulator, customer, method.id).code == "card_declined"
    with pytest.raises(stripe.CardError):
        simulator.stripe.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer})
    card = {"type": "card", "card": {"number": PAID, "exp_month": 12, "exp_year": 2034, "cvc": "123"}}
    made = simulator.stripe.payment_methods.create(card)
    assert simulator.stripe.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}).card.last4
    with pytest.raises(stripe.CardError, match="test cards"):
        simulator.stripe.payment_methods.create({**card, "card": {"number": "4111111111111111"}})
    default = {"default_payment_method": made.id}
    with pytest.raises(stripe.InvalidRequestError, match="attached to the customer"):
        simulator.stripe.customers.update(customer, {"invoice_settings": default})
    simulator.stripe.payment_methods.attach(made.id, {"customer": customer})
    changed = simulator.stripe.customers.update(customer, {"invoice_settings": default})
    assert changed.invoice_settings.default_payment_method == made.id
    told = simulator.receiver.wait(customer, "customer.updated")
    assert set(told["data"]["previous_attributes"]) == {"invoice_settings"}
    other = simulator.stripe.customers.create({}).id
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        simulator.stripe.payment_methods.attach(made.id, {"customer": other})
    with pytest.raises(stripe.InvalidRequestError, match="belongs to a Customer"):
        charge(simulator, other, made.id)
    assert simulator.stripe.payment_methods.detach(made.id).customer is None
    assert simulator.stripe.customers.retrieve(customer).invoice_settings.default_payment_method is None


def test_payment_intent_is_made_changed_confirmed_and_cancelled(simulator):
    api = simulator.stripe.payment_intents
    intent = api.create({"amount": 500, "currency": "eur", "metadata": {"a": "1"}})
    assert intent.status == "requires_payment_method"
    changed = api.update(intent.id, {"amount": 700, "metadata": {"b": "2"}, "payment_method": "pm_card_visa"})
    assert (changed.amount, changed.status) == (700, "requires_confirmation")
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}
    assert api.confirm(intent.id).status == "succeeded"
    for call in (api.confirm, api.cancel):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            call(intent.id)
        assert caught.value.code == "payment_intent_unexpected_state"
    other = api.create({"amount": 500, "currency": "eur"})
    assert api.cancel(other.id, {"cancellation_reason": "abandoned"}).status == "canceled"
    assert simulator.told(other.id)[-1] == "payment_intent.canceled"


def test_payment_of_a_checkout_session_is_left_to_its_page(simulator):
    session = simulator.new_session()
    simulator.press(session, "fail")
    id = simulator.stripe.checkout.sessions.retrieve(session.id).payment_intent
    for call in (
        lambda: simulator.stripe.payment_intents.confirm(id, {"payment_method": "pm_card_visa"}),
        lambda: simulator.stripe.payment_intents.cancel(id),
    ):
        with pytest.raises(stripe.InvalidRequestError, match="created by Checkout"):
            call()


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"amount": 49}, "amount_too_small", "amount"),
        ({"amount": 100_000_000}, "amount_too_large", "amount"),
        ({"amount": 0}, "parameter_invalid_integer", "amount"),
        ({"currency": "xyz"}, None, "currency"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"payment_method": "pm_none"}, "resource_missing", "payment_method"),
        ({"payment_method": None}, "payment_intent_unexpected_state", "payment_method"),
        ({"confirm": None}, None, "off_session"),
        ({"transfer_data": {"destination": "acct_1"}}, "parameter_unknown", "transfer_data"),
    ],
)
def test_bad_payment_intents_are_refused(simulator, changes, code, param):
    params = {**OFF_SESSION, "payment_method": "pm_card_visa", **changes}
    params = {name: value for name, value in params.items() if value is not None}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        simulator.stripe.payment_intents.create(params)
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (400, code, param)


def test_setup_session_saves_a_card_without_a_payment(simulator):
    customer = simulator.stripe.customers.create({"email": "ada@example.com"}).id
    session = simulator.stripe.checkout.sessions.create(
        {
            "mode": "setup",
            "customer": customer,
            "success_url": "https://shop.example/",
            "setup_intent_data": {"metadata": {"why": "top-ups"}},
            "metadata": {"consent": "1"},
        }
    )
    assert (session.amount_total, session.payment_status) == (None, "no_payment_required")
    assert "Save card 4242" in simulator.browser.get(session.url).text
    simulator.press(session, "pay", card=DECLINED)
    assert simulator.stripe.checkout.sessions.retrieve(session.id).status == "open"
    simulator.press(session, "pay", card=NEEDS_OWNER)
    simulator.press(session, "authenticate")
    told = simulator.receiver.wait(session.id, "checkout.session.completed")["data"]["object"]
    assert (told["mode"], told["metadata"]) == ("setup", {"consent": "1"})
    setup = simulator.stripe.setup_intents.retrieve(session.setup_intent, {"expand": ["payment_method"]})
    assert (setup.status, setup.metadata.to_dict()) == ("succeeded", {"why": "top-ups"})
    assert setup.payment_method.customer == customer
    words = ("created", "setup_failed", "requires_action", "succeeded")
    assert simulator.told(setup.id) == [f"setup_intent.{word}" for word in words]


def test_setup_intent_saves_a_card_through_the_api(simulator):
    customer = simulator.stripe.customers.create({}).id
    params = {"customer": customer, "payment_method": "pm_card_visa", "confirm": True}
    setup = simulator.stripe.setup_intents.create(params)
    assert setup.status == "succeeded"
    assert charge(simulator, customer, setup.payment_method).status == "succeeded"
    asked = simulator.stripe.setup_intents.create(
        {**params, "payment_method": "pm_card_authenticationRequired"}
    )
    assert asked.status == "requires_action"
    simulator.browser.post(asked.next_action.redirect_to_url.url, data={"action": "refuse"})
    assert simulator.stripe.setup_intents.retrieve(asked.id).last_setup_error.code.endswith("failure")
    assert simulator.stripe.setup_intents.cancel(asked.id).status == "canceled"
    with pytest.raises(stripe.CardError) as caught:
        simulator.stripe.setup_intents.create({**params, "payment_method": "pm_card_chargeDeclined"})
    assert caught.value.code == "card_declined"


def test_events_of_cards_have_the_members_of_their_classes(simulator):
    assert set(simulator.receiver.typed()) >= {
        "payment_intent.canceled",
        "payment_intent.created",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_method.attached",
        "payment_method.detached",
        "setup_intent.setup_failed",
        "setup_intent.succeeded",
    }
