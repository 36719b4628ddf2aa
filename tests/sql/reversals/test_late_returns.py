"""What refunds of use answer and leave when the lots are past their date, or their money is gone."""

from __future__ import annotations

from holding import Bank, clock_hold
from sql.reversals.payments import books, paid


def dated(bank: Bank, moment: str) -> str:
    """Give the lot that was bought last that date. Returns its name."""
    row = bank.row(
        "select account_id || ':' || lot_id as name from credits.lots order by lot_id desc limit 1"
    )
    bank.call("change_expiry", lot_id=row["name"], expires_at=moment)
    return str(row["name"])


def test_repeated_refund_answers_the_same_after_its_lot_got_another_date(bank: Bank) -> None:
    paid(bank)
    spent = bank.call("consume_tokens", user_id="clock", module_id="whisper", usage={"calls": 2})
    bank.at("2099-01-01T00:00Z")
    lot = dated(bank, "2099-01-02T00:00Z")
    bank.at("2099-01-03T00:00Z")
    call = {"entry_id": spent["entry_id"], "idempotency_key": "once"}
    first = bank.call("refund_usage", **call)
    assert (first["tokens"], first["expired"], first["balance"]) == (50, 50, 0)
    bank.call("change_expiry", lot_id=lot, expires_at="infinity")
    assert bank.call("refund_usage", **call) == first | {"replayed": True}


def test_refund_of_use_into_a_reversed_lot_ends_debt(bank: Bank) -> None:
    payment = paid(bank)
    spent = bank.call("consume_tokens", user_id="clock", module_id="whisper", usage={"calls": 2})
    payment.refund()
    bank.at("2099-01-01T00:00Z")
    dated(bank, "2099-01-02T00:00Z")
    bank.at("2099-01-03T00:00Z")
    assert books(bank) == (-50, 0, 0, 50)
    back = bank.call("refund_usage", entry_id=spent["entry_id"])
    assert (back["tokens"], back["expired"], back["balance"]) == (50, 0, 0)
    assert books(bank) == (0, 0, 0, 0)
    bank.sound()


def test_hold_past_its_time_in_a_frozen_lot_makes_nothing_available(bank: Bank) -> None:
    bank.at("2099-01-01T00:00Z")
    payment = paid(bank)
    clock_hold(bank, 4, ttl="1 minute")
    payment.dispute("created")
    assert books(bank) == (500, 100, 0, 0)
    bank.at("2099-01-01T00:02Z")
    assert books(bank) == (500, 0, 0, 0)


def test_reinstatement_is_complete(bank: Bank) -> None:
    """Tokens go back to the lot that repaid the debt. It is past its date, and its own money is gone."""
    bank.at("2099-01-01T00:00Z")
    first = paid(bank)
    bank.call("consume_tokens", user_id="clock", module_id="whisper", usage={"calls": 20})
    first.dispute("funds_withdrawn")
    second = paid(bank)
    assert books(bank) == (0, 0, 0, 0)
    dated(bank, "2099-01-02T00:00Z")
    second.refund()
    assert books(bank) == (-500, 0, 0, 500)
    bank.at("2099-01-03T00:00Z")
    first.dispute("funds_reinstated")
    before = books(bank)
    bank.rows("select credits.settle_order(account_id, order_id) from credits.orders")
    assert books(bank) == before


def test_order_gets_back_what_its_own_lot_had_repaid(bank: Bank) -> None:
    """The second purchase repaid the debt of the first. Its own debt ended when the first was reinstated."""
    first = paid(bank)
    bank.call("consume_tokens", user_id="clock", module_id="whisper", usage={"calls": 20})
    first.dispute("funds_withdrawn")
    second = paid(bank)
    second.dispute("funds_withdrawn")
    assert books(bank) == (-500, 0, 0, 500)
    first.dispute("funds_reinstated")
    assert books(bank) == (0, 0, 0, 0)
    second.dispute("funds_reinstated")
    assert books(bank) == (500, 0, 0, 0)  # until the dispute is closed
    bank.sound()
