"""Refunding a part of a payment."""

from __future__ import annotations

import stripe

from pgcredits.work.call import Call, NotHereError


def make(client: stripe.StripeClient, call: Call) -> stripe.Refund:
    params: stripe.params.RefundCreateParams = call.params  # type: ignore[assignment]
    return client.v1.refunds.create(params, {"idempotency_key": call.idempotency_key})


def look_up(client: stripe.StripeClient, call: Call) -> stripe.Refund:
    """The refund that an earlier try made. Raises NotHereError."""
    found = client.v1.refunds.list({"payment_intent": call.params["payment_intent"], "limit": 100})
    wanted = call.params["metadata"]["request_id"]
    for refund in found.auto_paging_iter():
        if refund.metadata is not None and refund.metadata.to_dict().get("request_id") == wanted:
            return refund
    raise NotHereError
