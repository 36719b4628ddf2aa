"""What the work of a hold has used, and how the hold therefore ends."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

from pgcredits.client import calls
from pgcredits.client.calls import Call, Usage
from pgcredits.client.errors import HoldClosed, HoldExpired, TransactionFailed
from pgcredits.client.receipts import Held

log = logging.getLogger("pgcredits.client")


class Meter:
    """One hold, from its beginning to its end. `Hold` and `AsyncHold` make the calls."""

    def __init__(self, over: str, user: str | None) -> None:
        self._over = over
        self._user = user
        self._held: Held | None = None
        self._used: Usage | None = None
        self._delivered: dict[str, Decimal] = {}
        self._parts = 0
        self._kept = False
        self._ended = False

    @property
    def receipt(self) -> Held:
        """The hold as it began. Raises RuntimeError before that."""
        if self._held is None:
            raise RuntimeError("the hold has not begun: use it in a with statement")
        return self._held

    @property
    def hold_id(self) -> str:
        return self.receipt.hold_id

    @property
    def ended(self) -> bool:
        """Whether the hold was captured or released, or is left open for a later call."""
        return self._ended or self._kept

    def used(self, usage: Usage) -> None:
        """Say what the work has used, beside what was delivered. It is charged if the work succeeds.

        The last word counts. If the work says nothing, all that is held is charged.
        """
        self._used = dict(usage)

    def delivered(self, usage: Usage) -> None:
        """Add what the user has received of a stream. It is charged, even if the rest of the work fails."""
        for dimension, quantity in usage.items():
            before = self._delivered.get(dimension, Decimal(0))
            self._delivered[dimension] = before + _exact(quantity)

    def keep_open(self) -> None:
        """Leave the hold open at the end, because the provider says later what was used.

        Charge it then with `capture` of the bank: in time, or at most 24 hours late.
        """
        self._kept = True

    def _begin(self, held: Held) -> None:
        """Raises HoldClosed for a key whose hold is over: the work must not begin."""
        if held.state != "open":
            kind = HoldExpired if held.state == "expired" else HoldClosed
            text = f"the hold of this key is over: it is {held.state}"
            raise kind(text, status=409, slug="hold_closed", facts={"state": held.state})
        self._held = held

    def _part(self, usage: Usage, key: str | None) -> Call[Any]:
        return calls.capture(self.hold_id, usage, False, self._over, key, self._user)

    def _captured(self) -> None:
        self._parts += 1

    def _release(self, reason: str | None) -> Call[Any]:
        return calls.release(self.hold_id, reason, None, self._user)

    def _end(self, error: BaseException | None, *, hung_up: bool = False) -> Call[Any] | None:
        """The call that ends the hold. None if nothing is to do.

        hung_up: the client left in the middle of a stream, so the work has not failed.
        """
        if self.ended:
            return None
        self._ended = True
        if error is not None and not hung_up:
            usage = self._sum(None)
            return self._final(usage) if usage else self._release(reason_of(error))
        usage = self._sum(self._used)
        if usage is None and self._parts:
            return self._release(None)  # the parts have charged all that was used
        return self._final(usage)

    def _final(self, usage: Usage | None) -> Call[Any]:
        return calls.capture(self.hold_id, usage, True, self._over, None, self._user)

    def _sum(self, used: Usage | None) -> Usage | None:
        """What was used and what was delivered, together. None if neither is known."""
        if used is None:
            return dict(self._delivered) or None
        if not self._delivered:
            return used
        names = used.keys() | self._delivered.keys()
        return {
            name: _exact(used.get(name, 0)) + self._delivered.get(name, Decimal(0)) for name in sorted(names)
        }


def reason_of(error: BaseException) -> str:
    """The reason of a release. The figures count what begins with failed; a cancelled job has not failed."""
    name = type(error).__name__
    return f"failed: {name}" if isinstance(error, Exception) else f"cancelled: {name}"


def _exact(quantity: calls.Number) -> Decimal:
    """0.1 is 0.1, and not the nearest binary fraction."""
    return Decimal(repr(quantity)) if isinstance(quantity, float) else Decimal(quantity)


def unended(hold_id: str, failure: Exception) -> None:
    """The work has failed, and so has the release. The caller learns of the work."""
    if not isinstance(failure, TransactionFailed):  # rolling back undoes the hold, too
        log.warning("hold %s was not ended: %s; it expires by itself", hold_id, failure)
