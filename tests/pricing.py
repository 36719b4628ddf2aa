"""Prices in plain Python: components to try, and what they charge."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from hypothesis import strategies as st

Component = dict[str, Any]


def numbers(most: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals("0", most, places=places)


components = st.fixed_dictionaries(
    {
        "unit_size": st.sampled_from([Decimal(10) ** power for power in range(-3, 10)]),
        "price_per_unit": numbers("9999", 6),
        "free_quantity": st.one_of(st.just(Decimal(0)), numbers("5000", 3)),
        "whole_units": st.booleans(),
        "minimum_charge": st.one_of(st.just(Decimal(0)), numbers("20", 4)),
    },
    optional={
        "tiers": st.lists(
            st.fixed_dictionaries(
                {
                    "above": st.one_of(st.integers(1, 3000).map(Decimal), numbers("100000", 3)),
                    "price_per_unit": st.one_of(st.just(Decimal(0)), numbers("9999", 6)),
                }
            ),
            min_size=1,
            max_size=4,
            unique_by=lambda tier: tier["above"],
        )
        .map(lambda tiers: sorted((t for t in tiers if t["above"] > 0), key=lambda tier: tier["above"]))
        .filter(bool)
    },
)
quantities = st.one_of(st.integers(0, 10_000).map(Decimal), numbers("100000", 3), numbers("1000000000000", 6))


def charge(component: Component, quantity: Decimal) -> Fraction:
    """The reference: a component's charge before margin and exchange rate."""
    billed = Fraction(quantity) - Fraction(component["free_quantity"])
    if billed <= 0:
        return Fraction(0)
    units = billed / Fraction(component["unit_size"])
    if component["whole_units"]:
        units = Fraction(ceil(units))
    # From the last tier down: what lies above its start, at its price.
    tiered = Fraction(0)
    for tier in reversed(component.get("tiers", [])):
        beyond = max(units - Fraction(tier["above"]), Fraction(0))
        tiered += beyond * Fraction(tier["price_per_unit"])
        units -= beyond
    return max(tiered + units * Fraction(component["price_per_unit"]), Fraction(component["minimum_charge"]))
