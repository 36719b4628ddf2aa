"""Stripe's events about automatic top-ups, in any order, before and after the worker's report."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from callers import Row
from holding import Bank
from stripe_events import COMPLETED, attached, session
from topping import (
    AUTHENTICATION,
    CARD_ERROR,
    WORDS,
    agree,
    claim,
    first_charge,
    history,
    intent,
    report,
    tell,
    topup,
    with_customer,
)

SUCCEEDED, FAILED = "payment_intent.succeeded", "payment_intent.payment_failed"
CANCELED = "payment_intent.canceled"


def failed(call: Row, error: Row) -> Row:
    return intent(call, status="requires_payment_method", amount_received=0, last_payment_error=error)


def charges(bank: Bank) -> list[Row]:
    return [row for row in history(bank, "ada") if row["event"] == "charge"]


def balance(bank: Bank) -> Any:
    return bank.row("select balance from api.balance where user_id = 'ada'")["balance"]


def order(bank: Bank) -> Row:
    return bank.row("select state, tokens from api.orders where user_id = 'ada'")


@pytest.fixture
def call(bank: Bank) -> Row:
    """The call that charges ada's card for 100 tokens. She has 90."""
    return first_charge(bank, "ada")


def test_success_grants_once_however_often_it_comes(bank: Bank, call: Row) -> None:
    assert tell(bank, SUCCEEDED, intent(call)) == "granted"
    assert tell(bank, SUCCEEDED, intent(call)) == "duplicate"
    report(bank, call, {"object": intent(call)})
    assert tell(bank, SUCCEEDED, intent(call)) == "duplicate"
    assert (balance(bank), order(bank)["state"]) == (190, "paid")
    (charge,) = charges(bank)
    assert (charge["state"], charge["payment_intent_id"]) == ("succeeded", intent(call)["id"])
    assert topup(bank, "ada")["charged_this_month"] == 999


@pytest.mark.parametrize("steps", list(permutations(("report", "failed", "succeeded", "again"))))
def test_money_wins_in_every_order(bank: Bank, call: Row, steps: tuple[str, ...]) -> None:
    """The card is declined, and its owner pays the same payment intent later."""
    for step in steps:
        if step == "report":
            report(bank, call, CARD_ERROR | {"payment_intent": failed(call, CARD_ERROR)})
        elif step == "failed":
            tell(bank, FAILED, failed(call, CARD_ERROR))
        else:
            tell(bank, SUCCEEDED, intent(call))
    state = topup(bank, "ada")
    assert (balance(bank), order(bank)["state"], charges(bank)[0]["state"]) == (190, "paid", "succeeded")
    assert (state["state"], state["declines"], state["waits_for"]) == ("on", 0, "balance")


@pytest.mark.parametrize("steps", list(permutations(("report", "failed", "canceled"))))
def test_failure_counts_once_in_every_order(bank: Bank, call: Row, steps: tuple[str, ...]) -> None:
    for step in steps:
        if step == "report":
            report(bank, call, CARD_ERROR)
        elif step == "failed":
            tell(bank, FAILED, failed(call, CARD_ERROR))
        else:
            tell(bank, CANCELED, intent(call, status="canceled", amount_received=0))
    assert (balance(bank), order(bank)["state"]) == (90, "failed")
    assert topup(bank, "ada")["waits_for"] == "cooldown"
    assert len(charges(bank)) == 1


def test_payment_that_its_owner_confirms_ends_the_pause(bank: Bank, call: Row) -> None:
    tell(bank, FAILED, failed(call, AUTHENTICATION))
    assert topup(bank, "ada")["reason"] == "authentication_required"
    assert tell(bank, SUCCEEDED, intent(call)) == "granted"
    state = topup(bank, "ada")
    assert (state["state"], state["reason"]) == ("on", None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount_received": 998}, "998 received, ordered for 999"),
        ({"currency": "usd"}, "currency usd, ordered in eur"),
        ({"status": "processing"}, "status processing in payment_intent.succeeded"),
        ({"amount_received": "999"}, "999 received, ordered for 999"),
        ({"livemode": True}, "livemode true in an event of livemode f"),
    ],
)
def test_money_that_disagrees_is_parked_and_nothing_more_is_charged(
    bank: Bank, call: Row, changes: Row, reason: str
) -> None:
    assert tell(bank, SUCCEEDED, intent(call, **changes)) == "parked"
    parked = bank.row("select state, parked_reason from credits.orders where kind = 'auto_topup'")
    assert parked == {"state": "parked", "parked_reason": reason}
    assert balance(bank) == 90
    assert topup(bank, "ada")["reason"] == "under_review"


