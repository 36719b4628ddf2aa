"""A repeated call tells what it did then, and how what it made stands now: who acts on it must see that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from holding import Bank
from people import Row

# Each makes the call for the first time, then lets time and others have their way, and says how the object is
# shown by then. When the call is repeated, what has the same name in the answer must be equal to that.
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


def failed(bank: Bank, call: Callable[[], Row]) -> Row:
    return one(bank, "failures", "failure_id", call()["failure_id"])


STORIES: list[tuple[str, dict[str, Any], Story]] = [
    ("consume_tokens", {"module_id": "metube"}, booked),
    (
        "consume_call",
        {"module_id": "metube", "module_name": "MeTube", "tokens_to_consume": "10"},
        booked,
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
    ("release_hold", {"hold_id": "of 2"}, released),
    ("create_order", {"pack_id": "of 10"}, ordered_and_expired),
    ("redeem_code", {"code": "SUMMER"}, redeemed),
    ("report_failure", {"module_id": "whisper"}, failed),
]
NAMED = [f"{function} {story.__name__}" for function, _, story in STORIES]


@pytest.mark.parametrize(("function", "arguments", "story"), STORIES, ids=NAMED)
def test_repeated_call_tells_the_present_state_of_what_it_made(
    bank: Bank, function: str, arguments: dict[str, Any], story: Story
) -> None:
    bank.call("add_tokens", user_id="clock", tokens=1000)
    bank.rows("select credits.define_campaign('summer', 'promo', 'Summer', 10, p_expires_after => '30 days')")
    bank.rows("select credits.define_code('SUMMER', 'summer')")
    bank.rows("select credits.define_pack('of 10', 'Ten', 10, 500, 'eur')")
    call = {"user_id": "clock", "idempotency_key": "k"} | arguments
    if function == "refund_usage":
        del call["user_id"]
        call["entry_id"] = bank.call("consume_tokens", user_id="clock", module_id="whisper")["entry_id"]
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
    living = {"state", "held", "expires_at", "checkout_session_id", "stripe_customer_id", "replayed"}
    assert {name: again[name] for name in again if name not in living} == {
        name: answers[0][name] for name in answers[0] if name not in living
    }


def test_every_call_with_a_key_is_among_them(bank: Bank) -> None:
    keyed = bank.rows(
        "select distinct p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        " where n.nspname = 'api' and 'idempotency_key' = any (p.proargnames)"
    )
    assert {row["proname"] for row in keyed} == {function for function, _, _ in STORIES}


def test_second_worker_sees_that_the_hold_of_its_key_has_ended(bank: Bank) -> None:
    """hold, release, hold again under one key: not open, so that nobody does the work for nothing."""
    bank.call("add_tokens", user_id="clock", tokens=100)
    call = {"user_id": "clock", "module_id": "whisper", "idempotency_key": "job 7"}
    held = bank.call("hold_tokens", **call)
    assert (held["state"], held["held"]) == ("open", 25)
    bank.call("release_hold", hold_id=held["hold_id"])
    again = bank.call("hold_tokens", **call)
    assert (again["hold_id"], again["state"], again["held"]) == (held["hold_id"], "released", 0)
