"""What a call can be refused with: an exception for each slug that a caller may want to catch.

Every exception is a BankError with `slug`, `status` and `facts`, also for a slug without a class here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any


class BankError(Exception):
    """The bank has refused the call, or has not answered it."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        slug: str | None = None,
        facts: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.slug = slug
        self.facts = dict(facts or {})
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies of it go to other processes, as those of a task queue."""
        return _made_again, (type(self), self.message, self._members())

    def _members(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "slug": self.slug,
            "facts": self.facts,
            "retry_after": self.retry_after,
        }

    def _number(self, name: str) -> Decimal | None:
        value = self.facts.get(name)
        return None if value is None else Decimal(value)


def _made_again(kind: type[BankError], message: str, members: dict[str, Any]) -> BankError:
    return kind(message, **members)


class InsufficientTokens(BankError):
    """The tokens do not pay for the use. All numbers are tokens, but `affordable` is a quantity."""

    @property
    def balance(self) -> Decimal | None:
        return self._number("balance")

    @property
    def available(self) -> Decimal | None:
        """What this module may use of the balance."""
        return self._number("available")

    @property
    def cost(self) -> Decimal | None:
        return self._number("cost")

    @property
    def missing(self) -> Decimal | None:
        return self._number("missing")

    @property
    def affordable(self) -> Decimal | None:
        """The greatest quantity that the tokens pay for."""
        return self._number("affordable")

    @property
    def debt(self) -> Decimal:
        return self._number("debt") or Decimal(0)


class NotSignedIn(BankError):
    """The API key or token is missing, wrong, expired or revoked."""


class NotAllowed(BankError):
    """The API key, token or SQL login may not do this."""


class UnknownModule(BankError):
    """The module has no price."""

    @property
    def did_you_mean(self) -> str | None:
        return self.facts.get("did_you_mean")


class UnknownUser(BankError):
    """The user has no account. `open_account` opens it."""


class UnknownHold(BankError):
    """There is no such hold, or it belongs to another account."""


class UnknownEntry(BankError):
    """There is no such entry."""


class NotRefundable(BankError):
    """The entry charged nothing, or all of its tokens were given back before."""


class KeyReused(BankError):
    """The idempotency key was used with other arguments."""


class HoldClosed(BankError):
    """The hold was captured or released, or has expired."""

    @property
    def state(self) -> str | None:
        """captured, released or expired."""
        return self.facts.get("state")


class HoldExpired(HoldClosed):
    """The time of the hold is over, and the call came too late for it."""


class AccountFrozen(BankError):
    """The account is frozen or closed."""


class LimitReached(BankError):
    """A limit of the account: of spends, of open holds, or of uses without payment."""

    @property
    def reset_at(self) -> datetime | None:
        value = self.facts.get("reset_at")
        return None if value is None else datetime.fromisoformat(value)


class InvalidCall(BankError):
    """An argument cannot be what it is. The slug says which."""


class Unavailable(BankError):
    """The bank could not be reached, or its answer was lost.

    outcome: `nothing` if the call was certainly not done, `unknown` if it may have been done. Repeat the call
    with the same key: it counts once.
    """

    @property
    def outcome(self) -> str:
        return str(self.facts.get("outcome", "unknown"))


class Busy(Unavailable):
    """Another transaction kept the account for too long. Nothing was done."""

    @property
    def outcome(self) -> str:
        return "nothing"


class TransactionFailed(BankError):
    """The transaction of `conn` has failed already, so nothing can be done in it. Roll it back first."""


class NoTransaction(BankError):
    """`conn` has no transaction that the call could be a part of."""


# The slugs of sql/README.md that calls of this client can be refused with.
SLUGS: dict[str, tuple[int, type[BankError]]] = {
    "insufficient_tokens": (402, InsufficientTokens),
    "not_signed_in": (401, NotSignedIn),
    "not_yours": (403, NotAllowed),
    "not_allowed": (403, NotAllowed),
    "unknown_module": (404, UnknownModule),
    "unknown_user": (404, UnknownUser),
    "unknown_hold": (404, UnknownHold),
    "unknown_entry": (404, UnknownEntry),
    "not_refundable": (409, NotRefundable),
    "already_refunded": (409, NotRefundable),
    "key_reused": (409, KeyReused),
    "hold_closed": (409, HoldClosed),
    "api_key_closed": (409, NotSignedIn),
    "bad_request": (400, InvalidCall),
    "too_large": (413, InvalidCall),
    "bad_amount": (422, InvalidCall),
    "bad_argument": (422, InvalidCall),
    "bad_byok": (422, InvalidCall),
    "bad_expiry": (422, InvalidCall),
    "bad_final": (422, InvalidCall),
    "bad_isolation": (422, InvalidCall),
    "bad_key": (422, InvalidCall),
    "bad_metadata": (422, InvalidCall),
    "bad_tags": (422, InvalidCall),
    "bad_over": (422, InvalidCall),
    "bad_reason": (422, InvalidCall),
    "bad_scope": (422, InvalidCall),
    "bad_text": (422, InvalidCall),
    "bad_ttl": (422, InvalidCall),
    "bad_usage": (422, InvalidCall),
    "bad_user": (422, InvalidCall),
    "account_frozen": (423, AccountFrozen),
    "spend_limit": (429, LimitReached),
    "too_many_holds": (429, LimitReached),
    "unpaid_limit": (429, LimitReached),
    "busy": (503, Busy),
    "unavailable": (503, Unavailable),
}


def refusal(
    message: str, status: int, facts: Mapping[str, Any], retry_after: float | None = None
) -> BankError:
    """The exception for a refusal. Its slug is in the facts, under `error`."""
    known = dict(facts)
    slug = known.pop("error", None)
    if slug in SLUGS:
        kind = SLUGS[slug][1]
    elif status == 401:
        kind = NotSignedIn  # a token that cannot be read has a code of PostgREST, and no slug
    elif status in (502, 503, 504):
        kind = Unavailable  # a proxy says it, or an API that is shutting down
    else:
        kind = BankError
    if kind is HoldClosed and known.get("state") == "expired":
        kind = HoldExpired
    if kind is Unavailable and slug == "unavailable":
        known.setdefault("outcome", "nothing")  # the HTTP API says so when it does not know
    return kind(message, status=status, slug=slug, facts=known, retry_after=retry_after)