def test_second_payment_of_an_order_is_parked(bank: Bank, call: Row) -> None:
    tell(bank, SUCCEEDED, intent(call))
    assert tell(bank, SUCCEEDED, intent(call, id="pi_another")) == "parked"
    assert balance(bank) == 190


def test_payment_intent_of_checkout_grants_nothing(bank: Bank) -> None:
    bought = attached(bank, bank.call("create_order", user_id="ada", pack_id="basique"))
    paid = session(bought)
    thing = {
        "id": paid["payment_intent"],
        "object": "payment_intent",
        "status": "succeeded",
        "amount_received": 999,
        "currency": "eur",
        "metadata": paid["metadata"],
    }
    assert tell(bank, SUCCEEDED, thing) == "stored"
    assert tell(bank, COMPLETED, paid) == "granted"
    assert tell(bank, SUCCEEDED, thing) == "stored"
    assert balance(bank) == 100


def test_intent_of_somebody_else_is_only_stored(bank: Bank) -> None:
    thing = {"id": "pi_x", "object": "payment_intent", "status": "succeeded", "metadata": {}}
    assert tell(bank, SUCCEEDED, thing) == "stored"
    assert tell(bank, SUCCEEDED, thing | {"metadata": {"kind": "auto_topup", "account_id": "x"}}) == "stored"


def test_charge_that_names_an_order_of_checkout_is_parked(bank: Bank, call: Row) -> None:
    bought = bank.call("create_order", user_id="ada", pack_id="basique")
    named = call["params"]["metadata"] | {"order_id": str(bought["order_id"])}
    assert tell(bank, SUCCEEDED, intent(call, metadata=named)) == "parked"
    assert balance(bank) == 90


def test_withdrawn_in_flight_the_charge_that_succeeds_is_granted_and_none_follows(
    bank: Bank, call: Row
) -> None:
    bank.call("stop_auto_topup", user_id="ada")
    report(bank, call, {"object": intent(call)})
    assert tell(bank, SUCCEEDED, intent(call)) == "granted"
    assert balance(bank) == 190
    bank.call("consume_tokens", user_id="ada", module_id="metube")
    for _ in range(18):
        bank.call("consume_tokens", user_id="ada", module_id="metube")
    assert len(charges(bank)) == 1
    assert topup(bank, "ada")["reason"] == "withdrawn"


@pytest.mark.parametrize("answer", ["before", "after"])
def test_decline_at_the_moment_of_withdrawal_changes_nothing_for_the_user(
    bank: Bank, call: Row, answer: str
) -> None:
    if answer == "before":
        report(bank, call, CARD_ERROR)
    bank.call("stop_auto_topup", user_id="ada")
    if answer == "after":
        report(bank, call, CARD_ERROR)
    tell(bank, FAILED, failed(call, CARD_ERROR))
    state = topup(bank, "ada")
    assert (state["state"], state["reason"]) == ("off", "withdrawn")
    assert charges(bank)[0]["state"] == "declined"


def saving(kind: str, agreed: Row, **changes: Any) -> Row:
    """An intent that has saved a card for an agreement."""
    metadata = {"account_id": str(agreed["account_id"]), "consent_id": str(agreed["consent_id"])}
    saved = {"usage": "off_session"} if kind == "setup_intent" else {"setup_future_usage": "off_session"}
    return {
        "id": f"{kind}_1",
        "object": kind,
        "status": "succeeded",
        "customer": "cus_9",
        "payment_method": "pm_9",
        "metadata": metadata,
    } | saved | changes  # fmt: skip


def agree_without_card(bank: Bank) -> Row:
    return bank.call(
        "set_auto_topup", user_id="ada", threshold=100, pack_id="basique", monthly_limit=999, words=WORDS
    )


@pytest.mark.parametrize("kind", ["setup_intent", "payment_intent"])
def test_saved_card_turns_it_on(bank: Bank, kind: str) -> None:
    agreed = agree_without_card(bank)
    assert agreed["state"] == "waiting"
    assert tell(bank, f"{kind}.succeeded", saving(kind, agreed)) == "applied"
    assert tell(bank, f"{kind}.succeeded", saving(kind, agreed)) == "duplicate"
    state = topup(bank, "ada")
    assert (state["state"], state["payment_method_id"]) == ("on", "pm_9")
    assert [row["event"] for row in history(bank, "ada")] == ["card", "consent"]


