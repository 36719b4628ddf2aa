"""Who is calling: claims count on our two logins only, and nobody reaches another user's rows."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import Caller, Connection, at_once, refused
from support import PASSWORD

from pgcredits.bank.migrate import migrate
from pgcredits.database_urls import as_login

User = Callable[..., Caller]
VIEWS = ("balance", "entries", "usage", "lots", "orders", "failures")
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def analyst_url(admin_url: str) -> str:
    return as_login(admin_url, "pgcredits_analyst", PASSWORD)


@pytest.fixture
def sql_login(admin: Connection, admin_url: str) -> Iterator[Callable[..., Connection]]:
    """sql_login(of=None): a person's own login, in authenticated; `of`: mapped to that user's account."""
    with ExitStack() as stack:

        def connect(of: Caller | None = None) -> Connection:
            name = f"person_{next(_numbers)}_{uuid4().hex[:8]}"
            admin.execute(f"create role {name} login password 'of a person'")
            stack.callback(admin.execute, f"drop role {name}")
            stack.callback(admin.execute, f"drop owned by {name}")
            admin.execute(f"grant authenticated to {name}")
            admin.execute(f"grant connect on database {admin.info.dbname} to {name}")
            if of is not None:
                admin.execute(
                    "insert into credits.sql_logins (login, account_id)"
                    " select %s, account_id from credits.identities where subject = %s",
                    (name, of.user_id),
                )
                stack.callback(admin.execute, f"delete from credits.sql_logins where login = '{name}'")
            return stack.enter_context(
                psycopg.connect(as_login(admin_url, name, "of a person"), autocommit=True)
            )

        yield connect


def pretend(connection: Connection, victim: Caller) -> None:
    """What an attacker with SQL can set: another's claims, in every spelling that PostgREST ever had."""
    claims = json.dumps({"role": "service_role", "sub": victim.user_id})
    for name, value in (
        ("request.jwt.claims", claims),
        ("request.jwt.claim.sub", victim.user_id),
        ("request.jwt.claim.role", "service_role"),
    ):
        connection.execute("select set_config(%s, %s, false)", (name, value))


# The user of an account


def test_first_user_by_name_stands_for_a_shared_account(
    user: User, service: Caller, admin: Connection, sql_login: Callable[..., Connection]
) -> None:
    """Both users came at the same moment; the one that counts was written last."""
    ada = user(100)
    first = f"a{ada.user_id}"
    admin.execute(
        "insert into credits.identities (subject, account_id, created_at)"
        " select %s, account_id, created_at from credits.identities where subject = %s",
        (first, ada.user_id),
    )
    connection = sql_login(of=ada)
    answer = connection.execute(
        "select user_id, split_part(entry_id, ':', 1) from api.consume_tokens('whisper')"
    )
    named, account_id = answer.fetchone() or ("", "")
    assert named == first
    person = Caller(connection, "authenticated")
    for view in VIEWS:
        assert {row["user_id"] for row in person.rows(f"select user_id from api.{view}")} <= {first}
    order = ada.call("create_order", pack_id="standard")["order_id"]
    assert service.call("cancel_order", account_id=account_id, order_id=order)["user_id"] == first


@pytest.mark.parametrize("role", ["authenticated", "service_role"])
def test_views_look_users_up_without_a_function_call(role: str, user: User, service: Caller) -> None:
    """The planner has taken credits.user_of into the view: row security goes by the reader."""
    reader = user(100) if role == "authenticated" else service
    views = reader.rows(
        "select c.relname from pg_class as c where c.relnamespace = 'api'::regnamespace and c.relkind = 'v'"
        " and has_table_privilege(current_user, c.oid, 'select')"
        " and pg_get_viewdef(c.oid) like '%%credits.user_of(%%'"
    )
    assert {"orders", "holds", "notices", "referrals"} <= {view["relname"] for view in views}
    for view in views:
        plan = str(reader.rows(f"explain (verbose) select user_id from api.{view['relname']}"))
        assert "credits.identities" in plan
        assert "user_of" not in plan, view
        assert ("credits.me()" in plan) == (role == "authenticated"), view


