"""The migration of the bank, pushed to a Supabase project: the bank is whole, the project as it was."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from supabase_project import PAGE, Server, copy_of, platform, push

from pgcredits.bank import audit, trusted_logins
from pgcredits.bank.catalogs import apply_catalog, catalog_words, find_catalog
from pgcredits.bank.migrate import SQL, migrate, run
from pgcredits.supabase.bank_file import bank_file
from pgcredits.supabase.price_list_file import price_list_file, words_of

pytestmark = pytest.mark.slow

# What a migrate makes: its bookkeeping; then the objects with their rights, the record of the release.
BOOKKEEPING = {
    "marks": "select migration_hash, migration_id from yoyo._yoyo_migration order by 2",
    "digests": "select * from yoyo.applied_files order by 1",
    "log": "select migration_hash, migration_id, operation from yoyo._yoyo_log order by 2",
    "version": "select max(version) from yoyo._yoyo_version",
    "columns": "select c.relname, a.attname, a.attnotnull, format_type(a.atttypid, a.atttypmod)"
    " from pg_attribute as a join pg_class as c on a.attrelid = c.oid"
    " where c.relnamespace = 'yoyo'::regnamespace and a.attnum > 0 order by 1, 2",
    "rights": "select c.relname, c.relacl::text, c.relowner::regrole::text from pg_class as c"
    " where c.relnamespace = 'yoyo'::regnamespace order by 1",
}
BANK = {
    "objects": "select kind, name, definition from credits.standing_objects() order by 1, 2",
    "recorded": "select kind, name, definition, source from credits.release_objects order by 1, 2",
    "release": "select program, server, migration, digest, files, functions_digest, columns_digest, hardened"
    " from credits.releases",
    "trusted": "select login, roles from credits.trusted_logins",
    "comments": "select i.identity, d.description from pg_description as d"
    " cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) as i"
    " where coalesce(i.schema, i.name) in ('credits', 'api', 'analytics', 'finance', 'audit') order by 1",
    "prices": "select line from credits.show_catalog() as line order by 1",
}


def made(url: str) -> dict[str, list[Any]]:
    with psycopg.connect(url, autocommit=True) as connection:
        kept = {name: connection.execute(query).fetchall() for name, query in BOOKKEEPING.items()}
        connection.execute("set role credits_owner")
        return kept | {name: connection.execute(query).fetchall() for name, query in BANK.items()}


def findings(url: str) -> list[Any]:
    checks = audit.run(url)
    assert len(checks) > 25
    return [(check.name, finding) for check in checks for finding in check.findings]


@pytest.fixture
def migrated(supabase: Server) -> Iterator[str]:
    """A project whose bank `pgcredits migrate` has made, with the login postgres."""
    with copy_of(supabase.port, "supabase_empty", "supabase_migrated") as url:
        migrate(url)
        trusted_logins.trust(url, "authenticator", ("authenticated",))
        apply_catalog(url, "imagegen")
        yield url


def test_a_pushed_bank_is_that_of_migrate(project: str, migrated: str) -> None:
    pushed, by_migrate = made(project), made(migrated)
    for name in pushed:
        assert pushed[name] == by_migrate[name], name
    assert len(pushed["objects"]) > 1000
    assert len(pushed["marks"]) > 30
    assert len(pushed["prices"]) > 10


def test_nothing_of_the_platform_changes(supabase: Server, project: str) -> None:
    after = platform(supabase.port, project)
    assert len(after) > 80
    assert [row for row in after if row not in supabase.before] == []
    assert [row for row in supabase.before if row not in after] == []


def test_migrate_has_nothing_to_do_after_a_push(project: str) -> None:
    assert run(project).up_to_date
    assert findings(project) == []


def test_a_bank_can_be_pushed_once_only(project: str, files: list[Path]) -> None:
    before = made(project)
    with pytest.raises(psycopg.errors.RaiseException, match="this database has a bank") as refusal:
        push(project, files[0])
    assert "supabase migration repair" in str(refusal.value.diag.message_hint)
    assert made(project) == before


@pytest.mark.one_version
def test_a_schema_of_the_project_stays(empty_project: str, files: list[Path]) -> None:
    with psycopg.connect(empty_project, autocommit=True) as connection:
        connection.execute("create schema api; create table api.mine (line text)")
        with pytest.raises(psycopg.errors.RaiseException, match="the schema api is here, and belongs to"):
            push(empty_project, files[0])
        left = connection.execute("select to_regclass('api.mine'), to_regnamespace('credits')").fetchone()
        assert left == ("api.mine", None)


@pytest.mark.one_version
def test_a_push_that_is_cut_off_leaves_nothing(empty_project: str, files: list[Path]) -> None:
    schemas = "select nspname from pg_namespace where nspname !~ '^pg_t' order by 1"
    with psycopg.connect(empty_project, autocommit=True) as connection:
        before = connection.execute(schemas).fetchall()
        connection.execute("set statement_timeout = '50ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute(files[0].read_bytes())
        connection.execute("reset statement_timeout")
        assert connection.execute(schemas).fetchall() == before


@pytest.mark.one_version
def test_settings_of_the_session_are_as_before(project: str, files: list[Path]) -> None:
    """The Supabase CLI goes on in the same transaction, with its own record of the migration."""
    settings = (
        "select name, setting from pg_settings where name !~ '^(pgcredits|plpgsql)[.]'"
        " union all select 'role', current_setting('role')"
    )
    with psycopg.connect(project) as connection:
        connection.execute("set local datestyle = 'German'; set local timezone = 'Asia/Tokyo'")
        connection.execute("set local search_path = extensions, public; set local role postgres")
        before = set(connection.execute(settings).fetchall())
        connection.execute(files[1].read_bytes())
        assert set(connection.execute(settings).fetchall()) ^ before == set()


@pytest.mark.one_version
def test_a_pushed_price_list_can_be_pushed_again(project: str, files: list[Path], tmp_path: Path) -> None:
    before = made(project)
    again = tmp_path / "20990101000000_prices.sql"
    again.write_bytes(files[1].read_bytes())
    push(project, again)
    assert made(project) == before
    assert apply_catalog(project, "imagegen").difference() == []


@pytest.mark.one_version
def test_a_price_list_needs_a_bank(empty_project: str, files: list[Path]) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="this database has no bank yet"):
        push(empty_project, files[1])


@pytest.mark.one_version
def test_a_second_price_list_must_be_wanted(project: str, tmp_path: Path) -> None:
    file = tmp_path / "20990101000000_prices.sql"
    file.write_text(price_list_file(find_catalog("luneo")))
    with pytest.raises(psycopg.errors.RaiseException, match="this bank has another price list"):
        push(project, file)
    file.write_text(price_list_file(find_catalog("luneo"), add=True))
    push(project, file)
    with psycopg.connect(project) as connection:
        connection.execute("set role credits_owner")
        rows = connection.execute("select catalog_id from credits.catalogs order by 1").fetchall()
        assert rows == [("imagegen",), ("luneo",)]


@pytest.mark.one_version
def test_the_words_of_price_lists_are_those_of_the_database(project: str) -> None:
    with psycopg.connect(project) as connection:
        assert words_of() == catalog_words.known(connection)


@pytest.mark.one_version
def test_uninstalling_leaves_the_project_as_it_was(supabase: Server, project: str) -> None:
    """The SQL of the page, but for the roles: other databases of this server need them."""
    kept, _, roles = PAGE.read_text().split("## Uninstalling")[1].split("```sql\n")[1].partition("drop role ")
    assert roles
    with psycopg.connect(project) as connection:
        connection.execute(kept.encode())
    assert platform(supabase.port, project) == supabase.before
    with psycopg.connect(project) as connection:
        left = connection.execute(
            "select count(*) from pg_default_acl where defaclrole = 'credits_owner'::regrole"
        )
        assert left.fetchone() == (0,)


@pytest.mark.one_version
def test_migrate_upgrades_a_pushed_bank(supabase: Server, empty_project: str, tmp_path: Path) -> None:
    old = Path(shutil.copytree(SQL, tmp_path / "sql"))
    (old / "api" / "extra.sql").write_text(
        "create or replace view api.extra with (security_invoker = true) as select 1 as one;"
    )
    file = tmp_path / "20250101000000_pgcredits_0001.sql"
    file.write_text(bank_file(old))
    push(empty_project, file)
    assert "view api.extra" in run(empty_project).dropped
    assert run(empty_project).up_to_date
    assert findings(empty_project) == []
    assert platform(supabase.port, empty_project) == supabase.before


@pytest.mark.one_version
def test_packs_get_their_prices_at_stripe(project: str, tmp_path: Path) -> None:
    file = tmp_path / "20990101000000_prices.sql"
    file.write_text(price_list_file(find_catalog("imagegen"), {"credits-26": "price_of_nothing"}))
    with pytest.raises(psycopg.DatabaseError, match="credits-26"):
        push(project, file)
    file.write_text(price_list_file(find_catalog("imagegen"), {"credits-25": "price_1QdOf25"}))
    push(project, file)
    assert [line for (line,) in made(project)["prices"] if "price_1QdOf25" in line]
