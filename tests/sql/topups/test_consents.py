"""Agreements: plain words, kept for ever, of the account's own user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from callers import Caller, refused
from holding import Bank
from topping import WORDS, agree, history, topup, with_customer

User = Callable[..., Caller]
ASKED = {"threshold": 100, "pack_id": "basique", "monthly_limit": 5000, "words": WORDS}


def test_nothing_is_on_by_default(bank: Bank) -> None:
    bank.call("open_account", user_id="ada")
    assert bank.rows("select * from api.auto_topup") == []
    assert bank.call("stop_auto_topup", user_id="ada")["state"] == "off"


def test_user_agrees_for_themselves_and_waits_for_a_card(user: User) -> None:
    ada = user(5)
    agreed = ada.call("set_auto_topup", **ASKED)
    assert (agreed["state"], agreed["user_id"]) == ("waiting", ada.user_id)
    (row,) = ada.rows("select words, agreed_at, state from api.auto_topup")
    assert (row["words"], row["state"]) == (WORDS, "waiting")
    assert ada.call("stop_auto_topup")["reason"] == "withdrawn"
    assert [
        row["event"] for row in ada.rows("select event from api.auto_topup_history order by happened_at")
    ] == [
        "consent",
        "withdrawal",
    ]


def test_user_neither_names_a_card_nor_another_user(user: User) -> None:
    ada, eve = user(5), user(5)
    with refused("not_yours"):
        ada.call("set_auto_topup", **ASKED, payment_method_id="pm_of_eve")
    with refused("not_yours"):
        ada.call("set_auto_topup", **ASKED, user_id=eve.user_id)
    with refused("not_yours"):
        ada.call("stop_auto_topup", user_id=eve.user_id)
    eve.call("set_auto_topup", **ASKED)
    assert ada.rows("select * from api.auto_topup") == []
    assert ada.rows("select * from api.auto_topup_history") == []


def test_agreement_is_never_changed(bank: Bank) -> None:
    with_customer(bank, "ada")
    agree(bank, "ada")
    for command in (
        "update credits.topup_consents set words = 'other' returning 1",
        "delete from credits.topup_consents returning 1",
    ):
        with refused("append_only"):
            bank.rows(command)
    with pytest.raises(psycopg.Error, match="cannot be changed"):
        bank.connection.execute("savepoint a; truncate credits.topup_consents cascade")
    bank.connection.execute("rollback to a")


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"words": " "}, "bad_consent"),
        ({"words": "x" * 2001}, "bad_consent"),
        ({"words": "a\u202eb"}, "bad_consent"),
        ({"monthly_limit": 998}, "bad_limit"),
        ({"monthly_limit": 10**12}, "bad_limit"),
        ({"threshold": 101}, "bad_threshold"),
        ({"threshold": 0}, "bad_amount"),
        ({"amount": 999}, "bad_order"),
        ({"pack_id": "none"}, "unknown_pack"),
        ({"pack_id": None, "amount": 999}, "bad_amount"),
        ({"payment_method_id": "pm 1 "}, "bad_consent"),
    ],
)
def test_agreement_that_makes_no_sense_is_refused(bank: Bank, changes: dict[str, Any], slug: str) -> None:
    with_customer(bank, "ada")
    with refused(slug):
        agree(bank, "ada", **changes)


def test_card_needs_a_customer(bank: Bank) -> None:
    bank.call("open_account", user_id="ada")
    with refused("bad_consent"):
        agree(bank, "ada")


def test_same_agreement_again_writes_nothing(bank: Bank) -> None:
    with_customer(bank, "ada")
    first = agree(bank, "ada")
    assert agree(bank, "ada")["consent_id"] == first["consent_id"]
    assert agree(bank, "ada", threshold=99)["consent_id"] != first["consent_id"]
    assert len(history(bank, "ada")) == 2


def test_agreements_of_a_day_are_bounded(bank: Bank) -> None:
    with_customer(bank, "ada")
    for number in range(100):
        agree(bank, "ada", words=f"number {number}")
    with refused("consent_limit") as facts:
        agree(bank, "ada", words="one more")
    assert facts["reset_at"] == "2098-06-02T12:00:00+00:00"
    bank.at("2098-06-02 12:00Z")
    agree(bank, "ada", words="one more")


def test_closed_account_cannot_agree_and_a_frozen_one_can(bank: Bank) -> None:
    with_customer(bank, "ada")
    bank.call("freeze_account", user_id="ada")
    agree(bank, "ada")
    assert topup(bank, "ada")["waits_for"] == "account_frozen"
    bank.rows("update credits.wallets set status = 'closed' returning 1")
    with refused("account_frozen"):
        agree(bank, "ada", words="again")
