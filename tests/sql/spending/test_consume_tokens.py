"""Spending: what it takes, what it refuses, and that a repeat is not a second spend."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection, refused

User = Callable[..., Caller]
HUGE = ("1e131071", "1e400", "1000000000000001")


def test_spend_takes_the_price_from_the_balance(user: User) -> None:
    ada = user(500)
    receipt = ada.call("consume_tokens", module_id="stablediffusion")
    assert receipt["entry_id"].endswith(":2")
    assert (receipt["user_id"], receipt["module_id"]) == (ada.user_id, "stablediffusion")
    assert (receipt["cost"], receipt["balance"], receipt["replayed"]) == (50, 450, False)
    assert receipt["draws"] == [{"lot_id": 1, "tokens": 50}]
    assert ada.balance() == 450


def test_spend_is_written_as_one_entry(user: User) -> None:
    ada = user(500)
    receipt = ada.call("consume_tokens", module_id="whisper", usage={"calls": 3}, metadata={"job": "j-1"})
    entry = ada.rows("select * from api.entries order by seq")[-1]
    assert entry["entry_id"] == receipt["entry_id"]
    assert (entry["kind"], entry["tokens"], entry["balance_before"], entry["balance_after"]) == (
        "spend",
        -75,
        500,
        425,
    )
    assert (entry["usage"], entry["metadata"], entry["draws"]) == (
        {"calls": 3},
        {"job": "j-1"},
        receipt["draws"],
    )
    (used,) = ada.rows("select * from api.usage")
    assert (used["entry_id"], used["cost"], used["module_title"]) == (receipt["entry_id"], 75, "Whisper")


def test_usage_left_out_is_one_call(user: User) -> None:
    ada = user(100)
    ada.call("consume_tokens", module_id="whisper")
    assert ada.row("select usage from api.usage")["usage"] == {"calls": 1}


def test_spend_of_the_whole_balance_leaves_zero(user: User) -> None:
    ada = user(50)
    assert ada.call("consume_tokens", module_id="stablediffusion")["balance"] == 0
    assert ada.balance() == 0


def test_insufficient_tokens_are_refused_with_figures(user: User) -> None:
    ada = user(Decimal("120.5"))
    with refused("insufficient_tokens") as facts:
        ada.call("consume_tokens", module_id="stablediffusion", usage={"calls": 3})
    assert facts == {
        "error": "insufficient_tokens",
        "balance": Decimal("120.5"),
        "available": Decimal("120.5"),
        "cost": 150,
        "missing": Decimal("29.5"),
        "affordable": 2,
    }
    assert ada.balance() == Decimal("120.5")
    assert ada.row("select count(*) from api.entries")["count"] == 1


def test_a_millionth_short_is_refused(user: User) -> None:
    ada = user(Decimal("49.999999"))
    with refused("insufficient_tokens") as facts:
        ada.call("consume_tokens", module_id="stablediffusion")
    assert facts["missing"] == Decimal("0.000001")


def test_first_write_without_tokens_is_refused_and_opens_no_account(user: User, admin: Connection) -> None:
    ada = user()
    with refused("insufficient_tokens") as facts:
        ada.call("consume_tokens", module_id="whisper")
    assert facts["balance"] == 0
    assert not _account_of(admin, ada)


def test_service_spends_for_the_user_it_names(user: User, service: Caller) -> None:
    ada = user(100)
    receipt = service.call("consume_tokens", module_id="whisper", user_id=ada.user_id)
    assert (receipt["user_id"], receipt["balance"]) == (ada.user_id, 75)
    assert ada.balance() == 75


def test_service_must_name_a_user(service: Caller) -> None:
    with refused("bad_user"):
        service.call("consume_tokens", module_id="whisper")


def test_service_cannot_spend_for_an_unknown_user(service: Caller) -> None:
    with refused("unknown_user"):
        service.call("consume_tokens", module_id="whisper", user_id="nobody has this name")


def test_user_may_name_themselves(user: User) -> None:
    ada = user(100)
    assert ada.call("consume_tokens", module_id="whisper", user_id=ada.user_id)["balance"] == 75


# Bad input


@pytest.mark.parametrize(
    "usage",
    [
        "[]",
        "null",
        "5",
        '"calls"',
        "true",
        '[{"calls": 1}]',
        '{"calls": null}',
        '{"calls": "1"}',
        '{"calls": "NaN"}',
        '{"calls": true}',
        '{"calls": []}',
        '{"calls": {"calls": 1}}',
        '{"seconds": 1}',
        '{"calls": 1, "seconds": 1}',
        '{"": 1}',
        '{"calls": -1}',
        '{"calls": -0.000001}',
        *(f'{{"calls": {number}}}' for number in HUGE),
        *(f'{{"calls": -{number}}}' for number in HUGE),
    ],
)
def test_usage_must_give_each_dimension_a_quantity(usage: str, user: User) -> None:
    ada = user(100)
    with refused("bad_usage"):
        ada.call("consume_tokens", module_id="whisper", usage=usage)
    assert ada.balance() == 100


def test_missing_usage_is_refused(user: User) -> None:
    with refused("bad_usage"):
        user(100).call("consume_tokens", module_id="whisper", usage=None)


@pytest.mark.parametrize("usage", ['{"calls": NaN}', '{"calls": Infinity}', "{", '{"calls": "\\u0000"}', ""])
def test_usage_must_be_json(usage: str, user: User) -> None:
    with pytest.raises(psycopg.DataError):
        user(100).call("consume_tokens", module_id="whisper", usage=usage)


@pytest.mark.parametrize(
    "function", ["consume_tokens", "hold_tokens", "capture_hold", "consume_tokens_batch"]
)
def test_size_of_usage_is_checked_first(function: str, user: User, service: Caller) -> None:
    ada = user(100)
    named = {"module_id": "metube", "user_id": ada.user_id, "idempotency_key": "k"}
    hold_id = service.call("hold_tokens", module_id="metube", user_id=ada.user_id)["hold_id"]
    large = {"calls": 1, "x" * 2048: 1}
    if function == "capture_hold":
        named = {"hold_id": hold_id, "idempotency_key": "k"}
    if function == "consume_tokens_batch":
        service.call(function, items=json.dumps([named]))
        answer = service.call(function, items=json.dumps([named | {"usage": large}]))["verdicts"][0]
        assert (answer["error"], answer["message"]) == ("bad_usage", "usage is larger than 2 kB")
        return
    service.call(function, **named, usage={"calls": 1})
    with pytest.raises(psycopg.Error, match="usage is larger than 2 kB") as caught:
        service.call(function, **named, usage=large)
    assert caught.value.sqlstate == "PT422"


def test_usage_that_costs_more_than_the_maximum_is_refused(user: User) -> None:
    with refused("bad_usage"):
        user(100).call("consume_tokens", module_id="whisper", usage={"calls": 10**15})


def test_bad_usage_names_the_dimensions_of_the_price(user: User) -> None:
    with refused("bad_usage") as facts:
        user(100).call("consume_tokens", module_id="whisper", usage={"seconds": 1})
    assert facts["dimensions"] == ["calls"]


@pytest.mark.parametrize("module_id", [None, "", "x" * 12_000], ids=["null", "empty", "12 kB"])
def test_impossible_module_id_is_refused(module_id: str | None, user: User) -> None:
    """Even if the catalog has a default price: these ids cannot be defined, so they cannot be used."""
    ada = user(100)
    with refused("unknown_module"):
        ada.call("consume_tokens", module_id=module_id)


@pytest.mark.parametrize(
    "metadata",
    [
        *("[]", "null", '"text"', "1", '{"text": "' + "x" * 16_384 + '"}', None),
        *('{"n": 1e101}', '{"n": [{"m": 1e-16383}]}', '{"n": 0e-16383}'),
    ],
    ids=["array", "null", "string", "number", "16 kB", "SQL null", "huge", "nested tiny", "long zero"],
)
def test_metadata_is_a_small_object(metadata: str | None, user: User) -> None:
    with refused("bad_metadata"):
        user(100).call("consume_tokens", module_id="whisper", metadata=metadata)


def test_nul_cannot_get_into_sql_text(user: User) -> None:
    """PostgreSQL's text has no NUL, and the driver says so before anything is sent."""
    ada = user(100)
    for arguments in ({"module_id": "whis\0per"}, {"module_id": "whisper", "idempotency_key": "k\0"}):
        with pytest.raises(psycopg.DataError, match="NUL"):
            ada.call("consume_tokens", **arguments)
    with pytest.raises(psycopg.errors.UntranslatableCharacter):
        ada.call("consume_tokens", module_id="whisper", metadata='{"text": "\\u0000"}')
    assert ada.balance() == 100


