"""The keys and secrets: set, well formed, of one mode, known to Stripe, with the rights that they need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import stripe

from pgcredits.bank.stripe_check.given import Given
from pgcredits.bank.stripe_check.line import Line, ok, wrong
from pgcredits.bank.stripe_check.reading import ForbiddenError, UnknownKeyError, get
from pgcredits.settings import SettingsError, check_stripe, is_live

# Rows of Stripe's form for restricted keys, as docs/stripe.md names them, and a list that each lets read.
# PaymentMethods is not here: Stripe lists them for a customer only.
SECRET_KEY_RIGHTS = {
    "Charges and Refunds": "/v1/charges",
    "Checkout Sessions": "/v1/checkout/sessions",
    "Customers": "/v1/customers",
    "Customer portal": "/v1/billing_portal/configurations",
    "PaymentIntents": "/v1/payment_intents",
    "Subscriptions": "/v1/subscriptions",
    "Invoices": "/v1/invoices",
    "Prices": "/v1/prices",
}
READ_KEY_RIGHTS = {
    "Balance": "/v1/balance_transactions",
    "Charges and Refunds": "/v1/charges",
    "Checkout Sessions": "/v1/checkout/sessions",
    "Customer portal": "/v1/billing_portal/configurations",
    "Disputes": "/v1/disputes",
    "Events": "/v1/events",
    "Invoices": "/v1/invoices",
    "PaymentIntents": "/v1/payment_intents",
    "Payouts": "/v1/payouts",
    "Prices": "/v1/prices",
    "Webhook Endpoints": "/v1/webhook_endpoints",
}
_DASHBOARD = "Developers → API keys in Stripe's dashboard"


def check_texts(given: Given) -> Iterator[Line]:
    """What can be said without asking Stripe."""
    yield _text_of_key("STRIPE_SECRET_KEY", given.secret_key, f"make one under {_DASHBOARD}: docs/stripe.md")
    if given.read_key is None:
        yield ok("STRIPE_READ_KEY", "is not set: the secret key reads")
    else:
        yield _text_of_key("STRIPE_READ_KEY", given.read_key, "")
        if given.secret_key and is_live(given.read_key) != given.live:
            yield wrong(
                "STRIPE_READ_KEY",
                f"the secret key is of {given.mode} mode, and this one is not",
                f"make it in {given.mode} mode, too",
            )
    if given.api_base is not None:
        yield (
            wrong("STRIPE_API_BASE", "is set beside a live key", "unset it: it is for the simulator")
            if given.live
            else ok("STRIPE_API_BASE", f"Stripe is simulated at {given.api_base}")
        )
    yield _webhook_secrets(given)


def _text_of_key(name: str, key: str | None, remedy: str) -> Line:
    if key is None:
        return wrong(name, "is not set: nothing can be bought", remedy)
    try:
        check_stripe(key, (), name)
    except SettingsError as error:
        return wrong(name, str(error).removeprefix(f"{name} "), f"copy it from {_DASHBOARD}")
    return ok(name, f"is set, of {'live' if is_live(key) else 'test'} mode")


def _webhook_secrets(given: Given) -> Line:
    name = "STRIPE_WEBHOOK_SECRET"
    remedy = "copy the signing secret of the endpoint, whsec_…, from Developers → Webhooks"
    if not given.webhook_secrets:
        return wrong(name, "is not set: no payment could be verified", remedy)
    try:
        check_stripe(given.secret_key if given.live else None, given.webhook_secrets)
    except SettingsError as error:
        return wrong(name, str(error).removeprefix(f"{name} "), remedy)
    number = len(given.webhook_secrets)
    return ok(name, "is set" if number == 1 else f"has {number} secrets, while one replaces another")


def check_rights(name: str, client: stripe.StripeClient, rights: Mapping[str, str]) -> Line:
    """Reads one object of each list. Raises UnreadableError."""
    missing = []
    for right, path in rights.items():
        try:
            get(client, path, limit=1)
        except ForbiddenError:
            missing.append(right)
        except UnknownKeyError:
            return wrong(name, "Stripe does not know this key", f"make another one under {_DASHBOARD}")
    if missing:
        return wrong(
            name, f"may not read {', '.join(missing)}", f"edit its rights under {_DASHBOARD}: docs/stripe.md"
        )
    return ok(name, "Stripe knows it, and it may read what it needs")


def check_account(client: stripe.StripeClient, live: bool) -> Iterator[Line]:
    """May the account take money? A restricted key need not tell. Raises UnreadableError."""
    try:
        account = get(client, "/v1/account") or {}
    except (ForbiddenError, UnknownKeyError):
        return
    if account.get("charges_enabled") is True or not live:
        yield ok("account", str(account.get("id")))
    else:
        yield wrong(
            "account",
            f"Stripe does not let {account.get('id')} charge yet",
            "answer what Stripe asks under Settings → Business in the dashboard",
        )
