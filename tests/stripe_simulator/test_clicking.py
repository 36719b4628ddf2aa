"""A person clicks each life of a payment: every button does what it says, and is there only when it can."""

import re
from html import unescape

import pytest

pytestmark = pytest.mark.one_version

FORM = re.compile(r'<form method="post" action="([^"]*)"[^>]*>(.*?)</form>', re.S)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
BUTTON = re.compile(r'<button name="action" value="([^"]*)"[^>]*>([^<]*)')


class Person:
    """Somebody with a browser."""

    def __init__(self, simulator, url):
        self.browser, self.url = simulator.browser, url

    def forms(self):
        """What each button would send, by its label."""
        found = {}
        for url, inside in FORM.findall(self.browser.get(self.url).text):
            if button := BUTTON.search(inside):
                hidden = {name: unescape(value) for name, value in HIDDEN.findall(inside)}
                found[unescape(button[2])] = (unescape(url), {**hidden, "action": button[1]})
        return found

    def click(self, label):
        url, form = self.forms()[label]
        answer = self.browser.post(url, data=form)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def sees(self, *words):
        text = unescape(self.browser.get(self.url).text)
        return all(word in text for word in words)


@pytest.fixture
def payment(simulator):
    def make(intent=None):
        intent = intent or simulator.paid()
        assert f'href="/payments/{intent.id}"' in simulator.browser.get("/payments").text
        return Person(simulator, f"/payments/{intent.id}"), intent

    return make


def test_person_refunds_half_and_then_the_rest(simulator, payment):
    person, intent = payment()
    person.click("Refund half")
    assert simulator.stripe.charges.retrieve(intent.latest_charge).amount_refunded == 1999
    person.click("Refund 20.00 EUR")
    assert simulator.stripe.charges.retrieve(intent.latest_charge).refunded
    assert "Refund half" not in person.forms() and person.sees("Refund of 19.99 EUR", "Refund of 20.00 EUR")
    assert simulator.browser.post(person.url, data={"action": "refund_rest"}).status_code == 400


def test_person_lets_a_pending_refund_succeed_fail_or_stop(simulator, payment):
    for label, status in (
        ("The refund succeeds", "succeeded"),
        ("The refund comes back", "failed"),
        ("Cancel the refund", "canceled"),
    ):
        person, intent = payment(simulator.debited())
        person.click("Refund 39.99 EUR")
        person.click(label)
        assert simulator.stripe.refunds.list({"payment_intent": intent.id}).data[0].status == status


@pytest.mark.parametrize(("label", "status"), [("Win", "won"), ("Lose, or let an inquiry end", "lost")])
def test_person_disputes_and_decides(simulator, payment, label, status):
    person, intent = payment()
    person.click("Dispute")
    assert person.sees("Dispute of 39.99 EUR", "needs_response") and "Inquiry" not in person.forms()
    person.click("Submit evidence")
    assert person.sees("under_review") and "Submit evidence" not in person.forms()
    person.click(label)
    (dispute,) = simulator.stripe.disputes.list({"payment_intent": intent.id}).data
    assert dispute.status == status and not {"Win", "Lose, or let an inquiry end"} & set(person.forms())


def test_person_lets_the_bank_ask_and_then_dispute(simulator, payment):
    person, intent = payment()
    person.click("Inquiry")
    assert person.sees("warning_needs_response")
    person.click("The inquiry becomes a dispute")
    assert simulator.stripe.disputes.list({"payment_intent": intent.id}).data[0].status == "needs_response"


def test_person_warns_of_fraud(simulator, payment):
    person, intent = payment()
    person.click("Warn of fraud")
    assert simulator.stripe.radar.early_fraud_warnings.list({"payment_intent": intent.id}).data


def test_person_ends_a_debit_and_an_authentication_on_the_payment_page(simulator, payment):
    session = simulator.new_session()
    simulator.press(session, "pay_later")
    id = simulator.stripe.checkout.sessions.retrieve(session.id).payment_intent
    person, _ = payment(simulator.stripe.payment_intents.retrieve(id))
    person.click("The money arrives")
    assert simulator.stripe.checkout.sessions.retrieve(session.id).payment_status == "paid"
    person.click("The debit comes back")
    assert simulator.stripe.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    session = simulator.new_session()
    simulator.press(session, "pay", card="4000002500003155")
    id = simulator.stripe.checkout.sessions.retrieve(session.id).payment_intent
    person, _ = payment(simulator.stripe.payment_intents.retrieve(id))
    person.click("The owner confirms")
    assert simulator.stripe.checkout.sessions.retrieve(session.id).status == "complete"
    assert "The debit comes back" not in person.forms()


