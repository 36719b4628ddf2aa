"""Corrections of one lot: void_lot, restore_lot, change_expiry."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from callers import Caller, Row, refused
from holding import Bank, clock_hold
from sql.reversals.payments import books, paid


def grant(bank: Bank, **more: Any) -> str:
    return str(bank.call("add_tokens", user_id="clock", tokens=100, **more)["entry_id"])


def entries(bank: Bank) -> list[Row]:
    return bank.rows(
        "select kind, tokens, metadata, actor from credits.entries where kind = 'adjustment' order by seq"
    )


def test_void_takes_tokens_of_one_lot_and_says_why(bank: Bank) -> None:
    first, _ = grant(bank, priority=90), grant(bank)
    receipt = bank.call("void_lot", lot_id=first, tokens=30, reason="a mistake")
    assert (receipt["tokens"], receipt["remaining"], receipt["balance"]) == (-30, 70, 170)
    (entry,) = entries(bank)
    assert entry["metadata"] == {"lot_id": 1, "voided": True, "reason": "a mistake"}
    assert bank.call("void_lot", lot_id=first)["remaining"] == 0
    assert books(bank) == (100, 0, 100, 0)


@pytest.mark.parametrize("tokens", [Decimal("100.000001"), 101, Decimal("1e12")])
def test_void_of_more_than_is_free_is_refused(tokens: Decimal, bank: Bank) -> None:
    lot = grant(bank)
    with refused("bad_amount") as facts:
        bank.call("void_lot", lot_id=lot, tokens=tokens)
    assert facts["free"] == 100


def test_void_leaves_what_a_hold_has(bank: Bank) -> None:
    lot = grant(bank)
    held = clock_hold(bank, 2)["hold_id"]
    assert bank.call("void_lot", lot_id=lot)["tokens"] == -50
    with refused("bad_amount") as facts:
        bank.call("void_lot", lot_id=lot, tokens=1)
    assert facts["free"] == 0
    bank.call("capture_hold", hold_id=held)
    assert books(bank) == (0, 0, 0, 0)


def test_restore_gives_back_no_more_than_the_void_took(bank: Bank) -> None:
    lot = grant(bank)
    void = bank.call("void_lot", lot_id=lot, tokens=40)["entry_id"]
    assert bank.call("restore_lot", entry_id=void, tokens=15)["remaining"] == 75
    with refused("bad_amount") as facts:
        bank.call("restore_lot", entry_id=void, tokens=26)
    assert facts["restorable"] == 25
    assert bank.call("restore_lot", entry_id=void)["remaining"] == 100
    with refused("bad_amount"):
        bank.call("restore_lot", entry_id=void)
    with refused("not_refundable"):
        bank.call("restore_lot", entry_id=lot)


def test_tokens_restored_after_the_date_of_their_lot_expire(bank: Bank) -> None:
    lot = grant(bank, expires_at="2098-07-01 00:00Z")
    void = bank.call("void_lot", lot_id=lot, tokens=40)["entry_id"]
    bank.at("2098-07-02 00:00Z")
    bank.call("restore_lot", entry_id=void)
    assert books(bank) == (0, 0, 0, 0)


def test_expiry_can_be_put_off_brought_forward_and_lifted(bank: Bank) -> None:
    lot = grant(bank, expires_at="2098-07-01 00:00Z")
    bank.call("change_expiry", lot_id=lot, expires_at="2098-08-01 00:00Z", reason="a complaint")
    bank.at("2098-07-15 00:00Z")
    assert books(bank) == (100, 0, 100, 0)
    bank.call("change_expiry", lot_id=lot, expires_at="2098-07-20 00:00Z")
    bank.at("2098-07-21 00:00Z")
    bank.call("maintain")
    assert books(bank) == (0, 0, 0, 0)
    receipt = bank.call("change_expiry", lot_id=lot, expires_at="infinity")
    assert (receipt["expires_at"], receipt["remaining"]) == (None, 0)
    assert [row["metadata"]["expires_at"] for row in entries(bank)] == [
        "2098-08-01T00:00:00+00:00",
        "2098-07-20T00:00:00+00:00",
        "infinity",
    ]


def test_lot_that_was_announced_is_announced_again_before_its_new_date(bank: Bank) -> None:
    bank.rows("select credits.define_notice('expiring_soon', p_ahead => '7 days')")
    lot = grant(bank, expires_at="2098-06-05 00:00Z")
    bank.call("maintain")
    bank.call("change_expiry", lot_id=lot, expires_at="2098-07-05 00:00Z")
    bank.at("2098-06-30 00:00Z")
    bank.call("maintain")
    told = bank.rows("select facts from api.notices where kind = 'expiring_soon' order by created_at")
    assert [row["facts"]["expires_at"][:10] for row in told] == ["2098-06-05", "2098-07-05"]


def test_won_dispute_after_the_date_can_be_put_right(bank: Bank) -> None:
    bank.rows("select credits.define_pack('brief', 'Brief', 400, 4000, 'eur', p_expires_after => '30 days')")
    payment = paid(bank, pack_id="brief")
    payment.dispute("funds_withdrawn")
    lot = bank.row("select account_id || ':' || lot_id as lot_id from credits.lots")["lot_id"]
    bank.at("2098-07-02 12:00Z")
    bank.call("change_expiry", lot_id=lot, expires_at="2098-09-01 00:00Z", reason="the dispute was won")
    payment.dispute("funds_reinstated")
    payment.dispute("won")
    assert books(bank) == (400, 0, 400, 0)


def test_voided_tokens_are_not_owed_when_their_money_goes_back(bank: Bank) -> None:
    payment = paid(bank)
    lot = bank.row("select account_id || ':' || lot_id as lot_id from credits.lots")["lot_id"]
    void = bank.call("void_lot", lot_id=lot, reason="refunded by hand")["entry_id"]
    payment.refund()
    assert books(bank) == (0, 0, 0, 0)
    # Their money is gone, so they cannot come back.
    bank.call("restore_lot", entry_id=void)
    assert books(bank) == (0, 0, 0, 0)


def test_only_services_correct_lots(user: Any, service: Caller) -> None:
    ada = user(100)
    lot = service.row("select entry_id from api.entries where user_id = %s", (ada.user_id,))["entry_id"]
    for call, arguments in (
        ("void_lot", {"lot_id": lot}),
        ("restore_lot", {"entry_id": lot}),
        ("change_expiry", {"lot_id": lot, "expires_at": "2099-01-01"}),
    ):
        with pytest.raises(Exception, match="permission denied"):
            ada.call(call, **arguments)
