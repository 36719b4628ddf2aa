"""Amounts in the unit that Stripe counts in, and nothing for sale that Stripe would not charge."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from callers import Caller, Connection, refused

from stripe_simulator.core import currencies


@pytest.fixture(scope="module")
def till(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url) as connection:
        yield connection


@pytest.fixture
def author(till: Connection) -> Iterator[Caller]:
    """The superuser in a transaction that is rolled back."""
    till.execute("begin")
    yield Caller(till, "none")
    till.rollback()


def define(author: Caller, amount: int | None, currency: str | None, active: bool = True) -> None:
    author.rows(
        "select credits.define_pack('p', 'P', 50, %s, %s, p_active => %s)", (amount, currency, active)
    )


# amount, currency, what it says in plain money
CHARGED = [
    (50, "eur", "0.50 EUR"),
    (30, "gbp", "0.30 GBP"),
    (50, "jpy", "50 JPY"),
    (1500, "czk", "15.00 CZK"),
    (17500, "huf", "175.00 HUF"),
    (17545, "huf", "175.45 HUF"),
    (80045, "twd", "800.45 TWD"),
    (5000, "isk", "50.00 ISK"),
    (500_000, "ugx", "5000.00 UGX"),
    (5120, "kwd", "5.120 KWD"),
    (5000, "krw", "5000 KRW"),
    (99_999_999, "usd", "999999.99 USD"),
    (999_999_999, "inr", "9999999.99 INR"),
    (999_999_999_999, "idr", "9999999999.99 IDR"),
    (9_999_999_999, "jpy", "9999999999 JPY"),
]
REFUSED = [
    # A price in whole units, where Stripe counts hundredths or thousandths.
    (5000, "ugx", "5000 means 50.00 UGX"),
    (5000, "idr", "5000 means 50.00 IDR"),
    (500, "isk", "500 means 5.00 ISK"),
    (500, "twd", "500 means 5.00 TWD"),
    (50, "kwd", "50 means 0.050 KWD"),
    (5, "bmd", "5 means 0.05 BMD"),
    # A price in dollars.
    (5, "krw", "5 means 5 KRW"),
    (10, "clp", "10 means 10 CLP"),
    (500, "vnd", "500 means 500 VND"),
    (50, "xaf", "50 means 50 XAF"),
    (10, "eur", "at least 0.50 EUR, not 0.10 EUR"),
    (49, "usd", "at least 0.50 USD"),
    (29, "gbp", "at least 0.30 GBP"),
    (30, "jpy", "at least 50 JPY, not 30 JPY"),
    (1499, "czk", "at least 15.00 CZK"),
    (999, "mxn", "at least 10.00 MXN"),
    (17499, "huf", "at least 175.00 HUF"),
    (5050, "ugx", "multiples of 1.00 UGX, not 50.50 UGX"),
    (5001, "isk", "multiples of 1.00 ISK"),
    (5124, "kwd", "multiples of 0.010 KWD, not 5.124 KWD"),
    (5001, "bhd", "multiples of 0.010 BHD"),
    (5005, "jod", "multiples of 0.010 JOD"),
    (5009, "omr", "multiples of 0.010 OMR"),
    (5002, "tnd", "multiples of 0.010 TND"),
    (100_000_000, "eur", "at most 999999.99 EUR"),
    (1_000_000_000, "inr", "at most 9999999.99 INR"),
    (10_000_000_000, "jpy", "at most 9999999999 JPY"),
    (500, "EUR", "no payments in 'EUR'"),
    (500, "xyz", "no payments in 'xyz'"),
    (500, "", "no payments in ''"),
    (500, " eur", "no payments in ' eur'"),
    (500_000, "UGX", "no payments in 'UGX'"),
]


@pytest.mark.parametrize(("amount", "currency", "text"), CHARGED)
def test_pack_at_a_price_that_stripe_charges_is_sold(
    amount: int, currency: str, text: str, author: Caller
) -> None:
    define(author, amount, currency)
    shown = author.row("select amount, price, currency from api.packs where pack_id = 'p'")
    number, name = text.split()
    assert shown == {"amount": amount, "price": Decimal(number), "currency": name.lower()}
    assert author.row("select credits.money(%s, %s)", (amount, currency)) == {"money": text}
    assert author.rows("select * from audit.check_charges") == []


@pytest.mark.parametrize(("amount", "currency", "message"), REFUSED)
def test_pack_that_stripe_would_refuse_is_refused(
    amount: int, currency: str, message: str, author: Caller
) -> None:
    with pytest.raises(psycopg.Error, match=re.escape(message)) as caught:
        define(author, amount, currency)
    assert caught.value.sqlstate == "PT422"
    facts = json.loads(caught.value.diag.message_detail or "")
    assert facts == {"error": "bad_catalog", "line": "pack", "name": "p"}


@pytest.mark.parametrize(("amount", "currency", "message"), REFUSED)
def test_topup_that_stripe_would_refuse_is_refused(
    amount: int, currency: str, message: str, author: Caller
) -> None:
    for bounds in ((amount, 99_999_900), (50_000, amount), (amount, amount)):
        with pytest.raises(psycopg.Error) as caught, author.connection.transaction():
            author.rows("select credits.define_topup(%s, %s, %s, 1)", (currency, *bounds))
        assert caught.value.sqlstate == "PT422"
    assert message in str(caught.value)


def test_every_currency_has_a_smallest_amount(author: Caller) -> None:
    """Either Stripe lists it, or it is too low on purpose. Nothing below it is for sale."""
    rows = author.rows("select currency, step, minimum, rough_minimum from credits.currencies")
    assert {row["currency"] for row in rows} == currencies.SUPPORTED
    for row in rows:
        (least,) = {row["minimum"], row["rough_minimum"]} - {None}
        define(author, least, row["currency"])
        with refused("bad_catalog"), author.connection.transaction():
            define(author, least - row["step"], row["currency"])


def test_topup_and_its_presets_keep_to_whole_shillings(author: Caller) -> None:
    author.connection.execute("delete from credits.topup_presets; delete from credits.topups")
    author.rows("select credits.define_topup('ugx', 500000, 5000000, 0.001)")
    with refused("bad_catalog"), author.connection.transaction():
        author.rows("select credits.define_topup_preset('ugx', 500050)")
    author.rows("select credits.define_topup_preset('ugx', 600000)")
    shown = author.row("select minimum, maximum, minor_digits, step from api.topups")
    assert shown == {"minimum": 500000, "maximum": 5000000, "minor_digits": 2, "step": 100}


def test_buyer_chooses_an_amount_that_stripe_charges(author: Caller) -> None:
    author.connection.execute("delete from credits.topup_presets; delete from credits.topups")
    author.rows("select credits.define_topup('ugx', 500000, 5000000, 0.001)")
    assert author.call("create_order", amount=500100, user_id="ada")["tokens"] == Decimal("500.1")
    with refused("bad_amount") as facts, author.connection.transaction():
        author.call("create_order", amount=500150, user_id="ada")
    assert (facts["minimum"], facts["maximum"], facts["step"]) == (500000, 5000000, 100)


def test_wrong_pack_can_be_withdrawn_and_not_sold_again(author: Caller) -> None:
    author.connection.execute(
        "insert into credits.packs (pack_id, title, tokens, amount, currency)"
        " values ('p', 'P', 50, 10, 'eur')"
    )
    define(author, 10, "eur", active=False)
    with refused("bad_catalog"):
        define(author, 10, "eur")


def test_audit_finds_what_stripe_would_refuse(author: Caller) -> None:
    author.connection.execute("delete from credits.topup_presets; delete from credits.topups")
    author.connection.execute(
        "insert into credits.packs (pack_id, title, tokens, amount, currency) values"
        " ('ugx', 'P', 50, 5050, 'ugx'), ('eur', 'P', 50, 10, 'eur'), ('fine', 'P', 50, 500, 'eur')"
    )
    author.connection.execute("insert into credits.topups values ('kwd', 1001, 20005, 1)")
    author.connection.execute("insert into credits.topup_presets values ('kwd', 1501)")
    found = author.rows("select expected, found from audit.findings where check_name = 'check_charges'")
    assert sorted(row["expected"].partition(":")[0] for row in found) == [
        "greatest top-up in kwd",
        "least top-up in kwd",
        "pack 'eur'",
        "pack 'ugx'",
        "top-up preset in kwd",
    ]
    assert all(row["found"].startswith("Stripe charges ") for row in found)


def test_bank_and_simulator_know_the_same_currencies(author: Caller) -> None:
    rows = author.rows("select currency, minor_digits, step, minimum, maximum from credits.currencies")
    assert {row.pop("currency"): row for row in rows} == {
        code: {
            "minor_digits": currencies.minor_digits(code),
            "step": currencies.step(code),
            "minimum": currencies.smallest_charge(code),
            "maximum": currencies.largest_charge(code),
        }
        for code in currencies.SUPPORTED
    }
