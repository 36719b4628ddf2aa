"""Idempotency-Key: the same key gives the same response, and refuses other parameters.

Stripe answers 409 while the first request with the key is still running. Here each request is one
transaction, and no two run at once, so a repeat always finds the stored response."""

import hashlib
import json

from stripe_simulator.core.errors import StripeError
from stripe_simulator.core.store import Store
from stripe_simulator.protocol.forms import Form

_KEPT = 24 * 3600
_LONGEST_KEY = 255


def fingerprint(form: Form) -> str:
    """The parameters, whatever their order."""
    return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()


def recall(store: Store, key: str, path: str, form: Form) -> tuple[str, bytes, int] | None:
    """The first request's id, stored response and status; None for a new key. Raises ``idempotency_error``
    when the key was used for something else."""
    if len(key) > _LONGEST_KEY:
        raise _misused(f"Keys for idempotent requests can only be up to {_LONGEST_KEY} characters long.")
    row = store.db.execute(
        "select path, fingerprint, request_id, response, status from idempotency_keys"
        " where key = ? and created > ?",
        (key, store.now() - _KEPT),
    ).fetchone()
    if row is None:
        return None
    advice = f"Try using a key other than '{key}' if you meant to execute a different request."
    if row[0] != path:
        only = f"the same endpoint they were first used for ('{path}' vs '{row[0]}')"
        raise _misused(f"Keys for idempotent requests can only be used for {only}. {advice}")
    if row[1] != fingerprint(form):
        only = "the same parameters they were first used with"
        raise _misused(f"Keys for idempotent requests can only be used with {only}. {advice}")
    return row[2], row[3], row[4]


def remember(
    store: Store, key: str, path: str, form: Form, request_id: str, response: bytes, status: int
) -> None:
    """Store an answer: a success, or the refusal of a request whose parameters were in order. As with Stripe,
    one with parameters that are not was never begun, and does not use up its key."""
    store.db.execute(
        "insert or replace into idempotency_keys"
        " (key, path, fingerprint, request_id, response, created, status) values (?, ?, ?, ?, ?, ?, ?)",
        (key, path, fingerprint(form), request_id, response, store.now(), status),
    )


def forget_old(store: Store) -> None:
    """Drop keys older than a day, as Stripe does."""
    store.db.execute("delete from idempotency_keys where created <= ?", (store.now() - _KEPT,))


def _misused(message: str) -> StripeError:
    return StripeError(message, type="idempotency_error")
