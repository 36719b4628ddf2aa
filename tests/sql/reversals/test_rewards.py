"""What a purchase earned for the user who brought the buyer goes back with its money."""

from __future__ import annotations

import pytest
from callers import Row
from holding import Bank, hold
from sql.reversals.payments import Payment, books, paid


@pytest.fixture
def brought(bank: Bank) -> Bank:
    """bea was brought by ada. Her first purchase earns 300 for ada and 200 for herself."""
    bank.rows(
        "select credits.define_campaign('brought', 'referral', 'Brought', 300, p_referee_tokens => 200)"
    )
    bank.call("open_account", user_id="ada")
    code = bank.call("referral_code", user_id="ada")["code"]
    bank.call("open_account", user_id="bea", referral_code=code)
    return bank


def balances(bank: Bank) -> tuple[Row, Row]:
    return books(bank, "ada")[0], books(bank, "bea")[0]


def test_rewards_go_back_in_proportion_and_return(brought: Bank) -> None:
    brought.rows("select credits.define_pack('even', 'Even', 400, 4000, 'eur')")
    payment = paid(brought, "bea", pack_id="even")
    assert balances(brought) == (300, 600)
    payment.refund(1000)
    assert balances(brought) == (225, 450)
    payment.dispute("funds_withdrawn", 3000)
    assert balances(brought) == (0, 0)
    payment.dispute("funds_reinstated", 3000)
    assert balances(brought) == (225, 450)


def test_operator_may_leave_rewards_alone(brought: Bank) -> None:
    brought.rows("select credits.reverse_rewards(false)")
    payment = paid(brought, "bea", pack_id="standard")
    payment.refund()
    assert balances(brought) == (300, 200)


def test_reward_that_was_spent_makes_no_debt(brought: Bank) -> None:
    payment = paid(brought, "bea", pack_id="standard")
    brought.call("consume_tokens", user_id="ada", module_id="whisper", usage={"calls": 10})
    payment.refund()
    assert books(brought, "ada") == (0, 0, 0, 0)


def test_reward_that_is_held_is_withheld_when_the_hold_frees_it(brought: Bank) -> None:
    payment = paid(brought, "bea", pack_id="standard")
    held = hold(brought, 4, user_id="ada")["hold_id"]
    payment.refund()
    assert books(brought, "ada") == (100, 100, 0, 0)
    brought.call("release_hold", hold_id=held)
    assert books(brought, "ada") == (100, 0, 0, 0)


def test_only_the_purchase_that_earned_the_reward_takes_it_back(brought: Bank) -> None:
    paid(brought, "bea", pack_id="standard")
    second = paid(brought, "bea", pack_id="standard")
    second.refund()
    assert balances(brought) == (300, 700)


def test_purchase_whose_refund_came_first_earns_nothing(brought: Bank) -> None:
    payment = Payment(brought, "bea", pack_id="standard")
    payment.refund()
    payment.pay()
    assert balances(brought) == (0, 0)
