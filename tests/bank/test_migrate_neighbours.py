"""Migrate in a shared database: it says first what it will do, and changes nothing of others."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from support import PASSWORD, free_port

from pgcredits import cli
from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.migrate import SQL, MigrationError, Options, migrate, plan, run
from pgcredits.bank.migrate.marks import ENUM_VALUE
from pgcredits.database_urls import as_login
from pgcredits.local import embedded

Connection = psycopg.Connection[Any]


@pytest.fixture
def neighbour(empty_url: str) -> Iterator[Connection]:
    """Somebody else's login in the database, with objects of its own."""
    with psycopg.connect(empty_url, autocommit=True) as admin:
        admin.execute(f"create role neighbour login password '{PASSWORD}'")
        admin.execute("create schema theirs authorization neighbour")
    try:
        with psycopg.connect(as_login(empty_url, "neighbour", PASSWORD), autocommit=True) as connection:
            connection.execute("create table theirs.notes (line text)")
            connection.execute("create function theirs.one() returns int language sql return 1")
            yield connection
    finally:
        with psycopg.connect(empty_url, autocommit=True) as admin:
            admin.execute("drop owned by neighbour cascade; drop role neighbour")


OUTSIDE = """
    select 'database', d.datacl::text, d.datdba::regrole::text
    from pg_database as d where d.datname = current_database()
    union all
    select n.nspname, n.nspacl::text, n.nspowner::regrole::text from pg_namespace as n
    where n.nspname not in ('api', 'credits', 'analytics', 'finance', 'audit', 'yoyo') and n.nspname !~ '^pg_'
    union all
    select c.oid::regclass::text, c.relacl::text, c.relowner::regrole::text from pg_class as c
    where c.relnamespace::regnamespace::text in ('theirs', 'public')
    union all
    select p.oid::regprocedure::text, p.proacl::text, p.proowner::regrole::text from pg_proc as p
    where p.pronamespace::regnamespace::text in ('theirs', 'public')
    union all
    select 'defaults', a.defaclacl::text, a.defaclrole::regrole::text from pg_default_acl as a
    where a.defaclrole <> 'credits_owner'::regrole
    order by 1, 2, 3
"""


@pytest.mark.one_version
def test_nothing_outside_the_banks_schemas_changes(
    empty_url: str, neighbour: Connection, template: object
) -> None:
    with psycopg.connect(empty_url, autocommit=True) as admin:
        before = admin.execute(OUTSIDE).fetchall()
        migrate(empty_url)
        migrate(empty_url, options=Options(force=True))
        assert admin.execute(OUTSIDE).fetchall() == before
        assert admin.execute("table audit.findings").fetchall() == []
    with psycopg.connect(as_login(empty_url, "neighbour", PASSWORD)) as connection:
        connection.execute("create temporary table draft (line text)")
        connection.execute("select theirs.one()")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from api.packs")


@pytest.mark.one_version
def test_a_hardened_database_stays_hardened(empty_url: str, template: object) -> None:
    public = (
        "select a.privilege_type from pg_database as d,"
        " aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) as a"
        " where d.datname = current_database() and a.grantee = 0 order by 1"
    )
    with psycopg.connect(empty_url, autocommit=True) as admin:
        migrate(empty_url)
        assert admin.execute(public).fetchall() == [("CONNECT",), ("TEMPORARY",)]
        assert run(empty_url, Options(harden=True)).hardens
        assert admin.execute(public).fetchall() == []
        # As after a restore: the plain command knows what was decided.
        admin.execute("grant connect, temporary on database pgcredits_empty to public")
        assert not run(empty_url).up_to_date
        assert admin.execute(public).fetchall() == []
        assert run(empty_url).up_to_date
        assert admin.execute("table audit.findings").fetchall() == []
    # Our own logins still come in.
    with psycopg.connect(empty_url, autocommit=True) as admin:
        for login in ("pgcredits_api", "pgcredits_service", "pgcredits_analyst", "pgcredits_auditor"):
            may = admin.execute("select has_database_privilege(%s, current_database(), 'connect')", [login])
            assert may.fetchone() == (True,), login


