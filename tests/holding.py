"""Holding tokens, and a bank whose clock the test sets."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from callers import Caller, Connection, Row, findings, stop_clock

WHISPER, METUBE = 25, 10  # tokens for a call


def hold(caller: Caller, calls: int = 1, **arguments: Any) -> Row:
    """25 tokens a call."""
    return caller.call("hold_tokens", module_id="whisper", usage={"calls": calls}, **arguments)


def standing(caller: Caller) -> tuple[Decimal, Decimal, Decimal]:
    """A user's balance, held and available tokens."""
    row = caller.row("select balance, held, available from api.balance")
    return row["balance"], row["held"], row["available"]


class UserWithin(Caller):
    """A user whose calls the superuser makes by the HTTP API's login, in the superuser's own transaction."""

    def __init__(self, connection: Connection, user_id: str) -> None:
        super().__init__(connection, "authenticated", user_id)

    def rows(self, query: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        with self.connection.transaction():
            self.connection.execute("set local session authorization pgcredits_api")
            rows = super().rows(query, params)
            self.connection.execute("reset session authorization")
            return rows


class Bank(Caller):
    """The superuser of a database of its own, with a clock that it sets."""

    def user(self, user_id: str = "clock") -> UserWithin:
        """That user. Only within this transaction: it does not last where the superuser commits."""
        return UserWithin(self.connection, user_id)

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
