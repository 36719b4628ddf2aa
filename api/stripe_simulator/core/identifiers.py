"""Identifiers in Stripe's form: a prefix and a random base-62 tail."""

import secrets
import string

_ALPHABET = string.digits + string.ascii_letters


def new_id(prefix: str, length: int = 24) -> str:
    """Return ``prefix_`` and ``length`` random characters; nobody can guess one from another."""
    return prefix + "_" + "".join(secrets.choice(_ALPHABET) for _ in range(length))
