"""Refusals: Stripe's status, type, code and parameter, so that a client's error handling can be tried."""

import base64
import time

import pytest
import stripe

from stripe_simulator.run import RealKeysConfigured, refuse_real_keys, run

pytestmark = pytest.mark.one_version

ITEM = {
    "price_data": {"currency": "eur", "unit_amount": 3999, "product_data": {"name": "Pack"}},
    "quantity": 1,
}


def with_item(**changes):
    return [{**ITEM, "price_data": {**ITEM["price_data"], **changes}}]


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"line_items": None}, "parameter_missing", "line_items"),
        ({"success_url": None}, "parameter_missing", "success_url"),
        ({"mode": None}, "parameter_missing", "mode"),
        ({"mode": "donation"}, None, "mode"),
        ({"mode": "setup"}, None, "line_items"),
        ({"subscription_data": {"trial_period_days": 7}}, None, "subscription_data"),
        ({"discounts": [{"coupon": "none"}]}, "resource_missing", "discounts[0][coupon]"),
        ({"customer_update": {"address": "auto"}}, None, "customer_update"),
        ({"nonsense": "1"}, "parameter_unknown", "nonsense"),
        ({"payment_method_types": ["card"]}, "parameter_unknown", "payment_method_types"),
        ({"line_items": [{**ITEM, "color": "red"}]}, "parameter_unknown", "line_items[0][color]"),
        (
            {"line_items": [{"price_data": ITEM["price_data"]}]},
            "parameter_missing",
            "line_items[0][quantity]",
        ),
        ({"line_items": [{"quantity": 1}]}, "parameter_missing", "line_items[0][price]"),
        (
            {"line_items": [{"price": "price_none", "quantity": 1}]},
            "resource_missing",
            "line_items[0][price]",
        ),
        ({"line_items": [{**ITEM, "quantity": 0}]}, "parameter_invalid_integer", "line_items[0][quantity]"),
        ({"line_items": with_item(unit_amount=49)}, "amount_too_small", None),
        ({"line_items": with_item(unit_amount=100_000_000)}, "amount_too_large", None),
        ({"line_items": with_item(unit_amount=10_000_000_000, currency="jpy")}, "amount_too_large", None),
        ({"line_items": with_item(unit_amount=30, currency="jpy")}, "amount_too_small", None),
        (
            {"line_items": with_item(unit_amount=5050, currency="ugx")},
            "parameter_invalid_integer",
            "line_items",
        ),
        (
            {"line_items": with_item(unit_amount=5124, currency="kwd")},
            "parameter_invalid_integer",
            "line_items",
        ),
        (
            {"line_items": with_item(unit_amount=-5)},
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
        ),
        (
            {"line_items": with_item(unit_amount="1e3")},
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
        ),
        ({"line_items": with_item(currency="xyz")}, None, "line_items[0][price_data][currency]"),
        ({"line_items": [ITEM, *with_item(currency="usd")]}, None, "line_items"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"customer": ""}, "parameter_invalid_empty", "customer"),
        ({"customer_email": "no address"}, "email_invalid", "customer_email"),
        ({"success_url": "javascript:alert(1)"}, "url_invalid", "success_url"),
        ({"cancel_url": "/relative"}, "url_invalid", "cancel_url"),
        ({"cancel_url": "https://a.example/\r\nX: y"}, "url_invalid", "cancel_url"),
        ({"expires_at": int(time.time()) + 60}, None, "expires_at"),
        ({"expires_at": int(time.time()) + 90000}, None, "expires_at"),
        ({"expires_at": "soon"}, "parameter_invalid_integer", "expires_at"),
        ({"metadata": {"k": "v" * 501}}, None, "metadata[k]"),
        ({"metadata": {"k" * 41: "v"}}, None, f"metadata[{'k' * 41}]"),
        ({"metadata": {str(n): "v" for n in range(51)}}, None, "metadata"),
        ({"client_reference_id": "x" * 201}, None, "client_reference_id"),
        ({"mode": "subscription"}, None, "payment_intent_data"),
    ],
)
def test_bad_sessions_are_refused(simulator, changes, code, param):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        simulator.new_session(**changes)
    error = caught.value
    assert (error.http_status, error.code, error.param) == (400, code, param)
    assert error.error.type == "invalid_request_error" and error.error.message


def test_a_refused_session_leaves_nothing_behind(simulator):
    before = len(simulator.stripe.products.list({"limit": 100}).data)
    with pytest.raises(stripe.InvalidRequestError):
        simulator.new_session(line_items=[*with_item(), {"price": "price_none", "quantity": 1}])
    assert len(simulator.stripe.products.list({"limit": 100}).data) == before


