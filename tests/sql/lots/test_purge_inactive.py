"""Tokens that nobody uses expire at last: announced, on the books, and not while something is going on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from callers import Row, findings, refused, stop_clock
from holding import Bank

START, BEFORE, TOLD, OVER = (
    "2031-03-01 09:00Z",
    "2033-01-29 08:59Z",
    "2033-01-30 09:00Z",
    "2033-03-01 09:00Z",
)


@pytest.fixture(autouse=True)
def rule(bank: Bank) -> None:
    stop_clock(bank.connection, START)
    bank.rows("select credits.define_purge('2 years', '30 days')")


def at(bank: Bank, moment: str) -> None:
    stop_clock(bank.connection, moment)
    while any(bank.row("select accounts, keys, events, partitions from api.maintain()").values()):
        pass


def notices(bank: Bank) -> list[Row]:
    return bank.rows("select kind, facts from api.notices where user_id = 'gone' order by created_at")


def balance(bank: Bank) -> Decimal:
    return Decimal(bank.row("select balance from api.balance where user_id = 'gone'")["balance"])


def grant(bank: Bank, tokens: int = 100, **more: Any) -> Row:
    return bank.call("add_tokens", user_id="gone", tokens=tokens, **more)


def spend(bank: Bank) -> Row:
    return bank.call("consume_tokens", user_id="gone", module_id="metube")  # 10 tokens


def test_tokens_of_two_idle_years_are_announced_and_then_purged(bank: Bank) -> None:
    grant(bank)
    at(bank, BEFORE)
    assert notices(bank) == []
    at(bank, TOLD)
    (told,) = notices(bank)
    assert told == {
        "kind": "inactive",
        "facts": {
            "tokens": 100,
            "active_at": "2031-03-01T09:00:00+00:00",
            "purge_at": "2033-03-01T09:00:00+00:00",
        },
    }
    at(bank, "2033-03-01 08:59Z")
    assert balance(bank) == 100
    at(bank, OVER)
    assert balance(bank) == 0
    entries = bank.rows(
        "select kind, tokens, metadata ->> 'reason' as reason from api.entries"
        " where user_id = 'gone' order by seq"
    )
    assert [tuple(entry.values()) for entry in entries] == [
        ("grant", 100, None),
        ("adjustment", 0, "inactive since 2031-03-01T09:00:00+00:00"),
        ("expire", -100, None),
    ]
    assert findings(bank) == []
    at(bank, "2036-03-01 09:00Z")
    assert notices(bank) == [], "there is no second one, and the first was forgotten after its time"


def test_one_spend_after_the_notice_begins_the_two_years_again(bank: Bank) -> None:
    grant(bank)
    at(bank, TOLD)
    stop_clock(bank.connection, "2033-02-28 23:59Z")
    spend(bank)
    at(bank, OVER)
    assert balance(bank) == 90
    at(bank, "2035-01-29 23:58Z")
    assert notices(bank) == [], "the first was forgotten after its time"
    at(bank, "2035-01-29 23:59Z")
    assert [notice["facts"]["tokens"] for notice in notices(bank)] == [90]
    at(bank, "2035-02-28 23:59Z")
    assert balance(bank) == 0
    assert findings(bank) == []


def test_user_has_the_whole_time_when_maintenance_comes_late(bank: Bank) -> None:
    grant(bank)
    at(bank, "2034-01-01 00:00Z")
    assert notices(bank)[0]["facts"]["purge_at"] == "2034-01-31T00:00:00+00:00"
    assert balance(bank) == 100
    spend(bank)
    at(bank, "2034-02-01 00:00Z")
    assert balance(bank) == 90


def test_call_on_the_day_finds_the_tokens_purged(bank: Bank) -> None:
    grant(bank)
    at(bank, TOLD)
    stop_clock(bank.connection, OVER)
    with refused("insufficient_tokens"):
        spend(bank)


def test_nothing_is_purged_while_work_is_held(bank: Bank) -> None:
    grant(bank)
    at(bank, TOLD)
    stop_clock(bank.connection, "2033-03-01 08:00Z")
    held = bank.call("hold_tokens", user_id="gone", module_id="metube", ttl="1 day")
    at(bank, OVER)
    assert balance(bank) == 100
    bank.call("release_hold", hold_id=held["hold_id"])
    at(bank, "2033-03-02 09:00Z")
    assert balance(bank) == 0
    assert findings(bank) == []


def test_lots_with_a_date_of_their_own_keep_it_if_it_is_sooner(bank: Bank) -> None:
    grant(bank, 5, expires_at="2033-02-01 00:00Z")
    grant(bank, 7, expires_at="2040-01-01 00:00Z")
    at(bank, "2033-01-30 09:01Z")
    at(bank, "2033-03-01 09:01Z")
    lots = bank.rows("select expires_at::text from api.lots where user_id = 'gone' order by lot_id")
    dates = [str(lot["expires_at"])[:10] for lot in lots]
    assert dates == ["2033-02-01", "2033-03-01"]
    assert balance(bank) == 0
    assert findings(bank) == []


def test_free_plan_that_nobody_uses_is_left_alone(bank: Bank) -> None:
    bank.rows("select credits.define_plan('free', 'Free', 50)")
    bank.rows("select credits.open_account('gone')")
    bank.call("start_free_plan", user_id="gone")
    at(bank, "2033-03-15 09:00Z")
    at(bank, "2033-04-20 09:00Z")
    assert (balance(bank), notices(bank)) == (50, [])


def test_bank_without_the_rule_never_purges(bank: Bank) -> None:
    bank.rows("select credits.define_purge(null)")
    grant(bank)
    at(bank, "2050-01-01 00:00Z")
    assert (balance(bank), notices(bank)) == (100, [])


def test_rule_that_comes_later_counts_for_accounts_that_are_there(bank: Bank) -> None:
    bank.rows("select credits.define_purge(null)")
    grant(bank)
    spend(bank)
    bank.rows("select credits.define_purge('1 year', '7 days')")
    at(bank, "2032-02-23 09:01Z")
    assert [notice["kind"] for notice in notices(bank)] == ["inactive"]


@pytest.mark.parametrize(
    ("after", "ahead"),
    [
        ("30 days", "30 days"),
        ("1 year", "0"),
        ("1 year", "-1 day"),
        ("1 year", None),
        ("2000 years", "1 year"),
    ],
)
def test_rule_that_makes_no_sense_is_refused(bank: Bank, after: str, ahead: str | None) -> None:
    with refused("bad_catalog"):
        bank.rows("select credits.define_purge(%s, %s)", (after, ahead))


def test_audit_finds_a_purge_that_is_not_due(bank: Bank) -> None:
    grant(bank)
    at(bank, TOLD)
    bank.connection.execute("update credits.wallets set due_at = 'infinity'")
    assert {row["check_name"] for row in findings(bank)} == {"check_balance"}
    bank.connection.execute("update credits.wallets set due_at = '2033-01-30'")
