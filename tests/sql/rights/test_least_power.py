"""The role spender charges and cannot grant; the role support reads and cannot write."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import Caller, Connection, refused
from sql.rights.test_privileges import CALLS, CHARGE, CHARGE_ANYBODY

from pgcredits.database_urls import as_login

User = Callable[..., Caller]
Login = Callable[..., Connection]
_numbers = itertools.count(1)
SPENDERS = {*CHARGE, *CHARGE_ANYBODY}


@pytest.fixture
def login(admin: Connection, admin_url: str) -> Iterator[Login]:
    """login(*roles): a connection of a new SQL login that is a member of these roles."""
    with ExitStack() as stack:

        def connect(*roles: str) -> Connection:
            name = f"app_{next(_numbers)}_{uuid4().hex[:8]}"
            admin.execute(f"create role {name} login password 'of an app' in role {', '.join(roles)}")
            stack.callback(admin.execute, f"drop role {name}")
            stack.callback(admin.execute, f"drop owned by {name} cascade")
            admin.execute(f"grant connect on database {admin.info.dbname} to {name}")
            admin.execute(f"create schema {name} authorization {name}")
            url = as_login(admin_url, name, "of an app")
            return stack.enter_context(psycopg.connect(url, autocommit=True))

        yield connect


@pytest.fixture(params=["spender", "service_role"])
def backend(request: pytest.FixtureRequest, login: Login) -> Caller:
    """An application's login that charges in its own transactions."""
    return Caller(login(request.param), "none")


# A spender charges anybody


def test_spender_charges_holds_and_opens_accounts_for_any_user(user: User, backend: Caller) -> None:
    ada = user(200)
    assert backend.call("quote_tokens", module_id="whisper", user_id=ada.user_id)["available"] == 200
    spent = backend.call("consume_tokens", module_id="whisper", user_id=ada.user_id)
    assert (spent["user_id"], spent["balance"]) == (ada.user_id, 175)
    hold = backend.call("hold_tokens", module_id="whisper", user_id=ada.user_id)["hold_id"]
    backend.call("extend_hold", hold_id=hold, ttl="1 hour")
    assert backend.call("capture_hold", hold_id=hold)["balance"] == 150
    hold = backend.call("hold_tokens", module_id="whisper", user_id=ada.user_id)["hold_id"]
    backend.call("release_hold", hold_id=hold)
    batch = backend.rows(
        "select * from api.consume_tokens_batch(jsonb_build_array(jsonb_build_object("
        "'user_id', %s::text, 'module_id', 'whisper')))",
        (ada.user_id,),
    )
    assert [row["accepted"] for row in batch] == [1]
    backend.call("report_failure", module_id="whisper", user_id=ada.user_id)
    assert backend.call("open_account", user_id=f"new of {ada.user_id}")["opened"]
    assert backend.row("select balance from api.balance where user_id = %s", (ada.user_id,))["balance"] == 125


def test_spender_must_name_the_user(backend: Caller) -> None:
    with refused("bad_user"):
        backend.call("consume_tokens", module_id="whisper")
    with refused("unknown_user"):
        backend.call("consume_tokens", module_id="whisper", user_id="nobody at all")
    with refused("unknown_user"):
        backend.call("quote_tokens", module_id="whisper", user_id="nobody at all")


def test_user_cannot_end_a_spenders_hold(user: User, login: Login) -> None:
    """Otherwise a user could end the hold before the charge, and have the work for nothing."""
    ada, backend = user(100), Caller(login("spender"), "none")
    hold = backend.call("hold_tokens", module_id="whisper", user_id=ada.user_id)["hold_id"]
    for function in ("release_hold", "capture_hold", "extend_hold"):
        with refused("not_yours"):
            ada.call(function, hold_id=hold)


def test_spenders_durations_count_in_the_figures(db: Connection, connect_as: Any) -> None:
    bank, backend = Caller(db, "none"), Caller(connect_as("spender"), "spender")
    bank.call("add_tokens", user_id="ada", tokens=100)
    backend.call("consume_tokens", module_id="whisper", user_id="ada", metadata={"duration_ms": 40})
    backend.call("hold_tokens", module_id="whisper", user_id="ada", ttl="1 microsecond")
    row = bank.row("select succeeded, failed, mean_duration_ms from analytics.module_reliability")
    assert (row["succeeded"], row["failed"], row["mean_duration_ms"]) == (1, 1, 40)


# … and does nothing else


def plant(connection: Connection, call: str) -> None:
    """A trigger that somebody else put on a table of the application."""
    connection.execute("create table if not exists jobs (job_id integer)")
    connection.execute(
        "create or replace function mint() returns trigger language plpgsql as"
        f" $$ begin perform {call}; return new; end $$"
    )
    connection.execute(
        "create or replace trigger mint after insert on jobs for each row execute function mint()"
    )


def test_strangers_trigger_can_grant_through_a_service(user: User, login: Login) -> None:
    """This shows that the attack works on a service."""
    mallory, connection = user(100), login("service_role")
    connection.execute('set search_path = "$user"')
    plant(connection, f"api.add_tokens('{mallory.user_id}', 1000000::numeric)")
    connection.execute("insert into jobs values (1)")
    assert mallory.balance() == 1000100


