"""Charging the saved card for an automatic top-up: a payment intent that is confirmed at once."""

from __future__ import annotations

import stripe

from pgcredits.work.call import Call, NotHereError


def make(client: stripe.StripeClient, call: Call) -> stripe.PaymentIntent:
    params: stripe.params.PaymentIntentCreateParams = call.params  # type: ignore[assignment]
    return client.v1.payment_intents.create(params, {"idempotency_key": call.idempotency_key})


def look_up(client: stripe.StripeClient, call: Call) -> stripe.PaymentIntent:
    """The payment intent that an earlier try made. Raises NotHereError."""
    found = client.v1.payment_intents.list(
        {
            "customer": call.params["customer"],
            "created": {"gte": call.first_tried_at - 60},
            "limit": 100,
        }
    )
    wanted = call.params["metadata"]["attempt_id"]
    for intent in found.auto_paging_iter():
        if intent.metadata is not None and intent.metadata.to_dict().get("attempt_id") == wanted:
            return intent
    raise NotHereError
