"""A key accepts the same call in any spelling of its arguments, and refuses another call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from callers import Caller, Connection, Row, refused

User = Callable[..., Caller]
CALLS = {"module_id": "metube"}
NESTED = "[" * 1000 + "1.0" + "]" * 1000

# Each call, the arguments of the first time, and other spellings of them.
SPELLINGS: list[tuple[str, Row, list[Row]]] = [
    (
        "consume_tokens",
        CALLS,
        [
            {"usage": "{}"},
            {"usage": '{"calls": 1}'},
            {"usage": '{"calls": 1.0}'},
            {"usage": '{"calls": 1.000000000}'},
            {"usage": '{"calls": 10e-1}'},
            {"usage": ' {"calls" : 2, "calls": 1 } '},
            {"metadata": "{}"},
            {"byok": False},
            {"tags": None},
            {"tags": "{}"},
        ],
    ),
    ("consume_tokens", CALLS | {"usage": '{"calls": 1.00}'}, [{"usage": "{}"}, {"usage": '{"calls": 1}'}]),
    (
        "consume_tokens",
        CALLS | {"usage": '{"calls": 2}'},
        [{"usage": '{"calls": 2.0}'}, {"usage": '{"calls": 2e0}'}],
    ),
    (
        "consume_tokens",
        CALLS | {"metadata": '{"a": 1, "b": [2.5, "1.0"], "c": {"d\\"1.50": -0.10}}'},
        [
            {"metadata": '{"c": {"d\\"1.50": -0.1}, "b": [2.500, "1.0"], "a": 1.0}'},
            {"metadata": '{"a": 1e0, "b": [25e-1, "1.0"], "c": {"d\\"1.50": -1.00e-1}}'},
        ],
    ),
    (
        "hold_tokens",
        CALLS,
        [
            {"usage": '{"calls": 1.0}'},
            {"ttl": "15 minutes"},
            {"ttl": "900 s"},
            {"ttl": "PT15M"},
            {"ttl": "00:15:00.000"},
            {"metadata": "{ }"},
            {"tags": "{}"},
        ],
    ),
    ("hold_tokens", CALLS | {"ttl": "1 day"}, [{"ttl": "24 hours"}, {"ttl": "86400.0 seconds"}]),
    (
        "consume_tokens",
        CALLS | {"tags": '{"job": "j-1", "feature": "chat"}'},
        [{"tags": '{"feature":"chat", "job":"x", "job":"\\u006a-1"}'}],
    ),
    (
        "consume_call",
        CALLS | {"module_name": "MeTube", "tokens_to_consume": "10"},
        [{"tokens_to_consume": "10.000"}, {"tokens_to_consume": "1e1"}],
    ),
]
GRANTS: list[tuple[str, Row, list[Row]]] = [
    (
        "add_tokens",
        {"tokens": "5", "expires_at": "2099-06-01T12:00:00Z", "metadata": '{"n": 1}'},
        [
            {"tokens": "5.000"},
            {"reason": "grant"},
            {"priority": 20},
            {"expires_at": "2099-06-01T14:00:00+02:00"},
            {"expires_at": "2099-06-01 12:00:00.000 UTC"},
            {"metadata": '{"n": 1.00}'},
        ],
    ),
    ("add_tokens", {"tokens": 5, "reason": "purchase"}, [{"priority": 50}, {"reason": "purchase"}]),
    ("add_package", {"tokens_to_add": 5, "package_name": "Basique"}, [{"tokens_to_add": "5.0"}]),
    (
        "report_failure",
        {"module_id": "metube", "duration_ms": "1.5", "metadata": '{"n": 1}'},
        [{"duration_ms": "1.50"}, {"duration_ms": "15e-1"}, {"metadata": '{"n": 1.0}'}],
    ),
    ("create_order", {"pack_id": "basique"}, [{"amount": None}, {"module_id": None}]),
]


@pytest.mark.parametrize(
    ("function", "arguments", "other"),
    [(function, first, other) for function, first, others in SPELLINGS for other in others],
    ids=str,
)
def test_repeat_in_another_spelling_is_the_same_call(
    function: str, arguments: Row, other: Row, user: User, service: Caller
) -> None:
    ada = user(1000)
    named = arguments | ({"user_id": ada.user_id} if function == "consume_call" else {})
    caller = service if "byok" in other else ada
    if caller is service:
        named |= {"user_id": ada.user_id}
    first = caller.call(function, idempotency_key="k", **named)
    assert first["replayed"] is False
    again = caller.call(function, idempotency_key="k", **(named | other))
    assert again == first | {"replayed": True}
    back = caller.call(function, idempotency_key="l", **(named | other))
    assert caller.call(function, idempotency_key="l", **named) == back | {"replayed": True}


@pytest.mark.parametrize(
    ("function", "arguments", "other"),
    [(function, first, other) for function, first, others in GRANTS for other in others],
    ids=str,
)
def test_services_repeat_in_another_spelling_is_the_same_call(
    function: str, arguments: Row, other: Row, user: User, service: Caller
) -> None:
    named = arguments | {"user_id": user(10).user_id}
    first = service.call(function, idempotency_key="k", **named)
    again = service.call(function, idempotency_key="k", **(named | other))
    assert again == first | {"replayed": True}


def test_ends_of_a_hold_repeat_in_another_spelling(user: User) -> None:
    ada = user(1000)
    for function, first, others in (
        (
            "capture_hold",
            {"usage": '{"calls": 1}'},
            [
                {"usage": "{}"},
                {"usage": '{"calls": 1.0}'},
                {"final": True},
                {"over": "debt"},
            ],
        ),
        ("release_hold", {}, [{"reason": None}]),
    ):
        name = str(ada.call("hold_tokens", **CALLS)["hold_id"])
        told = ada.call(function, hold_id=name, idempotency_key=function, **first)
        for other in [*others, {"hold_id": name.upper()}]:
            again = ada.call(function, **({"hold_id": name, "idempotency_key": function} | first | other))
            assert again == told | {"replayed": True}


def test_refund_and_code_repeat_in_another_spelling(user: User, service: Caller, town: Any) -> None:
    ada = user(1000)
    entry = ada.call("consume_tokens", **CALLS)["entry_id"]
    first = service.call("refund_usage", entry_id=entry, tokens=5, idempotency_key="k")
    for tokens in ("5.0", "5e0", "5.000000"):
        again = service.call("refund_usage", entry_id=entry, tokens=tokens, idempotency_key="k")
        assert again == first | {"replayed": True}
    bob, code = town.user(), town.code(7)
    first = bob.call("redeem_code", code=code, idempotency_key="k")
    for spelled in (code.lower(), f"  {code} "):
        assert bob.call("redeem_code", code=spelled, idempotency_key="k") == first | {"replayed": True}


def test_batch_and_single_call_share_keys_in_any_spelling(user: User, service: Caller) -> None:
    ada = user(1000)
    item = CALLS | {"user_id": ada.user_id}
    spelled = ['{"calls": 1}', '{"calls": 1.0}', "{}"]
    query = "select verdicts from api.consume_tokens_batch(%s::jsonb)"
    for number, usage in enumerate(spelled):
        first = service.call("consume_tokens", **item, usage=usage, idempotency_key=f"single {number}")
        for other in spelled:
            text = (
                f'[{{"user_id": "{ada.user_id}", "module_id": "metube", "usage": {other},'
                f' "idempotency_key": "single {number}"}}]'
            )
            (verdict,) = service.row(query, (text,))["verdicts"]
            assert (verdict["ok"], verdict["replayed"], verdict["entry_id"]) == (
                True,
                True,
                first["entry_id"],
            )
    text = ", ".join(
        f'{{"user_id": "{ada.user_id}", "module_id": "metube", "usage": {usage}, "idempotency_key": "both",'
        ' "metadata": {"n": 1.0}}'
        for usage in spelled
    )
    verdicts = service.row(query, (f"[{text}]",))["verdicts"]
    assert [verdict["replayed"] for verdict in verdicts] == [False, True, True]
    again = service.call("consume_tokens", **item, metadata='{"n": 1}', idempotency_key="both")
    assert again["replayed"] is True


@pytest.mark.parametrize(
    "other",
    [
        {"usage": '{"calls": 2}'},
        {"usage": '{"calls": 10}'},
        {"metadata": '{"a": "1.0"}'},
        {"metadata": '{"a": 10}'},
        {"metadata": '{"a": 1.01}'},
        {"metadata": '{"a": 1, "b": null}'},
        {"module_id": "whisper"},
    ],
    ids=str,
)
def test_key_with_another_call_is_refused(other: Row, user: User) -> None:
    ada = user(1000)
    named = CALLS | {"metadata": '{"a": 1.0}'}
    ada.call("consume_tokens", idempotency_key="k", **named)
    with refused("key_reused"):
        ada.call("consume_tokens", idempotency_key="k", **(named | other))


def test_deeply_nested_metadata_can_be_repeated(user: User, service: Caller) -> None:
    named = CALLS | {"user_id": user(100).user_id}
    first = service.call("consume_tokens", metadata=f'{{"a": {NESTED}}}', idempotency_key="k", **named)
    other = NESTED.replace("1.0", "1.00")
    again = service.call("consume_tokens", metadata=f'{{"a": {other}}}', idempotency_key="k", **named)
    assert again == first | {"replayed": True}


def test_older_keys_still_count(user: User, admin: Connection) -> None:
    """The old fingerprint is of the arguments as they were spelled."""
    ada = user(100)
    metadata = '{"a": 1.50}'
    first = ada.call("consume_tokens", metadata=metadata, idempotency_key="old", **CALLS)
    changed = admin.execute(
        "update credits.idempotency_keys as k set fingerprint = sha256(convert_to(jsonb_build_array("
        " 'metube', '{}'::jsonb, %s::jsonb, false, null)::text, 'UTF8'))"
        " from credits.identities as i where i.account_id = k.account_id and i.subject = %s"
        " and k.key = 'old'",
        (metadata, ada.user_id),
    )
    assert changed.rowcount == 1
    again = ada.call("consume_tokens", metadata=metadata, idempotency_key="old", **CALLS)
    assert again == first | {"replayed": True}


def test_key_is_made_once_in_every_spelling_of_its_end(service: Caller) -> None:
    named = {"name": "till", "role": "spender", "idempotency_key": "a key, spelled"}
    first = service.call("create_api_key", expires_at="2099-06-01T12:00:00Z", **named)
    again = service.call("create_api_key", expires_at="2099-06-01 14:00:00.000+02", **named)
    assert again == first | {"api_key": None, "replayed": True}


def test_every_function_with_a_key_is_tested(admin: Connection) -> None:
    found = admin.execute(
        "select distinct p.proname from pg_proc as p"
        " where p.pronamespace = 'api'::regnamespace and 'idempotency_key' = any (p.proargnames)"
    ).fetchall()
    spelled = {function for function, _, _ in SPELLINGS + GRANTS}
    spelled |= {"capture_hold", "release_hold", "refund_usage", "redeem_code"}
    spelled |= {"void_lot", "restore_lot", "change_expiry", "request_refund", "create_api_key"}
    assert {name for (name,) in found} == spelled