def everything(admin: Connection) -> list[Any]:
    return [
        admin.execute(query).fetchall()
        for query in (
            "select nspname from pg_namespace where nspname !~ '^pg_' order by 1",
            "select rolname, rolconfig from pg_roles order by 1",
            "select datacl from pg_database where datname = current_database()",
            "select oid, xmin::text from pg_proc where oid > 16384 order by 1",
            "select oid, relname from pg_class"
            " where oid > 16384 and relnamespace::regnamespace::text !~ '^pg_' order by 1",
        )
    ]


@pytest.mark.one_version
def test_a_plan_of_a_first_migrate_changes_nothing(empty_url: str, template: object) -> None:
    with psycopg.connect(empty_url, autocommit=True) as admin:
        before = everything(admin)
        result = CliRunner().invoke(
            cli.main, ["migrate", "--plan", "--harden-database", "--database-url", empty_url]
        )
        assert result.exit_code == 0, result.output
        assert everything(admin) == before
    lines = result.output.splitlines()
    assert lines[0] == "apply migration 0001-schemas"
    assert "load sql/api/consume_tokens.sql" in lines
    assert lines[-2:] == [
        "take CONNECT and TEMP on the database from PUBLIC",
        "this is a plan: nothing was changed",
    ]


@pytest.mark.one_version
def test_a_plan_says_what_would_be_dropped_and_changed(url: str, db: Connection, tmp_path: Path) -> None:
    run(url)
    sql = Path(shutil.copytree(SQL, tmp_path / "sql"))
    migrations = Path(shutil.copytree(SQL.parent / "migrations", tmp_path / "migrations"))
    (migrations / "9999-table.sql").write_text(
        "set local role credits_owner;\ncreate table credits.t (a text);\n"
    )
    (sql / "credits/base/settings.sql").write_text(
        (sql / "credits/base/settings.sql").read_text().replace("p_allowed", "p_may")
    )
    db.execute("create view api.extra as select 1 as one")
    before = everything(db)
    outcome = plan(url, Options(migrations=migrations, sql=sql))
    assert (outcome.applied, outcome.changed_files) == (["9999-table"], ["credits/base/settings.sql"])
    assert sorted(outcome.dropped) == [
        "function credits.allow_test_clocks(p_allowed boolean)",
        "view api.extra",
    ]
    assert everything(db) == before
    db.execute("drop view api.extra")
    assert plan(url).up_to_date


def test_edited_and_renamed_migrations_are_refused(url: str, db: Connection, tmp_path: Path) -> None:
    migrations = Path(shutil.copytree(SQL.parent / "migrations", tmp_path / "migrations"))
    options = Options(migrations=migrations)
    third = migrations / "0003-currencies.sql"
    text = third.read_text()
    third.write_text(text + "-- one more word\n")
    with pytest.raises(
        MigrationError, match="0003-currencies was applied here and its file was edited since"
    ):
        run(url, options)
    third.write_text(text.replace("\n", "\r\n"))  # line ends are no edit
    run(url, options)
    third.unlink()
    (migrations / "0003-money.sql").write_text(text)
    with pytest.raises(MigrationError, match=r"0003-currencies was applied .* is now called 0003-money"):
        run(url, options)
    (migrations / "0003-money.sql").unlink()
    with pytest.raises(MigrationError, match="0003-currencies was applied here and is no file"):
        run(url, options)
    assert db.execute("table audit.findings").fetchall() == []


def test_a_mark_without_a_digest_is_refused(url: str, db: Connection) -> None:
    db.execute("delete from yoyo.applied_files where migration_id = '0003-currencies'")
    with pytest.raises(
        MigrationError, match="0003-currencies is marked as applied and no digest of it is kept"
    ):
        run(url, Options(force=True))


