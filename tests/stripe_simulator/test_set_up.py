"""What belongs to the account: the webhook endpoint, the portal's settings, the rights of keys."""

import pytest
import stripe

pytestmark = pytest.mark.one_version


@pytest.fixture(autouse=True)
def as_before(simulator):
    yield
    simulator.stripe.webhook_endpoints.update("we_simulated", {"disabled": False, "enabled_events": ["*"]})
    simulator.play("settings", charges_enabled=True, forbidden=[], portal_saved=True)


def test_account_endpoint_and_portal_have_the_members_of_stripes(simulator):
    api = simulator.stripe
    (endpoint,) = api.webhook_endpoints.list().data
    assert endpoint.url == simulator.receiver.url
    assert endpoint.api_version == "2026-10-28.endive"
    price = simulator.price()
    products = "features.subscription_update.products"
    (plain,) = api.billing_portal.configurations.list({"is_default": True}).data
    assert "products" not in plain.features.subscription_update
    asked = {"is_default": True, "expand": [f"data.{products}"]}
    (configuration,) = api.billing_portal.configurations.list(asked).data
    assert any(price in each.prices for each in configuration.features.subscription_update.products)
    account = api.accounts.retrieve_current()
    assert account.charges_enabled is True
    for thing in (
        endpoint,
        api.webhook_endpoints.retrieve(endpoint.id),
        configuration,
        api.billing_portal.configurations.retrieve(configuration.id),
        account,
    ):
        assert simulator.members_missing_from(thing) == []


def test_only_events_that_are_enabled_are_sent(simulator):
    api = simulator.stripe
    api.webhook_endpoints.update("we_simulated", {"enabled_events": ["payment_intent.succeeded"]})
    intent = simulator.paid()
    simulator.receiver.wait(intent.id, "payment_intent.succeeded")
    told = {event["type"] for event in simulator.receiver.about(intent.id)}
    assert told == {"payment_intent.succeeded"}
    listed = {event.type: event.pending_webhooks for event in api.events.list({"limit": 10}).data}
    assert listed["checkout.session.completed"] == 0, "it happened, and nobody is told"


def test_disabled_endpoint_gets_nothing_until_it_is_enabled(simulator):
    api = simulator.stripe
    assert api.webhook_endpoints.update("we_simulated", {"disabled": True}).status == "disabled"
    first = simulator.paid()
    assert api.webhook_endpoints.update("we_simulated", {"disabled": False}).status == "enabled"
    second = simulator.paid()
    simulator.receiver.wait(second.id, "payment_intent.succeeded")
    assert simulator.receiver.about(first.id) == []


def test_portal_that_nobody_saved_has_no_sessions(simulator):
    customer = simulator.stripe.customers.create({"email": "ada@example.com"})
    simulator.play("settings", portal_saved=False)
    assert simulator.stripe.billing_portal.configurations.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="nobody has saved the portal's settings"):
        simulator.stripe.billing_portal.sessions.create({"customer": customer.id})


def test_forbidden_paths_are_refused_as_a_missing_right_is(simulator):
    simulator.play("settings", forbidden=["/v1/prices"])
    with pytest.raises(stripe.PermissionError, match="required permissions for /v1/prices"):
        simulator.stripe.prices.list()
    simulator.stripe.products.list()
