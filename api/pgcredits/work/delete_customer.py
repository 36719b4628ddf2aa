"""Deleting the customer of a user who was forgotten."""

from __future__ import annotations

import stripe

from pgcredits.work.call import Call, NotHereError


def make(client: stripe.StripeClient, call: Call) -> stripe.Customer:
    """Delete the customer, or find that it is gone: a second try does nothing. Raises NotHereError."""
    try:
        return client.v1.customers.delete(call.params["customer"])
    except stripe.InvalidRequestError as error:
        if error.http_status == 404:
            raise NotHereError from error
        raise


look_up = make
