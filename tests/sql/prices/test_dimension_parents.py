"""A dimension may be a part of another one. A price without a rate for it charges the rate of its parent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

import pricing
import psycopg
import pytest
from callers import BOOKS, Caller, Connection, refused, steady
from hypothesis import given
from hypothesis import strategies as st
from pricing import Component
from reliability.exact_json import exact_json

MILLION = 10**6
INPUT: Component = {"dimension": "input_tokens", "unit_size": MILLION, "price_per_unit": 300}
OUTPUT: Component = {"dimension": "output_tokens", "unit_size": MILLION, "price_per_unit": 1500}
CACHED: Component = {"dimension": "cached_input_tokens", "unit_size": MILLION, "price_per_unit": 30}
USED = {"input_tokens": 600_000, "cached_input_tokens": 400_000, "output_tokens": 0}


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
        shop.call("add_tokens", user_id="reader", tokens=10**6)
        yield shop
    finally:
        till.rollback()


@pytest.fixture
def shop(till: Connection) -> Iterator[Caller]:
    with opened(till) as shop:
        yield shop


def price(shop: Caller, *components: Component, module: str = "chat", **more: Any) -> None:
    shop.rows("select credits.define_module(%s, 'Chat')", (module,))
    named = "".join(f", p_{name} => %({name})s::numeric" for name in more)
    shop.rows(
        f"select credits.define_price(%(components)s::jsonb, %(module)s{named})",
        {"components": exact_json(list(components)), "module": module} | more,
    )


def quote(shop: Caller, usage: Any) -> Any:
    return shop.call("quote_tokens", module_id="chat", usage=exact_json(usage), user_id="reader")


def spend(shop: Caller, usage: Any, module: str = "chat") -> Any:
    return shop.call("consume_tokens", module_id=module, usage=exact_json(usage), user_id="reader")


# What a parent is


@pytest.mark.parametrize(
    ("dimension", "parent", "why"),
    [
        ("audio_tokens", "imput_tokens", "no dimension 'imput_tokens' to be its parent"),
        ("audio_tokens", "audio_tokens", "its parent is another dimension"),
        ("audio_tokens", "", "no dimension '' to be its parent"),
        ("audio_tokens", "cached_input_tokens", "its parent cached_input_tokens has a parent, input_tokens"),
        ("input_tokens", "bytes", "it is a parent itself, and a parent has no parent"),
        ("input_tokens", "cached_input_tokens", "has a parent, input_tokens"),
        ("cached_input_tokens", "output_tokens", "its parent is input_tokens, and stays so"),
    ],
)
def test_a_parent_that_makes_no_sense_is_refused(shop: Caller, dimension: str, parent: str, why: str) -> None:
    before = shop.rows("select * from credits.dimensions order by dimension")
    message = re.escape(f"dimension '{dimension}': ") + ".*" + re.escape(why)
    with pytest.raises(psycopg.Error, match=message), shop.connection.transaction():
        shop.rows("select credits.define_dimension(%s, 'D', %s)", (dimension, parent))
    assert shop.rows("select * from credits.dimensions order by dimension") == before


def test_a_line_without_a_parent_keeps_the_parent(shop: Caller) -> None:
    for line in ("'cached_input_tokens', 'C'", "'cached_input_tokens', 'C', null"):
        shop.rows(f"select credits.define_dimension({line})")
        row = shop.row("select * from credits.dimensions where dimension = 'cached_input_tokens'")
        assert row == {"dimension": "cached_input_tokens", "description": "C", "parent": "input_tokens"}


def test_two_price_lists_at_once_make_no_chain(shop: Caller, admin_url: str) -> None:
    """While one makes a dimension a part, another one that would be part of it has to wait."""
    shop.rows("select credits.define_dimension('bytes', 'B', 'pages')")
    with psycopg.connect(admin_url) as other:
        other.execute("set local lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("select credits.define_dimension('pages', 'P', 'images')")
        other.rollback()


# What it costs


def test_a_part_without_a_rate_costs_its_parents_rate(shop: Caller) -> None:
    price(shop, INPUT, OUTPUT)
    assert spend(shop, USED)["cost"] == 300
    price(shop, INPUT, OUTPUT, CACHED, module="talk")
    assert spend(shop, USED, "talk")["cost"] == 192
    entries = shop.rows("select usage from credits.entries where module_id in ('chat', 'talk')")
    assert [entry["usage"] for entry in entries] == [USED, USED]


def test_a_price_of_one_dimension_charges_its_parts(shop: Caller) -> None:
    price(shop, INPUT)
    listed = shop.row("select dimension from credits.price_list where module_id = 'chat'")
    assert listed == {"dimension": "input_tokens"}
    assert spend(shop, {"input_tokens": 1, "cached_input_tokens": 1, "cache_write_tokens": 1})["cost"] == (
        Decimal("0.0009")
    )


def test_a_part_that_was_left_out_is_among_its_parent(shop: Caller) -> None:
    price(shop, INPUT, OUTPUT, CACHED)
    assert spend(shop, {"input_tokens": MILLION, "output_tokens": 0})["cost"] == 300


@pytest.mark.parametrize(
    "usage",
    [
        {"cached_input_tokens": 5, "output_tokens": 5},
        {"input_tokens": 5},
        {"input_tokens": 5, "cached_input_tokens": 5},
        {"input_tokens": 5, "output_tokens": 5, "images": 1},
        {"input_tokens": 5, "output_tokens": 5, "cached_input_token": 1},
        {"input_tokens": 5, "output_tokens": 5, "cache_write_tokens": -1},
        {"input_tokens": 5, "output_tokens": 5, "cache_write_tokens": "1"},
        {"input_tokens": 5, "output_tokens": 5, "cache_write_tokens": None},
        {"input_tokens": 5, "output_tokens": 5, "cache_write_tokens": [1]},
        {"input_tokens": 10**15, "output_tokens": 5, "cache_write_tokens": 1},
        {"input_tokens": None, "output_tokens": 5, "cache_write_tokens": 1},
        {},
        [],
    ],
    ids=str,
)
@pytest.mark.parametrize("components", [(INPUT, OUTPUT), (INPUT, OUTPUT, CACHED)], ids=["two", "three"])
def test_nothing_is_free_because_it_was_left_out_or_misspelled(
    shop: Caller, components: tuple[Component, ...], usage: Any
) -> None:
    price(shop, *components)
    with refused("bad_usage") as facts, shop.connection.transaction():
        spend(shop, usage)
    assert sorted(facts["dimensions"]) == sorted(component["dimension"] for component in components)
    with refused("bad_usage"):
        quote(shop, usage)


def test_a_part_needs_a_rate_or_a_parent_with_one(shop: Caller) -> None:
    """A price of cached tokens alone has no rate for those that are not cached."""
    price(shop, OUTPUT, CACHED)
    with refused("bad_usage"), shop.connection.transaction():
        spend(shop, {"output_tokens": 1, "cache_write_tokens": 1, "cached_input_tokens": 1})
    with refused("bad_usage"), shop.connection.transaction():
        spend(shop, {"output_tokens": 1})
    assert spend(shop, {"output_tokens": 0, "cached_input_tokens": MILLION})["cost"] == 30


def test_refusal_says_what_may_be_named_or_left_out(shop: Caller) -> None:
    price(shop, INPUT, OUTPUT, CACHED)
    with pytest.raises(psycopg.Error) as refusal:
        spend(shop, {"calls": 1})
    assert refusal.value.diag.message_primary == (
        "usage names exactly input_tokens, output_tokens, each a number from 0 to 10^15, and costs at most"
        " 10^12; it may name or leave out cache_write_tokens, cached_input_tokens, reasoning_tokens"
    )


def test_quote_says_what_the_quantity_includes(shop: Caller) -> None:
    price(shop, INPUT | {"free_quantity": 100_000}, OUTPUT)
    told = quote(shop, USED)
    (part, _) = told["parts"]
    assert (part["dimension"], part["quantity"], part["includes"]) == (
        "input_tokens",
        MILLION,
        {"cached_input_tokens": 400_000},
    )
    assert (part["units"], told["cost"], told["affordable"]) == (Decimal("0.9"), 270, 10**6 // 270)


@pytest.mark.slow
@steady(40)
@given(
    component=pricing.components,
    own_rate=st.none() | pricing.components,
    whole=st.booleans(),
    parts=st.lists(
        st.fixed_dictionaries(
            {"input_tokens": st.integers(0, 3000).map(Decimal) | pricing.numbers("5000", 3)},
            optional={
                name: st.integers(0, 3000).map(Decimal) | pricing.numbers("5000", 3)
                for name in ("cached_input_tokens", "cache_write_tokens")
            },
        ),
        min_size=1,
        max_size=3,
    ),
    margin=st.sampled_from([Decimal(1), Decimal("1.05")]),
    exchange_rate=st.sampled_from([Decimal(1), Decimal("1.08")]),
)
def test_parts_are_charged_as_if_added_to_their_parent(
    till: Connection,
    component: Component,
    own_rate: Component | None,
    whole: bool,
    parts: list[dict[str, Decimal]],
    margin: Decimal,
    exchange_rate: Decimal,
) -> None:
    """Free quantity, tiers, minimum and whole units count for the sum, and for the sum of a hold's parts."""
    used: dict[str, Decimal] = {}
    for part in parts:
        for name, quantity in part.items():
            used[name] = used.get(name, Decimal(0)) + quantity
    apart = used.get("cached_input_tokens", Decimal(0)) if own_rate is not None else Decimal(0)
    rest = sum(used.values()) - apart
    exact = pricing.charge(component, rest)
    if own_rate is not None:
        exact += pricing.charge(own_rate, apart)
    expected = Fraction(ceil(exact * Fraction(margin) / Fraction(exchange_rate) * 10**6), 10**6)
    lines = [component | {"dimension": "input_tokens", "whole_quantity": whole}]
    if own_rate is not None:
        lines.append(own_rate | {"dimension": "cached_input_tokens"})

    with opened(till) as shop:
        price(shop, *lines, margin=margin, exchange_rate=exchange_rate)
        if expected > 10**12 or (whole and rest % 1):
            with refused("bad_usage"):
                quote(shop, used)
            return
        assert Fraction(quote(shop, used)["cost"]) == expected
        if whole and any(sum(part.values()) % 1 for part in parts):
            return
        shop.call("add_tokens", user_id="reader", tokens=10**11)
        held = shop.call(
            "hold_tokens", module_id="chat", usage=exact_json({"input_tokens": 1000}), user_id="reader"
        )
        costs = [
            shop.call(
                "capture_hold", hold_id=held["hold_id"], usage=exact_json(part), final=number == len(parts)
            )["cost"]
            for number, part in enumerate(parts, 1)
        ]
        assert Fraction(sum(costs)) == expected
        assert min(costs) >= 0
        assert shop.rows(BOOKS) == []
