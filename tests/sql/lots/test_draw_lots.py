"""Burn order: which tokens go first, against a reference of a few lines of Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from burn_order import burn_order
from callers import Caller, Connection, open_account, refused, steady, stop_clock
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime.now(UTC)
CATEGORY = {"whisper": "audio", "stablediffusion": "image", "metube": "video"}
PRICE = {"whisper": 25, "stablediffusion": 50, "metube": 10}


@dataclass
class Lot:
    """What is granted, and what is left of it. Times are in hours."""

    tokens: Decimal
    source: str = "grant"
    priority: int = 20
    scope: str | None = None
    expires_in: int | None = None
    unit_cost: int = 0
    effective_in: int = 0
    frozen: bool = False
    # Once it is granted:
    lot_id: int = 0
    effective_at: int = 0
    expires_at: int | None = None

    def expired(self, hour: int) -> bool:
        return self.expires_at is not None and self.expires_at <= hour

    def eligible(self, module_id: str, hour: int) -> bool:
        scopes = (None, f"module:{module_id}", f"category:{CATEGORY[module_id]}")
        return (
            not self.frozen and self.effective_at <= hour and not self.expired(hour) and self.scope in scopes
        )

    @property
    def paid(self) -> bool:
        return self.unit_cost > 0


def reference(lots: list[Lot], module_id: str, cost: Decimal, hour: int) -> list[dict[str, Any]] | None:
    """The draws of a spend; None when the lots do not reach. Takes them from the lots."""
    chosen = sorted((lot for lot in lots if lot.eligible(module_id, hour)), key=burn_order)
    if sum(lot.tokens for lot in chosen) < cost:
        return None
    draws = []
    for lot in chosen:
        taken = min(lot.tokens, cost)
        if taken > 0:
            lot.tokens -= taken
            cost -= taken
            draws.append({"lot_id": lot.lot_id, "tokens": taken})
    return draws


@pytest.fixture(scope="module")
def till(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url) as connection:
        yield connection


@contextmanager
def opened(till: Connection) -> Iterator[Caller]:
    """The superuser in a transaction that is rolled back."""
    try:
        till.execute("begin")
        yield Caller(till, "none")
    finally:
        till.rollback()


@pytest.fixture
def bank(till: Connection) -> Iterator[Caller]:
    with opened(till) as bank:
        yield bank


def set_clock(till: Connection, hour: int) -> None:
    """From now on the bank's clock stands at this hour."""
    stop_clock(till, (NOW + timedelta(hours=hour)).isoformat())


def grant(bank: Caller, lots: list[Lot], hour: int = 0) -> UUID:
    account_id = open_account(bank, "spender")
    bank.row("select credits.lock_wallet(%s)", (account_id,))
    for lot in lots:
        lot.lot_id = bank.row(
            "select credits.grant_lot(%s, %s::credits.entry_kind, %s::numeric, null, %s, %s, %s,"
            " p_unit_cost => %s) as lot_id",
            (
                account_id,
                lot.source,
                lot.tokens,
                lot.priority,
                lot.scope,
                None if lot.expires_in is None else NOW + timedelta(hours=hour + lot.expires_in),
                lot.unit_cost,
            ),
        )["lot_id"]
        if lot.frozen or lot.effective_in:
            bank.row(
                "update credits.lots set frozen = %s, effective_at = effective_at + %s"
                " where account_id = %s and lot_id = %s returning lot_id",
                (lot.frozen, timedelta(hours=lot.effective_in), account_id, lot.lot_id),
            )
    return account_id


def spend(bank: Caller, module_id: str, calls: Decimal | int = 1) -> Any:
    call = {"module_id": module_id, "user_id": "spender", "usage": f'{{"calls": {calls:f}}}'}
    return bank.call("consume_tokens", **call)


# One rule at a time: the first lot goes before the second, though it came later.


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"priority": 5}, {"priority": 10}),
        ({"priority": 5}, {"priority": 10, "expires_in": 1}),
        ({"expires_in": 5}, {"expires_in": 6}),
        ({"expires_in": 5}, {"expires_in": None}),
        ({"expires_in": 5}, {"expires_in": None, "scope": "module:whisper"}),
        ({"scope": "module:whisper"}, {"scope": None}),
        ({"scope": "category:audio"}, {"scope": None}),
        ({"scope": "category:audio", "unit_cost": 8}, {"scope": None, "unit_cost": 0}),
        ({"unit_cost": 0}, {"unit_cost": 8}),
        ({"effective_in": -2}, {"effective_in": -1}),
    ],
    ids=lambda lot: ",".join(f"{key}={value}" for key, value in lot.items()),
)
def test_burn_order_prefers_the_first_lot(
    first: dict[str, Any], second: dict[str, Any], bank: Caller
) -> None:
    lots = [Lot(Decimal(100), **second), Lot(Decimal(20), **first)]
    grant(bank, lots)
    assert spend(bank, "whisper")["draws"] == [{"lot_id": 2, "tokens": 20}, {"lot_id": 1, "tokens": 5}]


