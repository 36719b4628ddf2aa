"""What happens to a payment without our doing: the bank, the buyer or the network does it.

Controls and pages play these moves by name. Each answers with the object that moved."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from stripe_simulator.core.billing import clocks, cycle, subscriptions
from stripe_simulator.core.checkout import lifecycle
from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.events import PAY_PAGE
from stripe_simulator.core.payments import disputes, intents, methods, refunds, setups
from stripe_simulator.core.store import Json, Store


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """What a move may be told. Only :func:`disputes.open_dispute` and a fraud warning read any of it."""

    amount: int | None = None
    reason: str = "fraudulent"
    inquiry: bool = False
    withdraw: bool = True
    fraud_type: str = "made_with_stolen_card"


@dataclass(frozen=True)
class Move:
    """``play`` returns False when the object is not in a state for it, or the object that it made. Pages show
    the move in some ``states``."""

    kind: str
    label: str
    play: Callable[[Store, Json, Options], bool | Json]
    states: tuple[str, ...] = ()


def _open_dispute(store: Store, charge: Json, options: Options) -> Json:
    return disputes.open_dispute(
        store,
        charge,
        options.amount,
        options.reason,
        inquiry=options.inquiry,
        withdraw=options.withdraw,
    )


def _end_debit(*, succeeded: bool) -> Callable[[Store, Json, Options], bool]:
    def play(store: Store, intent: Json, _: Options) -> bool:
        if session := lifecycle.of_intent(store, intent):
            return lifecycle.end_debit(store, session, succeeded=succeeded)
        moved = intents.end_debit(store, intent, succeeded=succeeded)
        if moved:
            clocks.follow_intent(store, intent)
        return moved

    return play


def _bounce(store: Store, intent: Json, _: Options) -> bool:
    if session := lifecycle.of_intent(store, intent):
        return lifecycle.bounce(store, session)
    return intents.bounce(store, intent)


def _authenticate(*, succeeded: bool) -> Callable[[Store, Json, Options], bool]:
    def play(store: Store, intent: Json, _: Options) -> bool:
        if session := lifecycle.of_intent(store, intent):
            return lifecycle.authenticate(store, session, succeeded=succeeded)
        if intent["object"] == setups.KIND:
            return setups.authenticate(store, intent, succeeded=succeeded)
        moved = intents.authenticate(store, intent, succeeded=succeeded)
        if moved:
            clocks.follow_intent(store, intent)
        return moved

    return play


_LIVING = ("active", "incomplete", "past_due", "trialing", "unpaid")


def _pass_time(store: Store, subscription: Json, _: Options) -> bool:
    """The next thing that time does to a subscription happens now. Its clock, if it has one, goes on."""
    due = store.inner(subscription["id"])["due"]
    if due is None:
        return False
    if id := subscription["test_clock"]:
        clock = store.get(clocks.KIND, id)
        clocks.advance(store, clock, max(due, clock["frozen_time"]), PAY_PAGE)
    else:
        with store.at(due):
            cycle.step(store, subscription)
    return True


def _change_card(number: str) -> Callable[[Store, Json, Options], bool]:
    def play(store: Store, subscription: Json, _: Options) -> bool:
        if cycle.is_over(subscription):
            return False
        method = methods.new_card(store, number)
        methods.attach(store, method, subscription["customer"])
        changed = {"default_payment_method": method["id"]}
        subscriptions.change(store, subscription, changed, store.inner(subscription["id"]))
        return True

    return play


_PROCESSING, _ASKED = ("processing",), ("requires_action",)
_OPEN = ("needs_response", "under_review")
_INQUIRY = ("warning_needs_response", "warning_under_review")
_NEW = ("needs_response", "warning_needs_response")

MOVES = {
    ("payment_intents", "succeed"): Move(
        "payment_intent", "The money arrives", _end_debit(succeeded=True), _PROCESSING
    ),
    ("payment_intents", "fail"): Move(
        "payment_intent", "The debit fails", _end_debit(succeeded=False), _PROCESSING
    ),
    ("payment_intents", "bounce"): Move("payment_intent", "The debit comes back", _bounce, ("succeeded",)),
    ("payment_intents", "authenticate"): Move(
        "payment_intent", "The owner confirms", _authenticate(succeeded=True), _ASKED
    ),
    ("payment_intents", "refuse"): Move(
        "payment_intent", "The owner refuses", _authenticate(succeeded=False), _ASKED
    ),
    ("setup_intents", "authenticate"): Move(
        setups.KIND, "The owner confirms", _authenticate(succeeded=True), _ASKED
    ),
    ("setup_intents", "refuse"): Move(
        setups.KIND, "The owner refuses", _authenticate(succeeded=False), _ASKED
    ),
    ("charges", "dispute"): Move("charge", "Dispute", _open_dispute),
    ("charges", "warn"): Move(
        "charge", "Warn of fraud", lambda s, o, how: disputes.warn(s, o, how.fraud_type)
    ),
    ("refunds", "succeed"): Move(
        "refund", "The refund succeeds", lambda s, o, _: refunds.succeed(s, o), ("pending",)
    ),
    ("refunds", "fail"): Move(
        "refund", "The refund comes back", lambda s, o, _: refunds.fail(s, o), ("pending", "succeeded")
    ),
    ("refunds", "cancel"): Move(
        "refund", "Cancel the refund", lambda s, o, _: refunds.cancel(s, o), ("pending",)
    ),
    ("disputes", "withdraw"): Move(
        "dispute", "Withdraw the money", lambda s, o, _: disputes.withdraw_funds(s, o)
    ),
    ("disputes", "evidence"): Move(
        "dispute", "Submit evidence", lambda s, o, _: disputes.submit_evidence(s, o, {}, o["metadata"]), _NEW
    ),
    ("disputes", "escalate"): Move(
        "dispute", "The inquiry becomes a dispute", lambda s, o, _: disputes.escalate(s, o), _INQUIRY
    ),
    ("disputes", "win"): Move("dispute", "Win", lambda s, o, _: disputes.win(s, o), _OPEN),
    ("disputes", "lose"): Move(
        "dispute", "Lose, or let an inquiry end", lambda s, o, _: disputes.lose(s, o), (*_OPEN, *_INQUIRY)
    ),
    ("subscriptions", "next"): Move(
        subscriptions.KIND, "Let time pass until something happens", _pass_time, _LIVING
    ),
    ("subscriptions", "decline"): Move(
        subscriptions.KIND, "The card is declined from now on", _change_card("4000000000000341"), _LIVING
    ),
    ("subscriptions", "authenticate"): Move(
        subscriptions.KIND, "The card needs its owner from now on", _change_card("4000002500003155"), _LIVING
    ),
    ("subscriptions", "accept"): Move(
        subscriptions.KIND, "The card is good from now on", _change_card("4242424242424242"), _LIVING
    ),
}
"""By the path of the object and the name of the move."""


def play(store: Store, path: str, id: str, name: str, options: Options) -> Json:
    """Play a move. Raises when there is no such move or object, or the object is not in a state for it."""
    move = MOVES.get((path, name))
    if move is None:
        known = ", ".join(f"{path}/ID/{name}" for path, name in MOVES)
        raise StripeError(f"There is no such move. The simulator knows {known}.", status=404)
    found = store.find(move.kind, id)
    if found is None:
        raise missing_object(move.kind, id, "id", 404)
    result = move.play(store, found, options)
    if result is False:
        raise StripeError(f"{id} is `{found['status']}`, so this cannot happen to it.", status=409)
    return store.get(move.kind, id) if result is True else result
