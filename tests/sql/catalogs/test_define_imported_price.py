"""A price that is imported never replaces one that a person has set."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from callers import BOOKS, Caller, refused
from reliability.exact_json import exact_json


@pytest.fixture
def shop(admin_url: str) -> Iterator[Caller]:
    with psycopg.connect(admin_url) as connection:
        connection.execute("begin")
        shop = Caller(connection, "none")
        shop.call("add_tokens", user_id="somebody", tokens=1000)
        yield shop
        connection.rollback()


def components(cents: Any) -> str:
    return exact_json([{"dimension": "input_tokens", "unit_size": 1_000_000, "price_per_unit": cents}])


def imported(shop: Caller, cents: Any, module: str = "talk", origin: str = "list", margin: Any = 1) -> Any:
    """What the import of a price answers. Each import is a file of its own."""
    shop.connection.execute("delete from credits.priced_targets")
    row = shop.row(
        "select credits.define_imported_price(%s, %s, 'Talk', %s::jsonb, %s::numeric, 1) as told",
        (origin, module, components(cents), margin),
    )
    return row["told"]


def by_hand(shop: Caller, cents: Any, module: str | None = "talk", category: str | None = None) -> None:
    shop.connection.execute("delete from credits.priced_targets")
    shop.rows("select credits.define_price(%s::jsonb, %s, %s)", (components(cents), module, category))


def versions(shop: Caller, module: str = "talk") -> list[Any]:
    query = "select origin from credits.prices where module_id = %s order by price_id"
    return [row["origin"] for row in shop.rows(query, (module,))]


def at(rate: Any) -> dict[str, Any]:
    return {"input_tokens": rate}


def test_an_import_is_new_then_unchanged_then_changed(shop: Caller) -> None:
    told = [imported(shop, 300), imported(shop, 300), imported(shop, Decimal("250.5"), margin=2)]
    assert told == [
        {"state": "new", "why": None, "before": None, "after": at(300), "offered": at(300)},
        {"state": "unchanged", "why": None, "before": at(300), "after": at(300), "offered": at(300)},
        {"state": "changed", "why": None, "before": at(300), "after": at(501), "offered": at(501)},
    ]
    assert versions(shop) == ["list", "list"]
    quote = shop.call("quote_tokens", module_id="talk", usage={"input_tokens": 1_000_000}, user_id="somebody")
    assert quote["cost"] == 501
    assert shop.rows(BOOKS) == []


def test_a_price_set_by_hand_is_kept(shop: Caller) -> None:
    shop.rows("select credits.define_module('talk', 'Mine')")
    by_hand(shop, 700)
    assert imported(shop, 300) == {
        "state": "kept",
        "why": "its price was set by hand",
        "before": at(700),
        "after": at(700),
        "offered": at(300),
    }
    assert versions(shop) == [None]
    assert shop.row("select title from credits.modules where module_id = 'talk'") == {"title": "Mine"}


def test_a_line_by_hand_takes_an_imported_price_over(shop: Caller) -> None:
    """Also one that says the same."""
    imported(shop, 300)
    by_hand(shop, 300)
    by_hand(shop, 300)
    assert versions(shop) == ["list", None]
    assert imported(shop, 250)["state"] == "kept"


def test_a_price_of_a_category_or_of_another_list_is_kept(shop: Caller) -> None:
    shop.rows("select credits.define_category('llm', 'Models')")
    shop.rows("select credits.define_module('talk', 'Talk', 'llm')")
    by_hand(shop, 700, None, "llm")
    told = imported(shop, 300)
    assert (told["state"], told["why"]) == ("kept", "its price is that of the category llm")
    imported(shop, 300, "speak", origin="another list")
    told = imported(shop, 300, "speak")
    assert (told["state"], told["why"]) == ("kept", "its price comes from another list")
    assert (versions(shop), versions(shop, "speak")) == ([], ["another list"])


def test_a_withdrawn_module_stays_withdrawn(shop: Caller) -> None:
    imported(shop, 300)
    shop.rows("select credits.define_module('talk', 'Talk', p_active => false)")
    told = imported(shop, 250)
    assert (told["state"], told["why"]) == ("kept", "the module is withdrawn")
    assert shop.row("select active from credits.modules where module_id = 'talk'") == {"active": False}


def test_the_default_price_does_not_stop_an_import(shop: Caller) -> None:
    """Nobody has chosen iahome's price for every other module for this one."""
    shop.rows("select credits.define_module('talk', 'Talk')")
    assert shop.call("quote_tokens", module_id="talk", user_id="somebody")["price_source"] == "default"
    told = imported(shop, 300)
    assert (told["state"], told["before"]) == ("new", None)


@pytest.mark.parametrize(
    "arguments",
    [
        {"p_origin": None},
        {"p_origin": ""},
        {"p_module_id": None},
        {"p_module_id": "Whisper "},
        {"p_module_id": "whis-per"},
        {"p_components": "[]"},
        {"p_components": None},
        {"p_components": '[{"dimension": "input_tokens"}]'},
        {"p_components": '[{"dimension": "imput_tokens", "price_per_unit": 1}]'},
        {"p_margin": "NaN"},
        {"p_margin": None},
        {"p_exchange_rate": 0},
        {"p_exchange_rate": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("kept", [False, True])
def test_a_wrong_import_is_refused_and_defines_nothing(
    shop: Caller, arguments: dict[str, Any], kept: bool
) -> None:
    """Also where the price would be kept."""
    if kept:
        shop.rows("select credits.define_module('talk', 'Talk')")
        by_hand(shop, 700)
    shop.connection.execute("delete from credits.priced_targets")
    before = shop.rows("select line from credits.show_catalog() as line order by 1")
    given = {"p_origin": "list", "p_module_id": "talk", "p_components": components(300), "p_margin": 1}
    given |= {"p_exchange_rate": 1} | arguments
    with refused("bad_catalog"), shop.connection.transaction():
        shop.rows(
            "select credits.define_imported_price(p_origin => %(p_origin)s, p_module_id => %(p_module_id)s,"
            " p_title => 'Talk', p_components => %(p_components)s::jsonb, p_margin => %(p_margin)s::numeric,"
            " p_exchange_rate => %(p_exchange_rate)s::numeric)",
            given,
        )
    assert shop.rows("select line from credits.show_catalog() as line order by 1") == before
