"""Notices: one row in the outbox per crossing, written by the call that caused it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import ROUND_UP, Decimal
from threading import Thread
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection, Row, findings, refused, stop_clock
from holding import Bank

MIDNIGHT = "2031-11-21 00:00Z"


@pytest.fixture(scope="module")
def till(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url) as connection:
        yield connection


@contextmanager
def rules(till: Connection, *lines: str) -> Iterator[Caller]:
    """The superuser in a bank with these rules, in a transaction that is rolled back."""
    try:
        till.execute("begin")
        bank = Caller(till, "none")
        for line in lines:
            till.execute(f"select credits.define_notice({line})")  # type: ignore[arg-type]
        yield bank
        assert findings(bank) == []
    finally:
        till.rollback()


def grant(bank: Caller, tokens: Any, **more: Any) -> None:
    bank.call("add_tokens", user_id="noted", tokens=tokens, **more)


def spend(bank: Caller, times: int = 1) -> None:
    for _ in range(times):
        bank.call("consume_tokens", user_id="noted", module_id="metube")  # 10 tokens


def notices(bank: Caller) -> list[tuple[str, Row]]:
    rows = bank.rows("select kind, facts from api.notices where user_id = 'noted' order by created_at")
    return [(row["kind"], row["facts"]) for row in rows]


LOW, DEPLETED = "'low_balance', p_percent => 20", "'depleted'"


def test_low_balance_and_depleted_are_told_once_each(till: Connection) -> None:
    with rules(till, LOW, DEPLETED) as bank:
        grant(bank, 100)
        spend(bank, 8)
        assert notices(bank) == []  # 20 is not below 20
        spend(bank)
        assert notices(bank) == [("low_balance", {"balance": 10, "threshold": 20})]
        spend(bank)
        assert notices(bank)[1:] == [("depleted", {"balance": 0})]


def test_permit_of_the_head_lot_ends_at_the_threshold(till: Connection) -> None:
    """Far above it, a spend gets a permit for the next ones."""
    with rules(till, LOW) as bank:
        grant(bank, 100)
        spend(bank)
        heads = bank.row(
            "select w.head_permit from credits.wallets as w join credits.identities as i using (account_id)"
            " where i.subject = 'noted'"
        )
        assert heads == {"head_permit": Decimal(70)}


def test_notice_is_armed_again_only_above_110_percent(till: Connection) -> None:
    with rules(till, "'low_balance', p_below => 20") as bank:
        grant(bank, 20)
        spend(bank)
        assert len(notices(bank)) == 1
        grant(bank, 12)
        spend(bank)  # 22 is not above 22: not armed
        assert len(notices(bank)) == 1
        grant(bank, "10.000001")
        spend(bank)
        assert notices(bank)[1:] == [("low_balance", {"balance": Decimal("12.000001"), "threshold": 20})]


def test_one_spend_may_tell_low_balance_and_depleted(till: Connection) -> None:
    with rules(till, LOW, DEPLETED) as bank:
        grant(bank, 10)
        spend(bank)
        assert [kind for kind, _ in notices(bank)] == ["low_balance", "depleted"]
        grant(bank, 10)
        spend(bank)
        assert len(notices(bank)) == 4


def test_bonus_counts_with_the_grant_it_came_with(till: Connection) -> None:
    with rules(till, LOW) as bank:
        grant(bank, 100, reason="purchase")
        grant(bank, 100, reason="bonus")
        spend(bank, 16)
        assert notices(bank) == []
        spend(bank)
        assert notices(bank) == [("low_balance", {"balance": 30, "threshold": 40})]


def test_small_grant_sets_the_threshold_once_larger_lots_are_gone(till: Connection) -> None:
    with rules(till, LOW) as bank:
        grant(bank, 100)
        spend(bank, 10)
        grant(bank, 10)
        spend(bank)
        assert [facts["threshold"] for _, facts in notices(bank)] == [20, 2]


def test_without_a_rule_there_is_no_notice(till: Connection) -> None:
    with rules(till) as bank:
        grant(bank, 10)
        spend(bank)
        assert notices(bank) == []


def test_a_new_rule_reaches_accounts_with_a_head_lot(till: Connection) -> None:
    with rules(till) as bank:
        grant(bank, 100)
        spend(bank)
        till.execute("select credits.define_notice('depleted')")
        spend(bank, 9)
        assert notices(bank) == [("depleted", {"balance": 0})]


def test_balance_can_fall_below_a_lowered_threshold(till: Connection) -> None:
    """The notice of the old threshold does not count for the new one."""
    with rules(till, "'low_balance', p_below => 20") as bank:
        grant(bank, 25)
        spend(bank)
        till.execute("select credits.define_notice('low_balance', p_below => 12)")
        spend(bank)
        assert [facts["threshold"] for _, facts in notices(bank)] == [20, 12]


def test_users_choose_their_own_threshold(till: Connection) -> None:
    with rules(till, LOW) as bank:
        grant(bank, 100)
        chosen = bank.call("set_low_balance", user_id="noted", below=50)
        assert (chosen["below"], chosen["threshold"]) == (50, 50)
        spend(bank, 6)
        assert notices(bank) == [("low_balance", {"balance": 40, "threshold": 50})]
        assert bank.call("set_low_balance", user_id="noted", percent=30)["threshold"] == 30
        spend(bank, 2)
        assert notices(bank)[1:] == [("low_balance", {"balance": 20, "threshold": 30})]
        assert bank.call("reset_low_balance", user_id="noted")["threshold"] == 20
        spend(bank)
        assert len(notices(bank)) == 3


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        ({"below": 1, "percent": 1}, "bad_threshold"),
        ({}, "bad_threshold"),
        ({"percent": 0}, "bad_threshold"),
        ({"percent": 100}, "bad_threshold"),
        ({"percent": "1e-16000"}, "bad_threshold"),
        ({"percent": "NaN"}, "bad_threshold"),
        ({"below": -1}, "bad_amount"),
    ],
)
def test_bad_threshold_is_refused(till: Connection, arguments: Row, slug: str) -> None:
    with rules(till) as bank:
        grant(bank, 10)
        with refused(slug):
            bank.call("set_low_balance", user_id="noted", **arguments)


@pytest.mark.parametrize("percent", ["0.000001", "33.333335"])
def test_fractional_threshold_makes_no_tokens(percent: str, till: Connection) -> None:
    """The head lot ends at the threshold; rounding it twice, for lot and wallet, once made a millionth."""
    with rules(till, DEPLETED) as bank:
        grant(bank, 50)
        chosen = bank.call("set_low_balance", user_id="noted", percent=percent)
        assert chosen["threshold"] == (50 * Decimal(percent) / 100).quantize(Decimal("1e-6"), ROUND_UP)
        for left in (40, 30, 20, 10, 0):
            spend(bank)
            lot = bank.row("select remaining from api.lots where user_id = 'noted'")
            assert lot["remaining"] == left
        assert [kind for kind, _ in notices(bank)] == ["low_balance", "depleted"]


def test_refused_spend_leaves_no_notice(till: Connection) -> None:
    with rules(till, LOW, DEPLETED) as bank:
        grant(bank, 5)
        with refused("insufficient_tokens"):
            spend(bank)
        assert notices(bank) == []


def sweep(bank: Caller) -> None:
    """Maintains all accounts until nothing is due: other tests left accounts with clocks of their own."""
    while bank.call("maintain")["accounts"]:
        pass


def test_lot_is_announced_once_before_it_expires(till: Connection) -> None:
    with rules(till, "'expiring_soon', p_ahead => '7 days'", DEPLETED) as bank:
        stop_clock(till, MIDNIGHT)
        grant(bank, 30, expires_at="2031-12-21 00:00Z")
        spend(bank)
        stop_clock(till, "2031-12-13 23:59:59Z")
        sweep(bank)
        assert notices(bank) == []
        stop_clock(till, "2031-12-14 00:00Z")
        sweep(bank)
        ((kind, facts),) = notices(bank)
        assert (kind, facts["lot_id"], facts["tokens"]) == ("expiring_soon", 1, 20)
        assert datetime.fromisoformat(facts["expires_at"]) == datetime.fromisoformat("2031-12-21 00:00+00:00")
        stop_clock(till, "2031-12-21 00:00Z")
        sweep(bank)
        assert notices(bank)[1:] == [("depleted", {"balance": 0})]
        expired = bank.row("select tokens from api.entries where kind = 'expire' and user_id = 'noted'")
        assert expired["tokens"] == -20


def test_next_call_announces_without_maintenance(till: Connection) -> None:
    with rules(till, "'expiring_soon', p_ahead => '7 days'") as bank:
        stop_clock(till, MIDNIGHT)
        grant(bank, 30, expires_at="2031-12-21 00:00Z")
        spend(bank)
        stop_clock(till, "2031-12-20 00:00Z")
        spend(bank)
        assert [facts["tokens"] for _, facts in notices(bank)] == [20]


def test_only_a_service_acknowledges_notices(till: Connection) -> None:
    with rules(till, DEPLETED) as bank:
        grant(bank, 10)
        spend(bank)
        notice = bank.row("select notice_id, delivered from api.notices where user_id = 'noted'")
        assert notice["delivered"] is False
        query = "select * from api.acknowledge_notices(array[%s]::uuid[])"
        assert bank.row(query, (notice["notice_id"],)) == {"notices": 1}
        assert bank.row(query, (notice["notice_id"],)) == {"notices": 0}
        assert bank.row("select delivered from api.notices where user_id = 'noted'") == {"delivered": True}


@pytest.mark.parametrize(
    "line",
    [
        "'low_balance'",
        "'low_balance', p_below => 1, p_percent => 1",
        "'low_balance', p_below => -1",
        "'low_balance', p_percent => 100",
        "'low_balance', p_percent => 'NaN'",
        "'depleted', p_below => 1",
        "'expiring_soon'",
        "'expiring_soon', p_ahead => '-1 day'",
        "'expiring_soon', p_ahead => '300000 years'",
        "'other'",
        "null",
    ],
)
def test_senseless_rule_is_refused_by_name(till: Connection, line: str) -> None:
    with rules(till) as bank, refused("bad_catalog") as facts:
        bank.rows(f"select credits.define_notice({line})")
    assert facts["line"] == "notice"


def test_same_rule_again_changes_nothing(till: Connection) -> None:
    with rules(till, LOW) as bank:
        grant(bank, 100)
        spend(bank)
        till.execute(f"select credits.define_notice({LOW})")  # type: ignore[arg-type]
        due = bank.row("select count(*) from credits.wallets where due_at = '-infinity'")
        before = bank.row("select count(*) from credits.wallets")
        assert due["count"] < before["count"]
        assert bank.row(
            "select w.due_at > credits.clock() as calm from credits.wallets as w"
            " join credits.identities as i using (account_id) where i.subject = 'noted'"
        ) == {"calm": True}


def threshold(bank: Caller) -> Any:
    return bank.call("reset_low_balance", user_id="noted")["threshold"]


def test_small_gift_does_not_change_the_threshold(till: Connection) -> None:
    with rules(till, LOW) as bank:
        grant(bank, 100, reason="purchase")
        grant(bank, 1, reason="promo")
        assert threshold(bank) == 20
        spend(bank, 8)  # 21 left
        assert notices(bank) == []
        spend(bank)
        assert notices(bank) == [("low_balance", {"balance": 11, "threshold": 20})]


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ([("grant", 100), ("promo", 1)], 20),
        ([("welcome", 50)], 10),
        ([("welcome", 50), ("purchase", 100)], 20),
        ([("purchase", 100), ("purchase", 10)], 20),
        ([("purchase", 10), ("promo", 100)], 20),
        ([("purchase", 100), ("bonus", 50), ("promo", 1)], 30),
        ([("bonus", 5)], 1),
        ([("purchase", 100), ("bonus", 50), ("purchase", 10), ("bonus", 5)], 20),
    ],
    ids=str,
)
def test_threshold_follows_the_last_purchase_or_greatest_lot(
    grants: list[tuple[str, int]], expected: int, till: Connection
) -> None:
    with rules(till, LOW) as bank:
        for reason, tokens in grants:
            grant(bank, tokens, reason=reason)
        assert threshold(bank) == expected


def test_empty_lot_does_not_set_the_threshold(till: Connection) -> None:
    with rules(till, LOW) as bank:
        grant(bank, 1000)
        spend(bank, 100)
        grant(bank, 50, reason="purchase")
        assert threshold(bank) == 10


def test_expired_gift_does_not_set_the_threshold(till: Connection) -> None:
    with rules(till, LOW) as bank:
        stop_clock(till, MIDNIGHT)
        grant(bank, 100, reason="purchase")
        grant(bank, 1000, reason="promo", expires_at="2031-11-22 00:00Z")
        assert threshold(bank) == 200
        stop_clock(till, "2031-11-22 00:00Z")
        assert threshold(bank) == 20
        assert notices(bank) == []


# The remaining tokens pay for nothing


def test_depleted_when_what_is_left_pays_for_nothing(till: Connection) -> None:
    with rules(till, DEPLETED) as bank:
        grant(bank, 25)
        spend(bank)
        assert notices(bank) == []  # 15 pay for one more
        spend(bank)
        assert notices(bank) == [("depleted", {"balance": 5})]
        with refused("insufficient_tokens"):
            spend(bank)
        grant(bank, 4)
        grant(bank, 1)
        spend(bank)
        assert notices(bank)[1:] == [("depleted", {"balance": 0})]


def test_hold_that_leaves_too_little_tells_depleted(till: Connection) -> None:
    with rules(till, DEPLETED) as bank:
        grant(bank, 15)
        bank.call("hold_tokens", user_id="noted", module_id="metube")
        assert notices(bank) == [("depleted", {"balance": 5})]


def test_balance_that_pays_an_unlisted_module_is_not_depleted(till: Connection) -> None:
    with rules(till, DEPLETED) as bank:
        till.execute('select credits.define_price(\'[{"dimension": "calls", "price_per_unit": 2}]\')')
        grant(bank, 14)
        spend(bank)
        assert notices(bank) == []
        bank.call("consume_tokens", user_id="noted", module_id="something else", usage='{"calls": 1}')
        bank.call("consume_tokens", user_id="noted", module_id="something else", usage='{"calls": 1}')
        assert notices(bank) == [("depleted", {"balance": 0})]


def test_bound_tokens_count_for_depleted_inside_their_scope(till: Connection) -> None:
    with rules(till, DEPLETED) as bank:
        grant(bank, 40, scope="module:stablediffusion")  # which costs 50
        grant(bank, 20)
        spend(bank)
        assert notices(bank) == []  # 40 + 10 pay for a picture
        bank.call("consume_tokens", user_id="noted", module_id="metube", usage={"calls": 1})
        assert notices(bank) == [("depleted", {"balance": 40})]


def test_frozen_tokens_do_not_count_for_depleted(till: Connection) -> None:
    with rules(till, DEPLETED) as bank:
        grant(bank, 500)
        grant(bank, 20)
        till.execute(
            "update credits.lots as l set frozen = true from credits.identities as i"
            " where i.account_id = l.account_id and i.subject = 'noted' and l.lot_id = 1"
        )
        spend(bank)
        assert notices(bank) == []
        spend(bank)
        assert notices(bank) == [("depleted", {"balance": 500})]


def test_reported_refusal_tells_depleted_once(till: Connection) -> None:
    with rules(till, DEPLETED) as bank:
        grant(bank, 30)
        spend(bank)
        for _ in range(3):
            with refused("insufficient_tokens"):
                bank.call("consume_tokens", user_id="noted", module_id="stablediffusion")
            answer = bank.call("report_refusal", user_id="noted", module_id="stablediffusion")
            assert answer == {"user_id": "noted", "module_id": "stablediffusion", "depleted": True}
        assert notices(bank) == [("depleted", {"balance": 20})]
        spend(bank, 2)
        assert len(notices(bank)) == 1
        grant(bank, 30)
        bank.call("report_refusal", user_id="noted", module_id="stablediffusion")
        assert notices(bank)[1:] == [("depleted", {"balance": 30})]


def test_report_of_a_refusal_is_checked(till: Connection) -> None:
    with rules(till, DEPLETED) as bank:
        grant(bank, 50)
        answer = bank.call("report_refusal", user_id="noted", module_id="stablediffusion")
        assert answer["depleted"] is False
        assert notices(bank) == []


def test_reported_refused_capture_tells_depleted_once(till: Connection) -> None:
    with rules(till, DEPLETED) as bank:
        grant(bank, 100)
        held = bank.call("hold_tokens", user_id="noted", module_id="stablediffusion")
        capture = {"hold_id": held["hold_id"], "usage": {"calls": 3}}
        with refused("insufficient_tokens"):
            bank.call("capture_hold", **capture, over="error")
        before = till.execute("select w.balance, w.held, w.seq from credits.wallets as w").fetchall()
        for _ in range(2):
            answer = bank.call("report_refused_capture", **capture)
            assert answer == {"user_id": "noted", "module_id": "stablediffusion", "depleted": True}
        assert len(notices(bank)) == 1
        assert till.execute("select w.balance, w.held, w.seq from credits.wallets as w").fetchall() == before


def test_report_of_a_refused_capture_is_checked_and_charges_nothing(till: Connection) -> None:
    with rules(till, DEPLETED) as bank:
        grant(bank, 100)
        held = bank.call("hold_tokens", user_id="noted", module_id="stablediffusion")
        for usage in ({}, {"usage": {"calls": 2}}):
            answer = bank.call("report_refused_capture", hold_id=held["hold_id"], **usage)
            assert answer["depleted"] is False
        assert notices(bank) == []
        assert bank.call("capture_hold", hold_id=held["hold_id"])["cost"] == 50
        assert bank.call("report_refused_capture", hold_id=held["hold_id"])["depleted"] is False


def test_refused_item_of_a_batch_tells_depleted(till: Connection) -> None:
    with rules(till, DEPLETED) as bank:
        grant(bank, 30)
        use = '{"user_id": "noted", "module_id": '
        items = f'[{use}"stablediffusion"}}, {use}"metube"}}]'
        for _ in range(2):
            bank.rows("select * from api.consume_tokens_batch(%s)", (items,))
        assert notices(bank) == [("depleted", {"balance": 20})]


def test_rule_that_changes_while_a_wallet_is_caught_up_takes_its_permit_back(bank: Bank, url: str) -> None:
    bank.call("add_tokens", user_id="ada", tokens=500)
    bank.rows("select credits.define_notice('low_balance', 100)")
    with psycopg.connect(url) as connection, psycopg.connect(url, autocommit=True) as catalog:
        connection.execute("select 1")  # begins a transaction
        Caller(connection, "none").call("consume_tokens", user_id="ada", module_id="metube")
        work = Thread(target=catalog.execute, args=("select credits.define_notice('low_balance', 400)",))
        work.start()
        work.join(1)  # it waits for ada's wallet, or has not noticed that it is in use
        connection.commit()
        work.join()
    assert findings(bank) == []
    bank.call("consume_tokens", user_id="ada", module_id="whisper", usage={"calls": 4})
    assert [row["kind"] for row in bank.rows("select kind from api.notices where user_id = 'ada'")] == [
        "low_balance"
    ]
