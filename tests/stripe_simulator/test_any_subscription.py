"""Subscriptions led by chance, through the API: no call fails by a defect, and the invoices add up."""

import random
from collections import Counter
from itertools import pairwise

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.one_version

START = 1_767_000_000
CARDS = ["pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"]
ENDED = {"canceled", "incomplete_expired"}


@pytest.fixture(scope="module")
def simulator(new_simulator):
    """Its events go nowhere: there are too many to wait for."""
    return new_simulator("http://127.0.0.1:1/")


@pytest.fixture(scope="module")
def prices(simulator):
    return [
        simulator.price(amount, interval, f"Plan {amount}")
        for amount, interval in (
            (999, "month"),
            (2999, "month"),
            (100, "month"),
            (500, "week"),
            (9900, "year"),
        )
    ]


class Chance:
    """One customer on a clock, with one subscription."""

    def __init__(self, simulator, prices, seed):
        self.dice = random.Random(seed)
        self.api, self.simulator, self.prices = simulator.stripe, simulator, prices
        self.now = START
        self.clock = self.api.test_helpers.test_clocks.create({"frozen_time": START}).id
        self.customer, _ = simulator.saved(test_clock=self.clock)
        trial = {"trial_period_days": self.dice.randint(1, 20)} if self.dice.random() < 0.3 else {}
        self.id = self.api.subscriptions.create(
            {"customer": self.customer, "items": [{"price": self.dice.choice(prices)}], **trial}
        ).id

    def step(self):
        """Something that may or may not be possible now."""
        name = self.dice.choice(
            ["advance"] * 4 + ["card", "plan", "cancel", "keep", "collection", "pause", "pay"]
        )
        getattr(self, name)()

    def advance(self):
        self.now += self.dice.choice([3600, 86400 * self.dice.randint(1, 45)])
        self.api.test_helpers.test_clocks.advance(self.clock, {"frozen_time": self.now})

    def card(self):
        self.simulator.use_card(self.customer, self.dice.choice(CARDS))

    def plan(self):
        item = self.api.subscriptions.retrieve(self.id)["items"].data[0]
        change = {"id": item.id, "price": self.dice.choice(self.prices), "quantity": self.dice.randint(1, 3)}
        behavior = self.dice.choice(["always_invoice", "create_prorations", "none"])
        self.api.subscriptions.update(self.id, {"items": [change], "proration_behavior": behavior})

    def cancel(self):
        self.api.subscriptions.update(self.id, {"cancel_at_period_end": True})

    def keep(self):
        self.api.subscriptions.update(self.id, {"cancel_at_period_end": False})

    def collection(self):
        behavior = self.dice.choice(["void", "keep_as_draft", "mark_uncollectible"])
        resumes = self.now + 86400 * self.dice.randint(1, 60)
        pause = self.dice.choice(["", {"behavior": behavior, "resumes_at": resumes}])
        self.api.subscriptions.update(self.id, {"pause_collection": pause})

    def pause(self):
        if self.api.subscriptions.retrieve(self.id).status == "paused":
            self.api.subscriptions.resume(self.id)
        else:
            self.api.subscriptions.pause(self.id)

    def pay(self):
        for invoice in self.api.invoices.list({"subscription": self.id, "status": "open"}).data:
            self.api.invoices.pay(invoice.id)

    def check(self):
        invoices = list(self.api.invoices.list({"subscription": self.id, "limit": 100}).auto_paging_iter())[
            ::-1
        ]
        balance = 0
        for invoice in invoices:
            assert invoice.subtotal == sum(line.amount for line in invoice.lines.data) == invoice.total
            assert invoice.amount_paid + invoice.amount_remaining == invoice.amount_due or invoice.total < 0
            if invoice.status_transitions.finalized_at:
                assert invoice.amount_due - invoice.total == invoice.starting_balance - invoice.ending_balance
                balance += invoice.amount_due - invoice.total
            for payment in invoice.payments.data if invoice.status == "paid" else ():
                intent = self.api.payment_intents.retrieve(payment.payment.payment_intent)
                assert (intent.status, intent.amount_received) == ("succeeded", invoice.amount_paid)
        assert self.api.customers.retrieve(self.customer).balance == -balance
        cycles = [i for i in invoices if i.billing_reason == "subscription_cycle"]
        ends = [invoice.period_end for invoice in cycles]
        assert all(a <= b for a, b in pairwise(ends))
        lines = [line for invoice in cycles for line in invoice.lines.data]
        billed = Counter(line.period.start for line in lines if not proration(line))
        returned = Counter(line.period.start for line in lines if proration(line) and line.amount < 0)
        assert set((billed - returned).values()) <= {1}, "a period is billed once"
        subscription = self.api.subscriptions.retrieve(self.id)
        if subscription.status not in (*ENDED, "paused", "incomplete"):
            assert subscription["items"].data[0].current_period_end > self.now


def proration(line):
    return line.parent.subscription_item_details.proration


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_life_of_a_subscription_adds_up(simulator, prices, seed):
    life = Chance(simulator, prices, seed)
    for _ in range(25):
        try:
            life.step()
        except (stripe.InvalidRequestError, stripe.CardError):
            continue  # not possible now
        if life.api.subscriptions.retrieve(life.id).status in ENDED:
            break
    life.check()
