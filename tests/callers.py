"""Callers of the bank, and the refusals that they may get."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import settings
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb, set_json_loads

Connection = psycopg.Connection[Any]
Row = dict[str, Any]


def __getattr__(name: str) -> settings:
    """STEADY tries the same examples in every run. It is made on import: by then the profile is loaded."""
    if name != "STEADY":
        raise AttributeError(name)
    return settings(deadline=None, derandomize=True, database=None)


def steady(examples: int) -> settings:
    """As STEADY, with so many examples; a quarter of them on a second version and in `make quick`."""
    few = settings.default.max_examples < settings.get_profile("default").max_examples
    return settings(__getattr__("STEADY"), max_examples=examples // 4 if few else examples)


# The slugs of the contract, each with its HTTP status.
STATUS = {
    "not_signed_in": 401,
    "insufficient_tokens": 402,
    "not_yours": 403,
    "no_guests": 403,
    "no_test_clocks": 403,
    "not_verified": 403,
    "unknown_module": 404,
    "unknown_user": 404,
    "unknown_pack": 404,
    "unknown_plan": 404,
    "no_customer": 404,
    "unknown_order": 404,
    "unknown_use": 404,
    "unknown_hold": 404,
    "unknown_shortfall": 404,
    "unknown_code": 404,
    "unknown_entry": 404,
    "unknown_event": 404,
    "unknown_lot": 404,
    "unknown_call": 404,
    "unknown_webhook": 404,
    "unknown_api_key": 404,
    "no_campaign": 404,
    "append_only": 405,
    "key_reused": 409,
    "order_closed": 409,
    "use_closed": 409,
    "event_closed": 409,
    "already_refunded": 409,
    "cannot_forget": 409,
    "month_closed": 409,
    "month_open": 409,
    "month_not_over": 409,
    "books_behind": 409,
    "not_refundable": 409,
    "hold_closed": 409,
    "shortfall_closed": 409,
    "api_key_closed": 409,
    "email_taken": 409,
    "already_subscribed": 409,
    "campaign_limit": 429,
    "sign_in_limit": 429,
    "sign_up_limit": 429,
    "code_expired": 409,
    "code_used": 409,
    "code_exhausted": 409,
    "own_code": 409,
    "not_eligible": 409,
    "referral_circle": 409,
    "bad_usage": 422,
    "bad_items": 422,
    "bad_amount": 422,
    "price_mismatch": 422,
    "bad_key": 422,
    "bad_user": 422,
    "bad_scope": 422,
    "bad_segment": 422,
    "bad_email": 422,
    "bad_password": 422,
    "bad_event": 422,
    "foreign_account": 422,
    "wrong_mode": 422,
    "bad_reason": 422,
    "bad_metadata": 422,
    "bad_tags": 422,
    "bad_expiry": 422,
    "bad_isolation": 422,
    "bad_order": 422,
    "bad_period": 422,
    "bad_threshold": 422,
    "spend_limit": 429,
    "too_many_holds": 429,
    "unpaid_limit": 429,
    "bad_guest": 422,
    "bad_duration": 422,
    "bad_ttl": 422,
    "bad_over": 422,
    "bad_final": 422,
    "bad_byok": 422,
    "bad_notices": 422,
    "bad_webhook": 422,
    "bad_api_key": 422,
    "bad_replay": 422,
    "bad_page": 422,
    "bad_clock": 422,
    "bad_at": 422,
    "bad_limit": 422,
    "bad_login": 422,
    "bad_answer": 422,
    "bad_consent": 422,
    "consent_limit": 429,
    "bad_state": 422,
    "bad_setting": 422,
    "bad_catalog": 422,
    "account_frozen": 423,
    "guest_limit": 429,
    "too_many_orders": 429,
    "busy": 503,
}


_ACT = "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)"


class Caller:
    """A caller of the bank. Each call is one transaction with its role and claims, as the API makes it.

    In a transaction of the superuser it is a savepoint, after which the superuser has their own role again.
    """

    def __init__(self, connection: Connection, role: str, user_id: str | None = None) -> None:
        set_json_loads(partial(json.loads, parse_float=Decimal), connection)
        self.connection = connection
        self.role = role
        self.user_id = user_id

    def rows(self, query: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        claims = {"role": self.role} | ({"sub": self.user_id} if self.user_id is not None else {})
        within = self.connection.info.transaction_status == TransactionStatus.INTRANS
        with self.connection.transaction(), self.connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(_ACT, (self.role, json.dumps(claims)))
            rows = cursor.execute(query, params).fetchall()
            if within and self.role != "none":
                cursor.execute(_ACT, ("none", ""))
            return rows

    def row(self, query: str, params: Sequence[Any] | dict[str, Any] = ()) -> Row:
        (row,) = self.rows(query, params)
        return row

    def call(self, function: str, **arguments: Any) -> Row:
        """The one row of api.<function>, called by name. A dict is sent as jsonb, a str without a type."""
        named = ", ".join(f"{name} => %({name})s" for name in arguments)
        values = {
            name: Jsonb(value) if isinstance(value, dict) else value for name, value in arguments.items()
        }
        return self.row(f"select * from api.{function}({named})", values)

    def balance(self) -> Decimal:
        """The caller's own balance, as the view shows it."""
        return Decimal(self.row("select balance from api.balance")["balance"])


