"""A price list defines what is for sale, and can do nothing else."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from callers import Connection
from click.testing import CliRunner
from support import PASSWORD

from pgcredits.bank.catalogs import apply_catalog, find_catalog, list_catalogs
from pgcredits.bank.catalogs.catalog_file import read
from pgcredits.bank.migrate import MigrationError
from pgcredits.cli import main
from pgcredits.database_urls import as_login

MODULE = "select credits.define_module('m', 'M');\n"


def shown(db: Connection) -> list[Any]:
    return db.execute("select line from credits.show_catalog() as line order by line").fetchall()


@pytest.mark.parametrize(
    "line",
    [
        "reset role;",
        "reset session authorization;",
        "copy (select 1) to program 'true';",
        "commit;",
        "create table credits.mine (n int);",
        "do $$ begin perform credits.define_module('x', 'X'); end $$;",
        "select api.add_tokens('thief', 1000);",
        "select set_config('role', 'postgres', false), credits.define_module('x', 'X');",
        "with a as (select 1) select credits.define_module('x', 'X');",
        "insert into credits.modules values ('x', 'X');",
        "explain analyze select credits.define_module('x', 'X');",
        "\\! true",
        "/* select credits.define_module('x', 'X'); */ drop table credits.packs;",
        "select credits.defined_module('x', 'X');",
        "selectcredits.define_module('x', 'X');",
    ],
)
def test_a_line_that_defines_nothing_is_refused(db: Connection, url: str, tmp_path: Path, line: str) -> None:
    before = shown(db)
    (own := tmp_path / "own.sql").write_text(f"{MODULE}-- a comment\n{line}\n")
    with pytest.raises(MigrationError, match=r"own\.sql:3: a price list holds"):
        apply_catalog(url, str(own))
    assert shown(db) == before


def test_every_price_list_of_ours_only_defines() -> None:
    for name in list_catalogs():
        assert len(read(find_catalog(name))) > 5


def test_a_second_product_is_added_on_purpose(db: Connection, url: str) -> None:
    before = shown(db)
    with pytest.raises(MigrationError, match=r"has the price list iahome.*luneo goes into.*--add"):
        apply_catalog(url, "luneo")
    assert shown(db) == before
    apply_catalog(url, "luneo", add=True)
    apply_catalog(url, "luneo")  # it is there now
    apply_catalog(url, "iahome")


def test_a_dry_run_shows_the_difference_and_changes_nothing(db: Connection, url: str, tmp_path: Path) -> None:
    (own := tmp_path / "own.sql").write_text(
        "select credits.define_module('whisper', 'Whisper', 'video');\n"
        """select credits.define_price('[{"dimension": "calls", "price_per_unit": 31}]');\n"""
    )
    before = shown(db)
    done = CliRunner().invoke(main, ["catalog", "apply", str(own), "--dry-run", "--database-url", url])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert [line[:40].split(" {")[0] for line in lines] == [
        "-module whisper",
        "+module whisper",
        "-price of any other module",
        "+price of any other module",
    ]
    assert '"price_per_unit": 31' in lines[3]
    assert shown(db) == before
    done = CliRunner().invoke(main, ["catalog", "apply", "iahome", "--dry-run", "--database-url", url])
    assert done.output == "nothing would change\n"


def test_the_login_has_a_password_only_while_it_is_used(db: Connection, url: str) -> None:
    def password() -> Any:
        row = db.execute("select rolpassword from pg_authid where rolname = 'pgcredits_catalog'").fetchone()
        assert row is not None
        return row[0]

    apply_catalog(url, "iahome")
    assert password() is None
    with pytest.raises(MigrationError):
        apply_catalog(url, "iahome", stripe_prices={"nothing": "price_1"})
    assert password() is None
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(as_login(url, "pgcredits_catalog", PASSWORD))


def test_price_lists_may_be_applied_at_once(db: Connection, url: str, empty_url: str) -> None:
    """Also in two banks on one server, which share the login."""
    from pgcredits.bank.migrate import migrate

    migrate(empty_url)
    errors: list[Exception] = []

    def apply(where: str) -> None:
        try:
            for _ in range(3):
                apply_catalog(where, "iahome")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=apply, args=(where,)) for where in (url, empty_url, url, empty_url)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