def test_person_subscribes_renews_and_lets_a_renewal_fail(simulator):
    customer, _ = simulator.saved()
    session = simulator.stripe.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer,
            "line_items": [{"price": simulator.price(), "quantity": 1}],
            "success_url": "https://shop.example/done",
        }
    )
    Person(simulator, session.url).click("Pay by card 4242 4242 4242 4242")
    id = simulator.stripe.checkout.sessions.retrieve(session.id).subscription
    assert f'href="/subscriptions/{id}"' in simulator.browser.get("/subscriptions").text
    person = Person(simulator, f"/subscriptions/{id}")
    person.click("Let time pass until something happens")
    reasons = [
        invoice.billing_reason for invoice in simulator.stripe.invoices.list({"subscription": id}).data
    ]
    assert reasons == ["subscription_cycle", "subscription_create"]
    person.click("The card is declined from now on")
    person.click("Let time pass until something happens")
    assert person.sees("past_due", "visa 0341", "9.99 EUR, open")
    person.click("The card is good from now on")
    person.click("Let time pass until something happens")
    assert simulator.stripe.subscriptions.retrieve(id).status == "active"
    portal = Person(simulator, person.click("Billing portal"))
    portal.click("Cancel")
    assert portal.sees("Ends on")
    person.click("Let time pass until something happens")
    assert simulator.stripe.subscriptions.retrieve(id).status == "canceled" and not person.forms()
    assert simulator.browser.post(person.url, data={"action": "next"}).status_code == 400


def test_person_lets_a_subscription_on_a_clock_go_on(simulator):
    clock = simulator.stripe.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000}).id
    customer, _ = simulator.saved(test_clock=clock)
    subscription = simulator.stripe.subscriptions.create(
        {"customer": customer, "items": [{"price": simulator.price(interval="week")}]}
    )
    Person(simulator, f"/subscriptions/{subscription.id}").click("Let time pass until something happens")
    now = simulator.stripe.test_helpers.test_clocks.retrieve(clock).frozen_time
    assert now == 1_800_000_000 + 7 * 86400


def test_pages_of_others_and_unknown_ones_do_nothing(simulator, payment):
    person, _ = payment()
    other = simulator.paid()
    foreign = {"action": "dispute", "path": "charges", "id": other.latest_charge}
    assert simulator.browser.post(person.url, data=foreign).status_code == 400
    assert simulator.browser.post(person.url, data={"action": "vanish"}).status_code == 400
    assert simulator.stripe.disputes.list({"payment_intent": other.id}).data == []
    for path in ("/payments/pi_none", "/subscriptions/sub_none"):
        assert simulator.browser.get(path).status_code == 404
        assert simulator.browser.post(path, data={"action": "next"}).status_code == 404


def test_outside_text_is_escaped_on_every_page(simulator):
    evil = "<script>alert(1)</script>\"'>"
    customer, method = simulator.saved(name=evil)
    intent = simulator.stripe.payment_intents.create(
        {
            "amount": 500,
            "currency": "eur",
            "customer": customer,
            "payment_method": method,
            "description": evil,
            "off_session": True,
            "confirm": True,
        }
    )
    subscription = simulator.stripe.subscriptions.create(
        {"customer": customer, "items": [{"price": simulator.price(name=evil)}], "description": evil}
    )
    portal = simulator.stripe.billing_portal.sessions.create(
        {"customer": customer, "return_url": "https://shop.example/?'><script>"}
    )
    for path in (
        *("/payments", f"/payments/{intent.id}", "/subscriptions", f"/subscriptions/{subscription.id}"),
        *(portal.url, f"/invoices/{subscription.latest_invoice}", f"/receipts/{intent.latest_charge}"),
    ):
        answer = simulator.browser.get(path)
        assert answer.status_code == 200 and "<script" not in answer.text, path
        assert "Development simulator" in answer.text