def test_session_that_only_saves_a_card_is_not_listed_as_money(bank: Bank) -> None:
    agreed = agree_without_card(bank)
    saved = {
        "id": "cs_setup",
        "object": "checkout.session",
        "mode": "setup",
        "status": "complete",
        "payment_status": "no_payment_required",
        "client_reference_id": str(agreed["account_id"]),
        "metadata": {"account_id": str(agreed["account_id"]), "consent_id": str(agreed["consent_id"])},
    }
    assert tell(bank, COMPLETED, saved) == "stored"
    assert bank.rows("select * from audit.parked") == []


def test_purchase_that_saves_a_card_turns_nothing_on(bank: Bank) -> None:
    bought = bank.call("create_order", user_id="ada", pack_id="basique")
    named = {"account_id": str(bought["account_id"]), "order_id": str(bought["order_id"])}
    thing = saving("payment_intent", {"account_id": bought["account_id"], "consent_id": None}, metadata=named)
    assert tell(bank, SUCCEEDED, thing) == "stored"
    assert bank.rows("select * from api.auto_topup") == []


def test_card_for_a_withdrawn_agreement_turns_nothing_on(bank: Bank) -> None:
    with_customer(bank, "ada")
    agreed = agree(bank, "ada", payment_method_id=None)
    bank.call("stop_auto_topup", user_id="ada")
    assert tell(bank, "setup_intent.succeeded", saving("setup_intent", agreed)) == "stored"
    assert topup(bank, "ada")["state"] == "off"


def test_card_of_another_account_turns_nothing_on(bank: Bank) -> None:
    for user_id in ("ada", "eve"):
        with_customer(bank, user_id)
    agreed = agree(bank, "ada", payment_method_id=None)
    eve = agree(bank, "eve", payment_method_id=None)
    mixed = saving("setup_intent", agreed | {"account_id": eve["account_id"]})
    assert tell(bank, "setup_intent.succeeded", mixed) == "stored"
    assert topup(bank, "ada")["state"] == topup(bank, "eve")["state"] == "waiting"


def test_confirmed_card_ends_the_pause_and_the_next_spend_charges(bank: Bank, call: Row) -> None:
    report(bank, call, AUTHENTICATION)
    agreed = {"account_id": call["account_id"], "consent_id": _consent(bank)}
    assert (
        tell(bank, "setup_intent.succeeded", saving("setup_intent", agreed, payment_method="pm_1"))
        == "applied"
    )
    assert topup(bank, "ada")["waits_for"] == "next_spend"
    bank.call("consume_tokens", user_id="ada", module_id="metube")
    assert len(charges(bank)) == 2
    assert {made["kind"] for made in claim(bank)} == {"charge", "confirm_card"}


def _consent(bank: Bank) -> Any:
    return bank.row("select consent_id from credits.auto_topups")["consent_id"]


def test_dispute_stops_it_and_forgets_the_card(bank: Bank, call: Row) -> None:
    tell(bank, SUCCEEDED, intent(call))
    dispute = {
        "id": "dp_1",
        "object": "dispute",
        "amount": 999,
        "currency": "eur",
        "payment_intent": intent(call)["id"],
        "status": "warning_needs_response",
    }
    tell(bank, "charge.dispute.created", dispute)
    assert topup(bank, "ada")["state"] == "on"
    tell(bank, "charge.dispute.created", dispute | {"id": "dp_2", "status": "needs_response"})
    state = topup(bank, "ada")
    assert (state["state"], state["reason"], state["payment_method_id"]) == ("off", "dispute", None)


def test_later_news_of_a_dispute_does_not_stop_a_new_agreement(bank: Bank, call: Row) -> None:
    tell(bank, SUCCEEDED, intent(call))
    dispute = {
        "id": "dp_1",
        "object": "dispute",
        "amount": 999,
        "currency": "eur",
        "payment_intent": intent(call)["id"],
        "status": "needs_response",
    }
    tell(bank, "charge.dispute.created", dispute)
    agree(bank, "ada", words="with another card", payment_method_id="pm_2")
    tell(bank, "charge.dispute.funds_withdrawn", dispute | {"status": "under_review"})
    tell(bank, "charge.dispute.closed", dispute | {"status": "lost"})
    assert topup(bank, "ada")["state"] == "on"


