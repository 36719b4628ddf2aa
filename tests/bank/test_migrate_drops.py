"""Migrate drops everything that sql/ no longer makes. What others made stays, or is named."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sql.audit.test_audit import OTHERS
from support import PASSWORD

from pgcredits.bank.migrate import SQL, MigrationError, Options, migrate, run
from pgcredits.database_urls import as_login

pytestmark = pytest.mark.one_version

Connection = psycopg.Connection[Any]
Edit = Callable[[str, str, str], None]


@pytest.fixture
def sql(tmp_path: Path) -> Path:
    """A copy of sql/, to change."""
    return Path(shutil.copytree(SQL, tmp_path / "sql"))


@pytest.fixture
def edit(sql: Path) -> Edit:
    """edit(file, old, new): a change of a file of sql/."""

    def change(name: str, old: str, new: str) -> None:
        text = (sql / name).read_text()
        assert old in text, (name, old)
        (sql / name).write_text(text.replace(old, new))

    return change


def signatures(db: Connection, name: str) -> list[str]:
    query = "select oid::regprocedure::text from pg_proc where oid::regproc::text = %s order by 1"
    return [row[0] for row in db.execute(query, [name]).fetchall()]


def is_sound(url: str, db: Connection, sql: Path) -> None:
    """The audit finds nothing, a spend works, and another migrate has nothing to do."""
    # check_access says again what access.sql says, which these tests change.
    found = db.execute("select * from audit.findings where check_name <> 'check_access'").fetchall()
    assert found == []
    db.execute("select api.add_tokens('sound', 100)")
    db.execute("select api.consume_tokens('metube', user_id => 'sound')")
    assert run(url, Options(sql=sql)).up_to_date


def test_a_parameter_with_a_default_leaves_no_second_function(
    url: str, db: Connection, sql: Path, edit: Edit
) -> None:
    edit(
        "credits/identity/identity.sql",
        "function credits.subject()",
        "function credits.subject(p_extra text default null)",
    )
    edit(
        "credits/identity/identity.sql",
        "on function credits.subject(p_extra text default null)",
        "on function credits.subject(text)",
    )
    outcome = run(url, Options(sql=sql))
    assert signatures(db, "credits.subject") == ["credits.subject(text)"]
    assert "function credits.subject()" in outcome.dropped
    is_sound(url, db, sql)


def test_parameter_can_be_renamed(url: str, db: Connection, sql: Path, edit: Edit) -> None:
    edit("credits/base/settings.sql", "p_allowed", "p_may")
    run(url, Options(sql=sql))
    db.execute("select credits.allow_test_clocks(p_may => true)")
    is_sound(url, db, sql)


def test_result_type_can_change(url: str, db: Connection, sql: Path, edit: Edit) -> None:
    """Functions, views and policies use the function. They are made again."""
    text = (sql / "credits/base/clock.sql").read_text()
    assert "credits.clock()\nreturns timestamptz" in text
    edit("credits/base/settings.sql", "returns void", "returns boolean")
    edit("credits/base/settings.sql", "end\n$$", "    return true;\nend\n$$")
    assert "function credits.allow_test_clocks(p_allowed boolean)" in run(url, Options(sql=sql)).dropped
    assert db.execute("select credits.allow_test_clocks(true)").fetchone() == (True,)
    is_sound(url, db, sql)


def test_function_used_by_views_and_policies_can_get_a_parameter(
    url: str, db: Connection, sql: Path, edit: Edit
) -> None:
    for name, text in {path: path.read_text() for path in sql.rglob("*/*.sql")}.items():
        name.write_text(re.sub(r"credits\.me\(\)", "credits.me(true)", text))
    edit("access.sql", "credits.me()", "credits.me(true)")
    for path in sql.glob("credits/**/*.sql"):
        text = path.read_text()
        path.write_text(
            text.replace(
                "create or replace function credits.me(true)",
                "create or replace function credits.me(p_really boolean)",
            ).replace("on function credits.me(true)", "on function credits.me(boolean)")
        )
    policies = "select count(*) from pg_policy"
    before = db.execute(policies).fetchone()
    outcome = run(url, Options(sql=sql))
    assert signatures(db, "credits.me") == ["credits.me(boolean)"]
    assert "function credits.me()" in outcome.dropped
    assert db.execute(policies).fetchone() == before
    is_sound(url, db, sql)


def test_view_columns_can_be_dropped_and_reordered(url: str, db: Connection, sql: Path, edit: Edit) -> None:
    """Another view of ours reads it; it is made again, with its grants."""
    (sql / "analytics/on_top.sql").write_text(
        "create or replace view analytics.on_top with (security_invoker = true) as\n"
        "select s.day from analytics.below as s;\ncomment on view analytics.on_top is 'On top.';\n"
    )
    below = sql / "analytics/below.sql"
    below.write_text(
        "create or replace view analytics.below with (security_invoker = true) as\n"
        "select 1 as one, date '2026-01-01' as day;\ncomment on view analytics.below is 'Below.';\n"
    )
    run(url, Options(sql=sql))
    edit("analytics/below.sql", "1 as one, date '2026-01-01' as day", "date '2026-01-02' as day")
    outcome = run(url, Options(sql=sql))
    assert outcome.dropped == ["view analytics.below", "view analytics.on_top"]
    assert outcome.remade == set(outcome.dropped)
    with psycopg.connect(as_login(url, "pgcredits_analyst", PASSWORD)) as analyst:
        assert str(analyst.execute("select day from analytics.on_top").fetchone()[0]) == "2026-01-02"  # type: ignore[index]
    is_sound(url, db, sql)
    for name in ("on_top", "below"):
        (sql / f"analytics/{name}.sql").unlink()
    assert run(url, Options(sql=sql)).dropped[0].startswith("view analytics.")
    assert db.execute("select to_regclass('analytics.below')").fetchone() == (None,)


def test_foreign_objects_are_dropped(url: str, db: Connection) -> None:
    for statement in (
        "create function api.extra() returns int language sql return 1",
        "create procedure credits.extra() language sql as 'select 1'",
        "create aggregate audit.extra(int) (sfunc = int4pl, stype = int)",
        "create function credits.consume_tokens(text) returns int language sql return 1",
        "create view api.extra_view as select api.extra() as one",
        "create materialized view analytics.extra as select 1 as one",
        "create policy extra on credits.entries for select to anon using (true)",
        "create trigger extra before insert on credits.lots for each row"
        " execute function credits.refuse_change()",
        "create rule extra as on insert to credits.outbox do instead nothing",
    ):
        db.execute(statement)
    outcome = run(url)
    assert outcome.remade == set()
    assert sorted(outcome.dropped) == [
        "aggregate audit.extra(integer)",
        "function api.extra()",
        "function credits.consume_tokens(text)",
        "materialized view analytics.extra",
        "policy extra on credits.entries",
        "procedure credits.extra()",
        "rule extra on credits.outbox",
        "trigger extra on credits.lots",
        "view api.extra_view",
    ]
    is_sound(url, db, SQL)


def test_kinds_that_are_never_made_are_dropped(url: str, db: Connection) -> None:
    """One migrate drops all of them. The audit would find any that stayed."""
    for made in (
        *OTHERS,
        "alter default privileges in schema credits grant select on tables to anon, public",
        "create trigger extra before insert on credits.entries_default for each row"
        " execute function credits.refuse_change()",
        # The function that the operator calls goes too.
        "create function credits.same(integer, integer) returns boolean language sql return true;"
        " create operator credits.==== (leftarg = integer, rightarg = integer, function = credits.same)",
    ):
        before = db.execute("select count(*) from audit.check_release").fetchone()
        db.execute(made.encode())
        assert db.execute("select count(*) from audit.check_release").fetchone() != before, made
    run(url)
    is_sound(url, db, SQL)


def test_objects_that_need_a_foreign_operator_are_named(url: str, db: Connection) -> None:
    db.execute(
        "create operator credits.=== (leftarg = integer, rightarg = integer, function = int4eq);"
        " create view public.extra as select 1 operator(credits.===) 1 as same"
    )
    with pytest.raises(MigrationError, match=r"operator credits\.===.*has to be dropped.*view"):
        run(url)
    db.execute("drop view public.extra")
    run(url)
    is_sound(url, db, SQL)


def test_objects_that_migrate_does_not_drop_stay_findings(url: str, db: Connection) -> None:
    for made in (
        "create publication extra for table credits.entries",
        "create cast (text as credits.entry_kind) with inout as assignment",
        "create sequence api.extra owned by none; alter sequence api.extra owner to credits_owner",
        "create function public.extra() returns event_trigger language plpgsql as 'begin end';"
        " create event trigger extra on ddl_command_end execute function public.extra()",
    ):
        db.execute(made.encode())
    for _ in range(2):
        run(url, Options(force=True))
        assert db.execute("select count(*) from audit.check_release").fetchone() == (4,)


def test_dropped_or_changed_objects_are_made_again(url: str, db: Connection) -> None:
    """Each is a finding, and one migrate mends them all."""
    statements = (
        "drop function credits.allow_test_clocks(boolean)",
        "drop view api.packs",
        "drop policy own_rows on credits.lots",
        "alter policy own_rows on credits.orders using (true)",
        "drop trigger entries_are_never_changed on credits.entries",
        "alter table credits.prices disable trigger prices_are_never_edited",
        "alter table credits.lots disable row level security",
        "revoke select on api.balance from authenticated",
        "grant select on credits.credentials to anon",
        "alter view api.lots set (security_invoker = false)",
    )
    for statement in statements:
        with db.transaction(force_rollback=True):
            db.execute(statement)
            assert db.execute("table audit.check_release").fetchall() != [], statement
    for statement in statements:
        db.execute(statement)
    assert not run(url).up_to_date
    assert db.execute("table audit.check_release").fetchall() == []
    is_sound(url, db, SQL)


def test_changes_to_tables_stay_findings(url: str, db: Connection) -> None:
    """Migrations made the tables, and run only once: migrate mends nothing, and keeps reporting."""
    db.execute("create table credits.extra (a integer)")
    with pytest.raises(MigrationError, match=r"what is not its own: table credits\.extra of postgres"):
        run(url, Options(force=True))
    db.execute("alter table credits.extra owner to credits_owner")
    db.execute("alter table credits.wallets add column extra integer")
    db.execute("create type api.extra as (a integer)")
    for _ in range(2):
        run(url)
        found = db.execute("select expected, found from audit.check_release order by 1, 2").fetchall()
        assert found == [
            ("nothing but what pgcredits migrate makes", "table credits.extra"),
            ("nothing but what pgcredits migrate makes", "type api.extra"),
            ("table credits.wallets", "it was changed"),
        ]


def test_foreign_view_is_not_dropped(url: str, db: Connection, sql: Path, edit: Edit) -> None:
    db.execute("create schema app")
    db.execute("create view app.shop as select pack_id from api.packs")
    db.execute("create role app_login")
    try:
        db.execute("grant execute on function credits.topup_tokens(bigint, numeric) to app_login")
        # Functions, and a view that only gets new columns, are replaced below it. The rights of others stay.
        edit("api/views/packs.sql", "\nfrom compared", ",\n    1 as extra\nfrom compared")
        edit(
            "api/views/packs.sql",
            "comment on view",
            "comment on column api.packs.extra is '-';\ncomment on view",
        )
        run(url, Options(sql=sql))
        assert db.execute("select count(*) > 0 from app.shop").fetchone() == (True,)
        may = "select has_function_privilege('app_login', 'credits.topup_tokens(bigint, numeric)', 'execute')"
        assert db.execute(may).fetchone() == (True,)
        # A view that loses a column cannot be replaced. Nothing changes, and the foreign view is named.
        edit("api/views/packs.sql", "    c.pack_id,\n", "    c.pack_id as pack,\n")
        edit("api/views/packs.sql", "column api.packs.pack_id", "column api.packs.pack")
        with pytest.raises(MigrationError, match=r"view api\.packs has to be dropped.*view app\.shop"):
            run(url, Options(sql=sql))
        assert db.execute("select count(*) > 0 from app.shop").fetchone() == (True,)
        db.execute("drop schema app cascade")
        run(url, Options(sql=sql))
        is_sound(url, db, sql)
    finally:
        db.execute("drop owned by app_login; drop role app_login")


def test_migrations_and_functions_come_together_or_not_at_all(
    url: str, db: Connection, sql: Path, tmp_path: Path
) -> None:
    migrations = Path(shutil.copytree(SQL.parent / "migrations", tmp_path / "migrations"))
    (migrations / "9998-shape.sql").write_text(
        "set local role credits_owner;\nalter table credits.settings add column extra integer;\n"
    )
    (sql / "credits/zz_broken.sql").write_text("select credits.nothing();")
    options = Options(migrations=migrations, sql=sql)
    with pytest.raises(MigrationError, match=r"credits/zz_broken\.sql:1"):
        run(url, options)
    assert db.execute("table audit.check_release").fetchall() == []
    assert db.execute(
        "select count(*) from yoyo._yoyo_migration where migration_id = '9998-shape'"
    ).fetchone() == (0,)
    (sql / "credits/zz_broken.sql").unlink()
    assert run(url, options).applied == ["9998-shape"]
    with pytest.raises(MigrationError, match="newer than this pgcredits: it has 9998-shape"):
        migrate(url)
