"""A stranger has made one of our schemas before us. Administrators run none of the stranger's code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from callers import Connection
from click.testing import CliRunner
from support import PASSWORD

from pgcredits.bank import audit
from pgcredits.bank.admin import connect
from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.maintenance import maintain
from pgcredits.bank.migrate import Options, plan, roles, run
from pgcredits.bank.strangers import StrangersError
from pgcredits.cli import main
from pgcredits.database_urls import as_login
from pgcredits.local import ownership


@pytest.fixture
def mallory(empty_url: str) -> Iterator[Connection]:
    """A login that may create schemas in an empty database, and the trap that it has set."""
    with psycopg.connect(empty_url, autocommit=True) as admin:
        admin.execute(f"create role mallory login password '{PASSWORD}'")
        admin.execute(f"grant connect, create on database {admin.info.dbname} to mallory")
        with psycopg.connect(as_login(empty_url, "mallory", PASSWORD), autocommit=True) as connection:
            connection.execute("create schema mallory")
            connection.execute("create table mallory.caught (login text)")
            connection.execute("grant all on schema mallory to public")
            connection.execute("grant all on mallory.caught to public")
            connection.execute(
                "create function mallory.trap() returns trigger language plpgsql as"
                " $$ begin insert into mallory.caught values (current_user); return new; end $$"
            )
            connection.execute(
                "create function mallory.spring() returns text language plpgsql as"
                " $$ begin insert into mallory.caught values (current_user); return null; end $$"
            )
            yield connection
        admin.execute("drop owned by mallory cascade")
        admin.execute("drop role mallory")


def yoyo(connection: Connection) -> None:
    connection.execute("create schema yoyo")
    connection.execute("create table yoyo.migrating ()")
    connection.execute(
        "create table yoyo.applied_files (migration_id text primary key, digest text not null)"
    )
    connection.execute(
        "create trigger trap before insert on yoyo.applied_files for each row execute function mallory.trap()"
    )
    connection.execute("create view yoyo._yoyo_migration as select mallory.spring() as migration_id")
    connection.execute("grant usage on schema yoyo to public")
    connection.execute("grant all on all tables in schema yoyo to public")


def bank(connection: Connection) -> None:
    connection.execute("create schema credits")
    connection.execute("create view credits.settings as select mallory.spring() as instance_id")
    connection.execute("create view credits.stripe_events as select mallory.spring() = '' as livemode")
    connection.execute(
        "create view credits.catalogs as select mallory.spring() as catalog_id, 1 as applied_at"
    )


def checks(connection: Connection) -> None:
    connection.execute("create schema audit")
    connection.execute(
        "create view audit.check_trap as select 1 as account_id, mallory.spring() as expected, '' as found"
    )


def reports(connection: Connection) -> None:
    connection.execute("create schema analytics")


def functions(connection: Connection) -> None:
    connection.execute("create schema api")
    connection.execute(
        "create function api.maintain() returns table (accounts int, keys int, events int, partitions int)"
        " language sql as $$ select 0, 0, 0, 0 from mallory.spring() $$"
    )


def look(url: str) -> None:
    with connect(url, "test", autocommit=True) as connection:
        ownership.look(connection)


COMMANDS: dict[str, Callable[[str], object]] = {
    "migrate": lambda url: run(url),
    "migrate --force": lambda url: run(url, Options(force=True)),
    "migrate --plan": lambda url: plan(url),
    "catalog apply": lambda url: apply_catalog(url, "iahome"),
    "roles": lambda url: roles.run(url, False),
    "roles --take-ownership": lambda url: roles.run(url, True),
    "audit": lambda url: audit.run(url),
    "maintain": lambda url: maintain(url),
    "up": look,
}


@pytest.mark.parametrize("made", [yoyo, bank, checks, reports, functions])
def test_no_command_touches_a_foreign_schema(
    made: Callable[[Connection], None], mallory: Connection, empty_url: str
) -> None:
    made(mallory)
    for name, command in COMMANDS.items():
        try:
            command(empty_url)
        except StrangersError as error:
            assert "belongs to mallory" in str(error), name
        except Exception:
            assert made is yoyo, name  # which only migrate and catalog apply read
        else:
            assert made is yoyo, name
            assert name in ("roles", "roles --take-ownership", "audit", "up"), name
    assert mallory.execute("select * from mallory.caught").fetchall() == []
    done = CliRunner().invoke(main, ["migrate", "--database-url", empty_url])
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert "belongs to mallory" in done.output


def test_foreign_object_in_the_banks_schema_is_found_and_not_run(
    db: Connection, url: str, tmp_path: Path
) -> None:
    """A view runs by the login that reads it: an administrator's."""
    name = db.info.dbname
    db.execute("create role mallory")
    try:
        db.execute("grant create, usage on schema audit to mallory")
        db.execute("create schema mallory authorization mallory")
        db.execute("set role mallory")
        db.execute("create table mallory.caught (login text)")
        db.execute("grant all on mallory.caught to public")
        db.execute("grant usage on schema mallory to public")
        db.execute(
            "create function mallory.spring() returns text language plpgsql as"
            " $$ begin insert into mallory.caught values (current_user); return null; end $$"
        )
        db.execute(
            "create view audit.check_aaa as"
            " select null::uuid as account_id, mallory.spring() as expected, '' as found"
        )
        db.execute("reset role")
        checks = audit.run(url)
        assert "aaa" not in {check.name for check in checks}
        assert not audit.sound(checks), "the audit says that it is there"
        assert db.execute("select * from mallory.caught").fetchall() == []
    finally:
        with suppress(psycopg.Error):
            db.execute("reset role")
            db.execute("drop owned by mallory cascade")
            db.execute(f"revoke all on database {name} from mallory")
        db.execute("drop role mallory")
