"""A hold around a piece of work, sync."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from pgcredits.client import calls
from pgcredits.client.calls import Call, Usage
from pgcredits.client.errors import BankError
from pgcredits.client.extender import Extender, Schedule, failed
from pgcredits.client.meter import Meter, unended
from pgcredits.client.receipts import Capture, Held, Release

log = logging.getLogger("pgcredits.client")


class Hold(Meter):
    """`with bank.hold(...) as hold:` captures when the block succeeds, and releases when it raises."""

    def __init__(
        self,
        run: Callable[[Call[Any]], Any],
        call: Call[Held],
        ttl: timedelta | float,
        longest: timedelta,
        extender: Extender | None,
        over: str,
        user: str | None,
    ) -> None:
        super().__init__(over, user)
        self._run = run
        self._call = call
        self._ttl = ttl
        self._longest = longest
        self._extender = extender
        self._number: int | None = None
        self.captured: Capture | None = None  # the last charge

    def __enter__(self) -> Self:
        try:
            held = self._run(self._call)
        except Exception:
            raise
        except BaseException:
            self._abandon()
            raise
        self._begin(held)
        self._watch(held)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unwatch()
        call = self._end(error)
        if call is None:
            return
        try:
            receipt = self._surely(call)
        except Exception as failure:
            if error is None:
                raise
            unended(self.hold_id, failure)
            return
        if isinstance(receipt, Capture):
            self.captured = receipt

    def capture(self, usage: Usage, key: str | None = None) -> Capture:
        """Charge a part now and keep the rest held. Raises BankError.

        A `key` of your own makes a repeat of the part harmless, also in another process.
        """
        receipt: Capture = self._run(self._part(usage, key))
        self._captured()
        self.captured = receipt
        return receipt

    def release(self, reason: str | None = None) -> Release:
        """Release the hold now. The parts that were captured stay charged. Raises BankError."""
        receipt: Release = self._run(self._release(reason))
        self._ended = True
        self._unwatch()
        return receipt

    def extend(self, ttl: timedelta | float | None = None) -> Held:
        """Let the hold last for `ttl` from now. Raises BankError."""
        held: Held = self._run(calls.extend(self.hold_id, self._ttl if ttl is None else ttl, self._user))
        return held

    def _surely(self, call: Call[Any]) -> Any:
        """If the program is interrupted meanwhile, send the call once more. Its key makes that harmless."""
        try:
            return self._run(call)
        except Exception:
            raise
        except BaseException:
            self._run(call)
            raise

    def _abandon(self) -> None:
        """The program was interrupted, perhaps after the hold was made: its key says which it is."""
        try:
            self._begin(self._run(self._call))
            self._run(self._release("cancelled"))
        except Exception as failure:
            log.warning("a hold may be left behind: %s; it expires by itself", failure)

    def _watch(self, held: Held) -> None:
        if self._extender is None:
            return
        schedule = Schedule(self._ttl, self._longest, held.expires_at)

        def again() -> float | None:
            if self.ended:
                return None
            try:
                return schedule.wait if schedule.extended(self.extend()) else None
            except BankError as error:
                if not self.ended:
                    failed(self.hold_id, error)
                return None

        if schedule.goes_on():
            self._number = self._extender.add(schedule.wait, again)

    def _unwatch(self) -> None:
        if self._extender is not None and self._number is not None:
            self._extender.remove(self._number)
            self._number = None
