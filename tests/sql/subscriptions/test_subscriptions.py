"""Subscriptions: what the newest event says, in any order of events; one that has ended stays ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from callers import Caller, Row, at_once, refused
from subscribing import FEB, JAN, MAR, PRO, STARTER, TEAM, Subscriber
from subscription_events import (
    CREATED,
    DELETED,
    FAILED,
    PAID,
    PAUSED,
    RESUMED,
    SUCCEEDED,
    TRIAL_ENDS,
    UPDATED,
    Thing,
    at,
    line,
    older,
    stamp,
    unpaid,
)

pytestmark = pytest.mark.slow
NOON = JAN + timedelta(hours=12)


def test_subscription_is_shown_with_its_plan(ada: Subscriber) -> None:
    of = ada.subscription(PRO, JAN, FEB, quantity=2, trial_end=stamp(JAN))
    assert ada.apply(at(CREATED, of, JAN)) == "applied"
    shown = ada.plan()
    assert {
        name: shown[name] for name in ("plan_id", "title", "status", "quantity", "allowance", "amount")
    } == {
        "plan_id": "pro",
        "title": "Pro",
        "status": "active",
        "quantity": 2,
        "allowance": 6000,
        "amount": 5800,
    }
    assert (shown["period_starts_at"], shown["period_ends_at"], shown["trial_ends_at"]) == (JAN, FEB, JAN)


@pytest.mark.parametrize("shape", [dict, older], ids=["new", "older"])
def test_newest_event_wins_in_any_order(bank: Caller, shape: Any) -> None:
    starter = {"starts": JAN, "ends": FEB}
    for order in permutations(range(4)):
        user = Subscriber(bank, "any")
        events = [
            at(CREATED, shape(user.subscription(STARTER, **starter, status="incomplete")), JAN),
            # In the second of its creation.
            at(UPDATED, shape(user.subscription(STARTER, **starter)), JAN),
            at(UPDATED, shape(user.subscription(PRO, **starter)), NOON),
            at(
                UPDATED,
                shape(user.subscription(PRO, **starter, cancel_at_period_end=True)),
                NOON + timedelta(1),
            ),
        ]
        for place in order:
            user.apply(events[place])
        shown = user.plan()
        assert (shown["plan_id"], shown["status"], shown["cancel_at_period_end"]) == ("pro", "active", True)


def test_deleted_subscription_is_never_resurrected(bank: Caller) -> None:
    for order in permutations(range(3)):
        user = Subscriber(bank, "gone")
        events = [
            at(CREATED, user.subscription(STARTER, JAN, FEB), JAN),
            at(DELETED, user.subscription(STARTER, JAN, FEB, status="canceled", ended_at=stamp(NOON)), NOON),
            # Stripe made it later, by its clock, and it still does not undo the end.
            at(UPDATED, user.subscription(STARTER, JAN, FEB), NOON + timedelta(1)),
        ]
        for place in order:
            user.apply(events[place])
        shown = user.plan()
        assert (shown["status"], shown["ended_at"]) == ("canceled", NOON)


def test_two_plans_at_once_are_two_rows(ada: Subscriber) -> None:
    ada.apply(at(CREATED, ada.subscription(STARTER, JAN, FEB), JAN))
    ada.apply(at(CREATED, ada.subscription(TEAM, JAN, FEB, sub="sub_2"), JAN))
    ada.pay(1, line(STARTER, 900, JAN, FEB), reason="create")
    ada.pay(2, line(TEAM, 9900, JAN, FEB), reason="create", sub="sub_2")
    ada.apply(at(DELETED, ada.subscription(STARTER, JAN, FEB, status="canceled"), NOON))
    assert (ada.plan()["status"], ada.plan("sub_2")["status"]) == ("canceled", "active")
    assert ada.balance() == 11000


def test_cancelled_subscriber_keeps_the_period_that_was_paid(ada: Subscriber) -> None:
    ada.pay(1, line(PRO, 2900, JAN, FEB), reason="create")
    ada.apply(at(DELETED, ada.subscription(PRO, JAN, FEB, status="canceled"), NOON))
    assert ada.balance() == 3000
    ada.clock(FEB)
    assert ada.balance() == 0


def test_invoice_before_its_subscription_ends_right(ada: Subscriber) -> None:
    assert ada.pay(1, line(PRO, 2900, JAN, FEB), reason="create") == "granted"
    shown = ada.plan()
    assert (shown["status"], shown["plan_id"], shown["period_ends_at"]) == ("active", None, FEB)
    assert ada.apply(at(CREATED, ada.subscription(PRO, JAN, FEB, status="incomplete"), JAN)) == "applied"
    assert ada.apply(at(UPDATED, ada.subscription(PRO, JAN, FEB), JAN)) == "applied"
    assert (ada.plan()["status"], ada.plan()["plan_id"]) == ("active", "pro")


def test_account_is_the_one_that_the_checkout_named(bank: Caller, ada: Subscriber) -> None:
    """The metadata say whose an unknown customer is. The invoices that waited are granted then."""
    customer = {"customer": ada.named("cus_new")}
    paid = at(PAID, ada.invoice(1, line(PRO, 2900, JAN, FEB), reason="create") | customer, JAN)
    assert ada.apply(paid) == "waiting"
    of = ada.subscription(PRO, JAN, FEB, metadata={"account_id": str(ada.account_id)}) | customer
    assert ada.apply(at(CREATED, of, JAN)) == "applied"
    assert ada.balance() == 3000


def test_pause_and_trial_are_told(ada: Subscriber) -> None:
    of = ada.subscription(PRO, JAN, FEB, status="trialing", trial_end=stamp(FEB))
    assert ada.apply(at(CREATED, of, JAN)) == "applied"
    assert ada.apply(at(TRIAL_ENDS, of, NOON)) == "applied"
    held = of | {"pause_collection": {"behavior": "void", "resumes_at": stamp(MAR)}}
    assert ada.apply(at(UPDATED, held, NOON + timedelta(1))) == "applied"
    assert (ada.plan()["pause"], ada.plan()["resumes_at"]) == ("void", MAR)
    assert ada.apply(at(PAUSED, of | {"status": "paused"}, NOON + timedelta(2))) == "applied"
    assert ada.plan()["status"] == "paused"
    assert ada.apply(at(RESUMED, of | {"status": "active"}, NOON + timedelta(3))) == "applied"
    assert ada.plan()["status"] == "active"
    assert ada.notices() == [
        "subscription_changed",
        "trial_ends_soon",
        "subscription_changed",
        "subscription_changed",
        "subscription_changed",
    ]


def test_unknown_status_is_parked(ada: Subscriber) -> None:
    assert ada.apply(at(CREATED, ada.subscription(PRO, JAN, FEB, status="confused"), JAN)) == "parked"
    assert ada.bank.rows("select * from api.subscriptions where user_id = %s", (ada.user_id,)) == []


def test_price_of_no_plan_is_recorded_without_a_plan(ada: Subscriber) -> None:
    assert ada.apply(at(CREATED, ada.subscription("price_other", JAN, FEB), JAN)) == "applied"
    assert ada.plan()["plan_id"] is None


def life(user: Subscriber) -> list[Row]:
    """Start, renewal, a payment that fails and recovers, the end: the events of the fixture file's story."""
    return [
        at(CREATED, user.subscription(PRO, JAN, FEB), JAN),
        at(PAID, user.invoice(1, line(PRO, 2900, JAN, FEB), reason="create"), JAN),
        at(FAILED, unpaid(user.invoice(2, line(PRO, 2900, FEB, MAR))), FEB),
        at(UPDATED, user.subscription(PRO, FEB, MAR, status="past_due"), FEB),
        at(PAID, user.invoice(2, line(PRO, 2900, FEB, MAR)), FEB + timedelta(1)),
        at(DELETED, user.subscription(PRO, FEB, MAR, status="canceled"), MAR - timedelta(1)),
    ]


