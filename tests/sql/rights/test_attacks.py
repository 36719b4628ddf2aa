"""Attacks by somebody with SQL: what the rows, the rights and the plans of others might give to a login.

test_privilege_matrix.py has the plain verbs. tests/sql/identity/test_identity.py has false claims, and names
that shadow the bank's. test_sql_logins.py has what a login can do to the sessions of others.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection
from psycopg import sql
from support import PASSWORD
from tenants import Tenant, furnish, prepare

from pgcredits.database_urls import as_login

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("attacks")]

OWN = ("authenticated", "spender", "support", "analyst", "auditor")
ATTACKERS = (*OWN, "pgcredits_api", "pgcredits_analyst", "pgcredits_auditor")
DENIED = psycopg.errors.InsufficientPrivilege
_numbers = itertools.count(1)


@dataclass
class World:
    """A bank with two users. Ada has an SQL login, and Bob is the victim."""

    url: str
    admin: Connection
    ada: Tenant
    bob: Tenant

    def marks(self) -> list[str]:
        """What only Bob's rows have."""
        return [self.bob.mark, self.bob.user_id, self.bob.account_id]


@pytest.fixture(scope="module")
def world(own_url: str) -> Iterator[World]:
    with psycopg.connect(own_url, autocommit=True) as admin:
        bank = Caller(admin, "none")
        prepare(bank)
        ada, bob = furnish(bank, "adamantine", ".137911"), furnish(bank, "bellwether", ".482957")
        yield World(own_url, admin, ada, bob)


@pytest.fixture
def attacker(request: pytest.FixtureRequest, world: World) -> Iterator[Connection]:
    """A connection of that login, or of a new login in that role, with a schema of its own to write in."""
    with ExitStack() as stack:
        name, password = request.param, PASSWORD
        if name in OWN:
            name, password = f"attacker_{next(_numbers)}", "of an attacker"
            world.admin.execute(f"create role {name} login password '{password}' in role {request.param}")
            stack.callback(world.admin.execute, f"drop role {name}")
            world.admin.execute(f"grant connect on database {world.admin.info.dbname} to {name}")
            if request.param == "authenticated":
                world.admin.execute(
                    "insert into credits.sql_logins (login, role_oid, account_id)"
                    " select rolname, oid, %s from pg_roles where rolname = %s",
                    (world.ada.account_id, name),
                )
                stack.callback(
                    world.admin.execute, "delete from credits.sql_logins where login = %s", (name,)
                )
        world.admin.execute(f"create schema attack authorization {name}")
        stack.callback(world.admin.execute, f"revoke all on database {world.admin.info.dbname} from {name}")
        stack.callback(world.admin.execute, "drop schema attack cascade")
        if name.startswith("pgcredits_"):  # whose right to connect is the bank's own
            stack.pop_all()
            stack.callback(world.admin.execute, "drop schema attack cascade")
        connection = stack.enter_context(
            psycopg.connect(as_login(world.url, name, password), autocommit=True)
        )
        connection.execute("set default_transaction_read_only = off")
        yield connection


# Support, spenders and auditors may read everybody's rows.
not_for_all = pytest.mark.parametrize(
    "attacker", ["authenticated", "pgcredits_api", "analyst"], indirect=True
)
everybody = pytest.mark.parametrize("attacker", ATTACKERS, indirect=True)


def relations(
    world: World, kinds: str, schemas: str = "'credits', 'api', 'analytics', 'finance', 'audit'"
) -> list[str]:
    rows = world.admin.execute(
        f"select oid::regclass::text from pg_class where relkind in ({kinds})"
        f" and relnamespace::regnamespace::text in ({schemas}) order by 1"
    ).fetchall()
    assert rows
    return [name for (name,) in rows]


def fails(
    connection: Connection, statement: str, errors: tuple[type[psycopg.Error], ...] = (DENIED,)
) -> bool:
    try:
        connection.execute(statement)
    except errors:
        return True
    return False


@everybody
def test_login_takes_no_other_role(attacker: Connection, world: World) -> None:
    """Memberships apply, and nothing that a session sets makes more of them."""
    mine = {"none"} | {
        name
        for (name,) in attacker.execute(
            "select rolname from pg_roles where pg_has_role(session_user, oid, 'member')"
        ).fetchall()
    }
    assert len(mine) <= 4, mine
    for (name,) in world.admin.execute("select rolname from pg_roles order by 1").fetchall():
        role = sql.Identifier(name).as_string(attacker)
        assert fails(attacker, f"set role {role}") is (name not in mine), name
        if name != attacker.info.user:
            assert fails(attacker, f"set session authorization {role}"), name
        attacker.execute("reset role")


@everybody
def test_copy_neither_reads_nor_writes_more_than_select(attacker: Connection, world: World) -> None:
    for name in relations(world, "'r', 'p'", "'credits'"):
        with pytest.raises((DENIED, psycopg.errors.FeatureNotSupported)) as refused:
            attacker.execute(f"copy {name} from stdin")
        assert "row-level security" in str(refused.value) or isinstance(refused.value, DENIED), name
    attacker.execute("create table attack.mine (line text)")
    for target in ("program 'id'", "'/tmp/stolen'"):
        assert fails(attacker, f"copy (select 1) to {target}"), target
    assert fails(attacker, "copy attack.mine from program 'id'")