# The account's status


@pytest.mark.parametrize("status", ["frozen", "closed"])
def test_inactive_account_cannot_spend(status: str, user: User, admin: Connection) -> None:
    ada = user(100)
    first = ada.call("consume_tokens", module_id="whisper", idempotency_key="before")
    _set_status(admin, ada, status)
    with refused("account_frozen"):
        ada.call("consume_tokens", module_id="whisper")
    replay = ada.call("consume_tokens", module_id="whisper", idempotency_key="before")
    assert replay == first | {"replayed": True}
    assert ada.balance() == 75
    _set_status(admin, ada, "active")
    assert ada.call("consume_tokens", module_id="whisper")["balance"] == 50


# Idempotency


def test_same_call_with_the_same_key_gets_the_same_answer(user: User) -> None:
    ada = user(100)
    call: dict[str, Any] = {
        "module_id": "whisper",
        "usage": {"calls": 2},
        "metadata": {"a": 1},
        "idempotency_key": "k",
    }
    first = ada.call("consume_tokens", **call)
    ada.call("consume_tokens", module_id="metube")
    replay = ada.call("consume_tokens", **call)
    assert replay == first | {"replayed": True}
    assert ada.balance() == 40


@pytest.mark.parametrize(
    "other", [{"module_id": "metube"}, {"usage": {"calls": 2}}, {"metadata": {"job": 2}}], ids=str
)
def test_same_key_with_other_arguments_is_refused(other: dict[str, Any], user: User) -> None:
    ada = user(100)
    call: dict[str, Any] = {
        "module_id": "whisper",
        "usage": {"calls": 1},
        "metadata": {},
        "idempotency_key": "k",
    }
    ada.call("consume_tokens", **call)
    with refused("key_reused"):
        ada.call("consume_tokens", **call | other)
    assert ada.balance() == 75