@pytest.mark.one_version
def test_every_order_of_a_whole_life_ends_the_same(bank: Caller, pytestconfig: pytest.Config) -> None:
    """The orders of six events, one of them sent twice: all 720 with --prove, else every seventh."""
    step = 1 if pytestconfig.getoption("--prove") else 7
    tried = 0
    for number, order in list(enumerate(permutations(range(6))))[::step]:
        user = Subscriber(bank, "life", MAR - timedelta(hours=1))
        events = life(user)
        for place in (*order, order[number % 6]):
            user.apply(events[place])
        shown = user.plan()
        assert (shown["status"], shown["plan_id"], shown["unpaid_amount"]) == ("canceled", "pro", None), order
        assert sorted(user.lots()) == [
            ("allowance", "Pro", 3000, 0, FEB),
            ("allowance", "Pro", 3000, 3000, MAR),
            ("rollover", "Pro", 1000, 1000, MAR),
        ], order
        tried += 1
    assert tried * step >= 720


def test_events_at_once_grant_once(ada: Subscriber, own_town: Any) -> None:
    """Two invoices, each reported twice by both kinds of events, from eight workers at the same moment."""
    events = [
        at(kind, ada.invoice(number, line(PRO, 2900, *span), reason=reason), span[0])
        for number, span, reason in ((1, (JAN, FEB), "create"), (2, (FEB, MAR), "cycle"))
        for kind in (PAID, SUCCEEDED)
    ] * 2
    ada.clock(FEB)
    workers = [own_town.someone("service_role") for _ in events]
    outcomes = at_once(
        [
            lambda worker=worker, event=event: worker.call("apply_stripe_event", event=event)["outcome"]
            for worker, event in zip(workers, events, strict=True)
        ]
    )
    assert sorted(outcomes) == ["duplicate"] * 6 + ["granted"] * 2
    assert ada.balance() == 3000 + 1000


