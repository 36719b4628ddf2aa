"""The billing portal and the page of an invoice, clicked by a customer."""

import re

import pytest
import stripe

pytestmark = pytest.mark.one_version


@pytest.fixture
def portal(simulator):
    """A customer with a subscription, and the page where they manage it."""
    customer, _ = simulator.saved()
    price = simulator.price()
    subscription = simulator.stripe.subscriptions.create({"customer": customer, "items": [{"price": price}]})
    session = simulator.stripe.billing_portal.sessions.create(
        {"customer": customer, "return_url": "https://shop.example/account"}
    )
    return session.url, subscription.id, customer


def click(simulator, url, action, **form):
    return simulator.browser.post(url, data={"action": action, **form})


def test_customer_cancels_and_takes_it_back(simulator, portal):
    url, id, _ = portal
    text = simulator.browser.get(url).text
    assert "Pro, 9.99 EUR a month" in text and "Renews on" in text and "https://shop.example/account" in text
    assert click(simulator, url, "cancel", subscription=id).status_code == 303
    assert simulator.stripe.subscriptions.retrieve(id).cancel_at_period_end
    assert "Ends on" in simulator.browser.get(url).text
    click(simulator, url, "keep", subscription=id)
    assert not simulator.stripe.subscriptions.retrieve(id).cancel_at_period_end


def test_customer_changes_the_plan(simulator, portal):
    url, id, _ = portal
    team = simulator.price(2999, name="Team")
    assert "Change to Team, 29.99 EUR a month" in simulator.browser.get(url).text
    click(simulator, url, "plan", subscription=id, price=team)
    changed = simulator.stripe.subscriptions.retrieve(id, {"expand": ["latest_invoice"]})
    assert changed["items"].data[0].price.id == team
    assert changed.latest_invoice.billing_reason == "subscription_update"


def test_customer_changes_the_card_and_pays_what_is_open(simulator, portal):
    url, id, customer = portal
    click(simulator, url, "card", card="4000000000000341")
    assert "visa 0341" in simulator.browser.get(url).text
    team = simulator.price(2999, name="Team")
    click(simulator, url, "plan", subscription=id, price=team)
    assert simulator.stripe.subscriptions.retrieve(id).status == "past_due"
    (invoice,) = simulator.stripe.invoices.list({"customer": customer, "status": "open"}).data
    assert "A payment has failed" in simulator.browser.get(url).text
    click(simulator, url, "card", card="4242424242424242")
    click(simulator, url, "pay", invoice=invoice.id)
    assert simulator.stripe.subscriptions.retrieve(id).status == "active"
    assert simulator.stripe.invoices.retrieve(invoice.id).status == "paid"


def test_declined_card_is_told(simulator):
    customer = simulator.stripe.customers.create().id
    portal = simulator.stripe.billing_portal.sessions.create({"customer": customer}).url
    text = simulator.browser.get(portal).text
    assert "No card yet" in text and "was tried" not in text
    intent = simulator.stripe.payment_intents.create(
        {"amount": 999, "currency": "eur", "customer": customer, "payment_method": "pm_card_chargeDeclined"}
    )
    with pytest.raises(stripe.CardError):
        simulator.stripe.payment_intents.confirm(intent.id)
    text = simulator.browser.get(portal).text
    assert "No card yet" in text and "visa 0002 was tried: Your card was declined." in text
    # A card that works later is what counts.
    simulator.stripe.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert "was tried" not in simulator.browser.get(portal).text


def test_open_invoice_is_paid_on_its_own_page(simulator, portal):
    url, id, customer = portal
    click(simulator, url, "card", card="4000000000000341")
    click(simulator, url, "plan", subscription=id, price=simulator.price(2999, name="Team"))
    (invoice,) = simulator.stripe.invoices.list({"customer": customer, "status": "open"}).data
    page = invoice.hosted_invoice_url
    assert "Remaining time on Team" in simulator.browser.get(page).text
    assert click(simulator, page, "pay", card="4111111111111111").status_code == 400
    click(simulator, page, "pay", card="4000002500003155")
    link = re.search(r"/authenticate/pi_\w+", simulator.browser.get(page).text)[0]
    back = click(simulator, link, "authenticate").headers["location"]
    assert back == page and "paid" in simulator.browser.get(page).text
    assert simulator.stripe.subscriptions.retrieve(id).status == "active"


def test_customer_sees_and_changes_only_what_is_theirs(simulator, portal):
    url, _, _ = portal
    other, _ = simulator.saved()
    foreign = simulator.stripe.subscriptions.create(
        {"customer": other, "items": [{"price": simulator.price()}]}
    )
    assert foreign.id not in simulator.browser.get(url).text
    for action, form in (
        ("cancel", {"subscription": foreign.id}),
        ("pay", {"invoice": foreign.latest_invoice}),
        ("vanish", {}),
        ("plan", {"subscription": foreign.id, "price": "price_none"}),
    ):
        assert click(simulator, url, action, **form).status_code == 400
    assert click(simulator, url, "card", card="4000000000000002").status_code == 400
    for path in ("/portal/bps_none", "/invoices/in_none", "/receipts/ch_none", "/authenticate/pi_none"):
        assert simulator.browser.get(path).status_code == 404
        assert path.startswith("/receipts") or click(simulator, path, "pay").status_code == 404
    with pytest.raises(stripe.InvalidRequestError):
        simulator.stripe.billing_portal.sessions.create({"customer": "cus_none"})
