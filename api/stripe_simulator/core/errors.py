"""Refusals, with Stripe's status, type, code and parameter."""

from typing import Any

from stripe_simulator.core.store import Json


class StripeError(Exception):
    """A refusal: an HTTP status and Stripe's JSON error object. Nothing of the request stays."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"error": {"message": message, "type": type}}
        if code:
            self.body["error"]["code"] = code
            self.body["error"]["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param:
            self.body["error"]["param"] = param


class PaymentRefused(StripeError):
    """The card was declined or needs its owner. What the attempt has changed stays, as with Stripe, unless
    ``keep`` is false."""

    def __init__(self, error: Json, *, keep: bool = True, **objects: Json) -> None:
        super().__init__(error["message"], status=402, type=error["type"])
        self.keep = keep
        self.body["error"] |= {name: value for name, value in error.items() if value is not None} | objects


def missing_object(kind: str, id: str, param: str, status: int = 400) -> StripeError:
    """Stripe's ``resource_missing``: 404 for an id in the path, 400 for one in the parameters."""
    return StripeError(f"No such {kind}: '{id}'", status=status, code="resource_missing", param=param)