@pytest.mark.one_version
def test_a_concurrent_index_comes_after_the_rest_and_can_be_tried_again(
    url: str, db: Connection, tmp_path: Path
) -> None:
    migrations = Path(shutil.copytree(SQL.parent / "migrations", tmp_path / "migrations"))
    (migrations / "9998-index.sql").write_text(
        "-- transactional: false\n"
        "drop index concurrently if exists credits.orders_tokens_idx;\n"
        "create unique index concurrently orders_tokens_idx on credits.orders (tokens);\n"
    )
    (migrations / "9999-table.sql").write_text(
        "set local role credits_owner;\ncreate table credits.t (a text);\n"
    )
    options = Options(migrations=migrations)
    for user in ("ada", "bob"):
        db.execute("select api.add_tokens(%s, 1)", [user])
        db.execute("select api.create_order('standard', user_id => %s)", [user])
    assert plan(url, options).alone == ["9998-index"]
    # The bank is migrated and whole when the index, alone, fails; the next try makes it.
    with pytest.raises(MigrationError, match="9998-index: could not create unique index"):
        run(url, options)
    assert db.execute("select to_regclass('credits.t') is not null").fetchone() == (True,)
    (order, *_) = db.execute("select order_id from credits.orders limit 1").fetchone() or ()
    db.execute("update credits.orders set tokens = tokens + 1 where order_id = %s", [order])
    assert run(url, options).applied == ["9998-index"]
    valid = "select indisvalid from pg_index where indexrelid = 'credits.orders_tokens_idx'::regclass"
    assert db.execute(valid).fetchone() == (True,)
    assert run(url, options).applied == []


def test_the_owner_of_a_database_with_createrole_is_enough(tmp_path: Path, bin_dir: Path) -> None:
    """On a server of its own, because the maker of the roles may do more with them than a later login."""
    server = embedded.start(tmp_path, free_port(), PASSWORD, bin_dir, say=lambda text: None)
    try:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute(f"create role boss login createrole password '{PASSWORD}'")
            admin.execute("create database bank owner boss")
        url = as_login(server.url("bank"), "boss", PASSWORD)
        assert len(plan(url).applied) == len(migrate(url))
        assert run(url).up_to_date
        apply_catalog(url, "iahome")
        with psycopg.connect(server.url("bank"), autocommit=True) as admin:
            admin.execute("create view api.extra as select 1 as one")
            admin.execute("create function credits.extra() returns int language sql return 1")
            assert sorted(run(url).dropped) == ["function credits.extra()", "view api.extra"]
            assert run(url, Options(harden=True)).hardens
            assert admin.execute("table audit.check_release").fetchall() == []
            assert admin.execute("table audit.check_creators").fetchall() == []
    finally:
        embedded.stop(server)


def test_new_values_of_enums_are_written_so_that_migrate_finds_them() -> None:
    """It adds them ahead: a value cannot be used in the transaction that added it."""
    for path in sorted((SQL.parent / "migrations").glob("*.sql")):
        text = path.read_text()
        assert len(re.findall(r"\badd\s+value\b", text, re.I)) == len(ENUM_VALUE.findall(text)), path.name


BEHAVIOUR = re.compile(
    r"^\s*(create|drop|alter|comment on)\s+(or replace\s+)?(constraint\s+)?"
    r"(function|procedure|routine|aggregate|view|policy|trigger)\b|^\s*comment on\b",
    re.I | re.M,
)


def test_migrations_leave_behaviour_and_comments_to_the_reload() -> None:
    for path in sorted((SQL.parent / "migrations").glob("*.sql")):
        assert not BEHAVIOUR.search(path.read_text()), path.name
    for line in (
        "drop function if exists credits.spend(uuid);",
        "create or replace view api.extra as select 1;",
        "create policy owner on credits.lots using (true);",
        "alter function credits.me() stable;",
        "comment on column credits.lots.live is 'Has tokens.';",
    ):
        assert BEHAVIOUR.search(line), line


def test_an_enum_learns_a_value_and_uses_it_in_one_release(url: str, db: Connection, tmp_path: Path) -> None:
    migrations = Path(shutil.copytree(SQL.parent / "migrations", tmp_path / "migrations"))
    (migrations / "9998-value.sql").write_text(
        "set local role credits_owner;\nalter type credits.entry_kind add value if not exists 'tip';\n"
    )
    (migrations / "9999-use.sql").write_text(
        "set local role credits_owner;\ninsert into credits.entry_kinds values ('tip', 'usage', 'tip');\n"
    )
    assert run(url, Options(migrations=migrations)).applied == ["9998-value", "9999-use"]