def test_inactive_price_is_refused(simulator):
    price = simulator.stripe.prices.create(
        {"currency": "eur", "unit_amount": 500, "product_data": {"name": "Old"}, "active": False}
    )
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        simulator.new_session(line_items=[{"price": price.id, "quantity": 1}])


@pytest.mark.parametrize(
    ("what", "id", "param"),
    [
        ("customers", "cus_none", "id"),
        ("checkout.sessions", "cs_none", "session"),
        ("prices", "price_none", "price"),
        ("products", "prod_none", "id"),
        ("payment_intents", "pi_none", "intent"),
        ("events", "evt_none", "id"),
    ],
)
def test_unknown_objects_are_404(simulator, what, id, param):
    service = simulator.stripe
    for name in what.split("."):
        service = getattr(service, name)
    with pytest.raises(stripe.InvalidRequestError, match=f"No such .*'{id}'") as caught:
        service.retrieve(id)
    error = caught.value
    assert (error.http_status, error.code, error.param) == (404, "resource_missing", param)


def test_bad_prices_and_products_are_refused(simulator):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        simulator.stripe.prices.create({"currency": "eur", "unit_amount": 1, "product": "prod_none"})
    assert (caught.value.code, caught.value.param) == ("resource_missing", "product")
    simulator.stripe.products.create({"id": "pack_standard", "name": "Standard"})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        simulator.stripe.products.create({"id": "pack_standard", "name": "Standard"})
    assert caught.value.code == "resource_already_exists"
    price = simulator.stripe.prices.create(
        {"currency": "eur", "unit_amount": 5, "product": "pack_standard", "lookup_key": "standard"}
    )
    assert [p.id for p in simulator.stripe.prices.list({"product": "pack_standard"}).data] == [price.id]
    with pytest.raises(stripe.InvalidRequestError, match="lookup key"):
        simulator.stripe.prices.create(
            {"currency": "eur", "unit_amount": 5, "product": "pack_standard", "lookup_key": "standard"}
        )


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (None, "did not provide an API key"),
        ("Bearer", "did not provide an API key"),
        ("Digest sk_test_x", "did not provide an API key"),
        ("Basic !!!", "did not provide an API key"),
        ("Bearer pk_test_x", "Invalid API Key"),
        ("Bearer sk_live_secret", "live keys are refused"),
        ("Bearer rk_live_secret", "live keys are refused"),
        ("Basic " + base64.b64encode(b"sk_live_secret:").decode(), "live keys are refused"),
    ],
)
def test_bad_keys_are_refused(simulator, authorization, message):
    headers = {"Authorization": authorization} if authorization else {}
    answer = simulator.browser.get("/v1/customers", headers=headers)
    assert answer.status_code == 401
    assert message in answer.json()["error"]["message"] and "secret" not in answer.text


def test_any_test_key_is_accepted(simulator):
    for key in ("sk_test_1", "sk_test_another"):
        assert simulator.client(key).v1.customers.list().data is not None
    assert simulator.browser.get("/v1/customers", auth=("sk_test_1", "")).status_code == 200
    with pytest.raises(stripe.AuthenticationError, match="live keys"):
        simulator.client("sk_live_1").v1.customers.list()


def test_restricted_key_may_only_read(simulator):
    reader = simulator.client("rk_test_reader").v1
    assert reader.events.list().data is not None and reader.balance_transactions.list().data is not None
    with pytest.raises(stripe.PermissionError, match="required permissions") as caught:
        reader.customers.create({"name": "Ada"})
    assert caught.value.http_status == 403


def test_simulator_does_not_start_beside_real_keys(monkeypatch, tmp_path):
    refuse_real_keys({"PATH": "/bin", "STRIPE_SECRET_KEY": ""})
    with pytest.raises(RealKeysConfigured, match="STRIPE_SECRET_KEY"):
        refuse_real_keys({"STRIPE_SECRET_KEY": "sk_test_real"})
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_real")
    with pytest.raises(RealKeysConfigured):
        run(0, tmp_path, "http://127.0.0.1:1/", "whsec_x")


def post(simulator, path, content, content_type="application/x-www-form-urlencoded"):
    headers = {"Authorization": "Bearer sk_test_x", "Content-Type": content_type}
    return simulator.browser.post(path, content=content, headers=headers)


