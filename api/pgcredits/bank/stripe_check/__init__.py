"""`pgcredits stripe check`: what is wrong with the set-up at Stripe, and what to do about it.

It only reads, at Stripe and in the bank. Nothing is stored, and nothing is sold.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgcredits.bank.stripe_check import bank_side, endpoint, keys, prices, reach
from pgcredits.bank.stripe_check.bank_side import BooksError
from pgcredits.bank.stripe_check.given import Given
from pgcredits.bank.stripe_check.line import Line, wrong
from pgcredits.bank.stripe_check.reading import (
    RETRIES,
    SECONDS,
    ForbiddenError,
    UnknownKeyError,
    UnreadableError,
    items,
)
from pgcredits.bank.stripe_pull import stripe_reader

__all__ = ["BooksError", "Given", "Line", "run"]


def run(url: str, given: Given) -> Iterator[Line]:
    """The lines of the check, in the order in which somebody would mend them.

    `url` is of a login that reads the books, such as pgcredits_auditor. Raises psycopg.Error.
    """
    bank = bank_side.read(url)
    texts = list(keys.check_texts(given))
    yield from texts
    if given.secret_key is not None:
        yield bank_side.check_mode(bank, given.live)
    bad = {line.about for line in texts if line.state == "wrong"}
    if given.secret_key is not None and not bad & {"STRIPE_SECRET_KEY", "STRIPE_READ_KEY", "STRIPE_API_BASE"}:
        yield from _at_stripe(given, given.secret_key, bank)
    yield from reach.check(given)


def _at_stripe(given: Given, secret_key: str, bank: bank_side.Bank) -> Iterator[Line]:
    try:
        with stripe_reader(secret_key, given.api_base, SECONDS, RETRIES) as client:
            yield keys.check_rights("STRIPE_SECRET_KEY", client, keys.SECRET_KEY_RIGHTS)
            yield from keys.check_account(client, given.live)
        with stripe_reader(given.read_key or secret_key, given.api_base, SECONDS, RETRIES) as client:
            if given.read_key is not None:
                yield keys.check_rights("STRIPE_READ_KEY", client, keys.READ_KEY_RIGHTS)
            try:
                found = items(client, "/v1/webhook_endpoints")
            except ForbiddenError:
                yield wrong(
                    "webhook endpoint",
                    "the key may not read them",
                    "give it the right to read Webhook Endpoints",
                )
            else:
                yield from endpoint.check(found, given, bank.event_types)
            try:
                events = items(client, "/v1/events", delivery_success="false")
            except ForbiddenError:
                yield wrong("deliveries", "the key may not read events", "give it the right to read Events")
            else:
                yield endpoint.check_deliveries(events, bank.event_types)
            yield from prices.check(client, bank.sold, given.mode)
            if bank.plans:
                try:
                    default = items(
                        client,
                        "/v1/billing_portal/configurations",
                        is_default="true",
                        active="true",
                        expand=[f"data.{prices.PRODUCTS}"],
                    )
                except ForbiddenError:
                    yield wrong(
                        "customer portal",
                        "the key may not read it",
                        "give it the right to read Customer portal",
                    )
                else:
                    yield from prices.check_portal(default, bank.plans)
    except UnknownKeyError:
        return  # the line about its rights says so
    except UnreadableError as error:
        yield wrong(
            "Stripe", str(error), "look at the network, and at https://status.stripe.com; then ask again"
        )
