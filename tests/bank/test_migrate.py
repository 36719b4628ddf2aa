"""pgcredits migrate, on a small folder of its own: at once, killed in the middle, with mistakes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from pgcredits.bank.catalogs import apply_catalog, list_catalogs
from pgcredits.bank.migrate import MIGRATIONS, SQL, MigrationError, migrate
from pgcredits.cli import main

ROLE = """
do $$ begin
    create role credits_owner nologin;
exception when duplicate_object or unique_violation then null;
end $$;
create schema credits authorization credits_owner;
"""
ANSWER = "create or replace function credits.answer() returns int language sql return {};"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A small migrations/ and sql/."""
    for folder in ("migrations", "sql/credits", "sql/api", "sql/catalogs"):
        (tmp_path / folder).mkdir(parents=True)
    releases = next(MIGRATIONS.glob("*-releases.sql")).read_text()
    (tmp_path / "migrations/0001-role.sql").write_text(ROLE + releases)
    (tmp_path / "migrations/0002-log.sql").write_text(
        "create table credits.log (line text);\ninsert into credits.log values ('0002');"
    )
    (tmp_path / "sql/credits/answer.sql").write_text(ANSWER.format(1))
    (tmp_path / "sql/credits/partitions.sql").write_text(
        "create or replace function credits.ensure_partitions(p int) returns void language plpgsql"
        " as $$ begin null; end $$;"
    )
    for path in [*(SQL / "credits/rights").glob("standing_*.sql"), SQL / "credits/rights/release.sql"]:
        shutil.copy(path, tmp_path / "sql/credits")
    (tmp_path / "sql/access.sql").write_text("revoke all on schema credits from public;")
    (tmp_path / "sql/harden_database.sql").write_text((SQL / "harden_database.sql").read_text())
    return tmp_path


def run(url: str, home: Path) -> list[str]:
    return migrate(url, home / "migrations", home / "sql")


def spawn(url: str, home: Path) -> subprocess.Popen[str]:
    """The same in a process of its own, which can be killed."""
    program = (
        "import sys; from pathlib import Path; from pgcredits.bank.migrate import migrate\n"
        "url, home = sys.argv[1], Path(sys.argv[2])\n"
        "print(','.join(migrate(url, home / 'migrations', home / 'sql')))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, url, str(home)], stdout=subprocess.PIPE, text=True
    )


def value(url: str, query: str) -> Any:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


