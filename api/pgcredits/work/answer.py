"""What Stripe answered, as the bank reads it: facts only. The bank says what they mean."""

from __future__ import annotations

from typing import Any, TypeAlias

import stripe

Answer: TypeAlias = dict[str, Any]


def error_answer(error: stripe.StripeError) -> Answer:
    """An error of Stripe. A connection that failed has no http_status."""
    headers = {name.lower(): value for name, value in dict(error.headers or {}).items()}
    body = error.json_body if isinstance(error.json_body, dict) else {}
    facts = body.get("error")
    said: dict[str, Any] = facts if isinstance(facts, dict) else {}
    answer: Answer = {
        "http_status": error.http_status,
        "type": said.get("type"),
        "code": said.get("code"),
        "decline_code": said.get("decline_code"),
        "message": str(said.get("message") or error)[:500],
        "payment_intent": said.get("payment_intent"),
        "retry_after": _seconds(headers.get("retry-after")),
        "replayed": headers.get("idempotent-replayed") == "true",
    }
    return {name: value for name, value in answer.items() if value is not None}


def unreachable(error: Exception) -> Answer:
    """Nobody answered."""
    return {"message": f"{type(error).__name__}: {error}"[:500]}


def _seconds(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
