"""Users change nothing at the prices of an old snapshot: their functions need READ COMMITTED."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import psycopg
import pytest
from callers import Caller, Connection, Row, open_account, refused
from psycopg.types.json import Jsonb
from support import PASSWORD

from pgcredits.database_urls import as_login

User = Callable[..., Caller]
STRICT = ("repeatable read", "serializable")
# Values for parameters without a default.
VALUES = {"text": "'x'", "numeric": "1", "interval": "'1 hour'", "jsonb": "'{}'", "bigint": "1"}


def calls(admin: Connection) -> list[str]:
    """A call of every function of api that users may execute and that can change something."""
    rows = admin.execute(
        """
        select p.proname, array(
            select format_type(t.type, null)
            from unnest(p.proargtypes[0:p.pronargs - p.pronargdefaults - 1])
                with ordinality as t (type, place)
            order by t.place
        )
        from pg_proc as p
        where p.pronamespace = 'api'::regnamespace and p.provolatile = 'v'
            and has_function_privilege('authenticated', p.oid, 'execute')
        order by p.oid::regprocedure::text
        """
    ).fetchall()
    return [f"api.{name}({', '.join(VALUES[kind] for kind in kinds)})" for name, kinds in rows]


@contextmanager
def level(caller: Caller, name: str) -> Iterator[None]:
    caller.connection.execute(f"set default_transaction_isolation = '{name}'")
    try:
        yield
    finally:
        caller.connection.execute("reset default_transaction_isolation")


@pytest.mark.parametrize("name", STRICT)
def test_users_change_nothing_under(name: str, user: User, admin: Connection) -> None:
    every = calls(admin)
    assert {"api.create_order()", "api.consume_tokens('x')", "api.redeem_code('x')"} <= set(every)
    ada = user(10)
    for call in every:
        # IAHome's words begin with the user.
        own = call
        for function in ("consume_tokens", "consume_call"):
            own = own.replace(f"api.{function}('x', 'x'", f"api.{function}('{ada.user_id}', 'x'")
        with level(ada, name), refused("bad_isolation") as facts:
            ada.rows(f"select {own}")
        assert (facts["isolation"], facts["required"]) == (name, "read committed")
    assert ada.balance() == 10


def test_other_refusals_come_before_bad_isolation(user: User, api_login: Connection) -> None:
    ada, nobody = user(), Caller(api_login, "authenticated")
    with level(ada, "serializable"), refused("not_yours"):
        ada.call("create_order", pack_id="standard", user_id="somebody else")
    with level(nobody, "serializable"), refused("not_signed_in"):
        nobody.call("create_order", pack_id="standard")


@pytest.mark.parametrize("name", STRICT)
def test_reading_is_allowed_in_any_isolation(name: str, user: User) -> None:
    ada = user(10)
    with level(ada, name):
        assert ada.balance() == 10
        assert ada.call("quote_tokens", module_id="whisper")["balance"] == 10


@pytest.mark.parametrize("name", STRICT)
def test_service_may_choose_its_isolation(name: str, user: User, service: Caller) -> None:
    ada = user(1000)
    with level(service, name):
        spent = service.call("consume_tokens", module_id="whisper", user_id=ada.user_id)
        assert service.call("create_order", pack_id="standard", user_id=ada.user_id)["state"] == "pending"
    assert ada.balance() == 1000 - Decimal(spent["cost"])


# What takes permits back. The wallets have none here, so their rows may stay as they are.
CHANGES: dict[str, Row] = {
    "set_low_balance": {"below": 480},
    "reset_low_balance": {},
    "set_spend_limit": {"period": "day", "tokens": 100},
    "lift_spend_limit": {"period": "day"},
    "set_overdraft_limit": {"tokens": 0},
    "freeze_account": {},
    "add_tokens": {"tokens": 5, "scope": "module:metube"},
}


@pytest.mark.parametrize("name", STRICT)
@pytest.mark.parametrize("change", CHANGES)
def test_old_snapshot_gives_no_permit_that_outlives_a_change(
    name: str,
    change: str,
    user: User,
    service: Caller,
    crowd: Callable[[int], list[Caller]],
    admin: Connection,
) -> None:
    for function in ("consume_tokens", "consume_tokens_batch", "hold_tokens", "capture_hold"):
        ada = user(500)
        if change == "reset_low_balance":
            service.call("set_low_balance", user_id=ada.user_id, below=480)
        use: Row = {"user_id": ada.user_id, "module_id": "metube"}
        arguments = use
        if function == "consume_tokens_batch":
            arguments = {"items": Jsonb([use])}
        elif function == "capture_hold":
            arguments = {"hold_id": service.call("hold_tokens", **use)["hold_id"], "usage": {"calls": 2}}
            # This takes the permit back.
            service.call("set_overdraft_limit", user_id=ada.user_id, tokens=10)
        (old,) = crowd(1)
        old.connection.execute(f"begin isolation level {name}")
        old.rows("select count(*) from api.entries")
        service.call(change, user_id=ada.user_id, **CHANGES[change])
        try:
            old.call(function, **arguments)
            old.connection.execute("commit")
        except psycopg.errors.SerializationFailure:
            old.connection.execute("rollback")
        assert admin.execute("select * from audit.check_heads").fetchall() == []


def test_old_snapshot_cannot_order_a_withdrawn_pack(db: Connection, url: str) -> None:
    """The SQL login of a user, in a transaction that began while the pack was sold."""
    db.execute(f"create role ada login password '{PASSWORD}' in role authenticated")
    db.execute(f"grant connect on database {db.info.dbname} to ada")
    account = open_account(Caller(db, "none"), "ada")
    db.execute("insert into credits.sql_logins (login, account_id) values ('ada', %s)", (account,))
    try:
        with psycopg.connect(as_login(url, "ada", PASSWORD)) as ada:
            ada.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            assert ada.execute("select 1 from api.packs where pack_id = 'standard'").fetchall() == [(1,)]
            db.execute("update credits.packs set active = false, amount = 9999 where pack_id = 'standard'")
            with refused("bad_isolation"):
                ada.execute("select api.create_order('standard')")
            ada.rollback()
            ada.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            with refused("unknown_pack"):
                ada.execute("select api.create_order('standard')")
    finally:
        db.execute("drop owned by ada; drop role ada")
    assert db.execute("select count(*) from credits.orders").fetchall() == [(0,)]
