"""`pgcredits catalog import genai-prices`, as somebody types it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from callers import BOOKS, Connection
from click.testing import CliRunner, Result
from psycopg.types.json import Jsonb

from pgcredits.bank.catalogs import apply_catalog
from pgcredits.cli import main

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

Import = Callable[..., Result]
MINI = ("--models", "gpt-4o-mini,gpt-4o", "--provider", "openai", "--margin", "5")


@pytest.fixture
def appforge(db: Connection, url: str) -> Import:
    """appforge(*arguments): the command against a bank with the price list appforge alone."""
    db.execute("delete from credits.catalogs")
    apply_catalog(url, "appforge")

    def run(*arguments: str) -> Result:
        command = ["catalog", "import", "genai-prices", *arguments, "--database-url", url]
        return CliRunner().invoke(main, command)

    return run


def shown(db: Connection) -> list[Any]:
    return db.execute("select line from credits.show_catalog() as line order by line").fetchall()


def test_prices_are_shown_then_imported_and_spent(db: Connection, appforge: Import) -> None:
    """The dry run shows what docs/price-lists.md shows."""
    page = (Path(__file__).parents[2] / "docs/price-lists.md").read_text()
    ((command, *transcript),) = (
        block.splitlines() for block in re.findall(r"^```\n\$ pgcredits (.*?)^```$", page, re.M | re.S)
    )
    assert command == " ".join(["catalog import genai-prices", *MINI, "--rate 1.08 --dry-run"])
    before = shown(db)
    dry = appforge(*MINI, "--rate", "1.08", "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert dry.output.splitlines() == transcript
    assert shown(db) == before

    done = appforge(*MINI, "--rate", "1.08")
    assert done.output.splitlines() == dry.output.splitlines()[:-1]
    usage = {"input_tokens": 500_000, "cached_input_tokens": 500_000, "output_tokens": 2000}
    usage["reasoning_tokens"] = 8000
    db.execute("select api.add_tokens('ada', 1000)")
    row = db.execute(
        "select cost from api.consume_tokens('gpt-4o-mini', %s, user_id => 'ada')", (Jsonb(usage),)
    ).fetchone()
    # (0.5 × 15 + 0.5 × 7.5 + 0.01 × 60) US cents × 1.05 / 1.08
    assert row == (Decimal("11.520834"),)

    again = appforge(*MINI, "--rate", "1.08")
    assert again.output.splitlines()[-1] == "1 unchanged, 1 kept"
    dearer = appforge(*MINI, "--rate", "1.05")
    assert "~ gpt-4o-mini: changed" in dearer.output
    assert "    input_tokens: 14.583333 -> 15" in dearer.output
    versions = db.execute("select origin from credits.prices where module_id = 'gpt-4o-mini'").fetchall()
    assert versions == [("genai-prices",)] * 2
    assert db.execute(BOOKS.encode()).fetchall() == []


def test_a_refused_model_does_not_stop_the_others(db: Connection, appforge: Import) -> None:
    """One that looks like a module of ours is refused by the bank."""
    db.execute("select credits.define_module('gpt_4.1', 'By another name')")
    terms = ("--provider", "openai", "--margin", "5", "--rate", "1.08")
    done = appforge("--models", "gpt-4.1*,whisper-1", *terms)
    assert done.exit_code == 1
    assert "x gpt-4.1: refused, module 'gpt-4.1': it looks like module 'gpt_4.1', which" in done.output
    assert "x whisper-1: refused, it has a rate that is not imported: audio_hours" in done.output
    assert done.output.splitlines()[-1] == "2 new, 2 refused"
    modules = db.execute("select module_id from credits.modules where module_id like 'gpt-4.1%'").fetchall()
    assert modules == [("gpt-4.1-mini",), ("gpt-4.1-nano",)]


def test_tokens_of_another_unit_are_counted_in_it(db: Connection, appforge: Import) -> None:
    db.execute("update credits.catalogs set unit = 'credit'")
    refused = appforge(*MINI, "--rate", "1.08")
    assert refused.output == (
        "Error: balances count in 'credit': --unit says how many of these one cent is worth,"
        " such as --unit 10\n"
    )
    done = appforge(*MINI, "--rate", "1.08", "--unit", "10")
    assert "    output_tokens: none -> 583.333333" in done.output


def test_import_guesses_no_rate_and_no_unit(db: Connection, appforge: Import, monkeypatch: Any) -> None:
    before = shown(db)
    for arguments, message in (
        (MINI, "the price list is in eur, and the prices are in usd: --rate says how many US cents"),
        ((*MINI, "--rate", "0"), "0 is not a number above 0, up to a million, with at most 12 decimals"),
        ((*MINI, "--rate", "NaN"), "is not a number"),
        ((*MINI[:-1], "-5", "--rate", "1"), "-5 is not a number from 0 to a million"),
        ((*MINI[:-1], "1e-13", "--rate", "1"), "with at most 12 decimals"),
        (("--models", " , ", "--margin", "5", "--rate", "1"), "--models names no model"),
        (("--models", "o17", "--margin", "5", "--rate", "1"), "genai-prices has no model like o17"),
        (("--models", "*", "--margin", "5", "--rate", "1"), "and 300 can be imported at once"),
    ):
        refused = appforge(*arguments)
        assert refused.exit_code in (1, 2), arguments
        assert message in refused.output
    db.execute("update credits.catalogs set currency = 'usd', unit = 'cent'")
    assert "leave --rate out" in appforge(*MINI, "--rate", "1.08").output
    assert "the margin is 5 %" in appforge(*MINI, "--dry-run").output
    db.execute("delete from credits.catalogs")
    assert "this bank has no price list" in appforge(*MINI, "--rate", "1.08").output
    monkeypatch.setitem(sys.modules, "genai_prices.data_snapshot", None)
    assert "`pip install pgcredits[prices]` brings genai-prices" in appforge(*MINI).output
    assert [line for (line,) in shown(db)] == [line for (line,) in before if not line.startswith("catalog ")]
