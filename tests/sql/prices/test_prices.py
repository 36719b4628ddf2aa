"""The cost of a use: which price counts, and arithmetic that is exact to the millionth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

import pricing
import psycopg
import pytest
from callers import BOOKS, STEADY, Caller, Connection, refused, steady, stop_clock
from hypothesis import given
from hypothesis import strategies as st
from pricing import Component

from pgcredits.bank.migrate import SQL

MOST = Decimal(10**15)  # of a quantity
DIMENSIONS = ("input_tokens", "output_tokens", "seconds", "pages", "images", "bytes")

TIERED: Component = {
    "dimension": "images",
    "price_per_unit": 5,
    "tiers": [{"above": 100, "price_per_unit": 4}, {"above": 1000, "price_per_unit": 0}],
}


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


def test_module_price_comes_before_category_and_default(shop: Caller) -> None:
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


def test_withdrawn_module_does_not_take_the_default(shop: Caller) -> None:
    shop.rows("select credits.define_module('whisper', 'Whisper', 'audio', p_active => false)")
    for function in ("quote_tokens", "consume_tokens"):
        with refused("unknown_module"), shop.connection.transaction():
            shop.call(function, module_id="whisper", user_id="shopper")
    assert shop.rows("select 1 from api.modules where module_id = 'whisper'") == []


def test_a_new_version_counts_from_its_moment_on(shop: Caller) -> None:
    first = shop.call("consume_tokens", module_id="whisper", user_id="shopper")
    price_id = _price(shop, [{"dimension": "calls", "price_per_unit": Decimal("31.5")}], module="whisper")
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


def test_later_version_does_not_count_before_its_beginning(shop: Caller) -> None:
    """Until then the list of current prices counts; from then on the versions themselves."""
    _define(shop, "own", "cat")
    _define(shop, "category's", "cat")
    _price(shop, [{"dimension": "calls", "price_per_unit": 2090}], "own", valid_from="2090-01-01 00:00Z")
    _price(shop, [TIERED | {"dimension": "calls"}], category="cat", valid_from="2091-01-01 00:00Z")
    _price(shop, [{"dimension": "calls", "price_per_unit": 2092}], valid_from="2092-01-01 00:00Z")
    for moment, costs in {
        "2089-12-31 23:59:59.999999Z": (30, 30, 30),
        "2090-01-01 00:00Z": (2090, 30, 30),
        "2091-01-01 00:00Z": (2090, 5, 30),
        "2091-12-31 23:59:59.999999Z": (2090, 5, 30),
        "2092-01-01 00:00Z": (2090, 5, 2092),
    }.items():
        stop_clock(shop.connection, moment)
        for _ in range(2):
            assert tuple(_cost(shop, module) for module in ("own", "category's", "nobody's")) == costs, moment
            assert shop.rows("select * from audit.check_prices") == []
            shop.rows("select credits.list_prices()")


def test_maintenance_lists_the_versions_that_have_begun(shop: Caller) -> None:
    later = _price(
        shop, [{"dimension": "calls", "price_per_unit": 9}], "whisper", valid_from="2090-01-01 00:00Z"
    )
    listed = "select price_id = %s as is_later from credits.price_list where module_id = 'whisper'"
    for moment, before, after in (
        ("2089-12-31 23:59:59Z", False, False),
        ("2090-01-01 00:00Z", False, True),
    ):
        stop_clock(shop.connection, moment)
        assert shop.row(listed, (later,)) == {"is_later": before}
        shop.call("maintain")
        assert shop.row(listed, (later,)) == {"is_later": after}
        assert _cost(shop, "whisper") == (9 if after else 25)
        assert shop.rows("select * from audit.check_prices") == []


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


def test_appforge_charges_fractions_of_a_cent(shop: Caller) -> None:
    """(500 × 300 + 2000 × 1500) / 10^6 US cents, 5 % margin, 1.08 dollars per euro: 3.0625 exactly."""
    shop.connection.execute((SQL / "catalogs" / "appforge.sql").read_text())
    usage = {"input_tokens": 500, "output_tokens": 2000}
    receipt = shop.call("consume_tokens", module_id="claude-sonnet-4", usage=usage, user_id="shopper")
    assert (receipt["cost"], receipt["balance"]) == (Decimal("3.0625"), Decimal("996.9375"))
    row = shop.row("select tokens, balance_after from credits.entries where module_id = 'claude-sonnet-4'")
    assert row == {"tokens": Decimal("-3.0625"), "balance_after": Decimal("996.9375")}


def test_begun_units_of_dubbing_are_charged_whole(shop: Caller) -> None:
    """One credit for every 10 seconds begun: 34 s cost 4."""
    _define(shop, "dubbing", "audio")
    _price(
        shop, [{"dimension": "seconds", "unit_size": 10, "price_per_unit": 1, "whole_units": True}], "dubbing"
    )
    costs = {seconds: _cost(shop, "dubbing", {"seconds": seconds}) for seconds in (0, 1, 10, 30, 34, 40)}
    assert costs == {0: 0, 1: 1, 10: 1, 30: 3, 34: 4, 40: 4}
    assert _cost(shop, "dubbing", {"seconds": Decimal("30.001")}) == 4
    shop.call("consume_tokens", module_id="dubbing", usage='{"seconds": 34}', user_id="shopper")
    quote = shop.call("quote_tokens", module_id="dubbing", usage='{"seconds": 34}', user_id="shopper")
    assert (quote["balance"], quote["affordable"]) == (996, 9960)


def test_price_may_be_half_a_credit(shop: Caller) -> None:
    _define(shop, "nano-banana", "image")
    _price(shop, [{"dimension": "images", "price_per_unit": Decimal("0.5")}], "nano-banana")
    receipt = shop.call("consume_tokens", module_id="nano-banana", usage={"images": 1}, user_id="shopper")
    assert (receipt["cost"], receipt["balance"]) == (Decimal("0.5"), Decimal("999.5"))


# Tiers


def test_units_beyond_a_tier_cost_its_price(shop: Caller) -> None:
    _define(shop, "gallery", "image")
    _price(shop, [TIERED], "gallery")
    costs = {
        images: _cost(shop, "gallery", {"images": images}) for images in (0, 100, 101, 1000, 1001, 10**15)
    }
    assert costs == {0: 0, 100: 500, 101: 504, 1000: 4100, 1001: 4100, 10**15: 4100}
    assert _cost(shop, "gallery", {"images": Decimal("100.5")}) == 502
    receipt = shop.call("consume_tokens", module_id="gallery", usage={"images": 101}, user_id="shopper")
    assert receipt["cost"] == 504


def test_tiers_count_units_after_the_free_quantity_and_after_rounding_up(shop: Caller) -> None:
    _define(shop, "parcels", "image")
    component = TIERED | {"unit_size": 10, "free_quantity": 3, "whole_units": True, "minimum_charge": 20}
    _price(shop, [component], "parcels", margin=Decimal("1.5"), exchange_rate=3)
    costs = {images: _cost(shop, "parcels", {"images": images}) for images in (3, 4, 1003, 1004)}
    # 0 units; 1 unit is 5, but at least 20; 100 units are 500; one more is 504; half of that each.
    assert costs == {3: 0, 4: 10, 1003: 250, 1004: 252}


def test_tiers_may_become_dearer(shop: Caller) -> None:
    _define(shop, "surge", "image")
    _price(shop, [TIERED | {"tiers": [{"above": Decimal("0.5"), "price_per_unit": 7}]}], "surge")
    assert _cost(shop, "surge", {"images": 2}) == Decimal("13")


def test_quote_tells_how_units_fall_into_tiers(shop: Caller) -> None:
    _define(shop, "gallery", "image")
    price_id = _price(
        shop,
        [TIERED | {"unit_size": 10, "free_quantity": 3, "whole_units": True}],
        "gallery",
        margin=Decimal("1.05"),
        exchange_rate=Decimal("1.08"),
    )
    quote = shop.call("quote_tokens", module_id="gallery", usage={"images": 1204}, user_id="shopper")
    assert quote["parts"] == [
        {
            "dimension": "images",
            "quantity": 1204,
            "includes": {},
            "free_quantity": 3,
            "unit_size": 10,
            "whole_units": True,
            "units": 121,
            "price_per_unit": 5,
            "tiers": [
                {"above": 0, "units": 100, "price_per_unit": 5},
                {"above": 100, "units": 21, "price_per_unit": 4},
            ],
            "minimum_charge": 0,
            "charge": 584,
            "margin": Decimal("1.05"),
            "exchange_rate": Decimal("1.08"),
        }
    ]
    assert quote["cost"] == Decimal("567.777778")  # 584 × 1.05 ÷ 1.08
    (shown,) = shop.rows("select price from api.modules where module_id = 'gallery'")
    assert shown["price"] == {
        "price_id": price_id,
        "margin": Decimal("1.05"),
        "exchange_rate": Decimal("1.08"),
        "components": [
            {
                "dimension": "images",
                "unit_size": 10,
                "price_per_unit": 5,
                "free_quantity": 3,
                "whole_units": True,
                "whole_quantity": False,
                "minimum_charge": 0,
                "tiers": TIERED["tiers"],
            }
        ],
    }


# How much the tokens pay


@pytest.mark.parametrize(
    ("component", "margin", "affordable"),
    [
        ({"price_per_unit": 0}, 1, None),
        ({"price_per_unit": 3, "free_quantity": 10**15}, 1, None),
        ({"price_per_unit": 3, "minimum_charge": 5}, 0, None),
        ({"price_per_unit": 3}, 1, 333),
        ({"price_per_unit": Decimal("2.5")}, 1, 400),
        ({"price_per_unit": Decimal("2.500001")}, 1, 399),
        ({"price_per_unit": 3, "unit_size": 10, "whole_units": True}, 1, 3330),
        ({"price_per_unit": 3, "unit_size": Decimal("0.1"), "whole_units": True}, 1, 33),
        # Free except for the minimum, which the tokens can or cannot pay.
        ({"price_per_unit": 0, "minimum_charge": 1000}, 1, 10**15),
        ({"price_per_unit": 0, "minimum_charge": 1001, "free_quantity": Decimal("2.5")}, 1, 2),
        # Free below the tier; beyond the tier.
        ({"price_per_unit": 0, "tiers": [{"above": 7, "price_per_unit": 400}]}, 1, 9),
        ({"price_per_unit": 1, "tiers": [{"above": 1000, "price_per_unit": 0}]}, 1, 10**15),
        ({"price_per_unit": 1, "tiers": [{"above": 1001, "price_per_unit": 0}]}, 1, 1000),
        # So cheap that the largest usage is affordable.
        ({"price_per_unit": Decimal("0.000000000001")}, 1, 10**15),
    ],
    ids=str,
)
def test_affordable_is_the_greatest_whole_quantity(
    component: Component, margin: int, affordable: int | None, shop: Caller
) -> None:
    _define(shop, "m", "cat")
    _price(shop, [{"dimension": "calls"} | component], "m", margin=margin)
    assert shop.call("quote_tokens", module_id="m", user_id="shopper")["affordable"] == affordable
    if affordable is None:
        assert _cost(shop, "m", {"calls": 10**15}) == 0
        return
    if affordable < 10**15:
        with refused("insufficient_tokens") as facts, shop.connection.transaction():
            shop.call("consume_tokens", module_id="m", usage={"calls": affordable + 1}, user_id="shopper")
        assert facts["affordable"] == affordable
    receipt = shop.call("consume_tokens", module_id="m", usage={"calls": affordable}, user_id="shopper")
    assert 0 <= receipt["balance"] == 1000 - receipt["cost"]


def test_uses_too_dear_to_charge_are_not_affordable(shop: Caller) -> None:
    """A cost above 10^12 is refused, whatever the balance."""
    shop.call("add_tokens", user_id="shopper", tokens=10**12)
    shop.call("add_tokens", user_id="shopper", tokens=10**12)
    _define(shop, "m", "cat")
    _price(shop, [{"dimension": "calls", "price_per_unit": 10**11}], "m")
    quote = shop.call("quote_tokens", module_id="m", usage={"calls": 10}, user_id="shopper")
    assert (quote["available"], quote["affordable"]) == (2 * 10**12 + 1000, 10)
    with refused("bad_usage"):
        _cost(shop, "m", {"calls": 11})


def test_affordable_counts_whole_uses_of_several_dimensions(shop: Caller) -> None:
    _define(shop, "m", "cat")
    _price(
        shop,
        [
            {"dimension": "pages", "price_per_unit": Decimal("0.999999")},
            {"dimension": "images", "price_per_unit": 1000, "free_quantity": 1},
        ],
        "m",
    )
    for usage, affordable in (
        ({"pages": 1, "images": 1}, 1000),
        ({"pages": 500, "images": 1}, 2),
        ({"pages": 1, "images": 2}, 0),
        ({"pages": 0, "images": 1}, None),
    ):
        quote = shop.call("quote_tokens", module_id="m", usage=usage, user_id="shopper")
        assert quote["affordable"] == affordable


def test_one_rounding_up_at_the_sixth_decimal(shop: Caller) -> None:
    _define(shop, "thirds", "cat")
    components = [
        {"dimension": name, "unit_size": 1, "price_per_unit": Decimal("0.0000001")}
        for name in ("seconds", "pages")
    ]
    _price(shop, components, module="thirds", exchange_rate=3)
    assert _cost(shop, "thirds", {"seconds": 1, "pages": 1}) == Decimal("0.000001")
    assert _cost(shop, "thirds", {"seconds": 15, "pages": 15}) == Decimal("0.000001")
    assert _cost(shop, "thirds", {"seconds": 15, "pages": 16}) == Decimal("0.000002")


def test_whole_quantity_at_a_fine_price_is_rounded_up_once(shop: Caller) -> None:
    _define(shop, "fine", "cat")
    price = {
        "dimension": "calls",
        "whole_quantity": True,
        "unit_size": 1,
        "price_per_unit": Decimal("0.0000015"),
    }
    _price(shop, [price], module="fine")
    assert [_cost(shop, "fine", {"calls": n}) for n in (1, 2, 3)] == [
        Decimal("0.000002"),
        Decimal("0.000003"),
        Decimal("0.000005"),
    ]


def test_no_digit_is_lost_before_the_rounding(shop: Caller) -> None:
    """A trillion and a millionth, per billion: exactly 1000.001000000000000001000001."""
    _define(shop, "giga", "cat")
    _price(
        shop,
        [{"dimension": "calls", "unit_size": 10**9, "price_per_unit": Decimal("1.000001")}],
        module="giga",
    )
    assert _cost(shop, "giga", {"calls": Decimal("1000000000000.000001")}) == Decimal("1000.001001")


@STEADY
@given(
    components=st.lists(st.tuples(pricing.components, pricing.quantities), min_size=1, max_size=3),
    margin=st.sampled_from([Decimal(text) for text in ("0", "1", "1.05", "1.2", "2.345678")]),
    exchange_rate=st.sampled_from([Decimal(text) for text in ("1", "1.08", "0.93", "3", "7.7")]),
)
def test_price_agrees_with_exact_fractions(
    till: Connection,
    components: list[tuple[Component, Decimal]],
    margin: Decimal,
    exchange_rate: Decimal,
) -> None:
    total = sum((pricing.charge(component, quantity) for component, quantity in components), Fraction(0))
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
            quote = shop.call("quote_tokens", module_id="property", usage=_json(usage), user_id="shopper")
            assert Fraction(quote["cost"]) == expected
            for part in quote["parts"]:
                component, quantity = components[DIMENSIONS.index(part["dimension"])]
                _check_part(part, component, quantity)


@STEADY
@given(
    component=pricing.components,
    margin=pricing.numbers("1000", 6),
    exchange_rate=st.sampled_from([Decimal(text) for text in ("1", "1.08", "3", "0.001")]),
)
def test_default_usage_costs_what_one_call_costs(
    till: Connection, component: Component, margin: Decimal, exchange_rate: Decimal
) -> None:
    """The first is read from the price list, the second calculated."""
    with opened(till) as shop:
        _define(shop, "property", "cat")
        _price(
            shop, [{"dimension": "calls"} | component], "property", margin=margin, exchange_rate=exchange_rate
        )
        listed = shop.row("select call_cost from credits.price_list where module_id = 'property'")
        try:
            named = _cost(shop, "property", {"calls": 1})
        except psycopg.Error:
            assert listed["call_cost"] is None
            with refused("bad_usage"):
                _cost(shop, "property")
        else:
            assert _cost(shop, "property") == named
            assert listed["call_cost"] == (None if component.get("tiers") else named)


@STEADY
@given(
    unit_size=st.sampled_from([Decimal(10) ** power for power in range(-3, 10)] + [Decimal(7)]),
    price_per_unit=st.one_of(pricing.numbers("9999", 6), pricing.numbers("0.001", 12)),
    margin=st.one_of(pricing.numbers("1000", 6), st.sampled_from([Decimal(0), Decimal(1), Decimal("1.05")])),
    exchange_rate=st.sampled_from([Decimal(text) for text in ("1", "1.08", "3", "7.7", "0.001")]),
    quantity=st.one_of(pricing.quantities, st.sampled_from([MOST, MOST + 1, Decimal(-1), Decimal("1e-30")])),
    dimension=st.sampled_from(["calls", "seconds"]),
)
def test_listed_linear_price_agrees_with_the_calculation(
    till: Connection,
    unit_size: Decimal,
    price_per_unit: Decimal,
    margin: Decimal,
    exchange_rate: Decimal,
    quantity: Decimal,
    dimension: str,
) -> None:
    """Both for the price now, and for a hold's own version."""
    with opened(till) as shop:
        _define(shop, "property", "cat")
        component = {"dimension": dimension, "unit_size": unit_size, "price_per_unit": price_per_unit}
        price_id = _price(shop, [component], "property", margin=margin, exchange_rate=exchange_rate)
        listed = shop.row("select price_id, dimension from credits.price_list where module_id = 'property'")
        assert listed == {"price_id": price_id, "dimension": dimension}
        ways = [_price_usage(shop, {dimension: quantity}, of) for of in (None, price_id)]
        shop.rows(
            "update credits.price_list set dimension = null, numerator = null, denominator = null"
            " where module_id = 'property' returning 1"
        )
        ways += [_price_usage(shop, {dimension: quantity}, of) for of in (None, price_id)]
        assert ways == [ways[0]] * 4
        exact = Fraction(quantity) / Fraction(unit_size) * Fraction(price_per_unit)
        exact *= Fraction(margin) / Fraction(exchange_rate)
        expected = Fraction(ceil(exact * 10**6), 10**6)
        if not 0 <= quantity <= MOST or expected > 10**12:
            assert ways[0] == "bad_usage"
        else:
            assert ways[0] == {
                "price_id": price_id,
                "usage": {dimension: quantity},
                "cost": expected,
                "price_source": "module",
            }