@pytest.mark.parametrize(
    "content",
    [
        b"metadata[a]=1&metadata=2",
        b"metadata=2&metadata[a]=1",
        b"]x[=1",
        b"metadata[a][b]=1",
        b"name[first]=Ada",
        b"name=%ff%fe",
        b"name=\xff",
        b"&".join(b"metadata[%d]=1" % n for n in range(3000)),
    ],
)
def test_malformed_forms_are_refused(simulator, content):
    answer = post(simulator, "/v1/customers", content)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_json_bodies_are_refused_as_stripe_does(simulator):
    answer = post(simulator, "/v1/customers", b'{"name": "Ada"}', "application/json")
    assert answer.status_code == 400 and "x-www-form-urlencoded" in answer.json()["error"]["message"]


def test_odd_but_valid_text_survives(simulator):
    name = "Zoë 🙂 & <b>\u0000\n[0]=%"
    customer = simulator.stripe.customers.create({"name": name, "metadata": {"a b": "ü=&+"}})
    again = simulator.stripe.customers.retrieve(customer.id)
    assert again.name == name and again.metadata.to_dict() == {"a b": "ü=&+"}


def test_arrays_may_have_no_indexes(simulator):
    customer = simulator.stripe.customers.create({})
    url = "/v1/events?types[]=customer.created&types[]=customer.deleted&limit=1&expand[]=data.data.object.id"
    answer = simulator.browser.get(url, auth=("sk_test_1", ""))
    assert answer.status_code == 400 and "cannot be expanded" in answer.json()["error"]["message"]
    answer = simulator.browser.get(url.partition("&expand")[0], auth=("sk_test_1", ""))
    assert answer.json()["data"][0]["data"]["object"]["id"] == customer.id


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_bad_page_sizes_are_refused(simulator, limit):
    answer = simulator.browser.get(f"/v1/customers?limit={limit}", auth=("sk_test_1", ""))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "limit")


def test_unknown_addresses_and_methods_are_404(simulator):
    for answer in (
        simulator.browser.get("/v1/transfers", auth=("sk_test_1", "")),
        simulator.browser.delete("/v1/products/prod_1", auth=("sk_test_1", "")),
    ):
        assert answer.status_code == 404
        assert "Unrecognized request URL" in answer.json()["error"]["message"]


def test_deleted_customer_stays_deleted(simulator):
    customer = simulator.stripe.customers.create({"name": "Ada"})
    gone = simulator.stripe.customers.delete(customer.id)
    assert gone.to_dict() == {"id": customer.id, "object": "customer", "deleted": True}
    assert simulator.stripe.customers.retrieve(customer.id).deleted is True
    assert customer.id not in [c.id for c in simulator.stripe.customers.list({"limit": 100}).data]
    event = simulator.receiver.wait(customer.id, "customer.deleted")
    assert event["data"]["object"]["name"] == "Ada"
    for again in (
        lambda: simulator.stripe.customers.delete(customer.id),
        lambda: simulator.stripe.customers.update(customer.id, {"name": "Eve"}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            again()
        assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        simulator.new_session(customer=customer.id)
    error = caught.value
    assert (error.http_status, error.code, error.param) == (400, "resource_missing", "customer")


@pytest.mark.parametrize("header", ["Stripe-Account", "Stripe-Context"])
def test_connected_accounts_are_refused(simulator, header):
    answer = simulator.browser.get("/v1/customers", auth=("sk_test_1", ""), headers={header: "acct_1"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (403, "account_invalid")
    assert "acct_1" in error["message"] and "no connected accounts" in error["message"]
    with pytest.raises(stripe.PermissionError, match="acct_1"):
        simulator.stripe.customers.create({"name": "Ada"}, {"stripe_account": "acct_1"})


@pytest.mark.parametrize("version", ["2022-11-15", "2025-03-31.basil", "2027-01-01.next", "nonsense"])
def test_other_versions_are_refused(simulator, version):
    for method, path in (("GET", "/v1/customers"), ("POST", "/v1/customers")):
        answer = simulator.browser.request(
            method, path, auth=("sk_test_1", ""), headers={"Stripe-Version": version}
        )
        assert answer.status_code == 400
        message = answer.json()["error"]["message"]
        assert version in message and "2026-10-28.endive only" in message


def test_its_own_version_and_none_are_answered(simulator):
    for headers in ({}, {"Stripe-Version": "2026-10-28.endive"}):
        answer = simulator.browser.get("/v1/customers", auth=("sk_test_1", ""), headers=headers)
        assert (answer.status_code, answer.headers["stripe-version"]) == (200, "2026-10-28.endive")


def test_every_answer_has_a_request_id(simulator):
    good = simulator.browser.get("/v1/customers", auth=("sk_test_1", ""))
    bad = simulator.browser.get("/v1/customers")
    ids = {good.headers["request-id"], bad.headers["request-id"]}
    assert len(ids) == 2 and all(id.startswith("req_") for id in ids)
    assert good.headers["stripe-version"] == "2026-10-28.endive"
