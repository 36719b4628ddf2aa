"""A free use is a row for ever, so users may write one only where a whole unit costs nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from callers import Caller, Connection, Row, refused
from holding import Bank

User = Callable[..., Caller]


@pytest.mark.parametrize("function", ["consume_tokens", "hold_tokens"])
@pytest.mark.parametrize("usage", ['{"calls": 0}', '{"calls": 0.0}', '{"calls": -0}', '{"calls": 0e5}'])
@pytest.mark.parametrize("module_id", ["metube", "unlisted"])
def test_users_charge_of_zero_tokens_is_refused(
    function: str, usage: str, module_id: str, user: User
) -> None:
    ada = user(100)
    with refused("bad_usage"):
        ada.call(function, module_id=module_id, usage=usage)
    assert ada.row("select count(*) from api.entries")["count"] == 1
    assert ada.rows("select * from api.holds") == []


def test_users_capture_of_an_empty_part_is_refused(user: User) -> None:
    ada = user(100)
    for final in (True, False):
        name = ada.call("hold_tokens", module_id="metube")["hold_id"]
        with refused("bad_usage"):
            ada.call("capture_hold", hold_id=name, usage='{"calls": 0}', final=final)
        assert ada.call("release_hold", hold_id=name)["released"] == 10
    assert ada.row("select count(*) from api.entries")["count"] == 1


def test_users_capture_of_an_empty_rest_is_refused(user: User) -> None:
    """When all of a hold is captured, another part would be a useless row. A last part ends the hold."""
    ada = user(100)
    name = ada.call("hold_tokens", module_id="metube")["hold_id"]
    assert ada.call("capture_hold", hold_id=name, final=False)["paid"] == 10
    with refused("bad_usage"):
        ada.call("capture_hold", hold_id=name, final=False)
    last = ada.call("capture_hold", hold_id=name, final=True)
    assert (last["state"], last["cost"]) == ("captured", 0)
    for final in (False, True):
        with refused("hold_closed"):
            ada.call("capture_hold", hold_id=name, final=final)
    assert ada.row("select count(*) from api.entries")["count"] == 3


def test_service_may_charge_nothing(user: User, service: Caller) -> None:
    named = {"user_id": user(100).user_id, "module_id": "metube", "usage": '{"calls": 0}'}
    assert service.call("consume_tokens", **named)["cost"] == 0
    assert service.call("hold_tokens", **named)["held"] == 0
    name = service.call("hold_tokens", **named | {"usage": '{"calls": 2}'})["hold_id"]
    captured = service.call("capture_hold", hold_id=name, usage='{"calls": 0}')
    assert (captured["cost"], captured["released"]) == (0, 20)


FREE = [
    [{"dimension": "seconds", "price_per_unit": 0}],
    [{"dimension": "seconds", "price_per_unit": 0}, {"dimension": "pages", "price_per_unit": 0}],
    [{"dimension": "seconds", "price_per_unit": 2, "free_quantity": 10}],
]
NOT_FREE = [
    [{"dimension": "seconds", "price_per_unit": 2}],
    [{"dimension": "seconds", "price_per_unit": 0, "minimum_charge": 1}],
    [{"dimension": "seconds", "unit_size": 60, "whole_units": True, "price_per_unit": 1}],
    [{"dimension": "seconds", "price_per_unit": 2, "free_quantity": 0.5}],
    [{"dimension": "seconds", "price_per_unit": 0}, {"dimension": "pages", "price_per_unit": 1}],
    [{"dimension": "seconds", "price_per_unit": 3, "tiers": [{"above": 10, "price_per_unit": 0}]}],
    [{"dimension": "seconds", "price_per_unit": 0.000001, "unit_size": 1000000}],
]


@pytest.mark.parametrize(
    ("components", "free"), [(c, True) for c in FREE] + [(c, False) for c in NOT_FREE], ids=str
)
def test_use_may_be_free_only_where_a_whole_unit_is(components: list[Row], free: bool, bank: Bank) -> None:
    bank.rows("select credits.define_module('tried', 'Tried')")
    bank.rows(
        "select credits.define_price(%s::jsonb, p_module_id => 'tried')",
        (str(components).replace("'", '"').replace("True", "true"),),
    )
    bank.call("add_tokens", user_id="ada", tokens=100)
    usage = "{" + ", ".join(f'"{component["dimension"]}": 0' for component in components) + "}"
    ada = bank.user("ada")
    for function in ("consume_tokens", "hold_tokens"):
        if free:
            ada.call(function, module_id="tried", usage=usage)
        else:
            with refused("bad_usage"):
                ada.call(function, module_id="tried", usage=usage)


@pytest.mark.parametrize("usage", ['{"calls": 0.5}', '{"calls": 1.000001}', '{"calls": 1e-30}'])
@pytest.mark.parametrize("module_id", ["metube", "unlisted"])
def test_fractions_of_a_call_are_refused(usage: str, module_id: str, user: User, service: Caller) -> None:
    ada = user(100)
    for caller, named in ((ada, {}), (service, {"user_id": ada.user_id})):
        for function in ("consume_tokens", "hold_tokens", "quote_tokens"):
            with refused("bad_usage") as facts:
                caller.call(function, module_id=module_id, usage=usage, **named)
            assert facts["dimensions"] == ["calls"]
    name = ada.call("hold_tokens", module_id=module_id, usage='{"calls": 3}')["hold_id"]
    with refused("bad_usage"):
        ada.call("capture_hold", hold_id=name, usage=usage)
    assert ada.call("capture_hold", hold_id=name, usage='{"calls": 2.0}')["paid"] in (20, 60)


def test_shipped_price_lists_refuse_fractions_of_a_call(db: Connection, url: str) -> None:
    from pgcredits.bank.catalogs import apply_catalog
    from pgcredits.bank.migrate import SQL

    for file in sorted((SQL / "catalogs").glob("*.sql")):
        apply_catalog(url, file.stem, add=True)
    rows = db.execute("select dimension, whole_quantity from credits.price_components").fetchall()
    assert {whole for dimension, whole in rows if dimension == "calls"} == {True}


@pytest.mark.parametrize("size", [1000, 1100, 16_000])
def test_users_metadata_must_be_small(size: int, user: User, service: Caller) -> None:
    ada = user(100)
    metadata = {"a": "x" * size}
    for function in ("consume_tokens", "hold_tokens"):
        if size > 1000:
            with refused("bad_metadata"):
                ada.call(function, module_id="metube", metadata=metadata)
        else:
            ada.call(function, module_id="metube", metadata=metadata)
        service.call(function, module_id="metube", metadata=metadata, user_id=ada.user_id)


def test_compressed_metadata_are_measured_uncompressed(bank: Bank) -> None:
    bank.connection.execute(
        "create temp table kept as select jsonb_build_object('a', repeat('x', 100000)) as m"
    )
    bank.call("add_tokens", user_id="ada", tokens=100)
    with refused("bad_metadata"):
        bank.rows("select api.consume_tokens('metube', user_id => 'ada', metadata => m) from kept")


def test_every_function_for_users_that_takes_metadata_keeps_them_small(admin: Connection) -> None:
    found = admin.execute(
        "select p.proname, p.prosrc from pg_proc as p"
        " where p.pronamespace = 'api'::regnamespace and 'metadata' = any (p.proargnames)"
        " and has_function_privilege('authenticated', p.oid, 'execute')"
    ).fetchall()
    assert {name for name, _ in found} == {"consume_tokens", "hold_tokens"}
