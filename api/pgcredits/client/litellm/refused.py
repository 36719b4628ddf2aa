"""What the client of the proxy learns when a request is refused: an error in OpenAI's shape."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from litellm.proxy._types import ProxyException

from pgcredits.client.asgi import body_of, headers_of
from pgcredits.client.errors import BankError, Unavailable

log = logging.getLogger("pgcredits.client")

# Slugs that a user of the proxy can do something about. Any other refusal is a fault of its set-up.
_TOLD = {
    "insufficient_tokens",
    "unknown_module",
    "unknown_user",
    "account_frozen",
    "spend_limit",
    "too_many_holds",
    "unpaid_limit",
    "busy",
    "unavailable",
}  # a proxy before the bank may answer without a slug: that is `unavailable`, too


class Refused(Exception):
    """The request cannot be charged, so it must not begin."""

    def __init__(self, slug: str, message: str, status: int = 400, **facts: Any) -> None:
        super().__init__(message)
        self.slug = slug
        self.message = message
        self.status = status
        self.facts = facts


def answer(error: Refused | BankError) -> ProxyException:
    """The exception that LiteLLM answers with: `type` is the slug, `provider_specific_fields` the facts."""
    if isinstance(error, Refused):
        return _exception(error.message, error.slug, error.status, error.facts)
    slug = "unavailable" if isinstance(error, Unavailable) and error.slug is None else error.slug
    if slug not in _TOLD:
        log.error("the bank refused a hold of the proxy: %s (%s)", error.message, error.slug)
        text = "the proxy is not set up to charge this request"
        return _exception(text, "charging_failed", 500, {})
    facts = body_of(error)
    del facts["error"], facts["message"]
    return _exception(error.message, slug, error.status, facts, headers_of(error))


def _exception(
    message: str, slug: str, status: int, facts: Mapping[str, Any], headers: dict[str, str] | None = None
) -> ProxyException:
    return ProxyException(
        message=message,
        type=slug,
        param=None,
        code=status,
        headers=headers,
        provider_specific_fields={"error": slug, **facts},
    )
