"""The free plan gives its allowance once in each of its periods, and never beside a paid plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from callers import Caller, at_once, refused
from subscribing import APR, FEB, JAN, MAR, PRO, Subscriber
from subscription_events import CREATED, DELETED, at

pytestmark = pytest.mark.slow
NOON = JAN + timedelta(hours=12)


def start(user: Subscriber) -> Any:
    return user.call("start_free_plan", user_id=user.user_id)


def test_free_plan_brings_its_allowance_every_month_without_a_call(ada: Subscriber) -> None:
    receipt = start(ada)
    assert receipt == {
        "user_id": ada.user_id,
        "plan_id": "free",
        "allowance": 50,
        "granted": True,
        "period_starts_at": JAN,
        "period_ends_at": FEB,
        "balance": 50,
        "replayed": False,
    }
    assert start(ada) == receipt | {"replayed": True}
    ada.spend(30)
    ada.clock(FEB)  # moving the clock locks the wallet, like any call
    assert ada.balance() == 50
    assert ada.lots() == [("allowance", "Free", 50, 0, FEB), ("allowance", "Free", 50, 50, MAR)]
    assert [row[:2] for row in ada.entries()] == [
        ("allowance", 50),
        ("spend", -30),
        ("expire", -20),
        ("allowance", 50),
    ]


def test_periods_that_nobody_saw_are_skipped(ada: Subscriber) -> None:
    start(ada)
    ada.clock(APR + timedelta(days=3))
    assert [lot[:2] + lot[4:] for lot in ada.lots()] == [
        ("allowance", "Free", FEB),
        ("allowance", "Free", datetime(2098, 5, 1, tzinfo=UTC)),
    ]


def test_periods_keep_the_day_of_the_month(bank: Caller) -> None:
    user = Subscriber(bank, "last", datetime(2098, 1, 31, tzinfo=UTC))
    start(user)
    for now in (datetime(2098, 2, 28, tzinfo=UTC), datetime(2098, 3, 31, tzinfo=UTC)):
        user.clock(now)
    assert [ends for *_, ends in user.lots()] == [
        datetime(2098, 2, 28, tzinfo=UTC),
        datetime(2098, 3, 31, tzinfo=UTC),
        datetime(2098, 4, 30, tzinfo=UTC),
    ]


def test_free_plan_rests_while_a_paid_plan_runs(ada: Subscriber) -> None:
    start(ada)
    ada.apply(at(CREATED, ada.subscription(PRO, JAN, FEB), JAN))
    ada.clock(FEB)
    assert ada.balance() == 0
    shown = ada.bank.row(
        "select status from api.subscriptions where user_id = %s and subscription_id is null", (ada.user_id,)
    )
    assert shown["status"] == "paused"
    # The paid plan ends in the middle of a period: the free one gives this period's allowance, once.
    ada.clock(FEB + timedelta(days=9))
    for _ in range(2):
        ada.apply(at(DELETED, ada.subscription(PRO, JAN, FEB, status="canceled"), FEB + timedelta(days=9)))
    assert ada.balance() == 50
    assert ada.lots()[-1] == ("allowance", "Free", 50, 50, MAR)


def test_subscribing_and_cancelling_again_brings_no_more(ada: Subscriber) -> None:
    start(ada)
    for number in range(3):
        sub = f"sub_{number}"
        ada.apply(at(CREATED, ada.subscription(PRO, JAN, FEB, sub=sub), JAN))
        ada.apply(at(DELETED, ada.subscription(PRO, JAN, FEB, sub=sub, status="canceled"), NOON))
        start(ada)
    assert ada.balance() == 50


def test_calls_at_once_take_the_free_plan_once(ada: Subscriber, own_town: Any) -> None:
    workers = [own_town.someone("service_role") for _ in range(6)]
    receipts = at_once([lambda w=w: w.call("start_free_plan", user_id=ada.user_id) for w in workers])
    assert sorted(receipt["replayed"] for receipt in receipts) == [False] + [True] * 5
    assert ada.balance() == 50


def test_frozen_account_gets_nothing_until_it_is_thawed(ada: Subscriber) -> None:
    start(ada)
    ada.call("freeze_account", user_id=ada.user_id, reason="why")
    ada.clock(FEB)
    assert ada.balance() == 0
    with refused("account_frozen"):
        start(ada)
    ada.call("thaw_account", user_id=ada.user_id)
    assert start(ada)["granted"]
    assert ada.balance() == 50


def test_withdrawn_free_plan_gives_nothing_more(bank: Caller, ada: Subscriber) -> None:
    start(ada)
    bank.rows("select credits.define_plan('free', 'Free', 50, p_active => false)")
    try:
        ada.clock(FEB)
        assert ada.balance() == 0
        with refused("unknown_plan"):
            start(Subscriber(bank, "late"))
    finally:
        bank.rows("select credits.define_plan('free', 'Free', 50)")
    ada.clock(FEB + timedelta(days=1))
    assert start(ada)["granted"]


def test_unverified_user_may_not_take_it_where_that_is_required(bank: Caller, ada: Subscriber) -> None:
    bank.rows("select credits.require_verified_email(true)")
    try:
        with refused("not_verified"):
            start(ada)
        ada.call("verify_email", user_id=ada.user_id)
        assert start(ada)["granted"]
    finally:
        bank.rows("select credits.require_verified_email(false)")


def test_user_takes_it_for_themselves_only(own_town: Any, ada: Subscriber) -> None:
    other = own_town.user()
    with refused("not_yours"):
        other.call("start_free_plan", user_id=ada.user_id)
    assert other.call("start_free_plan")["granted"]
