"""Packs: the cost of a token, the saving, the best value; and top-ups of any amount."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import psycopg
import pytest
from callers import STEADY, Caller, Connection
from hypothesis import given
from hypothesis import strategies as st

from pgcredits.bank.migrate import SQL


@pytest.fixture(scope="module")
def counter(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url) as connection:
        yield connection


@pytest.fixture
def shop(counter: Connection) -> Iterator[Caller]:
    """The superuser with an empty shop window, in a transaction that is rolled back."""
    counter.execute("begin")
    counter.execute("update credits.packs set active = false")
    yield Caller(counter, "none")
    counter.rollback()


def fill(shop: Caller, name: str) -> None:
    shop.connection.execute((SQL / "catalogs" / f"{name}.sql").read_text().encode())


def offer(shop: Caller, *packs: tuple[Any, ...]) -> None:
    """Packs p1, p2 …, each (tokens, amount, currency = eur, bonus = 0)."""
    for number, pack in enumerate(packs, 1):
        tokens, amount, currency, bonus = (*pack, *("eur", 0)[len(pack) - 2 :])
        shop.rows(
            "select credits.define_pack(%s, 'P', %s, %s, %s, %s, p_position => %s)",
            (f"p{number}", tokens, amount, currency, bonus, number),
        )


def window(shop: Caller) -> list[tuple[Any, ...]]:
    rows = shop.rows("select amount_per_token, saving_percent, best_value from api.packs")
    return [tuple(row.values()) for row in rows]


D = Decimal
WINDOWS = {
    "iahome": [
        (D("9.99"), 0, False),
        (D("7.998"), D("19.93"), False),
        (D("6.999"), D("29.93"), False),
        (D("5.9998"), D("39.94"), True),
    ],
    "luneo": [(19, 0, False), (D("15.8"), D("16.84"), False), (D("13.9"), D("26.84"), True)],
    "aurisvoice": [(D("33.333333"), 0, False), (25, 25, False), (20, 40, True)],
    "imagegen": [
        (D("19.96"), 0, False),
        (D("13.627273"), D("31.72"), False),
        (D("9.996667"), D("49.91"), False),
        (D("7.690769"), D("61.46"), True),
    ],
    "appforge": [],
}


@pytest.mark.parametrize("name", WINDOWS)
def test_each_catalog_shows_its_packs(name: str, shop: Caller) -> None:
    fill(shop, name)
    assert window(shop) == WINDOWS[name]


def test_packs_are_compared_within_their_currency(shop: Caller) -> None:
    offer(shop, (10, 100), (10, 50), (10, 80, "usd"), (10, 60, "usd"), (10, 30, "gbp"))
    assert window(shop) == [
        (10, 0, False),
        (5, 50, True),
        (8, 0, False),
        (6, 25, True),
        (3, 0, False),
    ]


def test_withdrawn_packs_are_not_compared(shop: Caller) -> None:
    offer(shop, (10, 100), (10, 90), (10, 80))
    shop.rows("select credits.define_pack('p1', 'P', 10, 100, 'eur', p_active => false)")
    shop.rows("select credits.define_pack('p3', 'P', 10, 80, 'eur', p_active => false)")
    assert window(shop) == [(9, 0, False)]


def test_of_equally_good_packs_the_cheapest_to_buy_is_best(shop: Caller) -> None:
    offer(shop, (10, 100), (20, 100), (10, 50), (10, 50))
    assert [best for _, _, best in window(shop)] == [False, False, True, False]


def test_no_pack_is_best_where_all_cost_the_same(shop: Caller) -> None:
    offer(shop, (3, 100), (6, 200), (9, 300))
    assert window(shop) == [(D("33.333333"), 0, False)] * 3


def test_bonus_counts_in_the_saving(shop: Caller) -> None:
    offer(shop, (100, 1000), (100, 1000, "eur", "25.5"))
    assert window(shop) == [(10, 0, False), (D("7.968127"), D("20.31"), True)]


_packs = st.lists(
    st.tuples(
        st.decimals("0.000001", "100000", places=6),
        st.integers(50, 99_999_999),
        st.sampled_from(["eur", "usd"]),
        st.decimals("0", "1000", places=6),
    ),
    min_size=1,
    max_size=5,
)


@STEADY
@given(packs=_packs)
def test_savings_are_never_promised_too_high(packs: list[tuple[Any, ...]], counter: Connection) -> None:
    counter.execute("begin")
    try:
        shop = Caller(counter, "none")
        counter.execute("update credits.packs set active = false")
        offer(shop, *packs)
        seen = window(shop)
    finally:
        counter.rollback()
    units = [Fraction(amount) / Fraction(tokens + bonus) for tokens, amount, _, bonus in packs]
    for currency in ("eur", "usd"):
        places = [place for place, pack in enumerate(packs) if pack[2] == currency]
        dearest = max((units[place] for place in places), default=Fraction(0))
        cheapest = min((units[place] for place in places), default=Fraction(0))
        for place in places:
            saving = floor((1 - units[place] / dearest) * 10000)
            assert seen[place][1] == Decimal(saving) / 100
            assert abs(Fraction(seen[place][0]) - units[place]) <= Fraction(1, 2_000_000)
        best = [place for place in places if seen[place][2]]
        assert len(best) == (cheapest < dearest)
        assert all(units[place] == cheapest for place in best)


def test_packs_tell_their_scope(shop: Caller) -> None:
    shop.rows("select credits.define_pack('p', 'P', 5, 100, 'eur', p_scope => 'category:audio')")
    assert shop.row("select scope from api.packs") == {"scope": "category:audio"}


# Amounts


def test_appforge_offers_its_topups(shop: Caller) -> None:
    fill(shop, "appforge")
    for role in ("anon", "authenticated", "service_role"):
        row = Caller(shop.connection, role, "ada").row("select * from api.topups")
        assert row == {
            "currency": "eur",
            "minimum": 500,
            "maximum": 100000,
            "tokens_per_unit": 1,
            "presets": [
                {"amount": 500, "tokens": 500, "popular": False},
                {"amount": 1000, "tokens": 1000, "popular": True},
                {"amount": 2500, "tokens": 2500, "popular": False},
                {"amount": 5000, "tokens": 5000, "popular": False},
            ],
            "minor_digits": 2,
            "step": 1,
        }


def test_preset_promises_what_an_order_of_it_sells(shop: Caller) -> None:
    shop.rows("select credits.define_topup('eur', 500, 100000, 0.333333)")
    assert shop.row("select presets from api.topups") == {"presets": []}
    for amount in (100000, 501):
        shop.rows("select credits.define_topup_preset('eur', %s)", (amount,))
    presets = shop.row("select presets from api.topups")["presets"]
    assert [preset["amount"] for preset in presets] == [501, 100000]
    for preset in presets:
        order = shop.call("create_order", amount=preset["amount"], user_id="ada")
        assert order["tokens"] == preset["tokens"]
