"""A page at Stripe where a user confirms the card for automatic top-ups, or chooses another one."""

from __future__ import annotations

import stripe
from stripe.params.checkout import SessionCreateParams

from pgcredits.work.call import Call, NotHereError


def make(client: stripe.StripeClient, call: Call) -> stripe.checkout.Session:
    here = f"{call.public_url}/checkout/"
    pages = {
        "success_url": here + "done?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": here + "cancelled",
    }
    params: SessionCreateParams = call.params | pages  # type: ignore[assignment]
    return client.v1.checkout.sessions.create(params, {"idempotency_key": call.idempotency_key})


def look_up(client: stripe.StripeClient, call: Call) -> stripe.checkout.Session:
    """An address that nobody was told is not worth looking for. Raises NotHereError."""
    raise NotHereError
