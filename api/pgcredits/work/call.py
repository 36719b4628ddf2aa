"""A call to Stripe as the bank describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """What api.claim_stripe_calls says of a call, and where Stripe sends people back to."""

    account_id: str
    call_id: str
    kind: str
    params: dict[str, Any]
    idempotency_key: str
    lease: str
    tries: int
    must_look_up: bool
    first_tried_at: int  # seconds since 1970
    public_url: str


class NotHereError(Exception):
    """Stripe does not have what an earlier try may have made."""
