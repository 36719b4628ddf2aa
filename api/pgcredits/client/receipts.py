"""What the bank answers. Amounts are exact; members that a later bank adds are ignored."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec


class Draw(msgspec.Struct, frozen=True):
    """So many tokens came from this lot."""

    lot_id: int
    tokens: Decimal


class Spend(msgspec.Struct, frozen=True, kw_only=True):
    """A charge. `replayed`: the key had done it before. `refunded`: what of it was given back since."""

    entry_id: str
    user_id: str
    module_id: str
    cost: Decimal
    balance: Decimal
    draws: tuple[Draw, ...]
    replayed: bool
    price_source: str | None = None
    refunded: Decimal | None = None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What a use would cost now. `affordable` is a quantity, and None when any quantity is free."""

    module_id: str
    cost: Decimal
    balance: Decimal
    available: Decimal
    sufficient: bool
    affordable: Decimal | None
    parts: Any = None
    price_source: str | None = None


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens that were granted, as a lot."""

    entry_id: str
    user_id: str
    lot_id: int
    tokens: Decimal
    balance: Decimal
    replayed: bool


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of a charge that went back. `expired`: those of lots past their date, which expired at once."""

    entry_id: str
    user_id: str
    charge_id: str
    tokens: Decimal
    expired: Decimal
    balance: Decimal
    draws: tuple[Draw, ...]
    replayed: bool


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account, and whether this call has opened it."""

    user_id: str
    opened: bool


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A hold as it is now: state is open, captured, released or expired."""

    hold_id: str
    user_id: str
    module_id: str
    state: str
    held: Decimal
    balance: Decimal
    available: Decimal
    draws: tuple[Draw, ...]
    expires_at: datetime
    replayed: bool
    price_source: str | None = None


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """A charge of a hold. What no lot could pay is in `debt` and `shortfall`. `late`: it had expired."""

    hold_id: str
    entry_id: str
    user_id: str
    module_id: str
    state: str
    cost: Decimal
    paid: Decimal
    debt: Decimal
    shortfall: Decimal
    held: Decimal
    released: Decimal
    balance: Decimal
    draws: tuple[Draw, ...]
    late: bool
    replayed: bool
    price_source: str | None = None
    refunded: Decimal | None = None


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a hold. `captured` is what its parts had charged before."""

    hold_id: str
    user_id: str
    module_id: str
    state: str
    released: Decimal
    captured: Decimal
    replayed: bool
