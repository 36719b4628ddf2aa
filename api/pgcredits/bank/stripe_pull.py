"""`pgcredits stripe pull`: copy Stripe's lists into the bank, and let it apply what it missed.

This only carries. The database says which page to read, keeps its place, and decides what the objects mean.
Reading needs a key that may read, and nothing else.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg
import stripe

from pgcredits.bank import admin
from pgcredits.storable import storable

LISTS = (
    "events",
    "sessions",
    "payment_intents",
    "invoices",
    "charges",
    "refunds",
    "disputes",
    "payouts",
    "balance_transactions",  # after the objects whose money they are: the audit compares them
)
_STRIPE_VERSION = "2026-10-28.endive"
_SECONDS = 30.0
_RETRIES = 5
_PAGE = 100  # the most that Stripe gives at once
_ROUNDS = 5  # of applying what is missing: an event may bring what others wait for


class PullError(Exception):
    """Stripe cannot be read. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did. `refused`: event or object, and why the bank did not apply it."""

    objects: dict[str, int]
    applied: dict[str, int]  # how many events and objects, by what came of them
    refused: list[tuple[str, str]]
    unreadable: list[str]  # lists that the key may not read


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool


@contextmanager
def stripe_reader(
    key: str, base: str | None, seconds: float = _SECONDS, retries: int = _RETRIES
) -> Iterator[stripe.StripeClient]:
    """Stripe, or the simulator at `base`. Each try of a call has `seconds`."""
    http = stripe.HTTPXClient(timeout=seconds, allow_sync_methods=True)
    address: Any = {"api": base} if base else {}
    try:
        yield stripe.StripeClient(
            key,
            base_addresses=address,
            http_client=http,
            max_network_retries=retries,
            stripe_version=_STRIPE_VERSION,
        )
    finally:
        http.close()  # type: ignore[no-untyped-call]


def pull(
    url: str,
    client: stripe.StripeClient,
    since: datetime | None = None,
    say: Callable[[str], None] = print,
    apply: bool = True,
) -> Pulled:
    """Read every list since the last time, or since `since`. `apply`: also apply what was missed.

    `url` is of a login that may become service_role. Killed at any moment, the next pull goes on where it
    stopped. Raises PullError, psycopg.Error.
    """
    objects: dict[str, int] = {}
    unreadable: list[str] = []
    with admin.connect(url, "pgcredits stripe pull", autocommit=True, lock_seconds=10) as connection:
        for name in LISTS:
            try:
                objects[name] = _read_list(connection, client, name, since)
            except stripe.PermissionError:
                unreadable.append(name)
                say(f"{name}: this key may not read them")
            except stripe.AuthenticationError as error:
                raise PullError("Stripe does not know this key.") from error
            except stripe.StripeError as error:
                raise PullError(f"{name}: Stripe cannot be read: {error}. Pull again to go on.") from error
        applied, refused = _apply_missing(connection) if apply else ({}, [])
    return Pulled(objects, applied, refused, unreadable)


def _read_list(
    connection: admin.Connection, client: stripe.StripeClient, name: str, since: datetime | None
) -> int:
    read = 0
    while True:
        _, path, created_since, after = _ask(
            connection, "select list, path, since, after from api.read_stripe_list(%s, %s)", (name, since)
        )
        page = _page(client, path, created_since, after)
        items = msgspec.json.encode([_item(bytes(each)) for each in page.data]).decode()
        (finished,) = _ask(
            connection,
            "select finished from api.note_stripe_page(%s, %s::jsonb, %s, %s)",
            (name, items, page.has_more, after),
        )
        read += len(page.data)
        if finished:
            return read


def _page(client: stripe.StripeClient, path: str, since: int | None, after: str | None) -> _Page:
    params: dict[str, Any] = {"limit": _PAGE}
    if since is not None:
        params["created"] = {"gte": since}
    if after is not None:
        params["starting_after"] = after
    # The text as it came: the library's own objects would lose what it does not know.
    response = client.raw_request("get", path, **params)
    return msgspec.json.decode(response.body, type=_Page)


def _item(text: bytes) -> dict[str, Any]:
    stored, replaced = storable(text)
    original = base64.b64encode(text).decode() if replaced else None
    return {"object": msgspec.Raw(stored.encode()), "original": original}


def _apply_missing(connection: admin.Connection) -> tuple[dict[str, int], list[tuple[str, str]]]:
    applied: dict[str, int] = {}
    tried: dict[str, str | None] = {}  # what was tried, and why it was refused
    for _ in range(_ROUNDS):
        events, objects = _ask(connection, "select events, objects from api.missing_from_stripe()", ())
        left = [("event_id", each) for each in events if each not in tried]
        left = left or [("object_id", each) for each in objects if each not in tried]
        if not left:
            break
        for kind, name in left:
            tried[name] = None
            try:
                (outcome,) = _ask(
                    connection,
                    "select outcome from api.replay_from_stripe(event_id => %s, object_id => %s)",
                    (name, None) if kind == "event_id" else (None, name),
                )
            except psycopg.Error as error:
                if connection.broken:
                    raise
                tried[name] = error.diag.message_primary or str(error)
                continue
            applied[outcome] = applied.get(outcome, 0) + 1
    return applied, [(name, why) for name, why in tried.items() if why is not None]


def _ask(connection: admin.Connection, query: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    with connection.transaction():
        connection.execute("set local role service_role")  # the login does not inherit it
        row = connection.execute(query.encode(), values).fetchone()
    if row is None:
        raise PullError("the bank has no such function: is it migrated?")
    return row
