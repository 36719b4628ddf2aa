"""The page that connects Stripe names every event that the bank applies, and what else the code uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stripe_simulator.pages.pay_page import OFFERED

pytestmark = pytest.mark.one_version

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/stripe.md").read_text()
# Each says the same as another one that is ticked.
TWINS = {"charge.refund.updated": "refund.updated", "invoice.payment_succeeded": "invoice.paid"}


def test_every_event_that_is_applied_is_ticked_and_no_other() -> None:
    applied = set(
        re.findall(
            r"^\((?:\n    )?'([a-z_.]+)', '", (ROOT / "sql/credits/stripe/event_types.sql").read_text(), re.M
        )
    )
    table = PAGE.partition("tick these events:")[2].partition("An event that is not ticked")[0]
    ticked = set(re.findall(r"`([a-z_.]+)`", table))
    assert len(applied) > 25
    assert ticked == applied - TWINS.keys()
    assert set(TWINS.values()) <= ticked


def test_endpoint_has_the_api_version_that_stripe_is_called_with() -> None:
    (named,) = re.findall(r"^- API version: `([^`]+)`", PAGE, re.M)
    used = {
        version
        for path in (ROOT / "api/pgcredits").rglob("*.py")
        for version in re.findall(r'^_STRIPE_VERSION = "(.*)"$', path.read_text(), re.M)
    }
    assert used == {named}


def test_every_card_of_the_tests_is_a_button_of_the_simulator() -> None:
    steps = PAGE.partition("## 4.")[2].partition("## 5.")[0]
    cards = {found.replace(" ", "") for found in re.findall(r"\b\d{4} \d{4} \d{4} \d{4}\b", steps)}
    assert len(cards) >= 5
    assert cards == set(OFFERED)