@pytest.mark.parametrize(
    "usage",
    [
        {"pages": 1},
        {"seconds": 1, "pages": 1},
        {"seconds": "1"},
        {"seconds": None},
        {"seconds": [1]},
        [],
        {},
        1,
    ],
    ids=str,
)
def test_listed_price_refuses_bad_usage(shop: Caller, usage: Any) -> None:
    _define(shop, "m", "cat")
    price_id = _price(shop, [{"dimension": "seconds", "price_per_unit": 2}], "m")
    for of in (None, price_id):
        assert _price_usage(shop, usage, of, "m") == "bad_usage"


@pytest.mark.parametrize(
    "component",
    [
        {"free_quantity": 1},
        {"whole_units": True},
        {"minimum_charge": Decimal("0.000001")},
        {"tiers": [{"above": 1, "price_per_unit": 3}]},
    ],
    ids=str,
)
def test_only_linear_prices_are_listed(shop: Caller, component: Component) -> None:
    listed = "select dimension, numerator, denominator from credits.price_list where module_id = %s"
    seconds = {"dimension": "seconds", "unit_size": 10, "price_per_unit": 3}
    pages = {"dimension": "pages", "price_per_unit": 1}
    for module_id, components in {
        "one": [seconds],
        "more": [seconds | component],
        "two": [seconds, pages],
    }.items():
        _define(shop, module_id, "cat")
        _price(shop, components, module_id, margin=2, exchange_rate=4)
    assert shop.row(listed, ("one",)) == {"dimension": "seconds", "numerator": 6, "denominator": 40}
    for module_id in ("more", "two"):
        nothing = {"dimension": None, "numerator": None, "denominator": None}
        assert shop.row(listed, (module_id,)) == nothing
    assert shop.rows("select * from audit.check_prices") == []


