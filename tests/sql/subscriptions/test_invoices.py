"""Paid invoices: each grants its period once, as the plan says. A person looks at what contradicts it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from callers import Caller, Row, findings
from subscribing import APR, FEB, JAN, MAR, PRO, STARTER, TEAM, Subscriber
from subscription_events import FAILED, PAID, SUCCEEDED, UNCOLLECTIBLE, VOIDED, at, line, older, stamp, unpaid

pytestmark = pytest.mark.slow
MIDDLE = datetime(2098, 1, 16, 12, tzinfo=UTC)


def test_paid_invoice_grants_the_allowance_until_the_period_ends(ada: Subscriber) -> None:
    assert ada.pay(1, line(STARTER, 900, JAN, FEB), reason="create") == "granted"
    assert ada.lots() == [("allowance", "Starter", 1000, 1000, FEB)]
    order = ada.own(
        "select kind, state, tokens, amount, paid, currency, payment_intent_id from credits.orders"
    )
    assert order == {
        "kind": "subscription",
        "state": "paid",
        "tokens": 1000,
        "amount": 900,
        "paid": 900,
        "currency": "eur",
        "payment_intent_id": f"pi_in_1_{ada.user_id}",
    }
    known = ada.own("select array_agg(object_id order by object_id) as ids from credits.stripe_objects")
    assert known["ids"] == [f"in_1_{ada.user_id}", f"pi_in_1_{ada.user_id}"]
    lot = ada.own("select priority, unit_cost from credits.lots")
    assert lot == {"priority": 10, "unit_cost": Decimal("0.9")}


@pytest.mark.parametrize("shape", [dict, older], ids=["new", "older"])
def test_both_reports_of_one_payment_grant_once(ada: Subscriber, shape: Any) -> None:
    of = shape(ada.invoice(1, line(STARTER, 900, JAN, FEB), reason="create"))
    outcomes = [ada.apply(at(kind, of, JAN)) for kind in (SUCCEEDED, PAID, SUCCEEDED, PAID)]
    assert outcomes == ["granted", "duplicate", "duplicate", "duplicate"]
    assert ada.balance() == 1000
    assert ada.plan()["status"] == "active"


def test_renewal_touches_only_its_own_lots(ada: Subscriber) -> None:
    ada.call("add_tokens", user_id=ada.user_id, tokens=70, reason="promo", expires_at=APR)
    ada.call("add_tokens", user_id=ada.user_id, tokens=500)
    ada.pay(1, line(STARTER, 900, JAN, FEB), reason="create")
    ada.pay("t1", line(TEAM, 9900, JAN, FEB), sub="sub_2", reason="create")
    ada.spend(400)
    ada.clock(FEB)
    assert ada.pay(2, line(STARTER, 900, FEB, MAR)) == "granted"
    left = {
        (source, package): tokens
        for source, package, _, tokens, ends in ada.lots()
        if ends is None or ends > FEB
    }
    assert left == {("promo", None): 70, ("grant", None): 500, ("allowance", "Starter"): 1000}
    # The other subscription renews a day later: what it had left goes over by its own terms.
    ada.clock(FEB + timedelta(days=1))
    ada.pay("t2", line(TEAM, 9900, FEB, MAR), sub="sub_2")
    assert ada.balance() == 70 + 500 + 1000 + 10000 + 2000
    assert ("rollover", "Team", 2000, 2000, datetime(2098, 5, 1, tzinfo=UTC)) in ada.lots()


def test_unused_tokens_expire_and_a_part_goes_over_by_percent_and_cap(ada: Subscriber) -> None:
    ada.pay(1, line(PRO, 2900, JAN, FEB), reason="create")
    ada.spend(2000)
    ada.clock(FEB + timedelta(hours=1))
    assert ada.balance() == 0
    ada.pay(2, line(PRO, 2900, FEB, MAR))
    # Half of the 1000 that were left.
    assert ada.entries()[-3:] == [("expire", -1000, FEB), ("allowance", 3000, FEB), ("rollover", 500, FEB)]
    ada.clock(MAR + timedelta(hours=1))
    ada.pay(3, line(PRO, 2900, MAR, APR))
    # Half of 3000 would be more than the cap. What went over the last time has expired with its period.
    assert ada.lots()[-2:] == [("allowance", "Pro", 3000, 3000, APR), ("rollover", "Pro", 1000, 1000, APR)]
    assert ada.balance() == 4000


def test_rollover_is_spent_before_the_allowance(ada: Subscriber) -> None:
    ada.pay(1, line(PRO, 2900, JAN, FEB), reason="create")
    ada.clock(FEB)
    ada.pay(2, line(PRO, 2900, FEB, MAR))
    ada.spend(1100)
    assert [left for *_, left, _ in ada.lots()] == [0, 2900, 0]


def test_missed_periods_are_replayed_one_by_one_in_any_order(bank: Caller) -> None:
    """Four invoices arrive in the fourth period. Each is a grant of its own, dated by its period."""
    spans = [(JAN, FEB), (FEB, MAR), (MAR, APR), (APR, datetime(2098, 5, 1, tzinfo=UTC))]
    late = APR + timedelta(days=3)
    for order in permutations(range(4)):
        user = Subscriber(bank, "late", late)
        for place in order:
            assert user.pay(place, line(PRO, 2900, *spans[place]), when=late) == "granted"
        assert user.balance() == 3000 + 1000, order
        assert sorted(user.entries(), key=lambda entry: (entry[2], entry[0])) == [
            ("allowance", 3000, JAN),
            ("allowance", 3000, FEB),
            ("expire", -3000, FEB),
            ("rollover", 1000, FEB),
            ("allowance", 3000, MAR),
            ("expire", -3000, MAR),
            ("expire", -1000, MAR),
            ("rollover", 1000, MAR),
            ("allowance", 3000, APR),
            ("expire", -3000, APR),
            ("expire", -1000, APR),
            ("rollover", 1000, APR),
        ], order


def test_nothing_goes_over_a_period_that_was_not_paid(ada: Subscriber) -> None:
    ada.pay(1, line(PRO, 2900, JAN, FEB), reason="create")
    ada.clock(MAR)
    ada.pay(3, line(PRO, 2900, MAR, APR))
    assert ada.balance() == 3000


def test_upgrade_brings_the_share_of_the_difference_that_was_paid(ada: Subscriber) -> None:
    ada.pay(1, line(STARTER, 900, JAN, FEB), reason="create")
    ada.clock(MIDDLE)
    upgrade = (line(STARTER, -450, MIDDLE, FEB, proration=True), line(PRO, 1450, MIDDLE, FEB, proration=True))
    assert ada.pay(2, *upgrade, reason="update") == "granted"
    assert ada.lots() == [
        ("allowance", "Starter", 1000, 1000, FEB),
        ("allowance", "Pro", 1000, 1000, FEB),  # half of 3000 less half of 1000
    ]
    order = ada.own("select min(amount) as least, max(paid) as most from credits.orders")
    assert order == {"least": 900, "most": 1000}
    # Renewal: what both lots have left goes over, together within one cap.
    ada.clock(FEB)
    ada.pay(3, line(PRO, 2900, FEB, MAR))
    assert ada.balance() == 3000 + 1000


def test_shares_of_tokens_add_up_to_whole_ones(ada: Subscriber) -> None:
    """11/9 of a token less 2/9 of one."""
    for name, allowance, price in (("ninth", 60, 540), ("ninths", 150, 1350)):
        ada.bank.rows(
            "select credits.define_plan(%s, 'Ninths', %s, %s, 'eur', p_stripe_price_id => %s)",
            (name, allowance, price, f"price_{name}"),
        )
    ada.pay(1, line("price_ninth", 540, JAN, FEB), reason="create")
    rest = (
        line("price_ninth", -2, MIDDLE, FEB, proration=True),
        line("price_ninths", 11, MIDDLE, FEB, proration=True),
    )
    assert ada.pay(2, *rest, reason="update") == "granted"
    assert ada.balance() == 61


def test_upgrade_that_is_charged_with_the_renewal_adds_to_it(ada: Subscriber) -> None:
    ada.pay(1, line(STARTER, 900, JAN, FEB), reason="create")
    ada.clock(FEB)
    lines = (
        line(STARTER, -450, MIDDLE, FEB, proration=True),
        line(PRO, 1450, MIDDLE, FEB, proration=True),
        line(PRO, 2900, FEB, MAR),
    )
    assert ada.pay(2, *lines) == "granted"
    assert ada.lots()[1] == ("allowance", "Pro", 4000, 4000, MAR)


def test_smaller_plan_takes_back_what_was_credited(ada: Subscriber) -> None:
    ada.pay(1, line(PRO, 2900, JAN, FEB), reason="create")
    ada.spend(500)
    ada.clock(MIDDLE)
    smaller = (line(PRO, -1450, MIDDLE, FEB, proration=True), line(STARTER, 450, MIDDLE, FEB, proration=True))
    assert ada.pay(2, *smaller, reason="update") == "granted"
    assert ada.lots() == [("allowance", "Pro", 3000, 1000, FEB), ("allowance", "Starter", 500, 500, FEB)]


def test_credit_does_not_hide_a_refund_that_only_the_charge_reports(ada: Subscriber) -> None:
    ada.pay(1, line(PRO, 2900, JAN, FEB), reason="create")
    ada.clock(MIDDLE)
    smaller = (line(PRO, -1450, MIDDLE, FEB, proration=True), line(STARTER, 450, MIDDLE, FEB, proration=True))
    ada.pay(2, *smaller, reason="update")
    of = {"object": "charge", "currency": "eur", "payment_intent": f"pi_in_1_{ada.user_id}"}
    charge = {"id": ada.named("ch_1"), "amount_refunded": 290} | of
    assert ada.apply(at("charge.refunded", charge, MIDDLE)) == "applied"
    assert ada.balance() == 3000 - 1500 - 300 + 500
    refund = {"id": ada.named("re_1"), "status": "succeeded", "amount": 290} | of | {"object": "refund"}
    assert ada.apply(at("refund.created", refund, MIDDLE)) == "applied"
    assert ada.balance() == 3000 - 1500 - 300 + 500


@pytest.mark.parametrize("percent", [10, 50, 90])
def test_credit_of_a_discounted_plan_takes_all_tokens_whose_money_came_back(
    percent: int, ada: Subscriber
) -> None:
    off = 9900 * percent // 100
    larger = line(TEAM, 9900, JAN, FEB) | {"discount_amounts": [{"amount": off}]}
    discount = {"total": 9900 - off, "total_discount_amounts": [{"amount": off}]}
    assert ada.pay(1, larger, reason="create", **discount) == "granted"
    ada.clock(MIDDLE)
    # Stripe credits half of what was paid, and writes no discount on this line.
    half = line(TEAM, -(9900 - off) // 2, MIDDLE, FEB, proration=True)
    assert ada.pay(2, half, line(STARTER, 450, MIDDLE, FEB, proration=True), reason="update") == "granted"
    assert ada.balance() == 5000 + 500
    of = {
        "object": "refund",
        "currency": "eur",
        "payment_intent": f"pi_in_1_{ada.user_id}",
        "status": "succeeded",
    }
    rest = {"id": ada.named("re_1"), "amount": (9900 - off) // 2} | of
    assert ada.apply(at("refund.created", rest, MIDDLE)) == "applied"
    assert ada.balance() == 500


@pytest.mark.parametrize("first", [1, 2])
def test_smaller_plan_in_the_moment_of_the_larger_one_takes_it_back(first: int, ada: Subscriber) -> None:
    smaller = (line(PRO, -2900, JAN, FEB, proration=True), line(STARTER, 900, JAN, FEB, proration=True))
    for number in (first, 3 - first):
        if number == 1:
            assert ada.pay(1, line(PRO, 2900, JAN, FEB), reason="create") == "granted"
        else:
            assert ada.pay(2, *smaller, reason="update") == "granted"
    assert ada.balance() == 1000


def test_nobody_keeps_both_the_tokens_and_the_money(bank: Caller) -> None:
    """An upgrade, its tokens spent, and a downgrade the next day, in every order of the invoices."""
    day = timedelta(days=1)
    for order in permutations(range(3)):
        user = Subscriber(bank, "clever", FEB - day)
        invoices = [
            ([line(STARTER, 900, JAN, FEB)], "create"),
            (
                [
                    line(STARTER, -870, JAN + day, FEB, proration=True),
                    line(TEAM, 9570, JAN + day, FEB, proration=True),
                ],
                "update",
            ),
            (
                [
                    line(TEAM, -9240, JAN + 2 * day, FEB, proration=True),
                    line(STARTER, 840, JAN + 2 * day, FEB, proration=True),
                ],
                "update",
            ),
        ]
        granted = 1000 + int(10000 * 9570 / 9900 - 1000 * 870 / 900)
        if order == (0, 1, 2):
            for place in (0, 1):
                user.pay(place, *invoices[place][0], reason=invoices[place][1])
            user.spend(granted - granted % 10)
            user.pay(2, *invoices[2][0], reason="update")
            # What was paid is a few days of each plan: the rest is owed.
            assert user.balance() < -7000
            continue
        for place in order:
            assert user.pay(place, *invoices[place][0], reason=invoices[place][1]) == "granted"
        kept = user.balance()
        # 900 + 8700 were paid, and 9240 came back: of the upgrade all, of the first month 540.
        assert kept == 1000 - int(1000 * 540 / 900) + int(1000 * 840 / 900), order


def test_credit_with_a_renewal_leaves_the_new_period_whole(ada: Subscriber) -> None:
    ada.pay(1, line(PRO, 2900, JAN, FEB), reason="create")
    ada.spend(1000)
    ada.clock(FEB)
    lines = (
        line(PRO, -1450, MIDDLE, FEB, proration=True),
        line(STARTER, 450, MIDDLE, FEB, proration=True),
        line(STARTER, 900, FEB, MAR),
    )
    assert ada.pay(2, *lines) == "granted"
    # Nobody owes the 2000 that expired. Half of the month was paid, which covers the 1000 that were spent.
    assert ada.lots() == [("allowance", "Pro", 3000, 0, FEB), ("allowance", "Starter", 1500, 1500, MAR)]
    assert ada.balance() == 1500


def test_seats_multiply_allowance_and_cap(ada: Subscriber) -> None:
    ada.pay(1, line(PRO, 8700, JAN, FEB, quantity=3), reason="create")
    assert ada.balance() == 9000
    ada.clock(FEB)
    ada.pay(2, line(PRO, 8700, FEB, MAR, quantity=3))
    assert ada.balance() == 9000 + 3000


def test_discount_and_tax_change_the_cost_and_not_the_allowance(ada: Subscriber) -> None:
    of = ada.invoice(
        1,
        line(PRO, 2900, JAN, FEB) | {"discount_amounts": [{"amount": 900, "discount": "di_1"}]},
        reason="create",
        total=2400,
        total_discount_amounts=[{"amount": 900, "discount": "di_1"}],
        total_taxes=[{"amount": 400}],
    )
    assert ada.apply(at(PAID, of, JAN)) == "granted"
    assert ada.balance() == 3000
    paid = ada.own("select amount, paid from credits.orders")
    assert paid == {"amount": 2900, "paid": 2400}
    assert ada.own("select round(unit_cost * granted, 2) as cost from credits.lots") == {"cost": 2000}


def test_customer_balance_may_pay(ada: Subscriber) -> None:
    of = ada.invoice(1, line(STARTER, 900, JAN, FEB), reason="create", amount_due=200, amount_paid=200)
    assert ada.apply(at(PAID, of | {"starting_balance": -700}, JAN)) == "granted"
    assert ada.own("select paid from credits.orders") == {"paid": 900}


def test_trial_grants_what_the_plan_gives_for_a_trial(ada: Subscriber) -> None:
    ends = JAN + timedelta(days=14)
    assert ada.pay(1, line(PRO, 0, JAN, ends), reason="create") == "granted"
    assert ada.lots() == [("allowance", "Pro", 200, 200, ends)]
    assert ada.own("select amount, paid from credits.orders") == {"amount": 0, "paid": 0}
    ada.clock(ends)
    ada.pay(2, line(PRO, 2900, ends, ends + timedelta(days=31)))
    assert ada.balance() == 3000 + 100  # half of the trial's tokens go over, as of any period


def test_trials_that_begin_at_once_grant_the_tokens_of_one(ada: Subscriber) -> None:
    for number in range(3):
        trial = line(PRO, 0, JAN, JAN + timedelta(days=14))
        outcome = ada.pay(number, trial, reason="create", sub=f"sub_{number}")
        assert outcome == ("applied" if number else "granted")
    assert ada.balance() == 200
    ada.clock(JAN + timedelta(days=14))
    for number in range(3):
        paid = line(PRO, 2900, JAN + timedelta(days=14), FEB + timedelta(days=14))
        assert ada.pay(f"later_{number}", paid, sub=f"sub_{number}") == "granted"


def test_trial_of_a_plan_without_trial_tokens_grants_nothing(ada: Subscriber) -> None:
    assert ada.pay(1, line(STARTER, 0, JAN, FEB), reason="create") == "applied"
    assert ada.lots() == []
    assert ada.pay(1, line(STARTER, 0, JAN, FEB), reason="create") == "duplicate"


WRONG: dict[str, tuple[dict[str, Any], list[Row]]] = {
    "less paid": ({"amount_paid": 1}, [line(STARTER, 900, JAN, FEB)]),
    "another price": ({}, [line(STARTER, 1, JAN, FEB)]),
    "less than its lines": ({"total": 1}, [line(STARTER, 900, JAN, FEB)]),
    "another currency": ({"currency": "usd"}, [line(STARTER, 900, JAN, FEB)]),
    "no price of a plan": ({}, [line("price_unknown", 900, JAN, FEB)]),
    "two plans": ({}, [line(STARTER, 900, JAN, FEB), line(PRO, 2900, JAN, FEB)]),
    "not paid": ({"status": "open"}, [line(STARTER, 900, JAN, FEB)]),
    "more lines": (
        {"lines": {"data": [line(STARTER, 900, JAN, FEB)], "has_more": True}},
        [line(STARTER, 900, JAN, FEB)],
    ),
    "no period": ({}, [line(STARTER, 900, JAN, FEB) | {"period": None}]),
    "no amount": ({"subtotal": 900, "amount_due": 900}, [line(STARTER, 0, JAN, FEB) | {"amount": "900"}]),
    "half a cent": ({}, [line(STARTER, 900, JAN, FEB) | {"amount": 900.5}]),
    "too many seats": ({}, [line(STARTER, 900 * 10**7, JAN, FEB, quantity=10**7)]),
    "seats as text": ({}, [line(STARTER, 900, JAN, FEB) | {"quantity": "1"}]),
    "a proration above the price": ({}, [line(STARTER, 901, JAN, FEB, proration=True)]),
    "another mode": ({"livemode": True}, [line(STARTER, 900, JAN, FEB)]),
}


@pytest.mark.parametrize("lacks", [{"quantity": None}, {}])
def test_line_without_a_quantity_is_for_one(ada: Subscriber, lacks: Row) -> None:
    of = line(STARTER, 900, JAN, FEB)
    del of["quantity"]
    ada.pay(1, of | lacks, reason="create")
    assert [lot[2] for lot in ada.lots()] == [1000]
    assert findings(ada.bank) == []


@pytest.mark.parametrize(("changes", "lines"), WRONG.values(), ids=WRONG.keys())
def test_invoice_that_contradicts_the_plan_is_parked(ada: Subscriber, changes: Row, lines: list[Row]) -> None:
    numbers = [one if isinstance(one["amount"], int) else one | {"amount": 0} for one in lines]
    of = ada.invoice(
        1,
        *numbers,
        reason="update" if lines[0]["parent"]["subscription_item_details"]["proration"] else "create",
    )
    of["lines"]["data"] = lines
    event = at(PAID, of | changes, JAN)
    assert ada.apply(event) == "parked"
    assert ada.apply(event) == "duplicate"
    assert ada.apply(at(SUCCEEDED, of | changes, JAN)) == "duplicate"
    assert ada.lots() == []
    assert ada.own(
        "select max(reason) filter (where outcome = 'parked') as reason from credits.stripe_events"
    )["reason"]


def test_parked_invoice_is_granted_when_its_plan_is_defined(ada: Subscriber) -> None:
    event = at(PAID, ada.invoice(1, line("price_new", 500, JAN, FEB), reason="create"), JAN)
    assert ada.apply(event) == "parked"
    ada.bank.rows(
        "select credits.define_plan('new', 'New', 70, 500, 'eur', p_stripe_price_id => 'price_new')"
    )
    assert ada.apply(event) == "granted"
    assert ada.balance() == 70


@pytest.mark.parametrize("reason", ["manual", "subscription_threshold"])
def test_invoice_for_another_reason_grants_nothing(ada: Subscriber, reason: str) -> None:
    of = ada.invoice(1, line(STARTER, 900, JAN, FEB), billing_reason=reason)
    assert ada.apply(at(PAID, of, JAN)) == "applied"
    assert ada.lots() == []


def test_invoice_of_no_subscription_grants_nothing(ada: Subscriber) -> None:
    of = ada.invoice(1, line(STARTER, 900, JAN, FEB), billing_reason="manual", parent=None)
    assert ada.apply(at(PAID, of, JAN)) == "stored"
    assert ada.lots() == []


def test_invoice_of_an_unknown_customer_waits_for_the_account(bank: Caller, ada: Subscriber) -> None:
    of = ada.invoice(1, line(STARTER, 900, JAN, FEB), reason="create") | {"customer": "cus_new"}
    event = at(PAID, of, JAN)
    assert ada.apply(event) == "waiting"
    bob = Subscriber(bank, "bob")
    bank.call(
        "attach_customer", account_id=bob.account_id, customer_id="cus_new", replaces_customer_id=bob.customer
    )
    assert bob.balance() == 1000


def test_payment_of_another_order_is_parked(ada: Subscriber) -> None:
    first = ada.invoice(1, line(STARTER, 900, JAN, FEB), reason="create")
    assert ada.apply(at(PAID, first, JAN)) == "granted"
    second = ada.invoice(2, line(STARTER, 900, FEB, MAR)) | {"payments": first["payments"]}
    assert ada.apply(at(PAID, second, FEB)) == "parked"
    assert ada.balance() == 1000


def test_invoice_of_somebody_elses_customer_is_parked(bank: Caller, ada: Subscriber) -> None:
    bob = Subscriber(bank, "bob")
    of = ada.invoice(1, line(STARTER, 900, JAN, FEB), reason="create")
    of["parent"]["subscription_details"]["metadata"] = {"account_id": str(bob.account_id)}
    assert ada.apply(at(PAID, of, JAN)) == "parked"
    assert (ada.lots(), bob.lots()) == ([], [])


def test_failed_payment_is_told_once_for_each_attempt(ada: Subscriber) -> None:
    ada.pay(1, line(STARTER, 900, JAN, FEB), reason="create")
    ada.clock(FEB)
    second = ada.invoice(2, line(STARTER, 900, FEB, MAR))
    tries = [at(FAILED, unpaid(second, n, next_payment_attempt=stamp(FEB) + 86400), FEB) for n in (1, 2)]
    assert [ada.apply(event) for event in (tries[0], tries[0], tries[1])] == [
        "applied",
        "duplicate",
        "applied",
    ]
    assert ada.notices().count("payment_failed") == 2
    shown = ada.plan()
    assert (shown["unpaid_amount"], shown["pay_url"]) == (
        900,
        f"https://invoice.stripe.example/in_2_{ada.user_id}",
    )
    ada.clock(FEB + timedelta(days=2))
    assert ada.balance() == 0
    assert ada.apply(at(PAID, second, FEB + timedelta(days=2))) == "granted"
    assert ada.balance() == 1000
    assert ada.plan()["unpaid_amount"] is None
    assert ada.apply(at(FAILED, unpaid(second, 3), FEB)) == "duplicate"
    assert ada.notices().count("payment_failed") == 2


@pytest.mark.parametrize("kind", [VOIDED, UNCOLLECTIBLE])
def test_invoice_that_is_given_up_grants_nothing(ada: Subscriber, kind: str) -> None:
    of = unpaid(ada.invoice(1, line(STARTER, 900, JAN, FEB), reason="create"))
    assert ada.apply(at(FAILED, of, JAN)) == "applied"
    assert ada.apply(at(kind, of | {"status": "void"}, JAN)) == "applied"
    assert ada.lots() == []
    assert ada.plan()["unpaid_amount"] is None


def test_money_of_a_period_repays_debt_and_a_trial_does_not(ada: Subscriber) -> None:
    ada.call("set_overdraft_limit", user_id=ada.user_id, tokens=500)
    ada.call("add_tokens", user_id=ada.user_id, tokens=10)
    held = ada.call("hold_tokens", user_id=ada.user_id, module_id="metube", usage={"calls": 1})
    ada.call("capture_hold", user_id=ada.user_id, hold_id=held["hold_id"], usage={"calls": 31}, over="debt")
    assert ada.balance() == -300
    ada.pay(1, line(PRO, 0, JAN, JAN + timedelta(days=14)), reason="create")
    assert ada.lots()[-1][3] == 200
    ada.clock(JAN + timedelta(days=14))
    ada.pay(2, line(PRO, 2900, JAN + timedelta(days=14), MAR))
    assert ada.lots()[-2][3] == 2700


def test_refund_of_a_period_takes_its_tokens_back(ada: Subscriber) -> None:
    ada.pay(1, line(PRO, 2900, JAN, FEB), reason="create")
    ada.spend(500)
    refund = {
        "id": ada.named("re_1"),
        "object": "refund",
        "amount": 1450,
        "currency": "eur",
        "status": "succeeded",
    }
    assert (
        ada.apply(at("refund.created", refund | {"payment_intent": f"pi_in_1_{ada.user_id}"}, JAN))
        == "applied"
    )
    assert ada.balance() == 3000 - 500 - 1500


def test_payment_of_an_invoice_may_be_named_by_an_event_of_its_own(ada: Subscriber) -> None:
    """Newer events of invoices do not name their payment intent. A refund finds its period all the same."""
    refund = {
        "id": ada.named("re_1"),
        "object": "refund",
        "amount": 2900,
        "currency": "eur",
        "status": "succeeded",
    }
    assert ada.apply(at("refund.created", refund | {"payment_intent": ada.named("pi_9")}, JAN)) == "waiting"
    of = ada.invoice(1, line(PRO, 2900, JAN, FEB), reason="create")
    del of["payments"]
    named = {
        "id": ada.named("inpay_1"),
        "object": "invoice_payment",
        "invoice": f"in_1_{ada.user_id}",
        "payment": {"type": "payment_intent", "payment_intent": ada.named("pi_9")},
        "status": "paid",
    }
    assert ada.apply(at("invoice_payment.paid", named, JAN)) == "waiting"
    assert ada.apply(at(PAID, of, JAN)) == "granted"
    assert ada.balance() == 0