def test_the_oldest_goes_first_when_all_else_is_equal(bank: Caller) -> None:
    grant(bank, [Lot(Decimal(20)), Lot(Decimal(20)), Lot(Decimal(20))])
    assert [draw["lot_id"] for draw in spend(bank, "stablediffusion")["draws"]] == [1, 2, 3]


@pytest.mark.parametrize(
    "lot",
    [
        {"scope": "module:metube"},
        {"scope": "category:video"},
        {"expires_in": -1},
        {"effective_in": 1},
        {"frozen": True},
    ],
    ids=str,
)
def test_unusable_lot_is_left_alone(lot: dict[str, Any], bank: Caller) -> None:
    grant(bank, [Lot(Decimal(1000), **lot)])
    with refused("insufficient_tokens") as facts, bank.connection.transaction():
        spend(bank, "whisper")
    assert facts["missing"] == 25
    grant(bank, [Lot(Decimal(30))])
    assert [draw["tokens"] for draw in spend(bank, "whisper")["draws"]] == [25]


def test_tokens_held_are_not_drawn(bank: Caller) -> None:
    account_id = grant(bank, [Lot(Decimal(30)), Lot(Decimal(100), priority=50)])
    bank.row(
        "update credits.lots set held = 10 where account_id = %s and lot_id = 1 returning 1", (account_id,)
    )
    bank.row("update credits.wallets set held = 10 where account_id = %s returning 1", (account_id,))
    assert spend(bank, "whisper")["draws"] == [{"lot_id": 1, "tokens": 20}, {"lot_id": 2, "tokens": 5}]
    assert spend(bank, "whisper")["draws"] == [{"lot_id": 2, "tokens": 25}]


# All of them together, over a simulated week

_lots = st.builds(
    Lot,
    tokens=st.decimals("0.000001", "80", places=6),
    source=st.sampled_from(["grant", "purchase", "promo"]),
    priority=st.sampled_from([5, 20, 50]),
    scope=st.sampled_from(
        [None] * 5 + ["module:whisper", "module:metube", "category:audio", "category:image"]
    ),
    expires_in=st.sampled_from([None, None, 5, 9]),
    unit_cost=st.sampled_from([0, 8]),
    effective_in=st.sampled_from([0] * 9 + [2]),
    frozen=st.sampled_from([False] * 9 + [True]),
)
_spends = st.tuples(st.sampled_from(sorted(PRICE)), st.integers(0, 3).map(Decimal))
_waits = st.integers(0, 5)


@pytest.mark.slow
@steady(30)
@given(st.lists(st.one_of(_lots, _spends, _spends, _waits), min_size=2, max_size=14))
@pytest.mark.one_version
def test_spends_draw_what_the_reference_draws(
    till: Connection, story: list[Lot | tuple[str, Decimal] | int]
) -> None:
    """Grants, spends and hours that pass, in any order; by our clock, so that moments are hit exactly."""
    with opened(till) as bank:
        hour = 24
        set_clock(till, hour)
        account_id = grant(bank, [])
        lots: list[Lot] = []
        for step in story:
            if isinstance(step, int):
                hour += step
                set_clock(till, hour)
            elif isinstance(step, Lot):
                lot = replace(step, effective_at=hour + step.effective_in)
                grant(bank, [lot], hour)
                lot.expires_at = None if lot.expires_in is None else hour + lot.expires_in
                lots.append(lot)
            else:
                module_id, calls = step
                cost = calls * PRICE[module_id]
                draws = reference(lots, module_id, cost, hour)
                if draws is None:
                    with refused("insufficient_tokens"), bank.connection.transaction():
                        spend(bank, module_id, calls)
                else:
                    receipt = spend(bank, module_id, calls)
                    assert (receipt["draws"], receipt["cost"]) == (draws, cost)
            balance = sum((lot.tokens for lot in lots if not lot.expired(hour)), Decimal(0))
            shown = bank.row("select balance, available from api.balance where user_id = 'spender'")
            shut = sum(
                (
                    lot.tokens
                    for lot in lots
                    if not lot.expired(hour) and (lot.frozen or lot.effective_at > hour)
                ),
                Decimal(0),
            )
            assert shown == {"balance": balance, "available": balance - shut}
            for module_id in PRICE:
                available = sum((lot.tokens for lot in lots if lot.eligible(module_id, hour)), Decimal(0))
                quote = bank.call("quote_tokens", module_id=module_id, user_id="spender")
                assert (quote["available"], quote["balance"]) == (available, balance)
            remaining = bank.rows("select lot_id, remaining from api.lots where user_id = 'spender'")
            assert {row["lot_id"]: row["remaining"] for row in remaining} == {
                lot.lot_id: Decimal(0) if lot.expired(hour) else lot.tokens for lot in lots
            }
        findings = bank.rows(
            "select * from audit.findings where account_id = %s"
            " and check_name <> 'check_finance_rollforward'",  # these lots cost money, and have no order
            (account_id,),
        )
        assert findings == []