# Users of the HTTP API


def test_user_sees_own_rows_only(user: User, service: Caller) -> None:
    ada, bob = user(100), user(200)
    for caller in (ada, bob):
        caller.call("consume_tokens", module_id="whisper")
        caller.call("create_order", pack_id="standard")
        service.call("report_failure", module_id="whisper", user_id=caller.user_id)
    for view in VIEWS:
        assert {row["user_id"] for row in ada.rows(f"select user_id from api.{view}")} == {ada.user_id}
        stolen = ada.rows(f"select 1 from api.{view} where user_id = %s", (bob.user_id,))
        assert stolen == []


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("consume_tokens", {"module_id": "whisper"}),
        ("consume_tokens", {"module_id": "whisper", "module_name": "W", "tokens_to_consume": 25}),
        ("quote_tokens", {"module_id": "whisper"}),
        ("create_order", {"pack_id": "standard"}),
    ],
)
def test_user_cannot_act_for_another(function: str, arguments: dict[str, Any], user: User) -> None:
    ada, bob = user(100), user(100)
    for name in (bob.user_id, "nobody at all", ""):
        with refused("not_yours"):
            ada.call(function, user_id=name, **arguments)
    assert (ada.balance(), bob.balance()) == (100, 100)


@pytest.mark.parametrize("claims", ["", "{}", '{"sub": null}', '{"role": "authenticated"}', "null", "[]"])
def test_nobody_has_no_account(claims: str, api_login: Connection) -> None:
    with api_login.transaction():
        api_login.execute(
            "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', %s, true)",
            (claims,),
        )
        for view in VIEWS:
            assert api_login.execute(f"select * from api.{view}").fetchall() == []
        with refused("not_signed_in"), api_login.transaction():
            api_login.execute("select * from api.consume_tokens('whisper')")


def test_user_id_of_the_wrong_length_opens_nothing(api_login: Connection) -> None:
    for name in ("", "u" * 256, "u" * 12_000):
        with refused("bad_user"):
            Caller(api_login, "authenticated", name).call("create_order", pack_id="basique")


@pytest.mark.parametrize("name", ["' or true --", "a'; drop table x; --", "%", "ä😀", '{"sub": "x"}', "*"])
def test_user_id_is_never_executed(name: str, user: User, api_login: Connection, service: Caller) -> None:
    user(100)
    name += uuid4().hex
    service.call("add_tokens", user_id=name, tokens=30)
    odd = Caller(api_login, "authenticated", name)
    assert odd.call("consume_tokens", module_id="whisper")["balance"] == 5
    assert [row["user_id"] for row in odd.rows("select user_id from api.balance")] == [name]


def test_claims_end_with_their_transaction(user: User, api_login: Connection) -> None:
    assert user(100).balance() == 100
    row = api_login.execute(
        "select nullif(current_setting('request.jwt.claims', true), ''), current_user"
    ).fetchone()
    assert row == (None, "pgcredits_api")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        api_login.execute("select * from api.balance")


def test_service_sees_everybody(user: User, service: Caller) -> None:
    ada = user(100)
    assert service.row("select balance from api.balance where user_id = %s", (ada.user_id,))["balance"] == 100


def test_reading_opens_no_account(user: User, admin: Connection) -> None:
    ada = user()
    zeros = ada.row("select * from api.balance")
    assert zeros == {
        "user_id": ada.user_id,
        **dict.fromkeys(
            ("balance", "held", "available", "debt", "lifetime_granted", "lifetime_spent"), Decimal(0)
        ),
        "status": "active",
        **dict.fromkeys(("package_name", "purchased_at", "updated_at")),
    }
    for view in ("entries", "usage", "lots", "orders"):
        assert ada.rows(f"select * from api.{view}") == []
    ada.call("quote_tokens", module_id="whisper")
    query = "select 1 from credits.identities where subject = %s"
    assert admin.execute(query, (ada.user_id,)).fetchall() == []