@pytest.mark.slow
@steady(40)
@given(
    component=pricing.components,
    parts=st.lists(
        st.one_of(st.integers(0, 3000).map(Decimal), pricing.numbers("5000", 3)), min_size=1, max_size=5
    ),
    margin=st.sampled_from([Decimal(text) for text in ("1", "1.05", "2.345678")]),
    exchange_rate=st.sampled_from([Decimal(text) for text in ("1", "1.08", "7.7")]),
    held=st.integers(0, 3000),
)
@pytest.mark.one_version
def test_parts_of_a_use_cost_what_the_whole_costs(
    till: Connection,
    component: Component,
    parts: list[Decimal],
    margin: Decimal,
    exchange_rate: Decimal,
    held: int,
) -> None:
    """For any hold, whether tokens pay or a shortfall remains."""
    with opened(till) as shop:
        _define(shop, "property", "cat")
        _price(
            shop,
            [{"dimension": "images"} | component],
            "property",
            margin=margin,
            exchange_rate=exchange_rate,
        )
        usage = {"images": sum(parts, Decimal(0))}
        whole = _price_usage(shop, usage)
        worst = _price_usage(shop, {"images": held})
        if "bad_usage" in (whole, worst):
            return
        shop.call("add_tokens", user_id="shopper", tokens=worst["cost"] + 1)
        hold_id = shop.call(
            "hold_tokens", module_id="property", usage=_json({"images": held}), user_id="shopper"
        )["hold_id"]
        costs = []
        for number, part in enumerate(parts, 1):
            captured = shop.call(
                "capture_hold", hold_id=hold_id, usage=_json({"images": part}), final=number == len(parts)
            )
            assert captured["cost"] == captured["paid"] + captured["shortfall"] >= 0
            costs.append(captured["cost"])
        assert sum(costs) == whole["cost"]
        recorded = shop.rows(
            "select usage from credits.entries where hold_id = %s order by seq", (hold_id.split(":")[1],)
        )
        assert [row["usage"]["images"] for row in recorded] == parts
        assert shop.rows(BOOKS) == []