def purchase(bank: Bank) -> str:
    """Ada, a customer, buys 100 tokens. The payment intent."""
    with_customer(bank, "ada")
    paid = session(attached(bank, bank.call("create_order", user_id="ada", pack_id="basique")))
    assert tell(bank, COMPLETED, paid) == "granted"
    return str(paid["payment_intent"])


def test_card_of_a_new_agreement_is_not_charged_before_the_dispute_ends(bank: Bank) -> None:
    dispute = {
        **{"id": "dp_1", "object": "dispute", "amount": 999, "currency": "eur", "status": "needs_response"},
        **{"payment_intent": purchase(bank)},
    }
    bank.call("consume_tokens", user_id="ada", module_id="metube", usage={"calls": 9})
    tell(bank, "charge.dispute.created", dispute)
    agree(bank, "ada")
    bank.call("add_tokens", user_id="ada", tokens=100)
    for _ in range(3):
        bank.call("consume_tokens", user_id="ada", module_id="metube")
        assert (topup(bank, "ada")["state"], topup(bank, "ada")["waits_for"]) == ("on", "dispute")
    assert charges(bank) == []
    tell(bank, "charge.dispute.closed", dispute | {"status": "won"})
    assert topup(bank, "ada")["waits_for"] == "next_spend"
    bank.call("consume_tokens", user_id="ada", module_id="metube")
    assert len(charges(bank)) == 1


def warning(payment_intent: str, **changes: Any) -> Row:
    return {
        **{"id": "issfr_1", "object": "radar.early_fraud_warning", "actionable": True, "charge": "ch_1"},
        **{"payment_intent": payment_intent, "fraud_type": "made_with_stolen_card"},
    } | changes


WARNED = "radar.early_fraud_warning.created"


def test_fraud_warning_stops_it_where_warnings_freeze_tokens(bank: Bank, call: Row) -> None:
    tell(bank, SUCCEEDED, intent(call))
    assert tell(bank, WARNED, warning(intent(call)["id"])) == "applied"
    assert topup(bank, "ada")["state"] == "on"
    # The operator changes the setting, and looks at the warning again.
    bank.rows("select credits.freeze_on_fraud_warnings(true)")
    told = bank.row("select event_id from credits.stripe_events where object_id = 'issfr_1'")
    bank.call("replay_event", event_id=told["event_id"], reason="thefts")
    state = topup(bank, "ada")
    assert (state["state"], state["reason"], state["payment_method_id"]) == ("off", "fraud_warning", None)
    facts = bank.row("select facts from api.notices where kind = 'top_up_paused'")["facts"]
    assert (facts["reason"], facts["state"]) == ("fraud_warning", "off")

    # A repeat does not end a new agreement. It charges when the warning is closed.
    agree(bank, "ada", words="with another card", payment_method_id="pm_2")
    tell(bank, WARNED, warning(intent(call)["id"]))
    state = topup(bank, "ada")
    assert (state["state"], state["waits_for"], state["payment_method_id"]) == ("on", "dispute", "pm_2")
    tell(bank, "radar.early_fraud_warning.updated", warning(intent(call)["id"], actionable=False))
    assert topup(bank, "ada")["waits_for"] != "dispute"


def test_charge_that_no_worker_has_taken_is_canceled_by_a_fraud_warning(bank: Bank) -> None:
    bank.rows("select credits.freeze_on_fraud_warnings(true)")
    payment_intent = purchase(bank)
    agree(bank, "ada")
    bank.call("consume_tokens", user_id="ada", module_id="metube")
    assert [charge["state"] for charge in charges(bank)] == ["open"]
    tell(bank, WARNED, warning(payment_intent))
    assert [(charge["state"], charge["reason"]) for charge in charges(bank)] == [
        ("canceled", "fraud_warning")
    ]
    assert claim(bank) == []
    bank.at("2098-06-01 18:00Z")
    bank.call("add_tokens", user_id="ada", tokens=120)
    bank.call("consume_tokens", user_id="ada", module_id="metube", usage={"calls": 3})
    assert claim(bank) == []


def test_failure_that_names_a_purchase_does_not_become_its_payment(bank: Bank, call: Row) -> None:
    other = bank.call("create_order", user_id="ada", pack_id="standard")
    wrong = failed(call, CARD_ERROR)
    wrong["metadata"] = wrong["metadata"] | {"order_id": str(other["order_id"])}
    assert tell(bank, FAILED, wrong) == "duplicate"
    found = bank.row(
        "select state, payment_intent_id from credits.orders where order_id = %s", (other["order_id"],)
    )
    assert found == {"state": "pending", "payment_intent_id": None}