def test_strangers_trigger_can_only_charge_through_a_spender(
    user: User, login: Login, admin: Connection
) -> None:
    mallory, connection = user(100), login("spender")
    connection.execute('set search_path = "$user"')
    entries = "select count(*) from credits.entries where tokens > 0"
    before = admin.execute(entries).fetchone()
    refusals = set()
    for function, arguments in CALLS.items():
        if function not in SPENDERS:
            plant(connection, f"{function.split('(')[0]}({arguments})")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("insert into jobs values (1)")
            refusals.add(function)
    assert {"api.add_tokens(text,numeric,text)", "api.refund_usage(text,numeric,text,text)"} <= refusals
    for role in ("service_role", "credits_owner", "pgcredits_service", "support", "auditor"):
        plant(connection, f"set_config('role', '{role}', true)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("insert into jobs values (1)")
    assert admin.execute(entries).fetchone() == before
    assert mallory.balance() == 100


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("create_order", {"pack_id": "standard"}),
        ("set_spend_limit", {"period": "day", "tokens": 10}),
        ("set_low_balance", {"below": 10}),
        ("redeem_code", {"code": "nothing"}),
        ("referral_code", {}),
    ],
)
def test_spender_who_is_a_user_does_the_rest_only_for_itself(
    function: str, arguments: dict[str, Any], user: User, login: Login, admin: Connection
) -> None:
    """The function itself checks that its caller is a service. A spender's right to execute is not enough."""
    ada, bob = user(100), user(100)
    connection = login("spender", "authenticated")
    admin.execute(
        "insert into credits.sql_logins (login, account_id)"
        " select %s, account_id from credits.identities where subject = %s",
        (connection.info.user, ada.user_id),
    )
    both = Caller(connection, "none")
    with refused("not_yours"):
        both.call(function, user_id=bob.user_id, **arguments)
    try:
        both.call(function, **arguments)  # their own
    except psycopg.Error as error:
        assert error.sqlstate in ("PT404",), error  # no such code, no campaign
    admin.execute("delete from credits.sql_logins where login = %s", (connection.info.user,))


def test_spender_reads_balances_and_holds_only(user: User, login: Login) -> None:
    ada, connection = user(100), login("spender")
    seen = connection.execute("select balance from api.balance where user_id = %s", (ada.user_id,)).fetchall()
    assert seen == [(100,)]
    assert connection.execute("select * from api.holds where user_id = %s", (ada.user_id,)).fetchall() == []
    for view in ("entries", "usage", "lots", "orders", "notices", "failures", "referrals", "shortfalls"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"select * from api.{view}")


# Nobody can make themselves a spender


def test_session_settings_do_not_make_a_spender(user: User, login: Login, admin_url: str) -> None:
    ada, bob = user(100), user(100)
    connection = login("authenticated")
    name = connection.info.user
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("set role spender")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select set_config('role', 'spender', false)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"grant spender to {name}")
    connection.execute("select set_config('request.jwt.claims', '{\"role\": \"spender\"}', false)")
    connection.execute("select set_config('request.jwt.claim.role', 'spender', false)")
    with refused("not_signed_in"):
        Caller(connection, "none").call("consume_tokens", module_id="whisper", user_id=ada.user_id)
    # As the default of the login, or as an option of the connection.
    url = as_login(admin_url, name, "of an app")
    try:
        connection.execute(f"alter role {name} set role = 'spender'")
        with psycopg.connect(url, autocommit=True) as again, refused("not_signed_in"):
            again.execute("select api.consume_tokens('whisper', user_id => %s)", (bob.user_id,))
    except psycopg.errors.InsufficientPrivilege:
        pass  # refused at once
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(url, options="-c role=spender")
    assert (ada.balance(), bob.balance()) == (100, 100)


def test_claims_give_a_spender_no_account(user: User, login: Login) -> None:
    ada, connection = user(100), login("spender")
    connection.execute(
        "select set_config('request.jwt.claims', json_build_object('sub', %s::text)::text, false)",
        (ada.user_id,),
    )
    with refused("bad_user"):
        Caller(connection, "none").call("consume_tokens", module_id="whisper")
    assert ada.balance() == 100


# Support reads


def test_support_reads_everybodys_rows_and_calls_nothing(user: User, login: Login, service: Caller) -> None:
    ada, connection = user(100), login("support")
    service.call("consume_tokens", module_id="whisper", user_id=ada.user_id)
    service.call("create_order", pack_id="standard", user_id=ada.user_id)
    service.call("hold_tokens", module_id="whisper", user_id=ada.user_id)
    support = Caller(connection, "none")
    for view in ("balance", "entries", "usage", "lots", "orders", "holds"):
        assert support.rows(f"select * from api.{view} where user_id = %s", (ada.user_id,)), view
    support.rows("select * from audit.parked")
    support.rows("select * from audit.stuck_holds")
    for function, arguments in CALLS.items():
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            support.rows(f"select {function.split('(')[0]}({arguments})")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        support.rows("select payload from credits.stripe_events")
