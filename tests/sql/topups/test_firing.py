"""What begins an automatic top-up, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from callers import Row
from holding import Bank, hold
from psycopg.types.json import Jsonb
from topping import (
    CARD_ERROR,
    agree,
    claim,
    history,
    intent,
    notices,
    report,
    tell,
    topup,
    with_customer,
)

NOON = datetime(2098, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def user(bank: Bank) -> Bank:
    """The user ada, with 120 tokens: the third call of metube goes below 100."""
    with_customer(bank, "ada")
    agree(bank, "ada")
    bank.call("add_tokens", user_id="ada", tokens=120)
    return bank


def spend(bank: Bank, times: int = 1) -> Row:
    for _ in range(times):
        spent = bank.call("consume_tokens", user_id="ada", module_id="metube")
    return spent


def charges(bank: Bank) -> list[Row]:
    return [row for row in history(bank, "ada") if row["event"] == "charge"]


def test_spend_that_crosses_the_threshold_begins_one_charge(user: Bank) -> None:
    spend(user, 2)
    assert charges(user) == []  # 100 is not below 100
    spent = spend(user)
    (charge,) = charges(user)
    assert charge["entry_id"] == spent["entry_id"]
    assert (charge["state"], charge["balance_before"], charge["balance_after"]) == ("open", 100, 90)
    spend(user, 3)  # one in flight is enough
    assert len(charges(user)) == 1
    (call,) = claim(user)
    assert call["kind"] == "charge"
    assert call["params"]["metadata"]["kind"] == "auto_topup"
    assert {"amount": 999, "currency": "eur", "customer": "cus_ada", "off_session": True}.items() <= call[
        "params"
    ].items()


def test_permit_ends_at_the_threshold(user: Bank) -> None:
    spend(user)
    permit = "select head_permit from credits.wallets where head_permit > 0"
    assert user.row(permit) == {"head_permit": Decimal(10)}


def test_hold_that_crosses_begins_a_charge_and_is_named(user: Bank) -> None:
    held = hold(user, user_id="ada")
    (charge,) = charges(user)
    assert (charge["hold_id"], charge["entry_id"]) == (held["hold_id"], None)
    assert (charge["balance_before"], charge["balance_after"]) == (120, 95)


def test_capture_beyond_its_hold_begins_a_charge(user: Bank) -> None:
    agree(user, "ada", threshold=90)
    held = hold(user, user_id="ada")
    assert charges(user) == []
    captured = user.call("capture_hold", hold_id=held["hold_id"], usage={"calls": 2}, user_id="ada")
    (charge,) = charges(user)
    assert charge["entry_id"] == captured["entry_id"]
    assert (charge["balance_before"], charge["balance_after"]) == (95, 70)


def test_release_that_frees_tokens_above_the_threshold_ends_the_permit_there(user: Bank) -> None:
    """Below the threshold the permit covers the whole lot. What a hold frees must not pass it unseen."""
    held = hold(user, user_id="ada")
    (call,) = claim(user)
    report(user, call, CARD_ERROR)
    spend(user)
    user.call("release_hold", hold_id=held["hold_id"], user_id="ada")
    user.at("2098-06-01 14:00Z")
    spend(user)
    assert len(charges(user)) == 1  # 110 to 100
    spend(user)
    assert len(charges(user)) == 2


def test_expiry_that_crosses_begins_nothing(user: Bank) -> None:
    user.call("add_tokens", user_id="ada", tokens=50, expires_at=NOON + timedelta(hours=1), priority=99)
    spend(user, 6)
    user.at("2098-06-01 13:00Z")
    spend(user)  # books the expiry of 50, from 110 to 60
    assert topup(user, "ada")["waits_for"] == "crossing"
    assert charges(user) == []


def test_consent_below_the_threshold_charges_nothing_until_it_is_crossed(bank: Bank) -> None:
    with_customer(bank, "ada")
    bank.call("add_tokens", user_id="ada", tokens=50)
    agree(bank, "ada")
    spend(bank, 2)
    assert charges(bank) == []
    bank.call("add_tokens", user_id="ada", tokens=80)
    spend(bank, 2)
    assert len(charges(bank)) == 1


def test_frozen_account_is_not_charged(user: Bank) -> None:
    spend(user)
    made = user.call("hold_tokens", user_id="ada", module_id="metube")
    user.call("freeze_account", user_id="ada")
    user.call("capture_hold", hold_id=made["hold_id"], usage={"calls": 5}, user_id="ada")
    assert charges(user) == []
    assert topup(user, "ada")["waits_for"] == "account_frozen"
    user.call("thaw_account", user_id="ada")
    spend(user)
    assert len(charges(user)) == 1


def test_monthly_limit_waits_for_the_next_month(bank: Bank) -> None:
    with_customer(bank, "ada")
    agree(bank, "ada", monthly_limit=1500)
    bank.call("add_tokens", user_id="ada", tokens=100)
    spend(bank)
    (call,) = claim(bank)
    assert tell(bank, "payment_intent.succeeded", intent(call)) == "granted"
    spend(bank, 10)
    state = topup(bank, "ada")
    assert (state["charged_this_month"], state["waits_for"]) == (999, "monthly_limit")
    assert state["next_try_at"] == datetime(2098, 7, 1, tzinfo=UTC)
    assert notices(bank, "ada") == [("top_up_paused", "monthly_limit")]
    spend(bank)
    assert len(charges(bank)) == 1
    bank.at("2098-07-01 00:00Z")
    spend(bank)
    assert len(charges(bank)) == 2


def test_changed_price_pauses_instead_of_charging(user: Bank) -> None:
    user.rows("update credits.packs set amount = 1099 where pack_id = 'basique' returning 1")
    spend(user, 3)
    state = topup(user, "ada")
    assert (state["state"], state["reason"]) == ("paused", "offer_changed")
    assert charges(user) == []
    assert notices(user, "ada") == [("top_up_paused", "offer_changed")]
    agree(user, "ada", words="now 10.99")
    assert topup(user, "ada")["amount"] == 1099


def test_withdrawn_pack_pauses_and_the_spend_goes_on(user: Bank) -> None:
    user.rows("update credits.packs set active = false where pack_id = 'basique' returning 1")
    assert spend(user, 3)["balance"] == 90
    assert topup(user, "ada")["reason"] == "offer_changed"


def test_amount_is_topped_up_where_the_price_list_offers_it(bank: Bank) -> None:
    bank.rows("select credits.define_topup('eur', 500, 10000, 0.1)")
    with_customer(bank, "ada")
    agree(bank, "ada", pack_id=None, amount=1000, threshold=50)
    bank.call("add_tokens", user_id="ada", tokens=55)
    spend(bank)
    (call,) = claim(bank)
    assert tell(bank, "payment_intent.succeeded", intent(call)) == "granted"
    assert bank.row("select balance from api.balance where user_id = 'ada'") == {"balance": 145}


def test_topup_too_small_for_the_debt_waits_an_hour_for_the_next(user: Bank) -> None:
    """The tokens repay debt first, so the balance stays below the threshold."""
    user.call("set_overdraft_limit", user_id="ada", tokens=1000)
    held = hold(user, user_id="ada")
    user.call("capture_hold", hold_id=held["hold_id"], usage={"calls": 10}, user_id="ada")
    (call,) = claim(user)
    tell(user, "payment_intent.succeeded", intent(call))
    state = topup(user, "ada")
    assert (state["waits_for"], state["next_try_at"]) == ("cooldown", NOON + timedelta(hours=1))
    user.call("add_tokens", user_id="ada", tokens=60)
    spend(user)
    assert len(charges(user)) == 1
    user.at("2098-06-01 13:00Z")
    spend(user)
    assert len(charges(user)) == 2


def test_test_clock_moves_the_cooldown(bank: Bank) -> None:
    bank.rows("select credits.allow_test_clocks(true)")
    with_customer(bank, "ada")
    bank.call("set_test_clock", user_id="ada", frozen_time=NOON + timedelta(days=1))
    agree(bank, "ada")
    bank.call("add_tokens", user_id="ada", tokens=120)
    spend(bank, 3)
    for declines, hours in ((1, 1), (2, 2)):
        (call,) = claim(bank)
        report(bank, call, CARD_ERROR)
        assert topup(bank, "ada")["declines"] == declines
        bank.call("set_test_clock", user_id="ada", advance=timedelta(hours=hours, seconds=-1))
        spend(bank)
        assert len(charges(bank)) == declines
        bank.call("set_test_clock", user_id="ada", advance="1 second")
        spend(bank)
        assert len(charges(bank)) == declines + 1
    (call,) = claim(bank)
    report(bank, call, CARD_ERROR)
    assert topup(bank, "ada")["state"] == "off"


def test_batch_begins_one_charge_and_names_its_entry(user: Bank) -> None:
    items = [{"user_id": "ada", "module_id": "metube"}] * 6
    verdicts = user.call("consume_tokens_batch", items=Jsonb(items))["verdicts"]
    (charge,) = charges(user)
    assert charge["entry_id"] == verdicts[2]["entry_id"]


def test_charge_that_ends_in_the_next_month_counts_for_it(bank: Bank) -> None:
    with_customer(bank, "ada")
    agree(bank, "ada", monthly_limit=1500)
    bank.call("add_tokens", user_id="ada", tokens=100)
    bank.at("2098-06-30 23:59:59Z")
    spend(bank)
    bank.at("2098-07-01 00:00:10Z")
    assert topup(bank, "ada")["charged_this_month"] == 999  # it may be charged now
    (call,) = claim(bank)
    assert tell(bank, "payment_intent.succeeded", intent(call)) == "granted"
    spend(bank, 10)
    state = topup(bank, "ada")
    assert (state["charged_this_month"], state["waits_for"]) == (999, "monthly_limit")
    assert len(charges(bank)) == 1
    bank.at("2098-08-01 00:00Z")
    spend(bank)
    assert len(charges(bank)) == 2
