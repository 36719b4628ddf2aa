"""A usage in the dimensions that the price of a module has.

A price names its dimensions, and the bank refuses a usage with others (`bad_usage`, which lists them). It
takes parts of a dimension, such as cached input, also where they have no price of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pgcredits.client.errors import InvalidCall
from pgcredits.client.litellm.usage import MEASURED

_PART_OF = {
    "cached_input_tokens": "input_tokens",
    "cache_write_tokens": "input_tokens",
    "reasoning_tokens": "output_tokens",
}


class UnfitPrice(Exception):
    """The price of the module counts what this callback cannot measure, or nothing of what it measures."""

    def __init__(self, module: str, dimensions: Collection[str]) -> None:
        super().__init__(f"the price of {module} counts {', '.join(sorted(dimensions))}")
        self.dimensions = sorted(dimensions)


def fitted(usage: Mapping[str, int], dimensions: Collection[str] | None) -> dict[str, int]:
    """The usage as the price takes it. None: its dimensions are not known yet, so say what was used."""
    whole = {name: n for name, n in usage.items() if name not in _PART_OF}
    parts = {name: n for name, n in usage.items() if n and name in _PART_OF}
    if dimensions is None:
        return {name: n for name, n in whole.items() if n or name != "images"} | parts
    fit = {name: whole.get(name, 0) for name in sorted(dimensions) if name not in _PART_OF}
    if "calls" in fit:
        fit["calls"] = 1
    return fit | {name: n for name, n in parts.items() if name in dimensions or _PART_OF[name] in fit}


def dimensions_of(error: InvalidCall) -> frozenset[str] | None:
    """The dimensions of the price, from the bank's refusal. None if it was refused for something else."""
    named = error.facts.get("dimensions")
    if error.slug != "bad_usage" or not isinstance(named, list):
        return None
    return frozenset(str(name) for name in named)


def check(module: str, dimensions: Collection[str], counted: Collection[str]) -> None:
    """Raises UnfitPrice. The price must count something that such a call uses, and no other thing."""
    names = set(dimensions)
    if not names <= {*MEASURED, "calls"} or not names & {*counted, "calls"}:
        raise UnfitPrice(module, dimensions)
