"""Events have the members that recorded events of API version 2026-10-28 have."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_version

RECORDED = Path(__file__).parents[1] / "sql/reversals/stripe_events.json"


@pytest.fixture(scope="module")
def made(simulator):
    """An event of each type, as it was sent."""
    api = simulator.stripe
    intent = simulator.paid(customer=api.customers.create({"email": "ada@example.com"}).id)
    opened = simulator.play(f"charges/{intent.latest_charge}/dispute")
    simulator.play(f"charges/{intent.latest_charge}/warn")
    simulator.play(f"disputes/{opened['id']}/win")
    api.refunds.create({"payment_intent": intent.id, "reason": "requested_by_customer"})
    for end in ("succeed", "fail"):
        refund = api.refunds.create({"payment_intent": simulator.debited().id})
        simulator.play(f"refunds/{refund.id}/{end}")
    session = simulator.new_session()
    simulator.press(session, "pay_later")
    simulator.press(session, "debit_fails")
    simulator.press(simulator.new_session(), "expire")
    clock = api.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000}).id
    customer, _ = simulator.saved(test_clock=clock)
    api.subscriptions.create({"customer": customer, "items": [{"price": simulator.price()}]})
    simulator.use_card(customer, "pm_card_chargeCustomerFail")
    api.test_helpers.test_clocks.advance(clock, {"frozen_time": 1_800_000_000 + 60 * 86400})
    listed = list(api.events.list({"limit": 100}).auto_paging_iter())
    sent = simulator.browser.get
    return {
        event.type: sent(f"/v1/events/{event.id}", auth=("sk_test_1", "")).json()
        for event in reversed(listed)
        if "setup" not in str(event.data.object.to_dict().get("mode"))
    }


def lacking(recorded, made, path=""):
    """The members that a recorded object has and ours has not. Where only one is null, both may be."""
    if isinstance(recorded, dict) and isinstance(made, dict) and not path.endswith("metadata"):
        missing = [f"{path}.{name}" for name in recorded if name not in made]
        both = recorded.keys() & made.keys()
        return missing + [
            part for name in both for part in lacking(recorded[name], made[name], f"{path}.{name}")
        ]
    if isinstance(recorded, list) and isinstance(made, list) and recorded and made:
        return lacking(recorded[0], made[0], f"{path}[0]")
    same = recorded is None or made is None or type(recorded) is type(made)
    return [] if same else [f"{path}: {type(made)}"]


def test_events_have_every_member_of_the_recorded_ones(made):
    for case in json.loads(RECORDED.read_text()):
        event = case["event"]
        recorded, ours = event["data"]["object"], made[event["type"]]["data"]["object"]
        absent = lacking(recorded, ours, event["type"])
        assert [name for name in absent if not name.endswith("payment_method_details.card")] == []
        assert event.keys() == made[event["type"]].keys()


def test_a_missing_member_is_seen():
    assert lacking({"a": {"b": 1}}, {"a": {}}) == [".a.b"]
    assert lacking({"a": [{"b": 1}]}, {"a": [{"c": 1}]}) == [".a[0].b"]
    assert lacking({"a": 1}, {"a": "1"}) != [] and lacking({"a": None}, {"a": 1}) == []
