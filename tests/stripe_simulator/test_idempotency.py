"""Idempotency-Key: one effect per key, the same answer to every repetition."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

pytestmark = pytest.mark.one_version


def create(simulator, key, name="Ada"):
    return simulator.stripe.customers.create({"name": name, "metadata": {"n": "1"}}, {"idempotency_key": key})


def test_same_key_and_parameters_get_the_same_response(simulator):
    first, second = create(simulator, "same"), create(simulator, "same")
    assert second.to_dict() == first.to_dict()
    assert "idempotent-replayed" not in first.last_response.headers
    assert second.last_response.headers["idempotent-replayed"] == "true"
    assert second.last_response.headers["original-request"] == first.last_response.headers["request-id"]
    assert second.last_response.headers["idempotency-key"] == "same"
    simulator.receiver.wait(first.id, "customer.created")
    created = [e for e in simulator.stripe.events.list({"limit": 100}).data if e.data.object.id == first.id]
    assert len(created) == 1


def test_order_of_parameters_does_not_matter(simulator):
    headers = {"Authorization": "Bearer sk_test_1", "Idempotency-Key": "order"}
    answers = [
        simulator.browser.post("/v1/customers", data=data, headers=headers)
        for data in ({"name": "A", "phone": "1"}, {"phone": "1", "name": "A"})
    ]
    assert answers[0].content == answers[1].content


def test_same_key_with_other_parameters_is_refused(simulator):
    create(simulator, "other")
    with pytest.raises(stripe.IdempotencyError, match="same parameters") as caught:
        create(simulator, "other", name="Eve")
    assert caught.value.http_status == 400
    assert caught.value.json_body["error"]["type"] == "idempotency_error"


def test_same_key_for_another_endpoint_is_refused(simulator):
    create(simulator, "endpoint")
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        simulator.stripe.products.create({"name": "Ada"}, {"idempotency_key": "endpoint"})


def test_refused_request_does_not_use_up_its_key(simulator):
    options = {"idempotency_key": "second-try"}
    with pytest.raises(stripe.InvalidRequestError):
        simulator.stripe.customers.create({"email": "nonsense"}, options)
    assert simulator.stripe.customers.create({"email": "ada@example.com"}, options).id


def test_refusal_of_a_request_that_was_begun_is_told_again(simulator):
    """Its parameters were in order; what they named was not there."""
    item = {"price": "price_later", "quantity": 1}
    options = {"idempotency_key": "begun"}

    def refused():
        with pytest.raises(stripe.InvalidRequestError, match="No such price") as caught:
            simulator.stripe.checkout.sessions.create(
                {"mode": "payment", "success_url": "https://shop.example/", "line_items": [item]}, options
            )
        assert (caught.value.http_status, caught.value.code) == (400, "resource_missing")
        return caught.value.headers

    assert "idempotent-replayed" not in refused()
    assert refused()["idempotent-replayed"] == "true"


def test_customer_that_was_deleted_is_told_again_by_the_key_that_made_it(simulator):
    first = create(simulator, "deleted")
    simulator.stripe.customers.delete(first.id)
    assert create(simulator, "deleted").to_dict() == first.to_dict()


def test_overlong_key_is_refused(simulator):
    with pytest.raises(stripe.IdempotencyError, match="255"):
        create(simulator, "k" * 256)
    assert create(simulator, "k" * 255).id


def test_twenty_requests_with_one_key_are_one(simulator):
    def one(_):
        return simulator.stripe.checkout.sessions.create(
            {
                "mode": "payment",
                "success_url": "https://shop.example/",
                "line_items": [
                    {
                        "price_data": {
                            "currency": "eur",
                            "unit_amount": 999,
                            "product_data": {"name": "Twenty at once"},
                        },
                        "quantity": 1,
                    }
                ],
            },
            {"idempotency_key": "checkout:order-20"},
        )

    with ThreadPoolExecutor(20) as pool:
        sessions = list(pool.map(one, range(20)))
    assert len({session.id for session in sessions}) == 1
    replayed = [s.last_response.headers.get("idempotent-replayed") for s in sessions]
    assert replayed.count("true") == 19
    products = [p for p in simulator.stripe.products.list({"limit": 100}).data if p.name == "Twenty at once"]
    assert len(products) == 1


def test_key_is_kept_for_a_day_and_over_a_restart(start_simulator, tmp_path):
    first = create(old := start_simulator(tmp_path), "kept")
    old.stop()
    simulator = start_simulator(tmp_path)
    assert create(simulator, "kept").id == first.id
    simulator.clock.ahead = 24 * 3600 + 1
    assert create(simulator, "kept").id != first.id