@STEADY
@given(
    component=pricing.components,
    tokens=pricing.numbers("100000", 6),
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
    factor = Fraction(margin) / Fraction(exchange_rate)
    if quantity is None:
        assert pricing.charge(component, MOST) == 0
        return
    assert 0 <= quantity <= MOST
    assert quantity == floor(quantity)
    assert pricing.charge(component, quantity) * factor <= Fraction(tokens) or quantity == 0
    if quantity < MOST:
        assert pricing.charge(component, quantity + 1) * factor > Fraction(tokens)
    else:
        assert pricing.charge(component, MOST) > 0


def _check_part(part: dict[str, Any], component: Component, quantity: Decimal) -> None:
    """The quote tells the component and adds up, except for endless fractions."""
    told = {field: part[field] for field in component if field != "tiers"}
    assert told == {field: value for field, value in component.items() if field != "tiers"}
    assert part["quantity"] == quantity
    charge = pricing.charge(component, quantity)
    assert _near(part["charge"], charge)
    tiers = part["tiers"] or [{"units": part["units"], "price_per_unit": part["price_per_unit"]}]
    assert _near(sum(tier["units"] for tier in tiers), Fraction(part["units"]))
    summed = sum(Fraction(tier["units"]) * Fraction(tier["price_per_unit"]) for tier in tiers)
    assert _near(max(summed, Fraction(part["minimum_charge"]) if part["units"] else Fraction(0)), charge)
    if "tiers" in component and part["units"]:
        starts = [0, *(tier["above"] for tier in component["tiers"])]
        assert [tier["above"] for tier in part["tiers"]] == [at for at in starts if at < part["units"]]
    else:
        assert part["tiers"] == []


def _near(told: Decimal | Fraction, exact: Fraction) -> bool:
    return abs(Fraction(told) - exact) <= max(abs(exact), Fraction(1)) / 10**12


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
    valid_from: str | None = None,
) -> int:
    row = shop.row(
        "select credits.define_price(%s::jsonb, %s, %s, %s::numeric, %s::numeric, %s) as price_id",
        (_json(components), module, category, margin, exchange_rate, valid_from),
    )
    return int(row["price_id"])


def _price_usage(shop: Caller, usage: Any, price_id: int | None = None, module_id: str = "property") -> Any:
    """The answer of credits.price_usage, or the slug of its refusal."""
    try:
        with shop.connection.transaction():
            return shop.row(
                "select * from credits.price_usage(%s, %s, credits.clock(), %s)",
                (module_id, _json(usage), price_id),
            )
    except psycopg.Error as error:
        return json.loads(error.diag.message_detail or "")["error"]


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
