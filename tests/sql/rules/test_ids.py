"""Ids that the bank gave are found however the uuid is spelled. Ids from outside stay as they are."""

from __future__ import annotations

from callers import refused
from holding import Bank, clock_hold

# For every argument that names something: who gave the name.
OURS = {
    "entry_id",
    "hold_id",
    "shortfall_id",
    "account_id",
    "order_id",
    "use_id",
    "notice_ids",
    "lot_id",
    "call_id",
    "notice_id",
    "endpoint_id",
    "key_id",
}
THEIRS = {
    "user_id",
    "module_id",
    "pack_id",
    "plan_id",
    "session_id",
    "customer_id",
    "replaces_customer_id",
    "event_id",
    "payment_method_id",
    "object_id",
}


def test_every_id_argument_is_tested(bank: Bank) -> None:
    rows = bank.rows(
        "select distinct a.name from pg_proc as p cross join unnest(p.proargnames[:p.pronargs]) as a (name)"
        " where p.pronamespace = 'api'::regnamespace and a.name ~ '_ids?$'"
    )
    assert {row["name"] for row in rows} == OURS | THEIRS


def test_ids_match_in_any_case(bank: Bank) -> None:
    bank.rows("select credits.define_guest_limits('iahome', 3)")
    bank.call("add_tokens", user_id="clock", tokens=100)
    entry = bank.call("consume_tokens", user_id="clock", module_id="whisper")["entry_id"]
    assert bank.call("refund_usage", entry_id=entry.upper(), tokens=1)["charge_id"] == entry
    assert bank.call("refund_usage", entry_id=entry, tokens=2)["charge_id"] == entry

    lot = bank.call("add_tokens", user_id="clock", tokens=10)
    void = bank.call("void_lot", lot_id=lot["entry_id"].upper(), tokens=1)
    assert (void["lot_id"], void["remaining"]) == (lot["lot_id"], 9)
    assert bank.call("restore_lot", entry_id=void["entry_id"].upper())["remaining"] == 10

    held = clock_hold(bank, 1)["hold_id"]
    assert bank.call("extend_hold", hold_id=held.upper())["hold_id"] == held
    part = bank.call(
        "capture_hold", hold_id=held.upper(), usage={"calls": 1}, final=False, idempotency_key="k"
    )
    again = bank.call("capture_hold", hold_id=held, usage={"calls": 1}, final=False, idempotency_key="k")
    assert (again["entry_id"], again["replayed"]) == (part["entry_id"], True)
    assert bank.call("release_hold", hold_id=held.upper())["hold_id"] == held

    short = clock_hold(bank)["hold_id"]
    bank.call("capture_hold", hold_id=short, usage={"calls": 9}, over="available")
    name = bank.row("select shortfall_id from api.shortfalls")["shortfall_id"]
    closed = bank.call("close_shortfall", shortfall_id=name.upper(), state="settled")
    assert closed["shortfall_id"] == name

    order = bank.call("create_order", user_id="clock", pack_id="standard")
    named = {"account_id": str(order["account_id"]).upper(), "order_id": str(order["order_id"]).upper()}
    assert bank.call("cancel_order", **named)["state"] == "expired"

    endpoint = bank.call("register_webhook", url="https://shop.example/")["endpoint_id"]
    told = bank.call("disable_webhook", endpoint_id=str(endpoint).upper(), reason="the test is over")
    assert told["endpoint_id"] == endpoint

    key = bank.call("create_api_key", name="till", role="spender")["key_id"]
    assert bank.call("rotate_api_key", key_id=key.upper())["key_id"] == key
    assert bank.call("revoke_api_key", key_id=key.upper())["key_id"] == key

    guest = {"device_keys": ["a" * 64], "network_keys": ["b" * 64]}
    use = bank.call("guest_consume", module_id="whisper", **guest)["use_id"]
    assert bank.call("confirm_guest_use", use_id=str(use).upper())["state"] == "confirmed"


def test_foreign_ids_are_not_found(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    entry = bank.call("consume_tokens", user_id="clock", module_id="whisper")["entry_id"]
    for other in (
        f" {entry}",
        f"{entry}\n",
        f"{{{entry[:36]}}}{entry[36:]}",
        entry.replace(":", ":0"),
        entry[36:],
    ):
        with refused("unknown_entry"):
            bank.call("refund_usage", entry_id=other)
        with refused("unknown_lot"):
            bank.call("void_lot", lot_id=other)
