"""The calls of the bank: a function of the schema `api`, its arguments, and the receipt that it answers.

Both ways of calling take them: HTTP sends the arguments as JSON, SQL as parameters. None of them decides
anything about balances.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec

from pgcredits.client.receipts import Account, Capture, Grant, Held, Quote, Refund, Release, Spend

Number = Decimal | int | float
Usage = Mapping[str, Number]
R = TypeVar("R", bound=msgspec.Struct)
encode = msgspec.json.Encoder(decimal_format="number").encode  # Decimal is sent with all its digits

_LONGEST_REASON = 200  # characters that the bank takes


@dataclass(frozen=True, slots=True)
class Call(Generic[R]):
    """`repeatable`: whether the bank does it once, however often it is sent."""

    function: str
    receipt: type[R]
    arguments: dict[str, Any]
    repeatable: bool = True

    def read(self, answer: bytes | str) -> R:
        return msgspec.json.decode(answer, type=self.receipt)


def new_key() -> str:
    """An idempotency key that nobody else has."""
    return uuid.uuid4().hex


def _call(function: str, receipt: type[R], **arguments: Any) -> Call[R]:
    """Arguments that are None are left out, so the function's own defaults count."""
    given = {name: value for name, value in arguments.items() if value is not None}
    return Call(function, receipt, given)


def _keyed(function: str, receipt: type[R], key: str | None, **arguments: Any) -> Call[R]:
    return _call(function, receipt, idempotency_key=new_key() if key is None else key, **arguments)


def _reason(reason: str | None) -> str | None:
    """What of a reason the bank takes: the text of an exception may be long, or hold control characters."""
    return None if reason is None else "".join(c for c in reason if c.isprintable())[:_LONGEST_REASON]


def _length(length: timedelta | float) -> str:
    """A length of time in ISO 8601. A number is seconds."""
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    return f"PT{seconds:f}S"


def spend(
    module: str,
    user: str | None,
    usage: Usage | None,
    key: str | None,
    metadata: Mapping[str, Any] | None,
    byok: bool,
    tags: Mapping[str, str] | None,
) -> Call[Spend]:
    return _keyed(
        "consume_tokens",
        Spend,
        key,
        module_id=module,
        user_id=user,
        usage=usage,
        metadata=metadata,
        byok=byok or None,
        tags=tags,
    )


def quote(module: str, user: str | None, usage: Usage | None) -> Call[Quote]:
    return _call("quote_tokens", Quote, module_id=module, user_id=user, usage=usage)


def open_account(user: str | None) -> Call[Account]:
    return _call("open_account", Account, user_id=user)


def grant(
    user: str,
    tokens: Number,
    reason: str,
    package: str | None,
    expires_at: datetime | None,
    priority: int | None,
    scope: str | None,
    key: str | None,
    metadata: Mapping[str, Any] | None,
) -> Call[Grant]:
    if expires_at is not None and expires_at.utcoffset() is None:
        raise ValueError("expires_at needs a time zone")
    return _keyed(
        "add_tokens",
        Grant,
        key,
        user_id=user,
        tokens=tokens,
        reason=reason,
        package_name=package,
        expires_at=expires_at.isoformat() if expires_at else None,
        priority=priority,
        scope=scope,
        metadata=metadata,
    )


def refund(entry_id: str, tokens: Number | None, reason: str | None, key: str | None) -> Call[Refund]:
    return _keyed("refund_usage", Refund, key, entry_id=entry_id, tokens=tokens, reason=_reason(reason))


def hold(
    module: str,
    user: str | None,
    usage: Usage | None,
    ttl: timedelta | float,
    key: str | None,
    metadata: Mapping[str, Any] | None,
    tags: Mapping[str, str] | None,
) -> Call[Held]:
    return _keyed(
        "hold_tokens",
        Held,
        key,
        module_id=module,
        user_id=user,
        usage=usage,
        ttl=_length(ttl),
        metadata=metadata,
        tags=tags,
    )


def capture(
    hold_id: str, usage: Usage | None, final: bool, over: str, key: str | None, user: str | None
) -> Call[Capture]:
    return _keyed(
        "capture_hold",
        Capture,
        key,
        hold_id=hold_id,
        usage=usage,
        final=final,
        over=over,
        user_id=user,
    )


def release(hold_id: str, reason: str | None, key: str | None, user: str | None) -> Call[Release]:
    return _keyed("release_hold", Release, key, hold_id=hold_id, reason=_reason(reason), user_id=user)


def extend(hold_id: str, ttl: timedelta | float, user: str | None) -> Call[Held]:
    """It has no key: said twice, it is the same."""
    return _call("extend_hold", Held, hold_id=hold_id, ttl=_length(ttl), user_id=user)
