"""Price lists: repeatable files, new versions instead of edits, and mistakes refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from people import Caller, Connection, refused

from pgcredits.migrate import SQL, list_catalogs

TABLES = ("module_categories", "modules", "prices", "price_components", "packs", "topups")


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


def contents(author: Caller) -> dict[str, list[Any]]:
    return {table: author.rows(f"select * from credits.{table} order by 1, 2") for table in TABLES}


@contextmanager
def line_refused(author: Caller, name: str) -> Iterator[None]:
    with refused("bad_catalogue") as facts, author.connection.transaction():
        yield
    assert name in str(facts["name"])


@pytest.mark.parametrize("name", list_catalogs())
def test_catalogue_that_is_applied_again_changes_nothing(name: str, author: Caller) -> None:
    apply(author, name)
    once = contents(author)
    apply(author, name)
    assert contents(author) == once
    assert author.rows("select 1 from credits.catalogs where catalog_id = %s", (name,)) != []


@pytest.mark.parametrize("name", list_catalogs())
def test_every_module_of_a_catalogue_has_a_price(name: str, author: Caller) -> None:
    apply(author, name)
    assert author.rows("select module_id from api.modules where price is null") == []


def test_iahomes_shop_window(author: Caller) -> None:
    packs = author.rows("select package_name, tokens, amount, currency, popular from api.packs")
    assert [tuple(pack.values()) for pack in packs] == [
        ("Basique", 100, 999, "eur", False),
        ("Standard", 500, 3999, "eur", True),
        ("Premium", 1000, 6999, "eur", False),
        ("Entreprise", 5000, 29999, "eur", False),
    ]
    modules = author.rows(
        "select module_id, price -> 'components' -> 0 ->> 'price_per_unit' as price from api.modules"
    )
    assert {row["module_id"]: int(row["price"]) for row in modules} == {
        "stablediffusion": 50,
        "photoportfolio": 50,
        "whisper": 25,
        "metube": 10,
    }


def test_what_the_provider_takes_is_not_shown(author: Caller) -> None:
    apply(author, "appforge")
    row = author.row("select price::text from api.modules where module_id = 'gpt-4o'")
    assert "provider" not in row["price"]


def test_changed_price_is_a_new_version_and_the_same_one_is_not(author: Caller) -> None:
    first = price(author, '[{"dimension": "calls", "price_per_unit": 7}]')
    same = (
        '[{"dimension": "calls", "price_per_unit": 7}]',
        '[{"dimension": "calls", "price_per_unit": 7.00, "unit_size": 1, "free_quantity": 0}]',
        '[{"whole_units": false, "minimum_charge": 0, "price_per_unit": "7", "dimension": "calls"}]',
    )
    assert [price(author, again) for again in same] == [first] * 3
    for changed in (
        '[{"dimension": "calls", "price_per_unit": 8}]',
        '[{"dimension": "calls", "price_per_unit": 8, "unit_size": 10}]',
        '[{"dimension": "calls", "price_per_unit": 8}, {"dimension": "seconds", "price_per_unit": 1}]',
        '[{"dimension": "calls", "price_per_unit": 7}]',
    ):
        assert price(author, changed) > first
    versions = author.row("select count(*) from credits.prices where module_id = 'whisper'")
    assert versions["count"] == 5


def test_changed_margin_or_rate_is_a_new_version(author: Caller) -> None:
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
        '[{"dimension": "Calls", "price_per_unit": 1}]',
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
def test_price_that_makes_no_sense_is_refused_by_name(components: str, author: Caller) -> None:
    with line_refused(author, "whisper"):
        price(author, components)


@pytest.mark.parametrize(
    ("margin", "rate"),
    [(-1, 1), ("NaN", 1), ("Infinity", 1), (None, 1), (1, 0), (1, -1), (1, "NaN"), (1, None)],
)
def test_factor_that_makes_no_sense_is_refused(margin: Any, rate: Any, author: Caller) -> None:
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
        ("credits.define_pack('p', 'P', 0, 100, 'eur')", "p"),
        ("credits.define_pack('p', 'P', 'NaN', 100, 'eur')", "p"),
        ("credits.define_pack('p', 'P', 1.0000001, 100, 'eur')", "p"),
        ("credits.define_pack('p', 'P', 5, 0, 'eur')", "p"),
        ("credits.define_pack('p', 'P', 5, -1, 'eur')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'EUR')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'eur', -1)", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'eur', 'Infinity')", "p"),
        ("credits.define_pack('p', 'P', 5, 100, 'eur', p_expires_after => '-1 day')", "p"),
        ("credits.define_pack('p', null, 5, 100, 'eur')", "p"),
        ("credits.define_topup('eur', 0, 100, 1)", "eur"),
        ("credits.define_topup('eur', 100, 99, 1)", "eur"),
        ("credits.define_topup('eur', 100, 200, 0)", "eur"),
        ("credits.define_topup('eur', 100, 200, 'NaN')", "eur"),
    ],
)
def test_line_that_makes_no_sense_is_refused_by_name(line: str, name: str, author: Caller) -> None:
    with line_refused(author, name):
        author.rows(f"select {line}")


@pytest.mark.parametrize(
    "line",
    [
        "credits.define_category(null, 'T')",
        "credits.define_category('c', null)",
        "credits.define_module('', 'T', 'audio')",
        "credits.define_module('m', null, 'audio')",
        "credits.define_catalog('x', 'X', null)",
    ],
)
def test_line_without_a_name_or_title_is_refused(line: str, author: Caller) -> None:
    with pytest.raises((psycopg.IntegrityError, psycopg.ProgrammingError)), author.connection.transaction():
        author.rows(f"select {line}")


def test_pack_keeps_its_stripe_price_when_the_file_has_none(author: Caller) -> None:
    author.rows("select credits.define_pack('p', 'P', 5, 100, 'eur', p_stripe_price_id => 'price_1')")
    author.rows("select credits.define_pack('p', 'P', 6, 100, 'eur')")
    row = author.row("select tokens, stripe_price_id from credits.packs where pack_id = 'p'")
    assert row == {"tokens": Decimal(6), "stripe_price_id": "price_1"}


def price(author: Caller, components: str, margin: Any = 1, rate: Any = 1) -> int:
    row = author.row(
        "select credits.define_price(%s::jsonb, 'whisper', null, %s::numeric, %s::numeric) as price_id",
        (components, margin, rate),
    )
    return int(row["price_id"])
