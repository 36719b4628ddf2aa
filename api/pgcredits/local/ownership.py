"""Who owns the bank in a database? `up` checks that before it changes anything there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

_RECORD = "bank.json"  # in the data folder
_LIVE_EVENTS = "select exists (select from credits.stripe_events as e where e.livemode)"
_TEST_PURCHASES = (
    "select exists (select from credits.stripe_events as e where not e.livemode and e.outcome = 'granted')"
)


class OwnershipError(RuntimeError):
    """The bank belongs to another folder, or is not for this kind of start. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank before it is migrated. A database without a bank has no instance_id."""

    where: str
    exists: bool
    instance_id: str | None
    live_events: bool
    test_purchases_only: bool = False  # of Stripe's test mode or of the simulator, and no live event


def look(connection: psycopg.Connection[Any]) -> Bank:
    """The bank in the database of a connection. Changes nothing."""
    info = connection.info
    where = f"{info.host or 'a local socket'}:{info.port}, database {info.dbname}"
    exists = _first(connection, "select to_regnamespace('credits') is not null") is True
    known = _has(connection, "stripe_events", "livemode")
    live_events = known and _first(connection, _LIVE_EVENTS) is True
    test_purchases_only = known and not live_events and _first(connection, _TEST_PURCHASES) is True
    return Bank(where, exists, instance_id(connection), live_events, test_purchases_only)


def instance_id(connection: psycopg.Connection[Any]) -> str | None:
    """The id of the bank. None when the database has no bank."""
    if not _has(connection, "settings", "instance_id"):
        return None
    found = _first(connection, "select s.instance_id::text from credits.settings as s")
    return str(found) if found is not None else None


def check(
    bank: Bank, folder: Path, *, adopt: bool, embedded: bool, simulated: bool, live: bool = False
) -> None:
    """Raises OwnershipError when this start must leave the bank alone.

    `live`: Stripe's key moves real money. The embedded server keeps its data in the folder, so its bank
    belongs to the folder.
    """
    if bank.live_events and simulated:
        raise OwnershipError(
            f"the bank at {bank.where} has events of real money, and the Stripe simulator would sell its"
            " tokens for nothing: set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET"
        )
    if bank.live_events and not live:
        raise OwnershipError(
            f"the bank at {bank.where} has events of real money, and a test key would sell its tokens for"
            " nothing: set STRIPE_SECRET_KEY to a live key, or choose another database for tests"
        )
    if live and bank.test_purchases_only:
        raise OwnershipError(
            f"the bank at {bank.where} has tokens that were bought in test mode or from the simulator, and"
            " with a live key they would be worth real money: choose another data folder or database for real"
            " money"
        )
    if not bank.exists or embedded or adopt:
        return
    if bank.instance_id is None or bank.instance_id != recorded(folder):
        raise OwnershipError(
            f"the bank at {bank.where} was not set up from the data folder {folder}: name the folder that it"
            " was set up from, or take it over with --adopt"
        )


def record(connection: psycopg.Connection[Any], folder: Path) -> None:
    """Note in the folder that the bank belongs to it."""
    found = instance_id(connection)
    if found is not None and found != recorded(folder):
        fresh = folder / f"{_RECORD}.new"
        fresh.write_text(json.dumps({"instance_id": found}))
        fresh.replace(folder / _RECORD)


def recorded(folder: Path) -> str | None:
    """The id of the folder's bank, or None."""
    try:
        found = json.loads((folder / _RECORD).read_text())["instance_id"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(found)


def _has(connection: psycopg.Connection[Any], table: str, column: str) -> bool:
    found = connection.execute(
        "select exists (select from pg_attribute as a where a.attrelid = to_regclass('credits.' || %s)"
        " and a.attname = %s and not a.attisdropped)",
        (table, column),
    ).fetchone()
    return found is not None and found[0] is True


def _first(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None
