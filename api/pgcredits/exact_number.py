"""An option of a command that is a decimal number, digit for digit."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import click

MOST = 1_000_000
DECIMALS = 12


class ExactNumber(click.ParamType[Decimal]):
    """A number from 0 to a million, with at most 12 decimals. above_zero: 0 is refused, too."""

    name = "number"

    def __init__(self, *, above_zero: bool = False) -> None:
        self._above_zero = above_zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            number = Decimal(value)
        except (InvalidOperation, TypeError, ValueError):
            self.fail(f"{value!r} is not a number", param, ctx)
        exponent = number.as_tuple().exponent
        if (
            not isinstance(exponent, int)
            or exponent < -DECIMALS
            or not 0 <= number <= MOST
            or (self._above_zero and not number)
        ):
            least = "above 0, up" if self._above_zero else "from 0"
            self.fail(
                f"{value} is not a number {least} to a million, with at most {DECIMALS} decimals", param, ctx
            )
        return number
