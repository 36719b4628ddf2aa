"""What a use costs: which price counts, and that the arithmetic is exact to the millionth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from people import STEADY, Caller, Connection, refused

from pgcredits.migrate import SQL

Component = dict[str, Any]
DIMENSIONS = ("input_tokens", "output_tokens", "seconds", "pages", "images", "bytes")


@pytest.fixture(scope="module")
def till(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url) as connection:
        yield connection


@contextmanager
def opened(till: Connection) -> Iterator[Caller]:
    """The superuser, who may set prices and act as a service, in a transaction that is rolled back."""
    try:
        till.execute("begin")
        shop = Caller(till, "none")
        shop.call("add_tokens", user_id="shopper", tokens=1000)
        yield shop
    finally:
        till.rollback()


@pytest.fixture
def shop(till: Connection) -> Iterator[Caller]:
    with opened(till) as shop:
        yield shop


# Which price


def test_price_is_the_modules_else_the_categorys_else_the_default(shop: Caller) -> None:
    _define(shop, "m", "cat")
    assert _cost(shop, "m") == 30
    _price(shop, [{"dimension": "calls", "price_per_unit": 7}], category="cat")
    assert _cost(shop, "m") == 7
    _price(shop, [{"dimension": "calls", "price_per_unit": 2}], module="m")
    assert _cost(shop, "m") == 2
    _define(shop, "n", "cat")
    assert _cost(shop, "n") == 7


def test_module_that_is_not_listed_has_the_default_price(shop: Caller) -> None:
    assert _cost(shop, "never heard of") == 30


def test_without_any_price_the_module_is_unknown(shop: Caller) -> None:
    _drop_default_price(shop)
    with refused("unknown_module"), shop.connection.transaction():
        _cost(shop, "never heard of")
    assert _cost(shop, "whisper") == 25
    with refused("unknown_module"):
        shop.call("consume_tokens", module_id="never heard of", user_id="shopper")


def test_withdrawn_module_is_unknown_whatever_the_default(shop: Caller) -> None:
    shop.rows("select credits.define_module('whisper', 'Whisper', 'audio', p_active => false)")
    for function in ("quote_tokens", "consume_tokens"):
        with refused("unknown_module"), shop.connection.transaction():
            shop.call(function, module_id="whisper", user_id="shopper")
    assert shop.rows("select 1 from api.modules where module_id = 'whisper'") == []


def test_a_new_version_counts_from_its_moment_on(shop: Caller) -> None:
    first = shop.call("consume_tokens", module_id="whisper", user_id="shopper")
    price_id = _price(shop, [{"dimension": "calls", "price_per_unit": "31.5"}], module="whisper")
    second = shop.call("consume_tokens", module_id="whisper", user_id="shopper")
    assert (first["cost"], second["cost"]) == (25, Decimal("31.5"))
    used = shop.rows("select cost, price_id from api.usage where user_id = 'shopper' order by used_at")
    assert [row["cost"] for row in used] == [25, Decimal("31.5")]
    assert (used[0]["price_id"] != price_id, used[1]["price_id"]) == (True, price_id)


def test_a_version_counts_from_its_beginning(shop: Caller) -> None:
    for begins, cost in ((timedelta(hours=1), 25), (timedelta(hours=-2), 99), (timedelta(hours=-3), 99)):
        shop.rows(
            "with version as (insert into credits.prices (module_id, valid_from)"
            " values ('whisper', clock_timestamp() + %s) returning price_id)"
            " insert into credits.price_components (price_id, dimension, price_per_unit)"
            " select price_id, 'calls', %s from version returning price_id",
            (begins, 99 if begins > timedelta(hours=-3) else 1),
        )
        assert _cost(shop, "whisper") == cost


def test_usage_of_several_dimensions_needs_each_of_them(shop: Caller) -> None:
    _define(shop, "chat", "cat")
    _price(
        shop,
        [
            {"dimension": "input_tokens", "unit_size": 1000, "price_per_unit": 3},
            {"dimension": "output_tokens", "unit_size": 1000, "price_per_unit": 15},
        ],
        module="chat",
    )
    assert _cost(shop, "chat", {"input_tokens": 500, "output_tokens": 2000}) == Decimal("31.5")
    assert _cost(shop, "chat", {"input_tokens": 0, "output_tokens": 0}) == 0
    for usage in (
        {},
        {"calls": 1},
        {"input_tokens": 500},
        {"input_tokens": 1, "output_tokens": 1, "calls": 1},
    ):
        with refused("bad_usage") as facts, shop.connection.transaction():
            _cost(shop, "chat", usage)
        assert sorted(facts["dimensions"]) == ["input_tokens", "output_tokens"]


def test_free_use_is_recorded_and_costs_nothing(shop: Caller) -> None:
    _define(shop, "gratis", "cat")
    _price(shop, [{"dimension": "calls", "price_per_unit": 0}], module="gratis")
    receipt = shop.call("consume_tokens", module_id="gratis", user_id="shopper")
    assert (receipt["cost"], receipt["draws"], receipt["balance"]) == (0, [], 1000)


# How much


def test_appforge_charges_3_0625_cents(shop: Caller) -> None:
    """(500 × 300 + 2000 × 1500) / 10^6 US cents, 5 % margin, 1.08 dollars per euro: 3.0625 exactly."""
    shop.connection.execute((SQL / "catalogs" / "appforge.sql").read_text())
    usage = {"input_tokens": 500, "output_tokens": 2000}
    receipt = shop.call("consume_tokens", module_id="claude-sonnet-4", usage=usage, user_id="shopper")
    assert (receipt["cost"], receipt["balance"]) == (Decimal("3.0625"), Decimal("996.9375"))
    row = shop.row("select tokens, balance_after from credits.entries where module_id = 'claude-sonnet-4'")
    assert row == {"tokens": Decimal("-3.0625"), "balance_after": Decimal("996.9375")}


def test_one_rounding_up_at_the_sixth_decimal(shop: Caller) -> None:
    _define(shop, "thirds", "cat")
    components = [
        {"dimension": name, "unit_size": 1, "price_per_unit": "0.0000001"} for name in ("seconds", "pages")
    ]
    _price(shop, components, module="thirds", exchange_rate=3)
    assert _cost(shop, "thirds", {"seconds": 1, "pages": 1}) == Decimal("0.000001")
    assert _cost(shop, "thirds", {"seconds": 15, "pages": 15}) == Decimal("0.000001")
    assert _cost(shop, "thirds", {"seconds": 15, "pages": 16}) == Decimal("0.000002")


def test_no_digit_is_lost_before_the_rounding(shop: Caller) -> None:
    """A trillion and a millionth, per billion: exactly 1000.001000000000000001000001."""
    _define(shop, "giga", "cat")
    _price(shop, [{"dimension": "calls", "unit_size": 10**9, "price_per_unit": "1.000001"}], module="giga")
    assert _cost(shop, "giga", {"calls": Decimal("1000000000000.000001")}) == Decimal("1000.001001")


def _numbers(most: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals("0", most, places=places)


_components = st.fixed_dictionaries(
    {
        "unit_size": st.sampled_from([Decimal(10) ** power for power in range(-3, 10)]),
        "price_per_unit": _numbers("9999", 6),
        "free_quantity": st.one_of(st.just(Decimal(0)), _numbers("5000", 3)),
        "whole_units": st.booleans(),
        "minimum_charge": st.one_of(st.just(Decimal(0)), _numbers("20", 4)),
    }
)
_quantities = st.one_of(
    st.integers(0, 10_000).map(Decimal), _numbers("100000", 3), _numbers("1000000000000", 6)
)


@STEADY
@given(
    components=st.lists(st.tuples(_components, _quantities), min_size=1, max_size=3),
    margin=st.sampled_from([Decimal(text) for text in ("0", "1", "1.05", "1.2", "2.345678")]),
    exchange_rate=st.sampled_from([Decimal(text) for text in ("1", "1.08", "0.93", "3", "7.7")]),
)
def test_price_is_what_fractions_make_of_it(
    till: Connection,
    components: list[tuple[Component, Decimal]],
    margin: Decimal,
    exchange_rate: Decimal,
) -> None:
    total = sum((_charge(component, quantity) for component, quantity in components), Fraction(0))
    exact = total * Fraction(margin) / Fraction(exchange_rate)
    expected = Fraction(ceil(exact * 10**6), 10**6)

    with opened(till) as shop:
        _define(shop, "property", "cat")
        price = [{"dimension": DIMENSIONS[i]} | component for i, (component, _) in enumerate(components)]
        _price(shop, price, "property", margin=margin, exchange_rate=exchange_rate)
        usage = {DIMENSIONS[i]: quantity for i, (_, quantity) in enumerate(components)}
        if expected > 10**12:
            with refused("bad_usage"):
                _cost(shop, "property", usage)
        else:
            assert Fraction(_cost(shop, "property", usage)) == expected


@STEADY
@given(
    component=_components,
    tokens=_numbers("100000", 6),
    margin=st.sampled_from([Decimal(text) for text in ("1", "1.05", "2.5")]),
    exchange_rate=st.sampled_from([Decimal(text) for text in ("1", "1.08", "3")]),
)
def test_affordable_quantity_can_be_paid_and_one_more_cannot(
    till: Connection, component: Component, tokens: Decimal, margin: Decimal, exchange_rate: Decimal
) -> None:
    with opened(till) as shop:
        _define(shop, "property", "cat")
        price_id = _price(
            shop, [{"dimension": "calls"} | component], "property", margin=margin, exchange_rate=exchange_rate
        )
        quantity = shop.row("select credits.affordable(%s, 1, %s::numeric)", (price_id, tokens))["affordable"]
        if quantity is None:
            assert component["price_per_unit"] == 0
        elif quantity < 10**12:
            assert quantity == floor(quantity)
            assert _cost(shop, "property", {"calls": quantity}) <= tokens
            assert _cost(shop, "property", {"calls": quantity + 1}) > tokens


def _charge(component: Component, quantity: Decimal) -> Fraction:
    """The reference: what a component takes, before margin and exchange rate."""
    billed = Fraction(quantity) - Fraction(component["free_quantity"])
    if billed <= 0:
        return Fraction(0)
    units = billed / Fraction(component["unit_size"])
    if component["whole_units"]:
        units = Fraction(ceil(units))
    return max(units * Fraction(component["price_per_unit"]), Fraction(component["minimum_charge"]))


def _define(shop: Caller, module_id: str, category_id: str) -> None:
    shop.rows("select credits.define_category(%s, 'Category')", (category_id,))
    shop.rows("select credits.define_module(%s, 'Module', %s)", (module_id, category_id))


def _json(value: Any) -> str:
    """JSON with decimals as numbers, digit for digit."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(value)


def _price(
    shop: Caller,
    components: list[Component],
    module: str | None = None,
    category: str | None = None,
    margin: Decimal | int = 1,
    exchange_rate: Decimal | int = 1,
) -> int:
    row = shop.row(
        "select credits.define_price(%s::jsonb, %s, %s, %s::numeric, %s::numeric) as price_id",
        (_json(components), module, category, margin, exchange_rate),
    )
    return int(row["price_id"])


def _cost(shop: Caller, module_id: str, usage: dict[str, Any] | None = None) -> Decimal:
    quote = shop.call("quote_tokens", module_id=module_id, usage=_json(usage or {}), user_id="shopper")
    return Decimal(quote["cost"])


def _drop_default_price(shop: Caller) -> None:
    connection = shop.connection
    connection.execute("alter table credits.prices disable trigger all")
    connection.execute(
        "update credits.prices set valid_from = 'infinity' where module_id is null and category_id is null"
    )
    connection.execute("alter table credits.prices enable trigger all")