def test_checkout_of_a_plan_grants_nothing_by_itself(ada: Subscriber) -> None:
    named = {"account_id": str(ada.account_id), "plan_id": "pro", "plan_version": "1"}
    of = {
        "id": ada.named("cs_1"),
        "object": "checkout.session",
        "mode": "subscription",
        "client_reference_id": str(ada.account_id),
        "metadata": named,
        "payment_status": "paid",
        "status": "complete",
        "subscription": ada.named("sub_1"),
    }
    assert ada.apply(at("checkout.session.completed", of, JAN)) == "stored"
    assert ada.lots() == []
    somebody = of | {"client_reference_id": "somebody", "id": ada.named("cs_2")}
    assert ada.apply(at("checkout.session.completed", somebody, JAN)) == "unmatched"


def test_plan_without_a_price_at_stripe_is_told_by_the_metadata(bank: Caller, ada: Subscriber) -> None:
    """Each checkout makes a price of its own. The subscription says which plan and version it is of."""
    bank.rows("select credits.define_plan('own', 'Own', 70, 500, 'eur')")
    named = {"account_id": str(ada.account_id), "plan_id": "own", "plan_version": "1"}
    bank.rows("select credits.define_plan('own', 'Own', 90, 700, 'eur')")
    of = ada.subscription("price_made", JAN, FEB, metadata=named)
    assert ada.apply(at(CREATED, of, JAN)) == "applied"
    assert (ada.plan()["plan_id"], ada.plan()["allowance"]) == ("own", 70)
    paid = ada.invoice(1, line("price_made", 500, JAN, FEB), reason="create")
    paid["parent"]["subscription_details"]["metadata"] = named
    assert ada.apply(at(PAID, paid, JAN)) == "granted"
    assert ada.balance() == 70


# A plan is offered


def test_offer_names_the_terms_and_the_customer(bank: Caller, ada: Subscriber) -> None:
    offer = ada.call("offer_plan", plan_id="pro", user_id=ada.user_id)
    assert offer == {
        "user_id": ada.user_id,
        "account_id": ada.account_id,
        "plan_id": "pro",
        "version": 1,
        "title": "Pro",
        "allowance": 3000,
        "interval": "month",
        "interval_count": 1,
        "amount": 2900,
        "currency": "eur",
        "trial_days": 14,
        "stripe_price_id": "price_pro",
        "stripe_customer_id": ada.customer,
    }


def test_trial_is_offered_once_and_a_plan_is_not_sold_twice(ada: Subscriber) -> None:
    ada.apply(at(CREATED, ada.subscription(PRO, JAN, FEB), JAN))
    with refused("already_subscribed") as facts:
        ada.call("offer_plan", plan_id="pro", user_id=ada.user_id)
    assert facts["subscription_id"] == ada.named("sub_1")
    assert ada.call("offer_plan", plan_id="team", user_id=ada.user_id)["trial_days"] == 0
    ada.apply(at(DELETED, ada.subscription(PRO, JAN, FEB, status="canceled"), NOON))
    assert ada.call("offer_plan", plan_id="pro", user_id=ada.user_id)["trial_days"] == 0


@pytest.mark.parametrize(("plan_id", "slug"), [("nothing", "unknown_plan"), ("free", "bad_order")])
def test_plan_that_is_not_sold_is_refused(ada: Subscriber, plan_id: str, slug: str) -> None:
    with refused(slug):
        ada.call("offer_plan", plan_id=plan_id, user_id=ada.user_id)


def test_customer_is_told_to_its_own_user_only(bank: Caller, ada: Subscriber, own_town: Any) -> None:
    assert ada.call("payment_customer", user_id=ada.user_id)["stripe_customer_id"] == ada.customer
    with refused("not_yours"):
        own_town.user().call("payment_customer", user_id=ada.user_id)
    nobody = own_town.user()
    nobody.call("open_account")
    with refused("no_customer"):
        nobody.call("payment_customer")


