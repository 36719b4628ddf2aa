"""Price versions in catalog files do not overlap, and a wrong file changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from callers import Connection, at_once, stop_clock

from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.migrate import MigrationError

pytestmark = pytest.mark.slow

TABLES = (
    "catalogs",
    "dimensions",
    "module_categories",
    "modules",
    "prices",
    "price_components",
    "price_tiers",
    "price_list",
    "packs",
    "topups",
)
# The valid lines before the mistake: some of every kind.
SOUND = """
select credits.define_catalog('shop', 'Shop', 'credit');
select credits.define_dimension('gallons', 'gallons of paint');
select credits.define_category('paint', 'Paint');
select credits.define_module('red', 'Red', 'paint');
select credits.define_module('blue', 'Blue', 'paint');
select credits.define_price('[{"dimension": "gallons", "price_per_unit": 2,
    "tiers": [{"above": 10, "price_per_unit": 1}]}]', p_category_id => 'paint');
select credits.define_pack('small', 'Small', 10, 500, 'eur');
select credits.define_topup('eur', 500, 10000, 1);
"""

Apply = Callable[[str], None]


@pytest.fixture
def apply(url: str, tmp_path: Path) -> Apply:
    """apply(text): applies the catalog file as `pgcredits catalog apply` does."""

    def apply(text: str) -> None:
        path = tmp_path / "shop.sql"
        path.write_text(text)
        apply_catalog(url, str(path), add=True)

    return apply


def line(price: int, valid_from: str | None = None, module: str = "whisper") -> str:
    since = "null" if valid_from is None else f"'{valid_from}'"
    return (
        f"""select credits.define_price('[{{"dimension": "calls", "price_per_unit": {price}}}]', """
        f"'{module}', p_valid_from => {since});\n"
    )


def contents(db: Connection) -> dict[str, list[Any]]:
    query = "select t::text from credits.{} as t order by 1"
    return {table: db.execute(query.format(table)).fetchall() for table in TABLES}


def versions(db: Connection) -> list[int]:
    """The prices of whisper, in the order in which they are valid."""
    rows = db.execute(
        "select c.price_per_unit from credits.prices as p join credits.price_components as c using (price_id)"
        " where p.module_id = 'whisper' order by p.valid_from"
    ).fetchall()
    return [int(price) for (price,) in rows]


def in_force(db: Connection) -> int:
    row = db.execute("select cost from credits.price_usage('whisper', '{}', credits.clock())").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.one_version
@pytest.mark.parametrize(
    ("mistake", "named", "why"),
    [
        (line(-1), "module whisper", "price_per_unit of calls"),
        (
            """select credits.define_price('[{"dimension": "litres", "price_per_unit": 1}]', 'red');""",
            "module red",
            "unknown dimension 'litres'",
        ),
        (line(1) + line(2), "module whisper", "overlaps"),
        (line(1, "2090-01-01 00:00Z") + line(2, "2090-01-01 00:00Z"), "module whisper", "overlaps"),
        (line(1) + line(2, "2020-01-01 00:00Z"), "module whisper", "overlaps"),
        (line(1, module="green"), "module green", "no such module"),
        ("select credits.define_pack('large', 'Large', 10, null, 'eur');", "large", "pack"),
        ("select credits.define_pack('large', 'Large', 10, 500, 'xyz');", "large", "Stripe takes no"),
        ("select credits.define_topup('xyz', 500, 10000, 1);", "xyz", "Stripe takes no"),
        ("select credits.define_pack('large', 'Large', 10, 0, 'eur');", "large", "pack"),
        ("select credits.define_pack('large', 'Large', 10, -5, 'eur');", "large", "pack"),
    ],
)
def test_one_mistake_refuses_the_whole_file_by_line(
    mistake: str, named: str, why: str, apply: Apply, db: Connection
) -> None:
    before = contents(db)
    with pytest.raises(MigrationError) as caught:
        apply(SOUND + mistake + line(7, module="metube"))
    assert f"'{named}'" in str(caught.value)
    assert why in str(caught.value)
    assert contents(db) == before
    # The refusal names the wrong line, and nothing of the file is left.
    apply(SOUND + line(7, module="metube"))
    assert contents(db) != before
    assert db.execute("select * from audit.findings").fetchall() == []


def test_file_with_later_versions_can_be_applied_again(apply: Apply, db: Connection) -> None:
    file = SOUND + line(1) + line(2, "2090-01-01 00:00Z") + line(3, "2091-01-01 00:00Z")
    apply(file)
    once = contents(db) | {"catalogs": []}
    apply(file)
    assert contents(db) | {"catalogs": []} == once
    assert (versions(db), in_force(db)) == ([1, 2, 3], 1)


def test_versions_may_be_written_in_any_order(apply: Apply, db: Connection) -> None:
    apply(line(3, "2091-01-01 00:00Z") + line(2, "2090-01-01 00:00Z") + line(1))
    assert (versions(db), in_force(db)) == ([1, 2, 3], 1)


def test_price_with_a_history_applies_to_a_new_database(apply: Apply, db: Connection) -> None:
    """The target has no version yet, so nobody has paid another price."""
    file = line(1, "2020-01-01 00:00Z") + line(2, "2021-01-01 00:00Z") + line(3, "2090-01-01 00:00Z")
    apply(file)
    assert (versions(db), in_force(db)) == ([1, 2, 3], 2)
    apply(file)
    assert versions(db) == [1, 2, 3]
    apply(file + line(4))
    assert (versions(db), in_force(db)) == ([1, 2, 4, 3], 4)


def test_past_versions_cannot_be_changed(apply: Apply, db: Connection) -> None:
    apply(line(1, "2020-01-01 00:00Z"))
    for text in (
        line(2, "2020-01-01 00:00Z"),
        line(2, "2019-01-01 00:00Z"),
        line(1, "2021-01-01 00:00Z"),
        line(2, "2021-01-01 00:00Z"),
    ):
        with pytest.raises(MigrationError, match=r"'module whisper': overlaps"):
            apply(text)
    assert versions(db) == [1]


def test_planned_version_cannot_be_changed(apply: Apply, db: Connection) -> None:
    apply(line(1) + line(2, "2090-01-01 00:00Z"))
    with pytest.raises(MigrationError, match=r"'module whisper': overlaps"):
        apply(line(1) + line(3, "2090-01-01 00:00Z"))
    apply(line(1) + line(3, "2090-01-01 00:00:01Z"))
    assert versions(db) == [1, 2, 3]


def test_second_price_from_now_in_one_file_is_refused(apply: Apply, db: Connection) -> None:
    apply(line(1))
    apply(line(1) + line(1))
    for text in (line(1) + line(2), line(2) + line(1), line(2) + line(3)):
        with pytest.raises(MigrationError, match=r"'module whisper': overlaps"):
            apply(text)
    assert versions(db) == [1]
    apply(line(2))  # in a file of its own it is a change
    assert versions(db) == [1, 2]


def test_begun_version_is_not_undone_by_its_file(apply: Apply, db: Connection) -> None:
    file = line(1) + line(2, "2090-01-01 00:00Z")
    apply(file)
    db.autocommit = False
    stop_clock(db, "2090-06-01 00:00Z")
    db.commit()
    assert in_force(db) == 2
    db.commit()
    with pytest.raises(MigrationError, match=r"'module whisper': overlaps .* this one has begun"):
        apply(file)
    assert (versions(db), in_force(db)) == ([1, 2], 2)
    db.commit()


def test_version_ends_where_the_next_begins(apply: Apply, db: Connection) -> None:
    """At every moment the price is the one of the latest version: no gap, no overlap."""
    apply(line(1, "2020-01-01 00:00Z") + line(2, "2021-01-01 00:00Z") + line(3, "2090-01-01 00:00Z"))
    asked = db.execute(
        "select m.at, p.price_per_unit from unnest(%s::timestamptz[]) as m (at)"
        " cross join lateral (select c.price_per_unit from credits.price_components as c"
        " where c.price_id = credits.find_price('whisper', m.at)) as p order by m.at",
        (
            [
                "2019-12-31 23:59:59.999999Z",
                "2020-01-01 00:00Z",
                "2020-12-31 23:59:59.999999Z",
                "2021-01-01 00:00Z",
                "2089-12-31 23:59:59.999999Z",
                "2090-01-01 00:00Z",
            ],
        ),
    ).fetchall()
    assert [int(price) for _, price in asked] == [
        1,
        1,
        2,
        2,
        3,
    ]  # before 2020 it had none: nothing is asked then


def test_concurrent_writers_leave_a_sound_price_list(db: Connection, url: str) -> None:
    """Writers have different targets, or share one. The second writer sees what the first wrote."""
    targets = ("'metube'", "null, 'video'", "'metube'", "null")

    def write(number: int) -> None:
        with psycopg.connect(url) as connection:
            connection.execute("set local role credits_owner")
            component = f'[{{"dimension": "calls", "price_per_unit": {100 + number}}}]'
            connection.execute(f"select credits.define_price('{component}', {targets[number % 4]})".encode())

    for turn in range(4):
        assert at_once([partial(write, 4 * turn + place) for place in range(4)]) == [None] * 4
        assert db.execute("select * from audit.check_prices").fetchall() == []
    # The latest price of metube itself comes before its category's, whichever was written last.
    row = db.execute("select cost from credits.price_usage('metube', '{}', credits.clock())").fetchone()
    assert row in ((112,), (114,))
