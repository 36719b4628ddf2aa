"""What the books do not need is kept for a period, which is data, and is then forgotten in bounded steps."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from callers import Caller, Connection, Row, open_account, refused
from holding import Bank
from stripe_events import COMPLETED, attached, event, session

EMPTY = {"accounts": 0, "keys": 0, "events": 0, "partitions": 0, "forgotten": 0}


def key(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def maintain(bank: Caller, most: int = 1000) -> Row:
    return bank.call("maintain", max_keys=most)


def until_nothing_is_left(bank: Caller, most: int = 1000) -> list[int]:
    """How much each call forgot, until there was nothing to do."""
    forgotten: list[int] = []
    while (answer := maintain(bank, most)) != EMPTY:
        if not answer["partitions"]:
            forgotten.append(answer["forgotten"])
        assert len(forgotten) < 20
    return forgotten


def count(bank: Caller, table: str) -> int:
    return int(bank.row(f"select count(*) as n from credits.{table}")["n"])


def use(bank: Caller, device: str, network: str) -> None:
    bank.call("guest_consume", module_id="whisper", device_keys=[key(device)], network_keys=[key(network)])


def test_guests_are_forgotten_in_bounded_steps_once_they_stay_away(bank: Bank) -> None:
    bank.rows("select credits.define_guest_limits('iahome', 3, 3, 8)")
    bank.rows("select credits.define_retention('guests', '30 days')")
    for device in range(5):
        use(bank, f"device {device}", f"network {device % 2}")
    bank.at("2098-06-20 12:00Z")
    use(bank, "device 0", "network 0")
    bank.at("2098-07-01 11:59Z")
    assert until_nothing_is_left(bank) == []
    bank.at("2098-07-01 12:01Z")
    # Two uses and no more; each later call also forgets the devices that the uses before it left.
    assert until_nothing_is_left(bank, 2) == [3, 4, 2]
    assert (count(bank, "guest_uses"), count(bank, "guests"), count(bank, "guest_networks")) == (1, 1, 1)
    bank.at("2098-08-01 12:00Z")
    until_nothing_is_left(bank)
    assert (count(bank, "guest_uses"), count(bank, "guests"), count(bank, "guest_networks")) == (0, 0, 0)
    use(bank, "device 0", "network 0")


def test_notices_go_after_their_period_unless_a_message_is_still_to_be_sent(bank: Bank) -> None:
    made = bank.call("register_webhook", url="https://shop.example/hook")
    bank.call("add_tokens", user_id="ada", tokens=100)
    (sent,) = bank.call("take_webhooks")["messages"]
    named = {name: sent[name] for name in ("account_id", "notice_id", "endpoint_id", "lease")}
    bank.call("finish_webhook", **named, http_status=204)
    bank.call("add_tokens", user_id="bea", tokens=100)
    bank.rows("select credits.define_retention('notices', '60 days')")
    bank.at("2098-07-30 12:00Z")
    until_nothing_is_left(bank)
    assert (count(bank, "outbox"), count(bank, "webhook_deliveries")) == (2, 1)
    bank.at("2098-08-01 12:00Z")
    assert until_nothing_is_left(bank) == [1]
    assert (count(bank, "outbox"), count(bank, "webhook_deliveries")) == (1, 1)
    bank.call("disable_webhook", endpoint_id=made["endpoint_id"], reason="the shop has closed")
    assert until_nothing_is_left(bank) == [1]
    assert (count(bank, "outbox"), count(bank, "webhook_deliveries")) == (0, 0)


def paid(bank: Caller, **changes: Any) -> Row:
    open_account(bank, "ada")
    order = attached(bank, bank.call("create_order", pack_id="standard", user_id="ada"))
    told = event(COMPLETED, session(order, **changes))
    bank.call("apply_stripe_event", event=told, payload=b"the bytes of ada@example.org")
    return order


PERSON = {
    "customer_details": {"email": "ada@example.org", "name": "Ada", "address": {"postal_code": "10115"}},
    "shipping_details": {"name": "Ada"},
    "custom_fields": [{"text": {"value": "Ada"}}],
    "receipt_email": "ada@example.org",
    "description": "for Ada",
}


def test_old_payloads_keep_what_the_audit_reads_and_nothing_of_a_person(bank: Bank) -> None:
    order = paid(bank, **PERSON)
    waiting = event(COMPLETED, session(order | {"checkout_session_id": "cs_unknown"}, **PERSON))
    bank.call("apply_stripe_event", event=waiting)
    # Events are received by the server's own clock.
    bank.connection.execute("update credits.stripe_events set received_at = credits.clock()")
    bank.at("2099-07-01 12:00Z")
    until_nothing_is_left(bank)
    assert maintain(bank) == EMPTY
    bank.at("2099-07-07 12:00Z")
    assert until_nothing_is_left(bank) == [1]
    kept = bank.row("select * from credits.stripe_events where event_id <> %s", (waiting["id"],))
    assert kept["original"] is None
    assert "Ada" not in repr(kept) and "example.org" not in repr(kept)
    assert "cus_1" not in repr(kept["payload"])
    slim = kept["payload"]["data"]["object"]
    for name in ("id", "object", "amount_total", "currency", "mode", "payment_intent", "payment_status"):
        assert slim[name] is not None, name
    assert slim["metadata"] == {name: str(order[name]) for name in ("account_id", "order_id")}
    assert slim["total_details"] == {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}
    whole = bank.row(
        "select outcome, payload from credits.stripe_events where event_id = %s", (waiting["id"],)
    )
    assert (whole["outcome"] in ("waiting", "parked"), whole["payload"]) == (True, waiting)


@pytest.mark.one_version
@pytest.mark.parametrize(
    ("value", "left"),
    [
        ('"Ada"', "null"),
        ("17", "17"),
        ('{"id": "Ada Lovelace"}', "{}"),
        ('{"id": "pi_1", "name": "Ada", "amount": 5}', '{"id": "pi_1", "amount": 5}'),
        (
            '{"lines": {"data": [{"amount": 5, "description": "Ada"}, "Ada"]}}',
            '{"lines": {"data": [{"amount": 5}, null]}}',
        ),
        ('{"metadata": {"Ada": 5, "kind": "x", "order_id": {"a": "b"}}}', '{"metadata": {"kind": "x"}}'),
        ('{"client_reference_id": "ada"}', "{}"),
        ('{"evidence": {"amount": 5}, "customer": "cus_1"}', "{}"),
        (
            '{"status": null, "list": [], "livemode": false}',
            '{"status": null, "list": [], "livemode": false}',
        ),
    ],
)
def test_person_is_taken_out_of_any_object(value: str, left: str, bank: Bank) -> None:
    row = bank.row("select credits.without_person(%s) = %s as same", (value, left))
    assert row["same"], bank.row("select credits.without_person(%s) as left", (value,))


@pytest.mark.one_version
def test_very_deep_object_is_cut_off(bank: Bank) -> None:
    deep = '{"a":' * 5000 + '"Ada"' + "}" * 5000
    row = bank.row("select credits.without_person(%s)::text as slim", (deep,))
    assert row["slim"] == '{"a": ' * 21 + "null" + "}" * 21


@pytest.mark.one_version
@pytest.mark.parametrize(
    ("kind", "period"),
    [
        ("idempotency_keys", "34 days"),
        ("guests", "13 days"),
        ("guests", None),
        ("guests", "1001 years"),
        ("guests", "-1 days"),
        ("entries", "10 years"),
        (None, "10 years"),
    ],
)
def test_period_below_what_the_contract_needs_is_refused(
    kind: str | None, period: str | None, bank: Bank
) -> None:
    with refused("bad_catalog"):
        bank.rows("select credits.define_retention(%s, %s)", (kind, period))


@pytest.mark.one_version
def test_keys_are_kept_for_as_long_as_the_operator_says(bank: Bank) -> None:
    bank.call("add_tokens", user_id="ada", tokens=100)
    bank.call("consume_tokens", user_id="ada", module_id="metube", idempotency_key="k")
    bank.rows("select credits.define_retention('idempotency_keys', '90 days')")
    bank.at("2098-08-29 12:00Z")
    until_nothing_is_left(bank)
    assert count(bank, "idempotency_keys") == 1
    bank.at("2098-08-31 12:00Z")
    assert maintain(bank)["keys"] == 1


@pytest.mark.one_version
def test_kind_without_a_row_is_kept(bank: Bank) -> None:
    bank.connection.execute("delete from credits.retention_periods")
    bank.call("add_tokens", user_id="ada", tokens=100, idempotency_key="k")
    bank.at("2199-06-01 12:00Z")
    until_nothing_is_left(bank)
    assert (count(bank, "idempotency_keys"), count(bank, "outbox") > 0) == (1, True)


@pytest.mark.one_version
def test_guest_who_comes_back_meanwhile_stays(db: Connection, connect_as: Callable[..., Connection]) -> None:
    """A guest's call has locked the device and the network: maintenance passes over both."""
    bank = Caller(db, "none")
    bank.rows("select credits.define_guest_limits('iahome', 3, 3, 8)")
    use(bank, "device", "network")
    db.execute("update credits.guest_uses set used_at = '2001-01-01'")
    db.execute("update credits.guests set first_seen_at = '2001-01-01'")
    guest = Caller(connect_as("service_role"), "service_role")
    with guest.connection.transaction():
        use(guest, "device", "network")
        maintain(bank)
    maintain(bank)
    assert (count(bank, "guest_uses"), count(bank, "guests"), count(bank, "guest_networks")) == (1, 1, 1)