@contextmanager
def holding(url: str, statement: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction in which `statement` has taken its locks."""
    with psycopg.connect(url) as rival:
        rival.execute(statement.encode())
        yield rival


def wait_until_blocked(url: str) -> None:
    """Until the migration really waits for a lock."""
    waiting = (
        "select count(*) from pg_stat_activity where application_name = 'pgcredits migrate'"
        " and datname = current_database() and wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + 20
    while not value(url, waiting):
        assert time.monotonic() < deadline, "the migration never waited"
        time.sleep(0.02)


def wait_until_there(url: str) -> None:
    """Until a migrating process has connected."""
    deadline = time.monotonic() + 20
    while not value(
        url,
        "select count(*) from pg_stat_activity"
        " where application_name = 'pgcredits migrate' and datname = current_database()",
    ):
        assert time.monotonic() < deadline, "nobody came"
        time.sleep(0.01)


def test_migrate_applies_pending_files_and_always_reloads(empty_url: str, home: Path) -> None:
    assert run(empty_url, home) == ["0001-role", "0002-log"]
    (home / "sql/credits/answer.sql").write_text(ANSWER.format(2))
    assert run(empty_url, home) == []
    assert value(empty_url, "select credits.answer()") == 2


@pytest.mark.one_version
def test_eight_migrates_at_once_apply_everything_once(empty_url: str, home: Path) -> None:
    (home / "migrations/0003-slow.sql").write_text(
        "insert into credits.log select '0003' from pg_sleep(0.5);"
    )
    children = [spawn(empty_url, home) for _ in range(8)]
    outputs = sorted(child.communicate(timeout=60)[0].strip() for child in children)
    assert [child.returncode for child in children] == [0] * 8
    assert outputs == [""] * 7 + ["0001-role,0002-log,0003-slow"]
    assert value(empty_url, "select string_agg(line, ' ' order by line) from credits.log") == "0002 0003"
    assert value(empty_url, "select count(*) from yoyo._yoyo_migration") == 3


def test_killed_migration_leaves_nothing(empty_url: str, home: Path) -> None:
    run(empty_url, home)
    (home / "migrations/0003-gate.sql").write_text(
        "create table credits.half (a int);\n"
        "select pg_advisory_xact_lock(42);\n"
        "create table credits.rest (a int);"
    )
    with holding(empty_url, "select pg_advisory_xact_lock(42)"):
        child = spawn(empty_url, home)
        wait_until_blocked(empty_url)
        child.kill()
        child.communicate()
    assert run(empty_url, home) == ["0003-gate"]
    assert value(empty_url, "select count(*) from credits.half, credits.rest") == 0


def test_killed_migration_has_neither_work_nor_mark(empty_url: str, home: Path) -> None:
    """The mark has to wait. With yoyo's own two transactions there would be a table without its mark."""
    run(empty_url, home)
    (home / "migrations/0003-table.sql").write_text("create table credits.once (a int);")
    with holding(empty_url, "lock table yoyo._yoyo_migration in exclusive mode"):
        child = spawn(empty_url, home)
        wait_until_blocked(empty_url)
        child.kill()
        child.communicate()
        assert value(empty_url, "select to_regclass('credits.once')") is None
    assert run(empty_url, home) == ["0003-table"]
    assert run(empty_url, home) == []


@pytest.mark.one_version
def test_migrate_survives_a_kill_at_any_moment(empty_url: str, home: Path) -> None:
    """Twenty migrations, killed again and again: either all are applied or none, and in the end each once."""
    for number in range(3, 23):
        (home / f"migrations/{number:04}-table.sql").write_text(
            f"create table credits.t{number} (a int);\n"
            f"insert into credits.log select '{number}' from pg_sleep(0.02);"
        )
    run(empty_url, _only(home, 2))
    for tenths in range(2, 7):
        child = spawn(empty_url, home)
        wait_until_there(empty_url)
        time.sleep(tenths / 10)
        child.kill()
        child.communicate()
        assert value(empty_url, "select count(*) from yoyo._yoyo_migration") in (2, 22)
        assert value(empty_url, "select count(*) from credits.log") in (1, 21)
    run(empty_url, home)
    assert value(empty_url, "select count(*) from yoyo._yoyo_migration") == 22
    assert value(empty_url, "select count(distinct line) = 21 and count(*) = 21 from credits.log") is True


def _only(home: Path, count: int) -> Path:
    """A copy of `home` with the first migrations."""
    part = home / "part"
    (part / "migrations").mkdir(parents=True)
    for path in sorted((home / "migrations").glob("*.sql"))[:count]:
        (part / "migrations" / path.name).write_text(path.read_text())
    (part / "sql").symlink_to(home / "sql")
    return part


def test_stale_lock_of_yoyo_does_not_stop_migrate(empty_url: str, home: Path) -> None:
    run(empty_url, home)
    with psycopg.connect(empty_url) as connection:
        connection.execute("insert into yoyo.yoyo_lock values (1, now(), 1)")
    assert run(empty_url, home) == []


def test_a_failed_migration_leaves_nothing(empty_url: str, home: Path) -> None:
    run(empty_url, home)
    broken = home / "migrations/0003-broken.sql"
    broken.write_text("create table credits.half (a int);\nselect 1 / 0;")
    with pytest.raises(MigrationError, match="0003-broken: division by zero"):
        run(empty_url, home)
    assert value(empty_url, "select to_regclass('credits.half')") is None
    broken.write_text("create table credits.whole (a int);")
    assert run(empty_url, home) == ["0003-broken"]


def test_a_mistake_in_sql_names_its_line_and_leaves_the_old_set(empty_url: str, home: Path) -> None:
    run(empty_url, home)
    (home / "sql/credits/answer.sql").write_text(ANSWER.format(2))
    (home / "sql/credits/broken.sql").write_text("select 1;\nselect\n    no_such_column;")
    with pytest.raises(MigrationError, match=r"credits/broken\.sql:3: .*no_such_column"):
        run(empty_url, home)
    assert value(empty_url, "select credits.answer()") == 1


def test_a_mistake_in_a_body_is_found_whatever_the_order(empty_url: str, home: Path) -> None:
    """Functions may call functions that are defined later. Broken bodies are refused all the same."""
    first = home / "sql/credits/a_first.sql"
    first.write_text(
        "create or replace function credits.first() returns int language sql"
        " as $$ select credits.answer() $$;"
    )
    run(empty_url, home)
    for body in (
        "language sql as $$ select credits.nothing() $$;",
        "language plpgsql as $$ begin retrn 1; end $$;",
    ):
        first.write_text(f"create or replace function credits.first() returns int {body}")
        with pytest.raises(MigrationError, match=r"in the body of a function: .*(nothing|retrn)"):
            run(empty_url, home)
    assert value(empty_url, "select credits.first()") == 1


def test_unqualified_create_fails(empty_url: str, home: Path) -> None:
    (home / "migrations/0003-stray.sql").write_text("create table stray (a int);")
    with pytest.raises(MigrationError, match="0003-stray: permission denied"):
        run(empty_url, home)


def test_settings_of_a_migration_end_with_it(empty_url: str, home: Path) -> None:
    (home / "migrations/0003-leaves.sql").write_text(
        "set role credits_owner;\nset statement_timeout = '1s';\nset search_path = credits;"
    )
    (home / "migrations/0004-finds.sql").write_text(
        "insert into credits.log select current_user || current_setting('statement_timeout');"
    )
    run(empty_url, home)
    assert value(empty_url, "select line from credits.log where line <> '0002'") == "postgres4h"


def test_bookkeeping_is_closed_to_others(empty_url: str, home: Path) -> None:
    run(empty_url, home)
    assert value(empty_url, "select has_schema_privilege('public', 'yoyo', 'usage')") is False


def test_real_migrate_can_be_repeated(url: str) -> None:
    assert migrate(url) == []
    for name in list_catalogs():
        apply_catalog(url, name, add=True)
    assert {"appforge", "iahome"} <= set(list_catalogs())


def test_prices_at_stripe_come_from_the_configuration(url: str, tmp_path: Path) -> None:
    query = (
        "select json_object_agg(pack_id, stripe_price_id) from credits.packs"
        " where stripe_price_id is not null"
    )
    apply_catalog(url, "iahome", stripe_prices={"standard": "price_1", "premium": "price_2"})
    assert value(url, query) == {"standard": "price_1", "premium": "price_2"}
    apply_catalog(url, "iahome", stripe_prices={"standard": "price_3"})
    apply_catalog(url, "iahome")
    assert value(url, query) == {"standard": "price_3", "premium": "price_2"}

    # A slip of the pen: nothing of the file is applied.
    own = tmp_path / "own.sql"
    own.write_text("select credits.define_pack('own', 'Own', 5, 100, 'eur');")
    with pytest.raises(MigrationError, match=r"PGCREDITS_STRIPE_PRICES: .*'standrad': no such pack"):
        apply_catalog(url, str(own), add=True, stripe_prices={"own": "price_4", "standrad": "price_1"})
    assert value(url, "select count(*) from credits.packs where pack_id = 'own'") == 0
    with pytest.raises(MigrationError, match=r"own\.sql: pack 'own': .*prod_1.* is not the id of a price"):
        apply_catalog(url, str(own), add=True, stripe_prices={"own": "prod_1"})
    apply_catalog(url, str(own), add=True, stripe_prices={"own": "price_4", "standard": "price_3"})
    assert value(url, query) == {"standard": "price_3", "premium": "price_2", "own": "price_4"}


def test_catalog_with_a_mistake_is_refused_whole(url: str, tmp_path: Path) -> None:
    """Each mistake stands last in a file whose other lines are fine."""
    own = tmp_path / "own.sql"
    start = (
        "select credits.define_catalog('own', 'Own', 'credit', 'eur');\n"
        "select credits.define_module('own', 'Own');\n"
        "select credits.define_pack('fine', 'Fine', 5, 100, 'eur');\n"
    )
    for line, message in (
        ("credits.define_pack('bad', 'Bad', 5, -100, 'eur')", "pack 'bad': Stripe charges at least 0.50 EUR"),
        ("credits.define_pack('bad', 'Bad', -5, 100, 'eur')", "pack 'bad': an amount must be above 0"),
        ("credits.define_pack('bad', 'Bad', 5, null, 'eur')", "pack 'bad': null value in column \"amount\""),
        ("credits.define_pack('bad', 'Bad', 5, 100, 'eux')", "pack 'bad': Stripe takes no payments in 'eux'"),
        (
            """credits.define_price('[{"dimension": "calls", "price_per_unit": -1}]', 'own')""",
            "price of 'module own': price_per_unit of calls is a number from 0",
        ),
        ("credits.define_topup_preset('eur', 100)", "topup preset '100 eur': no top-up"),
    ):
        own.write_text(f"{start}select {line};\n")
        with pytest.raises(MigrationError, match=rf"own\.sql: {message}"):
            apply_catalog(url, str(own), add=True)
        assert (
            value(
                url,
                "select count(*) from credits.catalogs, credits.modules, credits.packs"
                " where 'own' in (catalog_id, module_id) or pack_id = 'fine'",
            )
            == 0
        )


@pytest.mark.parametrize(
    "command",
    [["migrate"], ["catalog", "apply", "iahome"], ["catalog", "apply", "iahome", "--dry-run"], ["roles"],
     ["roles", "--take-ownership"], ["maintain"], ["maintain", "--every", "60"]],
    ids=" ".join,
)  # fmt: skip
def test_an_older_program_does_nothing_to_a_newer_bank(
    command: list[str], url: str, db: psycopg.Connection[Any]
) -> None:
    db.execute(
        "insert into yoyo._yoyo_migration select 'f', '9999-later', now();"
        " update credits.releases set migration = '9999-later'"
    )
    shown = "select array_agg(line order by line)::text from credits.show_catalog() as line"
    before = db.execute(shown).fetchone()
    done = CliRunner().invoke(main, [*command, "--database-url", url])
    assert done.exit_code == 1
    assert "this database is newer than this pgcredits: it has 9999-later" in done.output
    assert db.execute(shown).fetchone() == before
