"""Sessions through stripe-python and the pay page: every way one can end, and what is told about it."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

pytestmark = pytest.mark.one_version


def types(simulator, id):
    return sorted(event["type"] for event in simulator.receiver.about(id))


def test_new_session_is_open_and_unpaid(simulator):
    customer = simulator.stripe.customers.create({"email": "ada@example.com", "name": "Ada"})
    session = simulator.new_session(customer=customer.id)
    assert session.id.startswith("cs_test_")
    assert (session.status, session.payment_status, session.mode) == ("open", "unpaid", "payment")
    assert (session.amount_subtotal, session.amount_total, session.currency) == (3999, 3999, "eur")
    assert session.url == f"{simulator.url}/pay/{session.id}"
    assert session.customer == customer.id and session.customer_details.email == "ada@example.com"
    assert session.client_reference_id == "account-1" and session.metadata.order_id == "order-1"
    assert session.payment_intent is None and session.livemode is False
    assert abs(session.expires_at - time.time() - 86400) < 5
    assert simulator.stripe.checkout.sessions.retrieve(session.id).to_dict() == session.to_dict()


def test_line_items_add_up_to_the_total(simulator):
    product = simulator.stripe.products.create({"name": "Big pack", "metadata": {"pack": "big"}})
    price = simulator.stripe.prices.create({"product": product.id, "currency": "eur", "unit_amount": 1500})
    inline = {"currency": "EUR", "unit_amount": 250, "product_data": {"name": "Extra"}}
    session = simulator.new_session(
        line_items=[{"price": price.id, "quantity": 3}, {"price_data": inline, "quantity": 2}]
    )
    assert session.amount_total == session.amount_subtotal == 5000
    items = simulator.stripe.checkout.sessions.line_items.list(session.id)
    assert [(i.description, i.quantity, i.amount_total) for i in items.data] == [
        ("Big pack", 3, 4500),
        ("Extra", 2, 500),
    ]
    assert items.data[0].price.id == price.id
    first = simulator.stripe.checkout.sessions.line_items.list(session.id, {"limit": 1})
    assert first.has_more and len(first.data) == 1
    assert [i.description for i in first.auto_paging_iter()] == ["Big pack", "Extra"]
    made = simulator.stripe.prices.retrieve(items.data[1].price.id)
    assert (made.unit_amount, made.active) == (250, False)


def test_paid_session_is_complete_and_reported(simulator):
    customer = simulator.stripe.customers.create({"email": "ada@example.com"})
    session = simulator.new_session(customer=customer.id)
    answer = simulator.press(session, "pay")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"https://shop.example/done?session_id={session.id}"
    event = simulator.receiver.wait(session.id, "checkout.session.completed")
    told = event["data"]["object"]
    assert (told["status"], told["payment_status"], told["url"]) == ("complete", "paid", None)
    assert event["api_version"] == "2026-10-28.endive" and event["livemode"] is False
    assert told["metadata"] == {"order_id": "order-1"} and told["client_reference_id"] == "account-1"
    intent = simulator.stripe.payment_intents.retrieve(told["payment_intent"])
    assert (intent.status, intent.amount, intent.amount_received) == ("succeeded", 3999, 3999)
    assert intent.customer == customer.id and intent.latest_charge.startswith("ch_")
    simulator.receiver.wait(intent.id, "payment_intent.succeeded")
    assert types(simulator, session.id) == ["checkout.session.completed"]
    now = simulator.stripe.checkout.sessions.retrieve(session.id)
    assert (now.status, now.payment_status, now.url) == ("complete", "paid", None)


def test_session_metadata_is_not_on_the_payment_intent(simulator):
    session = simulator.new_session(
        metadata={"order_id": "x"}, payment_intent_data={"metadata": {"kind": "y"}}
    )
    bare = simulator.new_session(metadata={"order_id": "x"}, payment_intent_data=None)
    found = []
    for one in (session, bare):
        simulator.press(one, "pay")
        paid = simulator.stripe.checkout.sessions.retrieve(one.id, {"expand": ["payment_intent"]})
        found.append(paid.payment_intent.metadata.to_dict())
    assert found == [{"kind": "y"}, {}]


def test_bank_debit_succeeds_later(simulator):
    session = simulator.new_session()
    answer = simulator.press(session, "pay_later")
    assert (answer.status_code, answer.headers["location"][:24]) == (303, "https://shop.example/don")
    event = simulator.receiver.wait(session.id, "checkout.session.completed")
    assert event["data"]["object"]["payment_status"] == "unpaid"
    intent_id = event["data"]["object"]["payment_intent"]
    assert simulator.stripe.payment_intents.retrieve(intent_id).status == "processing"
    assert 'value="debit_succeeds"' in simulator.browser.get(f"/pay/{session.id}").text
    simulator.press(session, "debit_succeeds")
    event = simulator.receiver.wait(session.id, "checkout.session.async_payment_succeeded")
    assert event["data"]["object"]["payment_status"] == "paid"
    simulator.receiver.wait(intent_id, "payment_intent.succeeded")
    for action in ("debit_fails", "debit_succeeds", "expire", "fail"):  # it ends once
        simulator.press(session, action)
    assert simulator.stripe.checkout.sessions.retrieve(session.id).payment_status == "paid"
    events = simulator.stripe.events.list({"limit": 100, "type": "payment_intent.*"}).data
    assert [e.type for e in events if e.data.object.id == intent_id] == [
        "payment_intent.succeeded",
        "payment_intent.processing",
        "payment_intent.created",
    ]
    assert types(simulator, session.id) == [
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
    ]


def test_bank_debit_fails_later(simulator):
    session = simulator.new_session()
    simulator.press(session, "pay_later")
    simulator.press(session, "debit_fails")
    event = simulator.receiver.wait(session.id, "checkout.session.async_payment_failed")
    told = event["data"]["object"]
    assert (told["status"], told["payment_status"]) == ("complete", "unpaid")
    failed = simulator.receiver.wait(told["payment_intent"], "payment_intent.payment_failed")
    assert failed["data"]["object"]["last_payment_error"]["code"] == "payment_intent_payment_attempt_failed"
    simulator.press(session, "debit_succeeds")
    assert simulator.stripe.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    assert "Payment failed" in simulator.browser.get(f"/pay/{session.id}").text


def test_declined_session_stays_open_and_can_still_be_paid(simulator):
    session = simulator.new_session()
    answer = simulator.press(session, "fail")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/pay/{session.id}")
    assert "Your card was declined." in simulator.browser.get(f"/pay/{session.id}").text
    declined = simulator.stripe.checkout.sessions.retrieve(session.id)
    assert (declined.status, declined.payment_status) == ("open", "unpaid")
    failed = simulator.receiver.wait(declined.payment_intent, "payment_intent.payment_failed")
    assert failed["data"]["object"]["last_payment_error"]["code"] == "card_declined"
    assert failed["data"]["object"]["metadata"] == {"kind": "pack"}
    simulator.press(session, "pay")
    told = simulator.receiver.wait(session.id, "checkout.session.completed")["data"]["object"]
    assert told["payment_intent"] == declined.payment_intent and told["payment_status"] == "paid"
    intent = simulator.stripe.payment_intents.retrieve(told["payment_intent"])
    assert intent.last_payment_error is None


@pytest.mark.parametrize("by", ["button", "api"])
def test_session_expires_on_request(simulator, by):
    session = simulator.new_session()
    simulator.press(session, "fail")  # leaves a PaymentIntent behind
    if by == "button":
        assert simulator.press(session, "expire").status_code == 303
    else:
        assert simulator.stripe.checkout.sessions.expire(session.id).status == "expired"
    told = simulator.receiver.wait(session.id, "checkout.session.expired")["data"]["object"]
    assert (told["status"], told["payment_status"], told["url"]) == ("expired", "unpaid", None)
    assert simulator.stripe.payment_intents.retrieve(told["payment_intent"]).status == "canceled"
    assert simulator.press(session, "pay").headers["location"] == f"/pay/{session.id}"
    assert "Expired" in simulator.browser.get(f"/pay/{session.id}").text
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        simulator.stripe.checkout.sessions.expire(session.id)
    assert types(simulator, session.id) == ["checkout.session.expired"]


def test_session_expires_when_its_time_has_come(start_simulator, tmp_path):
    simulator = start_simulator(tmp_path)
    session = simulator.new_session(expires_at=int(time.time()) + 1800)
    paid = simulator.new_session(expires_at=int(time.time()) + 1800)
    simulator.press(paid, "pay")
    simulator.clock.ahead = 1801
    simulator.receiver.wait(session.id, "checkout.session.expired")  # nobody asked
    assert simulator.stripe.checkout.sessions.retrieve(paid.id).status == "complete"


def test_expired_session_cannot_be_paid_even_before_the_background_task_runs(start_simulator, tmp_path):
    simulator = start_simulator(tmp_path)
    session = simulator.new_session()
    simulator.clock.ahead = 86401
    simulator.press(session, "pay")
    assert simulator.stripe.checkout.sessions.retrieve(session.id).status == "expired"


def test_double_click_pays_once(simulator):
    session = simulator.new_session()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: simulator.press(session, "pay"), range(10)))
    assert {a.headers["location"] for a in answers} == {f"https://shop.example/done?session_id={session.id}"}
    told = simulator.receiver.wait(session.id, "checkout.session.completed")["data"]["object"]
    simulator.receiver.wait(told["payment_intent"], "payment_intent.succeeded")
    events = simulator.stripe.events.list({"limit": 100}).data
    about = [e.type for e in events if e.data.object.id in (session.id, told["payment_intent"])]
    assert sorted(about) == [
        "checkout.session.completed",
        "payment_intent.created",
        "payment_intent.succeeded",
    ]


def test_free_order_needs_no_payment(simulator):
    item = {
        "price_data": {"currency": "eur", "unit_amount": 0, "product_data": {"name": "Gift"}},
        "quantity": 1,
    }
    session = simulator.new_session(line_items=[item])
    simulator.press(session, "fail")
    simulator.press(session, "pay_later")
    assert simulator.stripe.checkout.sessions.retrieve(session.id).status == "open"
    simulator.press(session, "pay")
    told = simulator.receiver.wait(session.id, "checkout.session.completed")["data"]["object"]
    assert (told["payment_status"], told["payment_intent"]) == ("no_payment_required", None)


def test_guest_becomes_a_customer_when_asked(simulator):
    session = simulator.new_session(customer_email="eve@example.com", customer_creation="always")
    assert session.customer is None
    simulator.press(session, "pay")
    paid = simulator.stripe.checkout.sessions.retrieve(session.id, {"expand": ["customer", "payment_intent"]})
    assert paid.customer.email == paid.customer_details.email == "eve@example.com"
    assert paid.payment_intent.customer == paid.customer.id
    simulator.receiver.wait(paid.customer.id, "customer.created")


def test_line_items_can_be_expanded(simulator):
    session = simulator.new_session()
    assert "line_items" not in session.to_dict()
    full = simulator.stripe.checkout.sessions.retrieve(
        session.id, {"expand": ["line_items.data.price.product", "customer"]}
    )
    assert full.line_items.data[0].price.product.name == "Standard pack"
    assert full.customer is None
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        simulator.stripe.checkout.sessions.retrieve(session.id, {"expand": ["nonsense"]})


def test_sessions_are_listed_newest_first(start_simulator, tmp_path):
    simulator = start_simulator(tmp_path)
    ada = simulator.stripe.customers.create({"email": "ada@example.com"})
    sessions = [simulator.new_session(customer=ada.id if n % 2 else None) for n in range(5)]
    ids = [session.id for session in reversed(sessions)]
    api = simulator.stripe.checkout.sessions
    assert [s.id for s in api.list().data] == ids
    assert [s.id for s in api.list({"limit": 2}).auto_paging_iter()] == ids
    last = api.list({"limit": 2, "ending_before": ids[4]})
    assert [s.id for s in last.data] == ids[2:4] and last.has_more
    assert [s.id for s in api.list({"customer": ada.id}).data] == [ids[1], ids[3]]
    simulator.press(sessions[0], "pay")
    assert [s.id for s in api.list({"status": "complete"}).data] == [sessions[0].id]
    assert [c.id for c in simulator.stripe.customers.list({"email": "ada@example.com"}).data] == [ada.id]
    assert simulator.stripe.customers.list({"email": "nobody@example.com"}).data == []
    assert api.list({"created": {"gt": int(time.time()) + 100}}).data == []
    assert len(api.list({"created": {"gte": sessions[0].created}}).data) == 5
    with pytest.raises(stripe.InvalidRequestError, match=r"No such checkout\.session"):
        api.list({"starting_after": "cs_test_nothing"})


def test_events_can_be_read_again(simulator):
    session = simulator.new_session()
    simulator.press(session, "pay")
    sent = simulator.receiver.wait(session.id, "checkout.session.completed")
    event = simulator.stripe.events.retrieve(sent["id"])
    assert event.data.object.id == session.id and isinstance(event.data.object, stripe.checkout.Session)
    listed = simulator.stripe.events.list({"types": ["checkout.session.completed"], "limit": 100}).data
    assert sent["id"] in [e.id for e in listed] and {e.type for e in listed} == {"checkout.session.completed"}
    assert event.request.id is None  # a person did it
    customer = simulator.stripe.customers.create({}, {"idempotency_key": "who-asked"})
    created = simulator.receiver.wait(customer.id, "customer.created")
    assert created["request"]["idempotency_key"] == "who-asked"


def test_customer_can_be_updated(simulator):
    customer = simulator.stripe.customers.create({"email": "a@example.com", "metadata": {"a": "1", "b": "2"}})
    changed = simulator.stripe.customers.update(
        customer.id, {"name": "Ada", "email": "", "metadata": {"a": "", "c": "3"}}
    )
    assert (changed.name, changed.email, changed.metadata.to_dict()) == ("Ada", None, {"b": "2", "c": "3"})
    again = simulator.stripe.customers.retrieve(customer.id)
    assert again.to_dict() == changed.to_dict()
    assert simulator.stripe.customers.update(customer.id, {"metadata": ""}).metadata.to_dict() == {}
