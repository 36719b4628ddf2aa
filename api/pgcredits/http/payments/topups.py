"""Agreeing to automatic top-ups in POST /checkout: the agreement first, then a page where the card is saved.

The page takes the payment of an order, or, when nothing is ordered, only saves the card. Stripe's event about
it says which card was saved. The bank turns automatic top-ups on then, and never because of a purchase alone.
"""

from __future__ import annotations

import msgspec
import stripe

from pgcredits.http.errors import log, refuse
from pgcredits.http.functions import jsonbody, rpc
from pgcredits.http.payments.checkout import Wishes, new_customer
from pgcredits.http.resources import Resources
from pgcredits.tokens import Caller

_AGREED = {
    "threshold": ("threshold",),
    "monthly_limit": ("monthly_limit", "monthlyLimit"),
    "words": ("words",),
    "pack_id": ("pack_id", "packId"),
    "amount": ("amount",),
}


class Consent(msgspec.Struct, frozen=True):
    """The part of api.auto_topup_receipt that Stripe needs."""

    consent_id: str
    account_id: str
    user_id: str
    currency: str
    stripe_customer_id: str | None


async def agree(resources: Resources, caller: Caller, body: jsonbody.JsonObject) -> Consent | None:
    """Write down what the user agrees to. None when the body has no auto_topup. Raises ApiError."""
    if body.members.get("auto_topup", "null") == "null":
        return None
    asked = jsonbody.parse(body.members["auto_topup"].encode())
    unknown = set(asked.members) - {name for names in _AGREED.values() for name in names}
    if unknown:
        raise refuse(400, "bad_request", f"auto_topup has no {min(unknown)!r}.")
    picked = asked.pick(
        {name: next((n for n in names if n in asked.members), names[0]) for name, names in _AGREED.items()}
    )
    members = dict(picked.members)
    for name in ("user_id", "userId"):  # a service names the user once, beside auto_topup
        if name in body.members:
            members.setdefault("user_id", body.members[name])
    text = await rpc.call(
        resources.schema_cache, caller, "set_auto_topup", jsonbody.build(members), path="/checkout"
    )
    return msgspec.json.decode(text, type=Consent)


async def save_card(client: stripe.StripeClient, consent: Consent, wishes: Wishes) -> stripe.checkout.Session:
    """A page that saves a card and takes no money. Raises ApiError."""
    try:
        return await _setup_session(client, consent, wishes)
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        log.warning("consent %s: Stripe cannot be reached: %s", consent.consent_id, error)
        raise refuse(
            503, "payment_unavailable", "The payment provider cannot be reached. Try again."
        ) from error
    except stripe.StripeError as error:
        log.error("consent %s: Stripe refused: %s", consent.consent_id, error)
        raise refuse(502, "payment_failed", "The payment provider refused to save a card.") from error


async def _setup_session(
    client: stripe.StripeClient, consent: Consent, wishes: Wishes
) -> stripe.checkout.Session:
    customer_id = consent.stripe_customer_id or await new_customer(client, consent, None)
    metadata = {"account_id": consent.account_id, "consent_id": consent.consent_id}
    return await client.v1.checkout.sessions.create_async(
        {
            "mode": "setup",
            "customer": customer_id,
            "currency": consent.currency,
            "client_reference_id": consent.account_id,
            "metadata": metadata,
            "setup_intent_data": {"metadata": metadata},
            "success_url": wishes.success_url,
            "cancel_url": wishes.cancel_url,
        }
    )
