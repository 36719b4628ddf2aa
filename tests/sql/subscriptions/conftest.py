"""A bank with plans and test clocks, and a subscriber."""

from __future__ import annotations

from typing import Any

import pytest
from callers import Caller
from subscribing import PLANS, Subscriber


@pytest.fixture
def bank(own_town: Any) -> Caller:
    """The superuser of the bank of this module. After its tests the books must close."""
    bank: Caller = own_town.bank
    bank.rows("select credits.allow_test_clocks(true)")
    for plan in PLANS:
        bank.rows(plan)
    return bank


@pytest.fixture
def ada(bank: Caller) -> Subscriber:
    return Subscriber(bank, "ada")