def test_first_calls_at_once_open_one_account(user: User, api_url: str, admin: Connection) -> None:
    ada, crowd = user(), 20  # as many pending orders as an account may have
    # Other tests have forgotten some people.
    orphans = (
        "select count(*) from credits.accounts as a"
        " left join credits.identities as i using (account_id) where i.subject is null"
    )
    before = admin.execute(orphans).fetchone()
    with ExitStack() as stack:
        works = []
        for _ in range(crowd):
            connection = stack.enter_context(psycopg.connect(api_url, autocommit=True))
            same = Caller(connection, "authenticated", ada.user_id)
            works.append(lambda same=same: same.call("create_order", pack_id="basique")["account_id"])
        accounts = at_once(works)
    assert len(set(accounts)) == 1, accounts
    opened = admin.execute(
        "select count(*) from credits.identities where subject = %s", (ada.user_id,)
    ).fetchone()
    assert opened == (1,)
    assert admin.execute(orphans).fetchone() == before
    assert ada.row("select count(*) from api.orders")["count"] == crowd


# Roles


@pytest.mark.parametrize(
    "role",
    [
        "service_role",
        "spender",
        "support",
        "credits_owner",
        "analyst",
        "auditor",
        "postgres",
        "pgcredits_service",
    ],
)
def test_api_login_can_become_only_anon_and_authenticated(role: str, api_login: Connection) -> None:
    for command in (f"set role {role}", f"select set_config('role', '{role}', false)"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            api_login.execute(command)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        api_login.execute("set session authorization pgcredits_service")


@pytest.mark.parametrize("role", ["credits_owner", "analyst", "auditor", "postgres", "authenticated", "anon"])
def test_service_login_can_become_only_backend_roles(role: str, service: Caller) -> None:
    for may in ("service_role", "spender", "support"):
        service.connection.execute(f"set role {may}")
        service.connection.execute("reset role")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        service.connection.execute(f"set role {role}")


def test_logins_have_no_rights_before_taking_a_role(api_login: Connection, service: Caller) -> None:
    for connection in (api_login, service.connection):
        for command in ("select * from api.packs", "select * from api.consume_tokens('whisper')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(command)


def test_claims_do_not_give_a_role(user: User, api_login: Connection) -> None:
    """The issuer wrote the role in the claims. Only the role that was set counts."""
    ada, bob = user(100), user(100)
    with api_login.transaction():
        api_login.execute(
            "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', %s, true)",
            (json.dumps({"role": "service_role", "sub": ada.user_id}),),
        )
        with refused("not_yours"), api_login.transaction():
            api_login.execute("select api.consume_tokens('whisper', user_id => %s)", (bob.user_id,))
        with pytest.raises(psycopg.errors.InsufficientPrivilege), api_login.transaction():
            api_login.execute("select api.add_tokens(%s, 5::numeric)", (ada.user_id,))


# An analyst's login


def test_analyst_who_sets_anothers_claims_sees_no_row_of_theirs(user: User, analyst_url: str) -> None:
    ada = user(100)
    ada.call("consume_tokens", module_id="whisper")
    with psycopg.connect(analyst_url, autocommit=True) as analyst:
        pretend(analyst, ada)
        for view in (*VIEWS, "packs", "modules"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                analyst.execute(f"select * from api.{view}")
        for table in ("wallets", "entries", "identities", "lots", "orders", "credentials", "accounts"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                analyst.execute(f"select * from credits.{table}")
        for role in (
            "authenticated",
            "spender",
            "support",
            "service_role",
            "anon",
            "auditor",
            "credits_owner",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                analyst.execute(f"set role {role}")


@pytest.mark.parametrize(
    "call",
    [
        "api.consume_tokens('whisper')",
        "api.consume_tokens(%(user)s, 'whisper', 'Whisper', 25)",
        "api.add_tokens(%(user)s, 5::numeric)",
        "api.add_tokens(%(user)s, 5, 'Standard')",
        "api.quote_tokens('whisper')",
        "api.create_order('standard')",
        "api.apply_stripe_event('{}')",
        "api.sign_up('a@b', '$argon2')",
        "api.find_credential('a@b')",
        "credits.me()",
        "credits.subject()",
        "credits.open_account(%(user)s)",
    ],
)
def test_analyst_cannot_execute_a_function_of_the_bank(call: str, user: User, analyst_url: str) -> None:
    ada = user(100)
    with psycopg.connect(analyst_url, autocommit=True) as analyst:
        pretend(analyst, ada)
        analyst.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute(f"select {call}", {"user": ada.user_id})
    assert ada.balance() == 100


def test_analyst_counts_the_segments_that_are_granted(
    db: Connection, connect_as: Callable[..., Connection]
) -> None:
    """Figures cover only the granted accounts, whatever the session claims."""
    bank = Caller(db, "none")
    for name, segment in (("ada", "schools"), ("bob", "shops"), ("cyd", "shops")):
        bank.call("add_tokens", user_id=name, tokens=100)
        bank.call("consume_tokens", module_id="whisper", user_id=name)
        db.execute(
            "update credits.accounts set segment = %s where account_id ="
            " (select account_id from credits.identities where subject = %s)",
            (segment, name),
        )
    analyst = connect_as("pgcredits_analyst")

    def counted() -> Any:
        pretend(analyst, Caller(db, "authenticated", "ada"))
        row = analyst.execute(
            "select (select coalesce(sum(accounts), 0) from analytics.module_usage),"
            " (select coalesce(sum(accounts), 0) from analytics.purchase_conversion),"
            " (select coalesce(sum(active_accounts), 0) from analytics.average_use)"
        ).fetchone()
        assert row is not None
        assert len(set(row)) == 1, row
        return row[0]

    assert counted() == 3
    db.execute("update credits.analyst_grants set segment = 'shops' where login = 'pgcredits_analyst'")
    assert counted() == 2
    db.execute("update credits.analyst_grants set login = 'somebody else'")
    assert counted() == 0


# A person's own SQL login


def test_claims_do_not_change_who_a_mapped_login_is(user: User, sql_login: Callable[..., Connection]) -> None:
    ada, bob = user(100), user(200)
    connection = sql_login(of=ada)
    pretend(connection, bob)
    person = Caller(connection, "authenticated", bob.user_id)
    assert person.row("select user_id, balance from api.balance") == {"user_id": ada.user_id, "balance": 100}
    for view in VIEWS:
        assert {row["user_id"] for row in person.rows(f"select user_id from api.{view}")} <= {ada.user_id}
    assert person.call("consume_tokens", module_id="whisper")["user_id"] == ada.user_id
    with refused("not_yours"):
        person.call("consume_tokens", module_id="whisper", user_id=bob.user_id)
    assert (ada.balance(), bob.balance()) == (75, 200)


def test_mapped_login_needs_neither_claims_nor_role(user: User, sql_login: Callable[..., Connection]) -> None:
    ada = user(100)
    connection = sql_login(of=ada)
    assert connection.execute("select balance from api.consume_tokens('whisper')").fetchone() == (75,)
    assert connection.execute("select balance from api.balance").fetchone() == (75,)
    assert ada.row("select count(*) from api.entries")["count"] == 2


def test_claims_give_an_unmapped_login_nothing(user: User, sql_login: Callable[..., Connection]) -> None:
    ada = user(100)
    connection = sql_login()
    pretend(connection, ada)
    person = Caller(connection, "authenticated", ada.user_id)
    for view in VIEWS:
        assert person.rows(f"select * from api.{view}") == []
    with refused("not_signed_in"):
        person.call("consume_tokens", module_id="whisper")
    with refused("not_signed_in"):
        person.call("consume_tokens", module_id="whisper", user_id=ada.user_id)


# Objects that shadow ours


def test_reload_revokes_temporary_objects_from_everybody(
    db: Connection, url: str, connect_as: Callable[..., Connection]
) -> None:
    """The privileges of a database are not part of its template: the reload must bring them."""
    migrate(url)
    for role in ("anon", "authenticated", "service_role", "pgcredits_analyst", "pgcredits_auditor"):
        connection = connect_as(role)
        connection.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="temporary"):
            connection.execute("create temporary table wallets (balance numeric)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create schema mine")
        for schema in ("public", "api", "credits", "analytics", "finance", "audit"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"create table {schema}.wallets (balance numeric)")


TYPES = ("uuid", "text", "numeric", "jsonb", "json", "timestamptz", "int8", "bool", "bytea", "name", "date")


def test_temporary_objects_cannot_shadow_the_banks(
    db: Connection, connect_as: Callable[..., Connection]
) -> None:
    """Even with TEMP granted, nobody can replace a table, type or function of the bank."""
    db.execute(f"grant temporary on database {db.info.dbname} to authenticated")
    Caller(db, "none").call("add_tokens", user_id="ada", tokens=100)
    connection = connect_as("authenticated", "ada")
    tables = db.execute(
        "select c.relname from pg_class as c where c.relnamespace = 'credits'::regnamespace"
        " and c.relkind in ('r', 'p') and not c.relispartition"
    ).fetchall()
    for (table,) in tables:
        connection.execute(f"create temporary table {table} (account_id uuid, balance numeric, subject text)")
        connection.execute(f"insert into {table} values (gen_random_uuid(), 1000000, 'ada')")
    connection.execute(
        "create function pg_temp.evil(anyelement) returns boolean language plpgsql as"
        " $$ begin raise exception 'hijacked as %', current_user; end $$"
    )
    for name in TYPES:
        connection.execute(f"create domain pg_temp.{name} as pg_catalog.{name} check (pg_temp.evil(value))")
    for function, arguments in (
        ("sha256", "bytea"),
        ("current_setting", "text, bool"),
        ("pg_has_role", "text, text, text"),
        ("trim_scale", "numeric"),
        ("clock_timestamp", ""),
    ):
        declared = ", ".join(f"pg_catalog.{kind.strip()}" for kind in arguments.split(",") if kind.strip())
        connection.execute(
            f"create function pg_temp.{function}({declared}) returns pg_catalog.text language plpgsql as"
            " $$ begin raise exception 'hijacked as %', current_user; end $$"
        )
    connection.execute("set search_path = pg_temp, pg_catalog, api, credits")
    db.execute(
        "create function api.unpinned() returns pg_catalog.text security definer language plpgsql as"
        " $$ declare v uuid := gen_random_uuid(); begin return v; end $$"
    )
    with pytest.raises(psycopg.errors.RaiseException, match="hijacked as postgres"):
        connection.execute("select api.unpinned()")  # the attack is a real one
    ada = Caller(connection, "authenticated", "ada")
    assert ada.call("consume_tokens", module_id="whisper", idempotency_key="k")["balance"] == 75
    assert ada.call("consume_tokens", module_id="whisper", idempotency_key="k")["replayed"]
    assert ada.call("quote_tokens", module_id="whisper")["available"] == 75
    assert ada.call("create_order", pack_id="standard")["amount"] == 3999
    assert ada.row("select balance from api.balance")["balance"] == 75
    with refused("insufficient_tokens"):
        ada.call("consume_tokens", module_id="whisper", usage={"calls": 4})


def test_readers_own_function_sees_only_own_rows(
    db: Connection, connect_as: Callable[..., Connection]
) -> None:
    """A cheap function in WHERE runs early, but gets no row that policies hide."""
    db.execute(f"grant temporary on database {db.info.dbname} to authenticated")
    bank = Caller(db, "none")
    for name in ("ada", "bob"):
        bank.call("add_tokens", user_id=name, tokens=100)
    connection = connect_as("authenticated", "ada")
    connection.execute(
        "create function pg_temp.leak(seen text) returns boolean language plpgsql cost 0.0000001 as"
        " $$ begin raise notice '%', seen; return true; end $$"
    )
    notices: list[str] = []
    connection.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
    for view in ("balance", "entries", "lots"):
        connection.execute(f"select * from api.{view} as v where pg_temp.leak(v::text)")
    assert len(notices) == 3
    assert not any("bob" in notice for notice in notices)


# Logins that are created anew


def recreate(admin: Connection, login: str, *words: str) -> None:
    """Drops the role and creates another of the same name, as for somebody's successor."""
    admin.execute(f"drop owned by {login}")
    admin.execute(f"drop role {login}")
    admin.execute(f"create role {login} login password 'of a person'")
    admin.execute(f"grant connect on database {admin.info.dbname} to {login}")
    for word in words:
        admin.execute(f"grant {word} to {login}")


def findings(admin: Connection, login: str) -> list[Any]:
    return admin.execute(
        "select expected from audit.findings where check_name = 'check_logins' and expected like %s",
        (f"%{login}%",),
    ).fetchall()


def test_recreated_login_is_somebody_else(
    sql_login: Callable[..., Connection], user: User, admin: Connection, admin_url: str
) -> None:
    ada = user(100)
    own = sql_login(ada)
    login = own.info.user
    assert own.execute("select balance from api.balance").fetchone() == (100,)
    own.close()
    assert findings(admin, login) == []

    recreate(admin, login, "authenticated")
    assert len(findings(admin, login)) == 1
    with psycopg.connect(as_login(admin_url, login, "of a person"), autocommit=True) as successor:
        assert successor.execute("select * from api.balance").fetchall() == []
        with refused("not_signed_in"):
            successor.execute("select * from api.consume_tokens('whisper')")
        assert ada.balance() == 100

        admin.execute("select credits.trust_login(%s)", (login,))
        assert successor.execute("select balance from api.balance").fetchone() == (100,)
        assert findings(admin, login) == []


def test_role_renamed_to_anothers_name_is_not_them(
    sql_login: Callable[..., Connection], user: User, admin: Connection, admin_url: str
) -> None:
    own, other = sql_login(user(100)), sql_login()
    ada, eve = own.info.user, other.info.user
    own.close()
    other.close()
    admin.execute(f"alter role {ada} rename to {ada}_gone")
    admin.execute(f"alter role {eve} rename to {ada}")
    admin.execute(f"alter role {ada} password 'of a person'")
    try:
        with psycopg.connect(as_login(admin_url, ada, "of a person"), autocommit=True) as impostor:
            assert impostor.execute("select * from api.balance").fetchall() == []
        assert len(findings(admin, ada)) == 1
    finally:
        admin.execute(f"alter role {ada} rename to {eve}")
        admin.execute(f"alter role {ada}_gone rename to {ada}")


def test_recreated_analyst_sees_nobody(
    sql_login: Callable[..., Connection], user: User, admin: Connection, admin_url: str
) -> None:
    user(100)
    login = sql_login().info.user
    admin.execute(f"grant analyst to {login}")
    admin.execute("insert into credits.analyst_grants (login, segment) values (%s, '*')", (login,))
    count = "select count(*) > 0 from analytics.purchase_conversion"
    try:
        with psycopg.connect(as_login(admin_url, login, "of a person"), autocommit=True) as analyst:
            assert analyst.execute(count).fetchone() == (True,)
        recreate(admin, login, "analyst")
        with psycopg.connect(as_login(admin_url, login, "of a person"), autocommit=True) as analyst:
            assert analyst.execute(count).fetchone() == (False,)
        assert len(findings(admin, login)) == 1
    finally:
        admin.execute("delete from credits.analyst_grants where login = %s", (login,))


def test_row_for_a_future_login_gives_nothing(admin: Connection, user: User) -> None:
    login = f"to_come_{uuid4().hex[:8]}"
    ada = user(100)
    admin.execute(
        "insert into credits.sql_logins (login, account_id)"
        " select %s, account_id from credits.identities where subject = %s",
        (login, ada.user_id),
    )
    admin.execute(f"create role {login} login")
    try:
        row = admin.execute("select role_oid from credits.sql_logins where login = %s", (login,)).fetchone()
        assert row == (None,)
        assert len(findings(admin, login)) == 1
    finally:
        admin.execute("delete from credits.sql_logins where login = %s", (login,))
        admin.execute(f"drop role {login}")