def open_account(bank: Caller, user_id: str) -> UUID:
    """The account of that user. `bank` is a superuser's connection."""
    bank.rows("select credits.open_account(%s)", (user_id,))
    row = bank.row("select account_id from credits.identities where subject = %s", (user_id,))
    return UUID(str(row["account_id"]))


# A clock that shows what the session or its transaction has set. If a test defined the clock anew for each
# moment, PostgreSQL would plan every statement again.
SETTABLE_CLOCK = """
create or replace function credits.clock() returns timestamptz language sql volatile parallel safe
return coalesce(nullif(current_setting('tests.clock', true), '')::timestamptz, clock_timestamp())
"""


def stop_clock(admin: Connection, moment: str) -> None:
    """Stop the bank's clock at this moment, until the superuser's transaction is rolled back."""
    set_clock = "select set_config('tests.clock', (%s::timestamptz)::text, true)"
    if admin.execute(f"{set_clock} where current_setting('tests.clock', true) <> ''", (moment,)).fetchone():
        return
    admin.execute(
        "create or replace function credits.clock() returns timestamptz language sql volatile parallel safe"
        f" return timestamptz '{moment}'"
    )


# The audit without its two checks of objects and rights. No call changes these, and their checks take longer
# than all others together. Databases that tests share are audited in full after their last test.
BOOKS = "select * from audit.findings where check_name not in ('check_access', 'check_release')"


def findings(bank: Caller) -> list[Row]:
    """What the audit finds in the books.

    Planning the audit takes longer than running it, so the connection plans it once. psycopg's own prepared
    statements do not last that long: it drops them all after every refusal.
    """
    bank.connection.prepare_threshold = None
    if not bank.rows("select from pg_prepared_statements where name = 'books'"):
        bank.connection.execute(f"prepare books as {BOOKS}".encode())
    return bank.rows("execute books")


@contextmanager
def refused(slug: str) -> Iterator[Row]:
    """The block must be refused with this slug and its status. Gives the facts of the DETAIL."""
    facts: Row = {}
    with pytest.raises(psycopg.Error) as caught:
        yield facts
    error = caught.value
    assert error.sqlstate == f"PT{STATUS[slug]}", f"{error.sqlstate}: {error}"
    facts.update(json.loads(error.diag.message_detail or "", parse_float=Decimal))
    assert next(iter(facts.items())) == ("error", slug)


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run each function in its own thread, all at the same moment. Returns what each returned or raised."""
    results: list[Any] = [None] * len(works)
    start = Barrier(len(works))

    def run(place: int) -> None:
        start.wait()
        try:
            results[place] = works[place]()
        except Exception as error:
            results[place] = error

    threads = [Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def slugs(results: Sequence[Any]) -> list[str]:
    """The slugs of the refusals among these results. Raises any other error."""
    found = []
    for result in results:
        if isinstance(result, psycopg.Error) and (result.sqlstate or "").startswith("PT"):
            found.append(json.loads(result.diag.message_detail or "")["error"])
        elif isinstance(result, Exception):
            raise result
    return found


def wait_until_blocked(admin: Connection, pid: int) -> None:
    """Wait until that session waits for a lock."""
    for _ in range(200):
        row = admin.execute(
            "select cardinality(pg_blocking_pids(%s)) > 0 and wait_event_type = 'Lock', pg_sleep(0.01)"
            " from pg_stat_activity where pid = %s",
            (pid, pid),
        ).fetchone()
        if row and row[0]:
            return
    pytest.fail(f"session {pid} never waited for a lock")
