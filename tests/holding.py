"""Holding tokens, and a bank whose clock the test sets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from callers import Caller, Row, findings, stop_clock

WHISPER, METUBE = 25, 10  # tokens for a call


def hold(caller: Caller, calls: int = 1, **arguments: Any) -> Row:
    """25 tokens a call."""
    return caller.call("hold_tokens", module_id="whisper", usage={"calls": calls}, **arguments)


def standing(caller: Caller) -> tuple[Decimal, Decimal, Decimal]:
    """A user's balance, held and available tokens."""
    row = caller.row("select balance, held, available from api.balance")
    return row["balance"], row["held"], row["available"]


class Bank(Caller):
    """The superuser of a database of its own, with a clock that it sets."""

    def at(self, moment: str) -> None:
        stop_clock(self.connection, moment)

    def standing(self) -> tuple[Decimal, Decimal, Decimal]:
        row = self.row("select balance, held, available from api.balance where user_id = 'clock'")
        return row["balance"], row["held"], row["available"]

    def sound(self) -> None:
        found = findings(self)
        assert found == [], found


def clock_hold(bank: Bank, calls: int = 1, **arguments: Any) -> Row:
    return hold(bank, calls, user_id="clock", **arguments)
