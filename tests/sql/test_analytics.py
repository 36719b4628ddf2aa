"""The analysts' figures, on books small enough to count by hand."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from people import Caller, Connection
from psycopg.types.json import Jsonb
from stripe_events import COMPLETED, event, session


@pytest.fixture
def bank(admin: Connection, admin_url: str) -> Iterator[Caller]:
    """An analyst of the three accounts of this test, in a transaction that is rolled back."""
    with psycopg.connect(admin_url) as connection:
        connection.execute("begin")
        connection.execute("set local time zone 'Pacific/Auckland'")  # days and months are UTC's all the same
        connection.execute("insert into credits.analyst_grants values (session_user, 'counted')")
        people = ("one", "two", "three")
        for name in people:
            connection.execute("select api.add_tokens(%s, 1000::numeric)", (name,))
        connection.execute(
            "update credits.accounts set segment = 'counted' where account_id in"
            " (select account_id from credits.identities where subject = any (%s))",
            (list(people),),
        )
        owner = Caller(connection, "none")
        for name, module_id, times in (("one", "whisper", 3), ("two", "whisper", 1), ("two", "metube", 2)):
            for _ in range(times):
                owner.call("consume_tokens", module_id=module_id, user_id=name)
        for name, pack_id, paid in (
            ("one", "standard", True),
            ("one", "basique", True),
            ("two", "standard", True),
            ("three", "standard", False),
        ):
            order = owner.call("create_order", pack_id=pack_id, user_id=name)
            if paid:
                bought = Jsonb(event(COMPLETED, session(order)))
                connection.execute("select api.apply_stripe_event(%s)", (bought,))
        yield Caller(connection, "analyst")
        connection.rollback()


def test_module_usage_counts_charges_accounts_and_tokens(bank: Caller) -> None:
    rows = bank.rows(
        "select module_id, uses, accounts, tokens,"
        " day = (clock_timestamp() at time zone 'UTC')::date as today"
        " from analytics.module_usage order by module_id"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("metube", 2, 1, 20, True),
        ("whisper", 4, 2, 100, True),
    ]


def test_average_use_is_of_those_who_used_anything(bank: Caller) -> None:
    row = bank.row("select active_accounts, uses_per_account, tokens_per_account from analytics.average_use")
    assert tuple(row.values()) == (2, 3, 60)


def test_conversion_is_the_share_of_accounts_that_bought(bank: Caller) -> None:
    row = bank.row("select accounts, buyers, conversion from analytics.purchase_conversion")
    assert tuple(row.values()) == (3, 2, Decimal("0.6667"))


def test_tokens_sold_are_those_of_paid_orders(bank: Caller) -> None:
    rows = bank.rows(
        "select package_name, currency, orders, tokens, amount from analytics.tokens_sold order by 1"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("Basique", "eur", 1, 100, 999),
        ("Standard", "eur", 2, 1000, 7998),
    ]
