"""Whatever happens to payments, in any order: the balance and the charges agree with what has moved."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stripe_simulator.core import moves
from stripe_simulator.core.errors import StripeError
from stripe_simulator.core.payments import intents, methods, refunds
from stripe_simulator.core.payments.cards import CARDS
from stripe_simulator.core.store import Store

pytestmark = pytest.mark.one_version

NUMBERS = sorted(CARDS)
_STANDING = ("pending", "succeeded")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stores")


def everything(store, kind):
    return store.newest(kind, 10_000)


def one_step(store, dice):
    """Something happens that may or may not be possible now."""
    objects = [
        (path, thing)
        for path, kind in (
            *(("payment_intents", "payment_intent"), ("charges", "charge")),
            *(("refunds", "refund"), ("disputes", "dispute")),
        )
        for thing in everything(store, kind)
    ]
    choice = dice.random()
    if choice < 0.2 or not objects:
        by_card = dice.random() < 0.5
        method = methods.new_card(store, dice.choice(NUMBERS)) if by_card else methods.new_debit(store)
        intent = intents.new(store, dice.randint(100, 10_000), "eur", None, {})
        intents.attempt(store, intent, method, off_session=dice.random() < 0.3)
    elif choice < 0.5 and (paid := everything(store, "charge")):
        charge = dice.choice(paid)
        amount = dice.choice([None, dice.randint(1, charge["amount"])])
        refunds.create(store, charge, amount, {})
    else:
        path, thing = dice.choice(objects)
        name = dice.choice([name for of, name in moves.MOVES if of == path])
        how = moves.Options(inquiry=dice.random() < 0.3, withdraw=dice.random() < 0.7)
        moves.play(store, path, thing["id"], name, how)


def check(store):
    charges, repaid = everything(store, "charge"), everything(store, "refund")
    disputes = everything(store, "dispute")
    expected = 0
    for charge in charges:
        out = [
            r["amount"]
            for r in repaid
            if r["charge"] == charge["id"] and r["status"] in ("pending", "succeeded")
        ]
        assert charge["amount_refunded"] == sum(out) <= charge["amount_captured"] <= charge["amount"]
        assert charge["refunded"] == (0 < charge["amount_captured"] == sum(out))
        assert (charge["status"] == "succeeded") == charge["paid"] == bool(charge["amount_captured"])
        expected += charge["amount_captured"] - sum(out)
    for dispute in disputes:
        moved = [transaction["amount"] for transaction in dispute["balance_transactions"]]
        if dispute["status"].startswith("warning"):
            assert moved == []
        assert moved in ([], [-dispute["amount"]], [-dispute["amount"], dispute["amount"]])
        assert (len(moved) == 2) <= (dispute["status"] == "won")
        expected += sum(moved)
    assert sum(t["amount"] for t in everything(store, "balance_transaction")) == expected
    for intent in everything(store, "payment_intent"):
        of_it = [c["amount_captured"] for c in charges if c["payment_intent"] == intent["id"]]
        assert intent["amount_received"] == sum(of_it) <= intent["amount"]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_balance_is_what_charges_refunds_and_disputes_say(folder, seed):
    dice = random.Random(seed)
    store = Store(folder / f"{time.monotonic_ns()}.sqlite3", time.time)
    try:
        for _ in range(40):
            try:
                with store.transaction():
                    one_step(store, dice)
            except StripeError:
                continue  # not possible now: nothing of it stays
        check(store)
        types = [event["type"] for event in everything(store, "event")]
        assert types.count("refund.created") == len(everything(store, "refund"))
        assert types.count("charge.dispute.created") == len(everything(store, "dispute"))
    finally:
        store.close()