def test_refusal_leaves_no_key(user: User, service: Caller) -> None:
    ada = user(10)
    call = {"module_id": "whisper", "idempotency_key": "k"}
    with refused("insufficient_tokens"):
        ada.call("consume_tokens", **call)
    service.call("add_tokens", user_id=ada.user_id, tokens=100)
    receipt = ada.call("consume_tokens", **call)
    assert (receipt["replayed"], receipt["balance"]) == (False, 85)


def test_key_of_another_account_is_another_key(user: User) -> None:
    ada, bob = user(100), user(100)
    for caller in (ada, bob):
        receipt = caller.call("consume_tokens", module_id="whisper", idempotency_key="shared")
        assert (receipt["user_id"], receipt["balance"], receipt["replayed"]) == (caller.user_id, 75, False)


def test_key_of_another_operation_is_another_key(user: User, service: Caller) -> None:
    ada = user(100)
    ada.call("consume_tokens", module_id="whisper", idempotency_key="k")
    granted = service.call("add_tokens", user_id=ada.user_id, tokens=5, idempotency_key="k")
    ordered = ada.call("create_order", pack_id="standard", idempotency_key="k")
    assert (granted["replayed"], ordered["replayed"], ada.balance()) == (False, False, 80)


def test_a_users_and_a_services_call_share_the_key(user: User, service: Caller) -> None:
    ada = user(100)
    first = ada.call("consume_tokens", module_id="whisper", idempotency_key="k")
    replay = service.call("consume_tokens", module_id="whisper", user_id=ada.user_id, idempotency_key="k")
    assert replay == first | {"replayed": True}


