"""Pages of Stripe's lists, as `pgcredits stripe pull` hands them to the bank."""

from __future__ import annotations

from typing import Any

from callers import Caller, Row
from psycopg.types.json import Jsonb


def reading(bank: Caller, name: str, since: str | None = None) -> Row:
    return bank.call("read_stripe_list", list=name, since=since)


def page(
    bank: Caller, name: str, *objects: Row, more: bool = False, after: str | None = None, **extra: Any
) -> Row:
    items = Jsonb([{"object": one} | extra for one in objects])
    return bank.call("note_stripe_page", list=name, items=items, has_more=more, after=after)


def read(bank: Caller, name: str, *objects: Row) -> Row:
    """The whole list."""
    reading(bank, name)
    return page(bank, name, *objects)
