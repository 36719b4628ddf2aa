"""The page that connects Stripe names every event that the bank applies."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_version

ROOT = Path(__file__).parents[2]
# Each says the same as another one that is ticked.
TWINS = {"charge.refund.updated": "refund.updated", "invoice.payment_succeeded": "invoice.paid"}


def test_every_event_that_is_applied_is_ticked_and_no_other() -> None:
    applied = set(
        re.findall(
            r"^\((?:\n    )?'([a-z_.]+)', '", (ROOT / "sql/credits/stripe/event_types.sql").read_text(), re.M
        )
    )
    page = (ROOT / "docs/stripe.md").read_text()
    table = page.partition("tick these events:")[2].partition("An event that is not ticked")[0]
    ticked = set(re.findall(r"`([a-z_.]+)`", table))
    assert len(applied) > 25
    assert ticked == applied - TWINS.keys()
    assert set(TWINS.values()) <= ticked
