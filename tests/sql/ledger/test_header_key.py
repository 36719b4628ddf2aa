"""The header Idempotency-Key of a call through a real PostgREST, which passes it on as a setting."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from callers import Caller, Connection, Row, refused

HEADERS = {"accept": "*/*", "authorization": "Bearer x"}


def behind_postgrest(
    caller: Caller, function: str, key: str | None, path: str | None = None, **arguments: Any
) -> Row:
    """A call with the settings that PostgREST makes. `path` is that of the request."""
    headers = HEADERS if key is None else HEADERS | {"idempotency-key": key}
    with caller.connection.transaction():
        caller.connection.execute(
            "select set_config('request.headers', %s, true), set_config('request.path', %s, true)",
            (json.dumps(headers), path or f"/rpc/{function}"),
        )
        return caller.call(function, **arguments)


def charges(caller: Caller) -> int:
    return len(caller.rows("select from api.entries where kind = 'spend'"))


@pytest.mark.parametrize("function", ["consume_tokens", "hold_tokens"])
def test_a_header_makes_a_use_count_once(user: Callable[..., Caller], function: str) -> None:
    ada = user(1000)
    first = behind_postgrest(ada, function, "k", module_id="stablediffusion")
    again = behind_postgrest(ada, function, "k", module_id="stablediffusion")
    assert again == first | {"replayed": True}
    assert ada.call(function, module_id="stablediffusion", idempotency_key="k") == again
    other = behind_postgrest(ada, function, "l", module_id="stablediffusion")
    none = behind_postgrest(ada, function, None, module_id="stablediffusion")
    assert [other["replayed"], none["replayed"]] == [False, False]
    with refused("key_reused"):
        behind_postgrest(ada, function, "k", module_id="whisper")


def test_a_header_counts_for_holds_grants_refunds_and_orders(
    user: Callable[..., Caller], service: Caller
) -> None:
    ada = user(1000)
    spent = ada.call("consume_tokens", module_id="stablediffusion")
    held = [ada.call("hold_tokens", module_id="stablediffusion")["hold_id"] for _ in range(2)]
    lot = service.call("add_tokens", user_id=ada.user_id, tokens=7)
    calls: list[tuple[Caller, str, dict[str, Any]]] = [
        (ada, "capture_hold", {"hold_id": held[0]}),
        (ada, "release_hold", {"hold_id": held[1]}),
        (ada, "create_order", {"pack_id": "standard"}),
        (service, "add_tokens", {"user_id": ada.user_id, "tokens": 5}),
        (service, "add_package", {"user_id": ada.user_id, "tokens_to_add": 5, "package_name": "x"}),
        (service, "refund_usage", {"entry_id": spent["entry_id"], "tokens": 1}),
        (service, "void_lot", {"lot_id": lot["entry_id"], "reason": "r", "tokens": 1}),
    ]
    for caller, function, arguments in calls:
        key = f"the key of {function}"
        first, again = (behind_postgrest(caller, function, key, **arguments) for _ in range(2))
        if "replayed" in first:
            assert again == first | {"replayed": True}, function
        else:
            assert (function, again["order_id"]) == ("create_order", first["order_id"])


def test_the_argument_counts_before_the_header(user: Callable[..., Caller]) -> None:
    ada = user(1000)
    use = {"module_id": "stablediffusion"}
    behind_postgrest(ada, "consume_tokens", "header", **use, idempotency_key="argument")
    assert behind_postgrest(ada, "consume_tokens", "other", **use, idempotency_key="argument")["replayed"]
    assert not behind_postgrest(ada, "consume_tokens", "header", **use)["replayed"]
    assert charges(ada) == 2


def test_a_header_is_the_key_of_the_called_function_alone(
    user: Callable[..., Caller], service: Caller
) -> None:
    """The items of a batch have keys of their own, or none."""
    ada = user(1000)
    item = {"user_id": ada.user_id, "module_id": "stablediffusion"}
    behind_postgrest(service, "consume_tokens_batch", "k", items=json.dumps([item, item]))
    assert charges(ada) == 2
    behind_postgrest(ada, "consume_tokens", "k", path="/rpc/function_of_an_operator", module_id="whisper")
    behind_postgrest(ada, "consume_tokens", "k", path="", module_id="whisper")
    assert charges(ada) == 4


def test_the_signature_of_iahome_takes_the_header(user: Callable[..., Caller]) -> None:
    ada = user(1000)
    named = {"user_id": ada.user_id, "module_id": "stablediffusion"}
    named |= {"module_name": "Stable Diffusion", "tokens_to_consume": "50"}
    first, again = (behind_postgrest(ada, "consume_tokens", "k", **named) for _ in range(2))
    assert (first["replayed"], again["replayed"], charges(ada)) == (False, True, 1)


@pytest.mark.parametrize("key", ["", "k" * 201, "a\u200bb", " "])
def test_a_header_that_is_not_a_key_is_refused(user: Callable[..., Caller], key: str) -> None:
    ada = user(1000)
    for function in ("consume_tokens", "hold_tokens"):
        with refused("bad_key"):
            behind_postgrest(ada, function, key, module_id="whisper")
    assert charges(ada) == 0


def test_sessions_of_other_logins_have_no_header(admin: Connection, user: Callable[..., Caller]) -> None:
    """Anybody with SQL can set request.headers."""
    ada = user(1000)
    bank = Caller(admin, "service_role")
    for _ in range(2):
        use = {"user_id": ada.user_id, "module_id": "stablediffusion"}
        assert not behind_postgrest(bank, "consume_tokens", "k", **use)["replayed"]


def test_every_function_with_a_key_takes_the_header(admin: Connection) -> None:
    functions = admin.execute(
        "select p.proname, p.prosrc from pg_proc as p"
        " where p.pronamespace = 'api'::regnamespace and 'idempotency_key' = any(p.proargnames)"
    ).fetchall()
    assert len(functions) >= 16
    for name, source in functions:
        assert f"credits.header_key('{name}')" in source, name