@pytest.mark.parametrize("key", ["", "k" * 201, "k" * 12_000], ids=["empty", "201", "12 kB"])
def test_key_has_1_to_200_characters(key: str, user: User) -> None:
    ada = user(100)
    with refused("bad_key"):
        ada.call("consume_tokens", module_id="whisper", idempotency_key=key)
    assert ada.balance() == 100


def test_longest_key_is_accepted_in_any_script(user: User) -> None:
    ada = user(100)
    key = "ключ😀" * 40
    assert not ada.call("consume_tokens", module_id="whisper", idempotency_key=key)["replayed"]
    assert ada.call("consume_tokens", module_id="whisper", idempotency_key=key)["replayed"]


# IAHome's signature


def test_price_that_agrees_is_charged(user: User) -> None:
    ada = user(100)
    receipt = ada.call(
        "consume_tokens",
        user_id=ada.user_id,
        module_id="whisper",
        module_name="Whisper",
        tokens_to_consume=Decimal("25.000"),
    )
    assert (receipt["cost"], receipt["balance"], receipt["replayed"]) == (25, 75, False)
    assert ada.row("select metadata from api.usage")["metadata"] == {"module_name": "Whisper"}


@pytest.mark.parametrize("price", [1, 24, Decimal("24.999999"), Decimal("25.000001"), 26, 10**12], ids=str)
def test_price_that_differs_is_refused(price: Decimal, user: User) -> None:
    ada = user(100)
    with refused("price_mismatch") as facts:
        _named_price(ada, price)
    assert (facts["cost"], facts["expected"]) == (25, price)
    assert ada.balance() == 100


@pytest.mark.parametrize(
    "price",
    [
        None,
        0,
        -1,
        -25,
        *map(Decimal, ("NaN", "Infinity", "-Infinity", "25.0000001", "1e-7", "1000000000001", "1e400")),
    ],
    ids=str,
)
def test_malformed_price_is_refused(price: Decimal | None, user: User) -> None:
    ada = user(100)
    with refused("bad_amount"):
        _named_price(ada, price)
    assert ada.balance() == 100


@pytest.mark.parametrize(
    "arguments",
    [
        "%(user)s::text, 'whisper'::text, 'Whisper'::text, 25::numeric",
        "%(user)s::text, 'whisper'::text, 'Whisper'::text, 25::bigint",
        "%(user)s::text, 'whisper'::varchar, 'Whisper'::varchar, 25::smallint",
        "%(user)s, 'whisper', 'Whisper', 25",
        "%(user)s, 'whisper', 'Whisper', 25.0",
        "%(user)s, 'whisper', null, 25",
        "'whisper'::text, '{\"calls\": 1}'::jsonb, null::text, %(user)s::text, '{}'::jsonb",
        "'whisper', '{\"calls\": 1}'::jsonb, null, %(user)s, '{}'",
        "'whisper', '{\"calls\": 1}', null, %(user)s, '{}'",
        "'whisper', '{}'::jsonb, 'key', %(user)s",
        "'whisper', '{}'::jsonb, 'key'",
        "'whisper', '{}', 'key'",
        "'whisper', '{}'",
        "'whisper'",
    ],
)
def test_both_signatures_work_by_position(arguments: str, user: User) -> None:
    ada = user(100)
    receipt = ada.row(f"select * from api.consume_tokens({arguments})", {"user": ada.user_id})
    assert (receipt["user_id"], receipt["module_id"], receipt["balance"]) == (ada.user_id, "whisper", 75)


def _named_price(caller: Caller, price: Decimal | None) -> None:
    caller.row(
        "select * from api.consume_tokens(%s, 'whisper', 'Whisper', %s::numeric)", (caller.user_id, price)
    )


def _set_status(admin: Connection, caller: Caller, status: str) -> None:
    admin.execute(
        "update credits.wallets set status = %s where account_id = %s", (status, _account_of(admin, caller))
    )


def _account_of(admin: Connection, caller: Caller) -> Any:
    row = admin.execute(
        "select account_id from credits.identities where subject = %s", (caller.user_id,)
    ).fetchone()
    return row[0] if row else None