@not_for_all
def test_copy_to_shows_only_rows_that_select_shows(attacker: Connection, world: World) -> None:
    shown = 0
    for name in relations(world, "'r', 'p', 'v'"):
        try:
            with attacker.cursor().copy(f"copy (select * from {name}) to stdout") as copied:
                text = b"".join(bytes(block) for block in copied).decode()
        except DENIED:
            continue
        shown += 1
        assert [mark for mark in world.marks() if mark in text] == [], name
    assert attacker.info.user == "pgcredits_api" or shown > 5


@not_for_all
def test_leaky_function_is_shown_no_hidden_row(attacker: Connection, world: World) -> None:
    """A cheap function of the attacker in WHERE runs after row security."""
    attacker.execute(
        "create function attack.leak(text) returns boolean language plpgsql cost 0.0000001"
        " as $$ begin raise notice '%', $1; return true; end $$"
    )
    told: list[str] = []
    attacker.add_notice_handler(lambda diagnostic: told.append(diagnostic.message_primary or ""))
    for name in relations(world, "'r', 'p', 'v'"):
        fails(attacker, f"select from {name} as t where attack.leak(t::text)")
    assert [text for text in told if any(mark in text for mark in world.marks())] == []
    assert told or fails(attacker, "select from api.entries")


@everybody
def test_statistics_of_columns_are_hidden(attacker: Connection, world: World) -> None:
    """The most common values of a column would tell other users' rows."""
    world.admin.execute("analyze credits.entries, credits.identities, credits.wallets, credits.lots")
    seen = attacker.execute(
        "select tablename, attname from pg_stats where schemaname in ('credits', 'api')"
    ).fetchall()
    assert seen == []
    assert fails(attacker, "select from pg_statistic")


@everybody
def test_large_object_of_another_is_closed(attacker: Connection, world: World) -> None:
    (name,) = world.admin.execute("select lo_from_bytea(0, 'secret')").fetchone() or ()
    try:
        for call in ("lo_get({})", "lo_put({}, 0, 'x')", "lo_unlink({})", "lo_export({}, '/tmp/stolen')"):
            assert fails(attacker, f"select {call.format(name)}"), call
        assert fails(attacker, "select lo_import('/etc/passwd')")
    finally:
        world.admin.execute("select lo_unlink(%s)", (name,))


def test_prepared_plan_shows_each_role_its_own_rows(world: World) -> None:
    """One connection of the API's pool serves many users with one prepared statement."""

    def read(connection: Connection, role: str, user_id: str | None) -> list[Any]:
        with connection.transaction():
            claims = {"role": role} | ({"sub": user_id} if user_id else {})
            connection.execute(
                "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
                (role, json.dumps(claims)),
            )
            return [one for (one,) in connection.execute("execute mine").fetchall()]

    with psycopg.connect(as_login(world.url, "pgcredits_api", PASSWORD), autocommit=True) as connection:
        connection.execute("set plan_cache_mode = force_generic_plan")
        with connection.transaction():
            connection.execute("set local role authenticated")
            connection.execute("prepare mine as select distinct user_id from api.entries")
        for _ in range(3):
            assert read(connection, "authenticated", world.ada.user_id) == [world.ada.user_id]
            assert read(connection, "authenticated", world.bob.user_id) == [world.bob.user_id]
            with pytest.raises(DENIED):
                read(connection, "anon", None)


@everybody
def test_partition_gives_no_more_than_its_table(attacker: Connection, world: World) -> None:
    partitions = [
        name
        for (name,) in world.admin.execute(
            "select inhrelid::regclass::text from pg_inherits where inhparent = 'credits.entries'::regclass"
        ).fetchall()
    ]
    assert len(partitions) > 1
    for name in partitions:
        assert fails(attacker, f"select from {name}"), name
        assert fails(attacker, f"insert into {name} default values"), name


@everybody
def test_row_security_cannot_be_switched_off(attacker: Connection, world: World) -> None:
    """With row_security off, PostgreSQL refuses a query that the policies would have filtered."""
    attacker.execute("set row_security = off")
    for name in relations(world, "'r', 'p'", "'credits'"):
        assert fails(attacker, f"select from {name}"), name


@everybody
def test_trigger_and_rule_on_the_banks_tables_are_refused(attacker: Connection, world: World) -> None:
    attacker.execute(
        "create function attack.spy() returns trigger language plpgsql as $$ begin return new; end $$"
    )
    for name in relations(world, "'r', 'p'", "'credits'"):
        for statement in (
            f"create trigger spy before insert on {name} for each row execute function attack.spy()",
            f"create rule spy as on insert to {name} do also notify stolen",
            f"alter table {name} disable trigger all",
            f"create view attack.copy as select * from {name}; select * from attack.copy limit 1",
            f"comment on table {name} is 'mine'",
        ):
            if not fails(attacker, statement):
                assert "create view" in statement, (name, statement)
                attacker.execute("drop view attack.copy")
