"""Finance: liability, journal and trial balance, on three months that can be counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from callers import Row, refused
from sql.conftest import Town
from sql.finance import story
from support import PASSWORD

from pgcredits.database_urls import as_login


@pytest.fixture(scope="module")
def told(own_url: str) -> Iterator[Town]:
    """A bank after these months. After all tests its books must close."""
    with ExitStack() as stack:
        town = Town(own_url, stack)
        payments = story.january(town.admin, town.service)
        story.february(town.admin, town.service, payments)
        story.march(town.admin, town.service, payments)
        yield town
        # The tests have replaced the clock.
        assert town.bank.rows("select * from audit.findings where check_name <> 'check_release'") == []


def rollforward(town: Town, source: str) -> list[Row]:
    return town.bank.rows(
        "select * from finance.liability_rollforward where source = %s order by month", (source,)
    )


def moved(row: Row) -> dict[str, Any]:
    """What is not zero in a month."""
    return {
        name: value
        for name, value in row.items()
        if isinstance(value, Decimal) and value and not name.startswith(("opening", "closing"))
    }


def test_rollforward_counts_each_month_by_hand(told: Town) -> None:
    january, february, march = rollforward(told, "purchase")
    # ada: 75 of 500 tokens of 39.99; bob: 25 of 100 tokens of 9.99. Cut to whole cents.
    assert moved(january) == {
        "sold_tokens": 600,
        "recognised_tokens": 100,
        "sold": 3999 + 999,
        "recognised": 599 + 249,
    }
    # bob gets 5.95 of 11.89 back: that share of his 100 tokens. ada's remaining 425 tokens are disputed.
    back = Decimal(100 * 595 * 10**6 // 1189) / 10**6
    assert moved(february) == {
        "refunded_tokens": back,
        "refunded": int(999 * back / 100),
        "disputed_tokens": 425,
        "disputed": 3999 - 599,
    }
    # What the cuts had left in ada's lot went with its last token, and is back with it.
    assert moved(march) == {"reinstated_tokens": 425, "reinstated": 3399, "disputed": -1}
    for row in (january, february, march):
        for unit in ("_tokens", ""):
            assert (
                row[f"closing{unit}"]
                == row[f"opening{unit}"]
                + row[f"sold{unit}"]
                - row[f"recognised{unit}"]
                - row[f"expired{unit}"]
                - row[f"refunded{unit}"]
                - row[f"disputed{unit}"]
                + row[f"reinstated{unit}"]
                - row[f"adjusted{unit}"]
            )
    assert february["opening"] == january["closing"] == 4150
    assert march["closing"] == 3399 + 1 + 251


def test_gift_has_tokens_and_no_value(told: Town) -> None:
    january, february, march = rollforward(told, "grant")
    assert moved(january) == {"sold_tokens": 60}
    # The expiry is dated when it happened, although it was booked in March.
    assert moved(february) == {"recognised_tokens": 25, "expired_tokens": 35}
    assert moved(march) == {}
    assert {row["closing"] for row in (january, february, march)} == {0}


def test_journal_balances_on_each_day_and_for_each_event(told: Town) -> None:
    days = told.bank.rows(
        "select day, currency, event, sum(debit) as debit, sum(credit) as credit, count(*) as postings"
        " from finance.journal group by day, currency, event order by day, event"
    )
    assert [(str(row["day"]), row["event"], row["debit"]) for row in days] == [
        ("2027-01-10", "sale", 3999 + 999 + 190),
        ("2027-01-10", "use", 599),
        ("2027-01-31", "use", 249),
        ("2027-02-10", "money_back", 3999 + 595),
        ("2027-03-03", "money_back", 3999),
    ]
    assert all(row["debit"] == row["credit"] and row["postings"] >= 2 for row in days)


def test_refund_takes_tax_liability_and_what_was_used_already(told: Town) -> None:
    postings = told.bank.rows(
        "select account, debit, credit from finance.journal"
        " where day = '2027-02-10' and event = 'money_back' order by account"
    )
    taken = 499 + 3400
    assert postings == [
        {"account": "cash", "debit": 0, "credit": 4594},
        {"account": "deferred_revenue", "debit": taken, "credit": 0},
        {"account": "refunds", "debit": 4594 - 95 - taken, "credit": 0},
        {"account": "tax", "debit": 95, "credit": 0},  # 5.95 of 11.89 of 1.90
    ]


def test_trial_balance_agrees_with_the_rollforward_at_any_moment(told: Town) -> None:
    for moment, closing in (("2027-01-31 23:59:59.999999Z", 4150), ("2027-03-01 00:00Z", 251)):
        rows = told.bank.rows("select * from finance.trial_balance(%s)", (moment,))
        assert sum(row["debit"] for row in rows) == sum(row["credit"] for row in rows) > 0
        assert [row["credit"] for row in rows if row["account"] == "deferred_revenue"] == [closing]
    # One microsecond before its last use, bob's 25 tokens were a liability.
    (liability,) = told.bank.rows(
        "select credit from finance.trial_balance('2027-01-31 23:59:59.999998Z')"
        " where account = 'deferred_revenue'"
    )
    assert liability["credit"] == 4150 + 249
    assert told.bank.rows("select * from finance.trial_balance('2027-01-01Z')") == []
    now = told.bank.rows("select * from finance.trial_balance()")
    assert now == told.bank.rows("select * from finance.trial_balance(null)") != []


def test_revenue_of_the_modules_adds_up_to_what_was_recognised(told: Town) -> None:
    rows = told.bank.rows(
        "select month, currency, module_id, tokens, revenue from finance.revenue_by_module order by month"
    )
    assert [(str(row["month"]), row["module_id"], row["tokens"], row["revenue"]) for row in rows] == [
        ("2027-01-01", "whisper", 100, 848),
        ("2027-02-01", "whisper", 25, 0),
    ]


def test_revenue_of_every_month_is_what_the_rollforward_recognised(told: Town) -> None:
    with told.admin.transaction(force_rollback=True):
        # Thirds of cents, for three modules.
        told.admin.execute("alter table credits.entries disable trigger all")
        told.admin.execute(
            "update credits.entries set module_id = (array['whisper', 'metube', 'pdf'])[seq % 3 + 1]"
            " where kind = 'spend'"
        )
        assert (
            told.bank.rows(
                "select month, sum(revenue) as revenue from finance.revenue_by_module group by month"
                " except select month, sum(recognised) from finance.liability_rollforward group by month"
            )
            == []
        )


def test_age_of_the_liability_adds_up_to_its_closing(told: Town) -> None:
    rows = told.bank.rows("select * from finance.liability_aging")
    assert [(row["source"], row["age"], row["lots"], row["worth"]) for row in rows] == [
        ("purchase", "31 to 90 days", 2, 3651)
    ]
    assert (rows[0]["tokens"], rows[0]["expiring"]) == (
        rollforward(told, "purchase")[-1]["closing_tokens"],
        0,
    )


def test_gifts_are_counted_in_tokens(told: Town) -> None:
    rows = told.bank.rows(
        "select given_tokens, used_tokens, expired_tokens, taken_back_tokens, closing_tokens"
        " from finance.promotions order by month"
    )
    assert [tuple(row.values()) for row in rows] == [(60, 0, 0, 0, 60), (0, 25, 35, 0, 0), (0, 0, 0, 0, 0)]


def test_breakage_shows_what_its_estimate_is_made_of(told: Town) -> None:
    rows = told.bank.rows("select * from finance.breakage order by month")
    assert [row["months_looked_at"] for row in rows] == [1, 2, 3]
    assert {(row["booked"], row["expired_share"], row["estimate"]) for row in rows} == {(0, 0, 0)}
    assert [row["liability"] for row in rows] == [4150, 251, 3651]


def test_months_and_days_do_not_depend_on_the_session(told: Town) -> None:
    for table in ("liability_rollforward", "journal"):
        expected = told.bank.rows(f"table finance.{table}")
        for zone in ("Pacific/Kiritimati", "UTC-14", "America/Los_Angeles"):
            with told.admin.transaction():
                told.admin.execute("select set_config('TimeZone', %s, true)", (zone,))
                assert told.bank.rows(f"table finance.{table}") == expected


def test_operator_names_the_accounts_of_the_journal(told: Town) -> None:
    with told.admin.transaction(force_rollback=True):
        told.bank.rows("select credits.name_account('cash', '57', 'Banque')")
        rows = told.bank.rows("select distinct number, name from finance.journal where account = 'cash'")
        assert rows == [{"number": "57", "name": "Banque"}]


@pytest.mark.parametrize(
    ("account", "number", "name"), [("cash", "", "Stripe"), ("cash", "1", None), ("till", "1", "Till")]
)
def test_name_of_an_account_is_refused_when_it_makes_no_sense(
    account: str, number: str, name: str | None, told: Town
) -> None:
    with refused("bad_setting"):
        told.bank.rows("select credits.name_account(%s, %s, %s)", (account, number, name))


def test_history_of_returned_money_is_append_only(told: Town) -> None:
    for change in ("update credits.money_returns set amount = 1", "truncate credits.money_returns"):
        with refused("append_only"):
            told.admin.execute(change)


def test_accountant_sees_the_same_books_as_the_superuser(told: Town, own_url: str) -> None:
    with psycopg.connect(as_login(own_url, "pgcredits_accountant", PASSWORD), autocommit=True) as connection:
        for source in (
            "finance.liability_rollforward",
            "finance.journal",
            "finance.accounts",
            "finance.trial_balance()",
        ):
            rows = connection.execute(f"select * from {source}").fetchall()
            assert rows == told.admin.execute(f"select * from {source}").fetchall() != []
