"""Price lists: repeatable files, new versions instead of edits, and mistakes refused by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection, refused

from pgcredits.bank.catalogs import list_catalogs
from pgcredits.bank.migrate import SQL

TABLES = (
    "catalogs",
    "dimensions",
    "module_categories",
    "modules",
    "prices",
    "price_components",
    "price_tiers",
    "packs",
    "plans",
    "plan_versions",
    "topups",
    "topup_presets",
)


@pytest.fixture(scope="module")
def till(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url) as connection:
        yield connection


@pytest.fixture
def author(till: Connection) -> Iterator[Caller]:
    """The owner of the tables in a transaction that is rolled back, as `pgcredits catalog apply` acts."""
    till.execute("begin")
    yield Caller(till, "credits_owner")
    till.rollback()


def apply(author: Caller, name: str) -> None:
    with author.connection.transaction():
        author.connection.execute("set local role credits_owner")
        author.connection.execute((SQL / "catalogs" / f"{name}.sql").read_text().encode())
        author.connection.execute("reset role")


@pytest.mark.parametrize("name", list_catalogs())
def test_price_lists_define_notices_before_prices(name: str) -> None:
    text = (SQL / "catalogs" / f"{name}.sql").read_text()
    lines = [word for word in text.split() if word.startswith("credits.define_")]
    rest = [place for place, word in enumerate(lines) if "notice(" not in word and "catalog(" not in word]
    assert max((place for place, word in enumerate(lines) if "notice(" in word), default=0) <= min(rest)


def contents(author: Caller) -> dict[str, list[Any]]:
    return {
        table: [
            row["row"]
            for row in author.rows(
                f"select to_jsonb(t) - 'applied_at' as row from credits.{table} as t order by 1"
            )
        ]
        for table in TABLES
    }


@contextmanager
def line_refused(author: Caller, name: str) -> Iterator[None]:
    with refused("bad_catalog") as facts, author.connection.transaction():
        yield
    assert name in str(facts["name"])


@pytest.mark.parametrize("name", list_catalogs())
def test_catalog_applied_again_changes_nothing(name: str, author: Caller) -> None:
    apply(author, name)
    once = contents(author)
    apply(author, name)
    assert contents(author) == once
    assert author.rows("select 1 from credits.catalogs where catalog_id = %s", (name,)) != []


@pytest.mark.parametrize("name", list_catalogs())
def test_every_module_of_a_catalog_has_a_price(name: str, author: Caller) -> None:
    apply(author, name)
    assert author.rows("select module_id from api.modules where price is null") == []


# The figures of the five products, to the last digit

CATALOGS = {
    "iahome": ("IAHome", "token", "eur"),
    "luneo": ("Luneo", "credit", "eur"),
    "appforge": ("AppForge", "euro cent", "eur"),
    "aurisvoice": ("AurisVoice", "credit", "eur"),
    "imagegen": ("Imagegen", "credit", "usd"),
}
# Title, tokens, bonus, cents, currency, popular; in the order of display.
PACKS: dict[str, list[tuple[Any, ...]]] = {
    "iahome": [
        ("Basique", 100, 0, 999, "eur", False),
        ("Standard", 500, 0, 3999, "eur", True),
        ("Premium", 1000, 0, 6999, "eur", False),
        ("Entreprise", 5000, 0, 29999, "eur", False),
    ],
    "luneo": [
        ("100 credits", 100, 0, 1900, "eur", False),
        ("500 credits", 500, 0, 7900, "eur", False),
        ("1000 credits", 1000, 0, 13900, "eur", False),
    ],
    "appforge": [],
    "aurisvoice": [
        ("15 credits", 15, 0, 500, "eur", False),
        ("60 credits", 60, 0, 1500, "eur", True),
        ("150 credits", 150, 0, 3000, "eur", False),
    ],
    "imagegen": [
        ("25 credits", 25, 0, 499, "usd", False),
        ("110 credits", 100, 10, 1499, "usd", False),
        ("300 credits", 250, 50, 2999, "usd", False),
        ("650 credits", 500, 150, 4999, "usd", False),
    ],
}
CALL: dict[str, Any] = {"calls": 1}
MILLION = 10**6
# What uses cost, in the unit of the balance.
COSTS: dict[str, list[tuple[str, dict[str, Any], str]]] = {
    "iahome": [
        ("stablediffusion", CALL, "50"),
        ("photoportfolio", CALL, "50"),
        ("whisper", CALL, "25"),
        ("metube", CALL, "10"),
        ("any other module", CALL, "30"),
    ],
    "luneo": [("/api/ai/generate", CALL, "5"), ("/api/3d/render-highres", CALL, "8")],
    "appforge": [
        # Per million: 2.92 and 14.58, 2.43 and 9.72 EUR, exact to the 10^-6 cent.
        ("claude-sonnet-4", {"input_tokens": MILLION, "output_tokens": 0}, "291.666667"),
        ("claude-sonnet-4", {"input_tokens": 0, "output_tokens": MILLION}, "1458.333334"),
        ("gpt-4o", {"input_tokens": MILLION, "output_tokens": 0}, "243.055556"),
        ("gpt-4o", {"input_tokens": 0, "output_tokens": MILLION}, "972.222223"),
        ("claude-sonnet-4", {"input_tokens": 500, "output_tokens": 2000}, "3.0625"),
        ("claude-sonnet-4", {"input_tokens": 1, "output_tokens": 0}, "0.000292"),
    ],
    "aurisvoice": [
        ("dubbing", {"seconds": 34}, "4"),
        ("dubbing", {"seconds": 30}, "3"),
        ("dubbing", {"seconds": Decimal("30.001")}, "4"),
        ("dubbing", {"seconds": 1}, "1"),
        ("dubbing", {"seconds": 10}, "1"),
        ("dubbing", {"seconds": 11}, "2"),
    ],
    "imagegen": [
        ("nano-banana", CALL, "0.5"),
        ("flux-dev", CALL, "1"),
        ("lora-normal", CALL, "1"),
        ("lora-context", CALL, "1"),
        ("gemini-flash", CALL, "1"),
        ("nano-banana-pro", CALL, "2"),
    ],
}


def cost(author: Caller, module_id: str, usage: dict[str, Any]) -> Decimal:
    row = author.row(
        "select cost from credits.price_usage(%s, %s::jsonb, credits.clock())",
        (module_id, json.dumps(usage, default=float)),
    )
    return Decimal(row["cost"])


def test_there_are_five_catalogs() -> None:
    assert set(list_catalogs()) == set(CATALOGS) == set(PACKS) == set(COSTS)


@pytest.mark.parametrize("name", CATALOGS)
def test_each_catalog_has_its_name_unit_and_currency(name: str, author: Caller) -> None:
    apply(author, name)
    row = author.row("select title, unit, currency from credits.catalogs where catalog_id = %s", (name,))
    assert tuple(row.values()) == CATALOGS[name]


@pytest.mark.parametrize("name", PACKS)
def test_packs_to_the_last_cent(name: str, author: Caller) -> None:
    others = (
        [] if name == "iahome" else [row["pack_id"] for row in author.rows("select pack_id from api.packs")]
    )
    apply(author, name)
    packs = author.rows(
        "select package_name, tokens, bonus_tokens, amount, currency, popular from api.packs"
        " where pack_id <> all(%s)",
        (others,),
    )
    assert [tuple(pack.values()) for pack in packs] == PACKS[name]


@pytest.mark.parametrize("name", COSTS)
def test_prices_to_the_last_digit(name: str, author: Caller) -> None:
    apply(author, name)
    assert [(module, usage, cost(author, module, usage)) for module, usage, _ in COSTS[name]] == [
        (module, usage, Decimal(expected)) for module, usage, expected in COSTS[name]
    ]


@pytest.mark.parametrize("name", CATALOGS)
def test_every_module_of_a_product_has_its_price_here(name: str, author: Caller) -> None:
    before = {row["module_id"] for row in author.rows("select module_id from api.modules")}
    apply(author, name)
    there = {row["module_id"] for row in author.rows("select module_id from api.modules")}
    wanted = {module for module, _, _ in COSTS[name]} - {"any other module"}
    assert there - (before if name != "iahome" else set()) == wanted


def test_margin_and_rate_of_appforge(author: Caller) -> None:
    """3.00 / 15.00 and 2.50 / 10.00 USD, five percent on top: 3.15 / 15.75 and 2.625 / 10.50 USD."""
    apply(author, "appforge")
    rows = author.rows(
        "select p.module_id, c.dimension, c.provider_cost, c.price_per_unit * p.margin / 100 as usd,"
        " p.exchange_rate from credits.prices as p join credits.price_components as c using (price_id)"
        " where p.module_id in ('claude-sonnet-4', 'gpt-4o') order by 1, 2"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("claude-sonnet-4", "input_tokens", 300, Decimal("3.15"), Decimal("1.08")),
        ("claude-sonnet-4", "output_tokens", 1500, Decimal("15.75"), Decimal("1.08")),
        ("gpt-4o", "input_tokens", 250, Decimal("2.625"), Decimal("1.08")),
        ("gpt-4o", "output_tokens", 1000, Decimal("10.5"), Decimal("1.08")),
    ]


def test_luneo_knows_its_provider_costs(author: Caller) -> None:
    apply(author, "luneo")
    rows = author.rows(
        "select p.module_id, c.provider_cost from credits.prices as p"
        " join credits.price_components as c using (price_id) where p.module_id like '/api/%%' order by 1"
    )
    assert [tuple(row.values()) for row in rows] == [("/api/3d/render-highres", 2), ("/api/ai/generate", 4)]


def test_appforge_offers_its_topups(author: Caller) -> None:
    apply(author, "appforge")
    row = author.row("select minimum, maximum, tokens_per_unit from credits.topups where currency = 'eur'")
    assert row == {"minimum": 500, "maximum": 100000, "tokens_per_unit": 1}
    rows = author.rows("select amount, popular from credits.topup_presets where currency = 'eur' order by 1")
    assert [tuple(row.values()) for row in rows] == [
        (500, False),
        (1000, True),
        (2500, False),
        (5000, False),
    ]


def test_each_catalog_gives_away_its_tokens(author: Caller) -> None:
    for name in CATALOGS:
        apply(author, name)
    rows = author.rows(
        "select campaign_id, kind, tokens, referee_tokens, budget, per_account, expires_after, scope, active"
        " from credits.campaigns where split_part(campaign_id, '-', 1) = any (%s) order by 1",
        (list(CATALOGS),),
    )
    assert [tuple(row.values()) for row in rows] == [
        ("appforge-referral", "referral", 500, 500, None, 20, None, None, True),
        ("appforge-sign-up", "welcome", 1000, 0, None, 1, None, None, True),
        ("aurisvoice-welcome", "welcome", 10, 0, None, 1, None, None, True),
        ("imagegen-welcome", "welcome", 50, 0, None, 1, None, None, True),
    ]


# The functions that catalogs call


def test_users_do_not_see_provider_costs(author: Caller) -> None:
    apply(author, "appforge")
    row = author.row("select price::text from api.modules where module_id = 'gpt-4o'")
    assert "provider" not in row["price"]


def test_only_a_changed_price_makes_a_new_version(db: Connection) -> None:
    """Runs each line in a transaction of its own."""
    author = Caller(db, "credits_owner")
    one = '[{"dimension": "calls", "price_per_unit": 7}]'
    same = (
        one,
        '[{"dimension": "calls", "price_per_unit": 7.00, "unit_size": 1, "free_quantity": 0}]',
        '[{"whole_units": false, "minimum_charge": 0, "price_per_unit": 7, "dimension": "calls"}]',
    )
    first = price(author, one)
    assert [price(author, again) for again in same] == [first] * 3
    tiers = '[{"dimension": "calls", "price_per_unit": 7, "tiers": [{"above": %s, "price_per_unit": %s}]}]'
    changed = (
        '[{"dimension": "calls", "price_per_unit": 8}]',
        '[{"dimension": "calls", "price_per_unit": 8, "unit_size": 10}]',
        '[{"dimension": "calls", "price_per_unit": 8, "provider_cost": 1}]',
        '[{"dimension": "calls", "price_per_unit": 8}, {"dimension": "seconds", "price_per_unit": 1}]',
        one,
        tiers % (10, 6),
        tiers % (10, 5),
        tiers % (11, 5),
        one,
    )
    versions = [(price(author, line), price(author, line)) for line in changed]
    assert [again for _, again in versions] == [once for once, _ in versions]
    assert len({first, *(once for once, _ in versions)}) == 10
    count = author.row("select count(*) from credits.prices where module_id = 'whisper'")
    assert count["count"] == 10


def test_changed_margin_or_rate_makes_a_new_version(db: Connection) -> None:
    author = Caller(db, "credits_owner")
    components = '[{"dimension": "calls", "price_per_unit": 7}]'
    ids = [
        price(author, components, margin, rate)
        for margin, rate in ((1, 1), ("1.0", "1.00"), ("1.05", 1), ("1.05", "1.08"))
    ]
    assert len(set(ids)) == 3
    assert ids[0] == ids[1]


@pytest.mark.parametrize(
    "components",
    [
        "null",
        "{}",
        "[]",
        "[1]",
        "[{}]",
        '[{"dimension": "calls"}]',
        '[{"price_per_unit": 1}]',
        '[{"dimension": "calls", "price_per_unit": -1}]',
        '[{"dimension": "calls", "price_per_unit": "NaN"}]',
        '[{"dimension": "calls", "price_per_unit": "Infinity"}]',
        '[{"dimension": "calls", "price_per_unit": "much"}]',
        '[{"dimension": "calls", "price_per_unit": "1"}]',
        '[{"dimension": "calls", "price_per_unit": ""}]',
        '[{"dimension": "calls", "price_per_unit": null}]',
        '[{"dimension": "calls", "price_per_unit": true}]',
        '[{"dimension": "calls", "price_per_unit": [1]}]',
        '[{"dimension": "calls", "price_per_unit": {"above": 1}}]',
        '[{"dimension": "calls", "price_per_unit": 1e30}]',
        '[{"dimension": "calls", "price_per_unit": 1e-31}]',
        '[{"dimension": "calls", "price_per_unit": 1e131071}]',
        '["calls"]',
        '[["dimension"]]',
        "[null]",
        '[{"dimension": null, "price_per_unit": 1}]',
        '[{"dimension": 5, "price_per_unit": 1}]',
        '[{"dimension": ["calls"], "price_per_unit": 1}]',
        '[{"dimension": "gallons", "price_per_unit": 1}]',
        '[{"dimension": "Calls", "price_per_unit": 1}]',
        '[{"dimension": "calls", "price_per_unit": 1, "provider_cost": "1"}]',
        '[{"dimension": "calls", "price_per_unit": 1, "provider_cost": -1}]',
        '[{"dimension": "calls", "price_per_unit": 1, "unit_size": "10"}]',
        '[{"dimension": "calls", "price_per_unit": 1, "whole_units": "true"}]',
        '[{"dimension": "calls", "price_per_unit": 1, "whole_units": 1}]',
        '[{"dimension": "calls", "price_per_unit": 1, "tiered": true}]',
        '[{"dimension": "", "price_per_unit": 1}]',
        '[{"dimension": "calls", "price_per_unit": 1, "unit_size": 0}]',
        '[{"dimension": "calls", "price_per_unit": 1, "unit_size": -5}]',
        '[{"dimension": "calls", "price_per_unit": 1, "free_quantity": -5}]',
        '[{"dimension": "calls", "price_per_unit": 1, "minimum_charge": "NaN"}]',
        '[{"dimension": "calls", "price_per_unit": 1, "whole_units": "perhaps"}]',
        '[{"dimension": "calls", "price_per_unit": 1, "prise": 1}]',
        '[{"dimension": "calls", "price_per_unit": 1}, {"dimension": "calls", "price_per_unit": 2}]',
    ],
)
def test_senseless_price_is_refused_by_name(components: str, author: Caller) -> None:
    with line_refused(author, "whisper"):
        price(author, components)


@pytest.mark.parametrize(
    "tiers",
    [
        "null",
        "[]",
        "{}",
        "1",
        "[1]",
        "[[]]",
        "[{}]",
        '[{"above": 1}]',
        '[{"price_per_unit": 1}]',
        '[{"above": 0, "price_per_unit": 1}]',
        '[{"above": -1, "price_per_unit": 1}]',
        '[{"above": "1", "price_per_unit": 1}]',
        '[{"above": null, "price_per_unit": 1}]',
        '[{"above": 1e16, "price_per_unit": 1}]',
        '[{"above": 1, "price_per_unit": -1}]',
        '[{"above": 1, "price_per_unit": "NaN"}]',
        '[{"above": 1, "price_per_unit": 1, "minimum_charge": 1}]',
        '[{"above": 1, "price_per_unit": 1}, {"above": 1, "price_per_unit": 2}]',
        '[{"above": 1, "price_per_unit": 1}, {"above": 1.0, "price_per_unit": 1}]',
        '[{"above": 2, "price_per_unit": 1}, {"above": 1, "price_per_unit": 2}]',
    ],
)
def test_senseless_tiers_are_refused_by_name(tiers: str, author: Caller) -> None:
    with line_refused(author, "whisper"):
        price(author, f'[{{"dimension": "calls", "price_per_unit": 1, "tiers": {tiers}}}]')


def test_defined_dimension_may_be_priced(author: Caller) -> None:
    author.rows("select credits.define_dimension('gallons', 'gallons of whatever')")
    author.rows("select credits.define_dimension('gallons', 'gallons of paint')")
    assert author.row("select description from credits.dimensions where dimension = 'gallons'") == {
        "description": "gallons of paint"
    }
    price_id = price(author, '[{"dimension": "gallons", "price_per_unit": 1}]')
    quote = author.row(
        "select usage from credits.price_usage('whisper', '{\"gallons\": 2}', credits.clock())"
    )
    assert (price_id > 0, quote) == (True, {"usage": {"gallons": 2}})


@pytest.mark.parametrize(
    ("margin", "rate"),
    [(-1, 1), ("NaN", 1), ("Infinity", 1), (None, 1), (1, 0), (1, -1), (1, "NaN"), (1, None)],
)
def test_senseless_factor_is_refused(margin: Any, rate: Any, author: Caller) -> None:
    with line_refused(author, "whisper"):
        price(author, '[{"dimension": "calls", "price_per_unit": 1}]', margin, rate)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("credits.define_module('m', 'M', 'no such category')", "m"),
        (
            """credits.define_price('[{"dimension": "calls", "price_per_unit": 1}]', 'no such module')""",
            "no such",
        ),
        (
            """credits.define_price('[{"dimension": "calls", "price_per_unit": 1}]', null, 'none')""",
            "none",
        ),
        (
            """credits.define_price('[{"dimension": "calls", "price_per_unit": 1}]', 'whisper', 'audio')""",
            "whisper",
        ),
        ("credits.define_dimension('Gallons', 'G')", "Gallons"),
        ("credits.define_dimension('gallons', null)", "gallons"),
        (
            """credits.define_price('[{"dimension": "calls", "price_per_unit": 1}]',
            p_valid_from => 'infinity')""",
            "default",
        ),
        ("credits.define_pack('p', 'P', 0, 100, 'eur')", "p"),
        ("credits.define_pack('p', 'P', 'NaN', 100, 'eur')", "p"),
        ("credits.define_pack('p', 'P', 1.0000001, 100, 'eur')", "p"),
        ("credits.define_pack('p', 'P', 5, 0, 'eur')", "p"),
        ("credits.define_pack('p', 'P', 5, -1, 'eur')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'EUR')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'eur', -1)", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'eur', 'Infinity')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'eur', p_expires_after => '-1 day')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'eur', p_expires_after => '300000 years')", "p"),
        ("credits.define_category(null, 'T')", "None"),
        ("credits.define_category('c', null)", "c"),
        ("credits.define_module('', 'T', 'audio')", ""),
        ("credits.define_module('m', null, 'audio')", "m"),
        ("credits.define_pack('p', null, 5, 100, 'eur')", "p"),
        ("credits.define_pack('p', 'P', 5, null, 'eur')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, null)", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'xxx')", "p"),
        ("credits.define_pack('p', 'P', -5, 100, 'eur')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'eur', p_scope => 'whisper')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'eur', p_scope => 'module:unheard of')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'eur', p_scope => 'category:unheard of')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'eur', p_scope => '')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'eur', p_stripe_price_id => 'prod_1')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'eur', p_stripe_price_id => '')", "p"),
        ("credits.define_catalog('x', 'X', 'credit', 'xxx')", "x"),
        ("credits.define_catalog('x', 'X', 'credit', 'EUR')", "x"),
        ("credits.define_catalog('x', 'X', null)", "x"),
        ("credits.define_topup('xxx', 100, 200, 1)", "xxx"),
        ("credits.define_topup('eur', null, 200, 1)", "eur"),
        ("credits.define_topup_preset('usd', 500)", "500 usd"),
        ("credits.define_topup_preset('usd', null)", "usd"),
        ("credits.define_topup('eur', 0, 100, 1)", "eur"),
        ("credits.define_topup('eur', 100, 99, 1)", "eur"),
        ("credits.define_topup('eur', 100, 200, 0)", "eur"),
        ("credits.define_topup('eur', 100, 200, 'NaN')", "eur"),
    ],
)
def test_senseless_line_is_refused_by_name(line: str, name: str, author: Caller) -> None:
    with line_refused(author, name):
        author.rows(f"select {line}")


def test_pack_keeps_its_stripe_price_when_the_file_has_none(author: Caller) -> None:
    author.rows("select credits.define_pack('p', 'P', 5, 100, 'eur', p_stripe_price_id => 'price_1')")
    author.rows("select credits.define_pack('p', 'P', 6, 100, 'eur')")
    row = author.row("select tokens, stripe_price_id from credits.packs where pack_id = 'p'")
    assert row == {"tokens": Decimal(6), "stripe_price_id": "price_1"}


def test_presets_lie_between_the_bounds_and_follow_their_topup(author: Caller) -> None:
    author.rows("select credits.define_topup('usd', 500, 1000, 2)")
    for amount in (500, 1000):
        author.rows("select credits.define_topup_preset('usd', %s)", (amount,))
    for amount in (499, 1001, -500):
        with line_refused(author, f"{amount} usd"):
            author.rows("select credits.define_topup_preset('usd', %s)", (amount,))
    with line_refused(author, "500 usd"):
        author.rows("select credits.define_topup_preset('usd', 500, null)")
    presets = "select amount, popular from credits.topup_presets where currency = 'usd' order by 1"
    author.rows("select credits.define_topup_preset('usd', 1000, true)")
    assert [tuple(row.values()) for row in author.rows(presets)] == [(500, False), (1000, True)]
    author.rows("select credits.define_topup('usd', 600, 1000, 2)")
    assert author.rows(presets) == []


def test_file_then_configuration_decides_the_price_at_stripe(author: Caller) -> None:
    def pack(price_id: str | None = None) -> str | None:
        author.rows(
            "select credits.define_pack('p', 'P', 5, 100, 'eur', p_stripe_price_id => %s)", (price_id,)
        )
        row = author.row("select stripe_price_id from credits.packs where pack_id = 'p'")
        return row["stripe_price_id"]

    def configure(prices: str) -> None:
        author.rows("select set_config('pgcredits.stripe_prices', %s, true)", (prices,))

    assert pack() is None
    configure('{"other": "price_2"}')
    assert pack() is None
    configure('{"p": "price_1"}')
    assert pack() == "price_1"
    assert pack("price_3") == "price_3"
    assert pack() == "price_1"
    configure("")
    assert pack() == "price_1"
    configure('{"p": "prod_1"}')
    with line_refused(author, "p"):
        pack()


def test_pack_may_be_bound_to_a_module_or_category(author: Caller) -> None:
    for scope in ("module:whisper", "category:audio", None):
        author.rows("select credits.define_pack('p', 'P', 5, 100, 'eur', p_scope => %s)", (scope,))
        assert author.row("select scope from credits.packs where pack_id = 'p'") == {"scope": scope}


def price(author: Caller, components: str, margin: Any = 1, rate: Any = 1) -> int:
    row = author.row(
        "select credits.define_price(%s::jsonb, 'whisper', null, %s::numeric, %s::numeric) as price_id",
        (components, margin, rate),
    )
    return int(row["price_id"])


def documented(pattern: str) -> str:
    """The one piece of docs/price-lists.md that matches."""
    (text,) = re.findall(pattern, (SQL.parent / "docs" / "price-lists.md").read_text(), re.S)
    return str(text)


def shop(author: Caller, price_list: str) -> Caller:
    """A service of a bank with this price list, and its user `reader` with the 10 tokens of a welcome."""
    author.rows(price_list + "select 1")
    author.rows(price_list + "select 1")
    service = Caller(author.connection, "service_role")
    service.call("open_account", user_id="reader")
    return service


def test_documented_price_list_applies(author: Caller) -> None:
    service = shop(author, documented("```sql\n(select credits.define_catalog.*?)```"))
    assert service.call("redeem_code", code="summer", user_id="reader")["tokens"] == 25
    charge = service.call("consume_tokens", user_id="reader", module_id="dubbing", usage={"seconds": 34})
    assert (charge["cost"], charge["balance"]) == (4, 31)


def test_documented_dimension_is_added_by_data_alone(author: Caller) -> None:
    added = documented("`(select credits.define_dimension.*?;)`") + documented(
        "```sql\n *(select credits.define_price.*?)```"
    )
    before = documented("```sql\n(select credits.define_catalog.*?)```")
    service = shop(
        author, re.sub(r"select credits.define_price\(.*?\);", lambda _: added, before, flags=re.S)
    )
    usage = {"seconds": 34, "speakers": 5}
    charge = service.call("consume_tokens", user_id="reader", module_id="dubbing", usage=usage)
    assert (charge["cost"], charge["balance"]) == (6, 4)
    with refused("bad_usage") as facts, author.connection.transaction():
        service.call("consume_tokens", user_id="reader", module_id="dubbing", usage={"seconds": 34})
    assert facts["dimensions"] == ["seconds", "speakers"]
