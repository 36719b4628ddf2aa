"""A repeated call tells what it did then, and the present state of what it made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from callers import Row
from holding import Bank
from psycopg.types.json import Jsonb
from topping import claim, paid_order, report

pytestmark = pytest.mark.slow

# Each makes the first call, then changes its object through time and other calls, and tells how the object is
# shown then. The repeated call must give the same value to every member of the same name.
Story = Callable[[Bank, Callable[[], Row]], Row]


def one(bank: Bank, view: str, where: str, value: Any) -> Row:
    return bank.row(f"select * from api.{view} where {where} = %s", (value,))


def entry(bank: Bank, answer: Row) -> Row:
    row = one(bank, "entries", "entry_id", answer["entry_id"])
    return {"entry_id": row["entry_id"], "module_id": row["module_id"], "user_id": row["user_id"]}


def held_and_released(bank: Bank, call: Callable[[], Row]) -> Row:
    name = call()["hold_id"]
    bank.call("release_hold", hold_id=name)
    return one(bank, "holds", "hold_id", name)


def held_and_expired(bank: Bank, call: Callable[[], Row]) -> Row:
    name = call()["hold_id"]
    bank.at("2098-06-01 13:00Z")
    return one(bank, "holds", "hold_id", name)


def held_and_extended(bank: Bank, call: Callable[[], Row]) -> Row:
    name = call()["hold_id"]
    bank.call("extend_hold", hold_id=name, ttl="5 hours")
    return one(bank, "holds", "hold_id", name)


def held_and_captured_in_part(bank: Bank, call: Callable[[], Row]) -> Row:
    name = call()["hold_id"]
    bank.call("capture_hold", hold_id=name, usage={"calls": 1}, final=False)
    return one(bank, "holds", "hold_id", name)


def part_and_released(bank: Bank, call: Callable[[], Row]) -> Row:
    name = call()["hold_id"]
    bank.call("release_hold", hold_id=name)
    shown = one(bank, "holds", "hold_id", name)
    return {field: shown[field] for field in ("hold_id", "state", "held", "module_id", "user_id")}


def part_and_expired(bank: Bank, call: Callable[[], Row]) -> Row:
    name = call()["hold_id"]
    bank.at("2098-06-01 13:00Z")
    shown = one(bank, "holds", "hold_id", name)
    return {field: shown[field] for field in ("hold_id", "state", "held")}


def released(bank: Bank, call: Callable[[], Row]) -> Row:
    name = call()["hold_id"]
    bank.at("2098-06-01 13:00Z")
    shown = one(bank, "holds", "hold_id", name)
    return {field: shown[field] for field in ("hold_id", "state", "captured")}


def ordered_and_expired(bank: Bank, call: Callable[[], Row]) -> Row:
    order = call()
    bank.call(
        "attach_checkout", account_id=order["account_id"], order_id=order["order_id"], session_id="cs_1"
    )
    bank.rows(
        "update credits.orders set state = 'expired' where order_id = %s returning 1", (order["order_id"],)
    )
    return one(bank, "orders", "order_id", order["order_id"]) | {"checkout_session_id": "cs_1"}


def booked(bank: Bank, call: Callable[[], Row]) -> Row:
    """An entry never changes."""
    answer = call()
    bank.call("consume_tokens", user_id="clock", module_id="whisper")
    return entry(bank, answer)


def redeemed(bank: Bank, call: Callable[[], Row]) -> Row:
    lot = call()["lot_id"]
    bank.call("consume_tokens", user_id="clock", module_id="whisper")
    shown = one(bank, "lots", "user_id = 'clock' and lot_id", lot)
    return {"lot_id": lot, "expires_at": shown["expires_at"]}


def corrected(bank: Bank, call: Callable[[], Row]) -> Row:
    """The lot as it is when the call is repeated."""
    answer = call()
    lot_id = f"{answer['entry_id'].partition(':')[0]}:{answer['lot_id']}"
    bank.call("void_lot", lot_id=lot_id, tokens=7)
    bank.call("change_expiry", lot_id=lot_id, expires_at="2098-12-01 00:00Z")
    shown = one(bank, "lots", "user_id = 'clock' and lot_id", answer["lot_id"])
    return {"lot_id": shown["lot_id"], "remaining": shown["remaining"], "expires_at": shown["expires_at"]}


def failed(bank: Bank, call: Callable[[], Row]) -> Row:
    return one(bank, "failures", "failure_id", call()["failure_id"])


def charged_and_refunded(bank: Bank, call: Callable[[], Row]) -> Row:
    """The worker that repeats the call must see that the charge was refunded: nobody pays for the work."""
    name = call()["entry_id"]
    bank.call("refund_usage", entry_id=name, tokens=4)
    shown = one(bank, "usage", "entry_id", name)
    assert shown["refunded"] == 4
    return {"entry_id": name, "refunded": 4, "price_source": shown["price_source"]}


def charged_and_wholly_refunded(bank: Bank, call: Callable[[], Row]) -> Row:
    name = call()["entry_id"]
    bank.call("refund_usage", entry_id=name, tokens=1)
    bank.call("refund_usage", entry_id=name)
    shown = one(bank, "usage", "entry_id", name)
    assert shown["refunded"] == shown["cost"]
    return {"entry_id": name, "refunded": shown["cost"]}


def asked_and_refused(bank: Bank, call: Callable[[], Row]) -> Row:
    """Stripe did not refund it."""
    request = call()["request_id"]
    (made,) = claim(bank)
    report(bank, made, {"http_status": 400, "type": "invalid_request_error"})
    return one(bank, "refund_requests", "request_id", request)


def made_and_revoked(bank: Bank, call: Callable[[], Row]) -> Row:
    """The text of the key is shown once. So a repeat tells everything else."""
    name = call()["key_id"]
    bank.call("revoke_api_key", key_id=name)
    return one(bank, "api_keys", "key_id", name)


STORIES: list[tuple[str, dict[str, Any], Story]] = [
    ("consume_tokens", {"module_id": "metube"}, booked),
    ("consume_tokens", {"module_id": "metube"}, charged_and_refunded),
    ("consume_tokens", {"module_id": "unlisted"}, charged_and_wholly_refunded),
    (
        "consume_call",
        {"module_id": "metube", "module_name": "MeTube", "tokens_to_consume": "10"},
        booked,
    ),
    (
        "consume_call",
        {"module_id": "metube", "module_name": "MeTube", "tokens_to_consume": "10"},
        charged_and_refunded,
    ),
    ("add_tokens", {"tokens": 5}, booked),
    ("add_package", {"tokens_to_add": 5, "package_name": "Five"}, booked),
    ("refund_usage", {"entry_id": "of a spend"}, booked),
    ("hold_tokens", {"module_id": "whisper", "usage": {"calls": 2}}, held_and_released),
    ("hold_tokens", {"module_id": "whisper", "usage": {"calls": 2}}, held_and_expired),
    ("hold_tokens", {"module_id": "whisper", "usage": {"calls": 2}}, held_and_extended),
    ("hold_tokens", {"module_id": "whisper", "usage": {"calls": 2}}, held_and_captured_in_part),
    ("capture_hold", {"hold_id": "of 2", "usage": {"calls": 1}, "final": False}, part_and_released),
    ("capture_hold", {"hold_id": "of 2", "usage": {"calls": 1}, "final": False}, part_and_expired),
    ("capture_hold", {"hold_id": "of 2", "usage": {"calls": 1}, "final": False}, charged_and_refunded),
    ("capture_hold", {"hold_id": "of 2"}, charged_and_wholly_refunded),
    ("release_hold", {"hold_id": "of 2"}, released),
    ("create_order", {"pack_id": "of 10"}, ordered_and_expired),
    ("redeem_code", {"code": "SUMMER"}, redeemed),
    ("void_lot", {"lot_id": "of 1000", "tokens": 5}, corrected),
    ("restore_lot", {"entry_id": "of a void", "tokens": 5}, corrected),
    ("change_expiry", {"lot_id": "of 1000", "expires_at": "2099-01-01 00:00Z"}, corrected),
    ("report_failure", {"module_id": "whisper"}, failed),
    ("request_refund", {"order_id": "of 39.99", "amount": 100}, asked_and_refused),
    ("create_api_key", {"name": "till", "role": "spender"}, made_and_revoked),
]
NAMED = [f"{function} {story.__name__}" for function, _, story in STORIES]


@pytest.mark.parametrize(("function", "arguments", "story"), STORIES, ids=NAMED)
def test_repeated_call_tells_the_present_state(
    bank: Bank, function: str, arguments: dict[str, Any], story: Story
) -> None:
    lot = bank.call("add_tokens", user_id="clock", tokens=1000)["entry_id"]
    bank.rows("select credits.define_campaign('summer', 'promo', 'Summer', 10, p_expires_after => '30 days')")
    bank.rows("select credits.define_code('SUMMER', 'summer')")
    bank.rows("select credits.define_pack('of 10', 'Ten', 10, 500, 'eur')")
    call = {"user_id": "clock", "idempotency_key": "k"} | arguments
    if function == "refund_usage":
        del call["user_id"]
        call["entry_id"] = bank.call("consume_tokens", user_id="clock", module_id="whisper")["entry_id"]
    elif function in ("void_lot", "change_expiry"):
        del call["user_id"]
        call["lot_id"] = lot
    elif function == "restore_lot":
        del call["user_id"]
        call["entry_id"] = bank.call("void_lot", lot_id=lot, tokens=10)["entry_id"]
    elif function == "create_api_key":
        del call["user_id"]
    elif function == "request_refund":
        call["order_id"] = paid_order(bank, "clock")["order_id"]
    elif "hold_id" in call:
        held = bank.call("hold_tokens", user_id="clock", module_id="whisper", usage={"calls": 2})
        call["hold_id"] = held["hold_id"]

    answers: list[Row] = []

    def first() -> Row:
        answers.append(bank.call(function, **call))
        assert answers[0]["replayed"] is False
        return answers[0]

    shown = story(bank, first)
    again = bank.call(function, **call)
    assert again["replayed"] is True
    common = {name: shown[name] for name in again if name in shown}
    assert {name: again[name] for name in common} == common
    living = {
        "state",
        "held",
        "expires_at",
        "checkout_session_id",
        "stripe_customer_id",
        "replayed",
        "refunded",
        "remaining",
        "api_key",
    }
    assert {name: again[name] for name in again if name not in living} == {
        name: answers[0][name] for name in answers[0] if name not in living
    }


def test_every_call_with_a_key_is_tested(bank: Bank) -> None:
    keyed = bank.rows(
        "select distinct p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        " where n.nspname = 'api' and 'idempotency_key' = any (p.proargnames)"
    )
    assert {row["proname"] for row in keyed} == {function for function, _, _ in STORIES}


def test_second_worker_sees_that_the_hold_of_its_key_has_ended(bank: Bank) -> None:
    """Hold, release, hold again under one key: the hold is not open, so nobody works for nothing."""
    bank.call("add_tokens", user_id="clock", tokens=100)
    call = {"user_id": "clock", "module_id": "whisper", "idempotency_key": "job 7"}
    held = bank.call("hold_tokens", **call)
    assert (held["state"], held["held"]) == ("open", 25)
    bank.call("release_hold", hold_id=held["hold_id"])
    again = bank.call("hold_tokens", **call)
    assert (again["hold_id"], again["state"], again["held"]) == (held["hold_id"], "released", 0)


def test_repeated_batch_item_tells_its_refund(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    items = Jsonb([{"user_id": "clock", "module_id": "whisper", "idempotency_key": "k"}] * 2)
    first, same = bank.call("consume_tokens_batch", items=items)["verdicts"]
    assert (first["refunded"], same["refunded"], same["replayed"]) == (0, 0, True)
    bank.call("refund_usage", entry_id=first["entry_id"], tokens=20)
    for again in bank.call("consume_tokens_batch", items=items)["verdicts"]:
        assert again == first | {"refunded": 20, "replayed": True}
    assert (
        bank.call("consume_tokens", user_id="clock", module_id="whisper", idempotency_key="k")["refunded"]
        == 20
    )


# Members of receipts that can change later. A new member must stand here, or below.
LIVING = {
    "spend_receipt": {"refunded"},
    "hold_receipt": {"state", "held", "expires_at"},
    "capture_receipt": {"state", "held", "refunded"},
    "release_receipt": {"state", "captured"},
    "order_receipt": {"state", "checkout_session_id", "stripe_customer_id"},
    "lot_receipt": {"remaining", "expires_at"},
    "refund_request": {"state"},
    "api_key": {"state", "expires_at", "api_key"},
}
FINAL = {
    "spend_receipt": "entry_id user_id module_id cost balance draws replayed price_source",
    "hold_receipt": "hold_id user_id module_id balance available draws replayed price_source",
    "capture_receipt": "hold_id entry_id user_id module_id cost paid debt shortfall released balance draws"
    " late replayed price_source",
    "release_receipt": "hold_id user_id module_id released replayed",
    "order_receipt": "order_id account_id user_id pack_id package_name module_id tokens bonus_tokens amount"
    " currency stripe_price_id replayed scope kind",
    "lot_receipt": "entry_id user_id lot_id tokens balance replayed",
    "grant_receipt": "entry_id user_id lot_id tokens balance replayed",
    "refund_receipt": "entry_id user_id charge_id tokens expired balance draws replayed",
    "redemption_receipt": "code kind campaign_id title entry_id user_id lot_id tokens balance expires_at"
    " replayed",
    "failure_receipt": "failure_id user_id module_id failed_at replayed",
    "refund_request": "request_id order_id user_id tokens amount currency replayed",
    "api_key": "key_id name role replayed",
}


def test_every_receipt_member_is_final_or_told_as_it_is_now(bank: Bank) -> None:
    members = bank.rows(
        "select distinct t.typname as receipt, a.attname as member from pg_proc as p"
        " join pg_type as t on t.oid = p.prorettype join pg_attribute as a on a.attrelid = t.typrelid"
        " where p.pronamespace = 'api'::regnamespace and 'idempotency_key' = any (p.proargnames)"
        " and a.attnum > 0 and not a.attisdropped"
    )
    told = {(receipt, member) for receipt, named in FINAL.items() for member in named.split()}
    told |= {(receipt, member) for receipt, named in LIVING.items() for member in named}
    assert {(row["receipt"], row["member"]) for row in members} == told
