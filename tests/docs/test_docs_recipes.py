"""The recipes of docs/price-lists.md and CONTRIBUTING.md work when somebody follows them to the letter."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from callers import Caller, Connection
from docs.test_docs_paths import ROOT
from psycopg.types.json import Jsonb
from sql.rules.test_catalog_rules import RULES

from pgcredits.bank import audit
from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.migrate import SQL, MigrationError, migrate

PRICE = r"select credits\.define_price\(.*?\);"


def examples(page: str, heading: str = "") -> list[str]:
    """The blocks of SQL on a page, or under one of its headings."""
    text = (ROOT / page).read_text()
    if heading:
        (text,) = re.findall(rf"^#+ {heading}$(.*?)(?=^#|\Z)", text, re.M | re.S)
    return [dedent(block) for block in re.findall(r"^ *```sql\n(.*?)^ *```$", text, re.M | re.S)]


def components(statement: str) -> list[Any]:
    (text,) = re.findall(r"'(\[.*?\])'", statement, re.S)
    return list(json.loads(text))


@pytest.fixture
def shop() -> str:
    return examples("docs/price-lists.md")[0]


@pytest.fixture
def edited(shop: str) -> str:
    """The shop's price list after the recipe: a new dimension, and its price in the new form."""
    (dimension,) = re.findall(
        r"`(select credits\.define_dimension.*?;)`", (ROOT / "docs/price-lists.md").read_text()
    )
    (price,) = examples("docs/price-lists.md", "Add a price dimension")
    (old,) = re.findall(PRICE, shop, re.S)
    assert components(price)[:-1] == components(old), "the new statement keeps every old component"
    return shop.replace(old, f"{dimension}\n{price}")


def test_price_list_edited_by_the_recipe_charges_the_new_dimension(
    db: Connection, url: str, shop: str, edited: str, tmp_path: Path
) -> None:
    file = tmp_path / "shop.sql"
    for text in (shop, edited, edited):
        file.write_text(text)
        apply_catalog(url, str(file), add=True)
    db.execute("select api.open_account('reader')")
    quotes = "select cost from api.quote_tokens('dubbing', %s, user_id => 'reader')"
    assert db.execute(quotes, (Jsonb({"seconds": 34, "speakers": 5}),)).fetchone() == (6,)
    versions = db.execute("select count(*) from credits.prices where module_id = 'dubbing'").fetchone()
    assert versions == (2,), "each text of the file made one version"


def test_second_price_of_a_module_in_one_file_is_refused_as_documented(
    url: str, db: Connection, shop: str, edited: str, tmp_path: Path
) -> None:
    (file := tmp_path / "shop.sql").write_text(shop + "\n".join(re.findall(PRICE, edited, re.S)))
    db.execute("select credits.define_dimension('speakers', 'speakers')")
    with pytest.raises(MigrationError, match="overlaps the other price without valid_from in the same file"):
        apply_catalog(url, str(file), add=True)


def test_price_lists_page_names_the_dimensions_of_every_bank(db: Connection) -> None:
    (sentence,) = re.findall(
        r"These exist in every bank: (.*?)\.\s", (ROOT / "docs/price-lists.md").read_text(), re.S
    )
    known = {name for (name,) in db.execute("select dimension from credits.dimensions")}
    assert sorted(re.findall(r"`(\w+)`", sentence)) == sorted(known)


def test_parts_of_a_dimension_cost_what_the_page_shows(
    db: Connection, url: str, connect_as: Callable[..., Connection]
) -> None:
    page = (ROOT / "docs/price-lists.md").read_text()
    define, quote = examples("docs/price-lists.md", "Dimensions with a parent")
    ((cost, includes),) = re.findall(r"^ +([0-9.]+) \| (\{.*\})$", page, re.M)
    apply_catalog(url, "appforge", add=True)
    db.execute(define.encode())
    told = Caller(connect_as("pgcredits_api"), "authenticated", "ada").row(quote)
    assert told == {"cost": Decimal(cost), "includes": json.loads(includes)}


def test_check_written_by_the_recipe_keeps_the_rules_and_is_run(
    db: Connection, url: str, tmp_path: Path
) -> None:
    check, united = examples("CONTRIBUTING.md", "A new reconciliation check")
    (name,) = re.findall(r"create or replace view audit\.(\w+)", check)
    sql = Path(shutil.copytree(SQL, tmp_path / "sql"))
    (sql / "audit" / f"{name}.sql").write_text(check)
    findings = (sql / "audit/findings.sql").read_text()
    assert findings.count(";\ncomment on") == 1
    (sql / "audit/findings.sql").write_text(findings.replace(";\ncomment on", f"\n{united};\ncomment on"))
    migrate(url, sql=sql)

    db.execute("select api.add_tokens('somebody', 5, reason => 'promo')")
    checks = audit.run(url)
    assert name.removeprefix("check_") in {ran.name for ran in checks}
    assert audit.sound(checks)
    broken = {rule.name: found for rule in RULES if (found := db.execute(rule.query).fetchall())}
    assert broken == {}

    db.execute("update credits.lots set unit_cost = 1")
    db.execute("set role auditor")
    assert db.execute("select check_name from audit.findings where check_name = %s", (name,)).fetchall() == [
        (name,)
    ]