def test_user_sees_only_their_own_subscriptions(bank: Caller, ada: Subscriber, own_town: Any) -> None:
    ada.apply(at(CREATED, ada.subscription(PRO, JAN, FEB), JAN))
    other = own_town.user()
    other.call("open_account")
    assert other.rows("select * from api.subscriptions") == []
    assert Caller(own_town.api_login, "authenticated", ada.user_id).rows(
        "select plan_id from api.subscriptions"
    ) == [{"plan_id": "pro"}]


def periods(first: datetime, number: int) -> Iterator[tuple[datetime, datetime]]:
    for _ in range(number):
        month = first.month % 12 + 1
        following = first.replace(year=first.year + (month == 1), month=month)
        yield first, following
        first = following


def test_year_with_upgrade_pause_failed_payment_and_missed_periods(ada: Subscriber) -> None:
    """January on Starter; an upgrade to Pro in mid-March; May and June paused; August fails and recovers.
    The events of October and November come in December, the later one first.
    """
    year = list(periods(JAN, 12))
    ada.apply(at(CREATED, ada.subscription(STARTER, *year[0]), JAN))
    for number in (0, 1, 2):
        ada.clock(year[number][0])
        ada.pay(number, line(STARTER, 900, *year[number]), reason="create" if number == 0 else "cycle")
    assert ada.balance() == 1000
    # The upgrade: a third of the month is left.
    middle = datetime(2098, 3, 21, 16, tzinfo=UTC)
    ada.clock(middle)
    upgrade: list[Thing] = [
        line(STARTER, -300, middle, year[2][1], proration=True),
        line(PRO, 967, middle, year[2][1], proration=True),
    ]
    ada.pay("up", *upgrade, reason="update")
    ada.apply(at(UPDATED, ada.subscription(PRO, *year[2]), middle))
    gained = 3000 * 967 / 2900 - 1000 * 300 / 900
    assert ada.balance() == 1000 + int(gained)
    ada.spend(1200)
    ada.clock(year[3][0])
    ada.pay(3, line(PRO, 2900, *year[3]))
    left = 1000 + int(gained) - 1200
    assert float(ada.balance()) == 3000 + left / 2
    # Paused: two invoices are voided.
    ada.apply(at(UPDATED, ada.subscription(PRO, *year[3], pause_collection={"behavior": "void"}), year[3][0]))
    ada.clock(year[4][0])
    assert ada.balance() == 0
    for number in (4, 5):
        ada.clock(year[number][0])
        void = unpaid(ada.invoice(number, line(PRO, 2900, *year[number])), 0, status="void")
        assert ada.apply(at("invoice.voided", void, year[number][0])) == "applied"
        assert ada.balance() == 0
    # Resumed in July. August fails, and is paid three days later.
    ada.apply(at(UPDATED, ada.subscription(PRO, *year[6]), year[6][0]))
    ada.clock(year[6][0])
    ada.pay(6, line(PRO, 2900, *year[6]))
    assert ada.balance() == 3000
    ada.spend(2600)
    ada.clock(year[7][0])
    failed = ada.invoice(7, line(PRO, 2900, *year[7]))
    ada.apply(at(FAILED, unpaid(failed), year[7][0]))
    ada.apply(at(UPDATED, ada.subscription(PRO, *year[7], status="past_due"), year[7][0]))
    assert (ada.balance(), ada.plan()["status"]) == (0, "past_due")
    ada.clock(year[7][0] + timedelta(3))
    ada.apply(at(PAID, failed, year[7][0] + timedelta(3)))
    ada.apply(at(UPDATED, ada.subscription(PRO, *year[7]), year[7][0] + timedelta(3)))
    assert (ada.balance(), ada.plan()["status"]) == (3000 + 200, "active")
    ada.clock(year[8][0])
    ada.pay(8, line(PRO, 2900, *year[8]))
    ada.spend(4000)
    assert ada.balance() == 0
    # October and November are missed, and come after December.
    ada.clock(year[11][0] + timedelta(1))
    for number in (11, 10, 9):
        ada.pay(number, line(PRO, 2900, *year[number]), when=year[11][0])
    assert ada.balance() == 3000 + 1000
    granted = [entry for entry in ada.entries() if entry[0] == "allowance"]
    assert sorted(at for _, _, at in granted) == sorted(
        [year[number][0] for number in (0, 1, 2, 3, 6, 7, 8, 9, 10, 11)] + [middle]
    )
