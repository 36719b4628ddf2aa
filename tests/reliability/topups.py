"""Whether automatic top-ups kept their rules: one in flight, agreed to, within its limit, granted once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from reliability.books import Books, Row
from reliability.charging import Cards

HOUR = timedelta(hours=1)


def topup_faults(books: Books, cards: Cards) -> list[str]:
    """All that is wrong with the attempts in the books, and with the charges at Stripe."""
    attempts: dict[str, list[Row]] = defaultdict(list)
    for attempt in sorted(books.attempts, key=lambda row: row["fired_at"]):
        attempts[attempt["account_id"]].append(attempt)
    found = [f"key with other parameters: {text}" for text in cards.contradictions]
    for own in attempts.values():
        found += [*_overlapping(own), *_too_soon(own), *_beyond_limit(own, books)]
    for attempt in books.attempts:
        found += [f"attempt {attempt['attempt_id']} {text}" for text in _unfounded(attempt, books)]
    return found + list(_wrong_charges(books, cards))


def _overlapping(attempts: list[Row]) -> Iterator[str]:
    for before, after in pairwise(attempts):
        if before["ended_at"] is None or before["ended_at"] > after["fired_at"]:
            yield f"attempt {after['attempt_id']} began while {before['attempt_id']} was in flight"


def _too_soon(attempts: list[Row]) -> Iterator[str]:
    """A card that was declined is left alone for an hour, unless the user agrees to another one."""
    for before, after in pairwise(attempts):
        same = before["consent_id"] == after["consent_id"]
        if same and before["state"] == "declined" and after["fired_at"] < before["ended_at"] + HOUR:
            yield f"attempt {after['attempt_id']} came too soon after a decline at {before['ended_at']}"


def _beyond_limit(attempts: list[Row], books: Books) -> Iterator[str]:
    limits = {row["consent_id"]: row["monthly_limit"] for row in books.consents if row["kind"] == "consent"}
    charged: Counter[tuple[int, int]] = Counter()
    for attempt in attempts:
        month = attempt["fired_at"].year, attempt["fired_at"].month
        limit = limits.get(attempt["consent_id"], 0)
        if charged[month] + attempt["amount"] > limit:
            yield f"attempt {attempt['attempt_id']} makes {charged[month] + attempt['amount']}, limit {limit}"
        charged[month] += attempt["amount"] if attempt["state"] == "succeeded" else 0


def _unfounded(attempt: Row, books: Books) -> Iterator[str]:
    """It needs an agreement that holds, a balance below the threshold, and what took it there."""
    agreed = [row for row in books.consents if row["agreed_id"] == attempt["consent_id"]]
    if not any(row["kind"] == "consent" and row["decided_at"] <= attempt["fired_at"] for row in agreed):
        yield "was not agreed to"
    if any(
        row["kind"] in ("withdrawal", "stop") and row["decided_at"] < attempt["fired_at"] for row in agreed
    ):
        yield "began after the agreement had been taken back"
    if not attempt["balance_after"] < min(attempt["threshold"], attempt["balance_before"]):
        yield f"began at {attempt['balance_after']}, threshold {attempt['threshold']}"
    entries = [row for row in books.entries_of(attempt["account_id"]) if row["seq"] == attempt["entry_seq"]]
    holds = [row for row in books.holds if row["hold_id"] == attempt["hold_id"]]
    if len(entries) + len(holds) != 1 or any(row["kind"] != "spend" for row in entries):
        yield "has no spend and no hold as its cause"


def _wrong_charges(books: Books, cards: Cards) -> Iterator[str]:
    """Each attempt has one order, call and key. It is granted once if its card was charged, else never."""
    grants = Counter(str(row["order_id"]) for row in books.entries if row["kind"] == "purchase")
    orders = {str(row["order_id"]): row for row in books.orders if row["kind"] == "auto_topup"}
    attempts = {str(row["order_id"]): row for row in books.attempts}
    calls: dict[str, list[Row]] = defaultdict(list)
    for call in books.stripe_calls:
        calls[str(call["made_for"])].append(call)
    if orders.keys() != attempts.keys():
        yield f"orders and attempts differ: {orders.keys() ^ attempts.keys()}"
    keys = set()
    for order_id in orders.keys() & attempts.keys():
        own, attempt = calls[str(attempts[order_id]["attempt_id"])], attempts[order_id]
        keys |= {call["idempotency_key"] for call in own}
        if [call["params"]["amount"] for call in own] != [attempt["amount"]]:
            yield f"attempt {attempt['attempt_id']} of {attempt['amount']} made the calls {own}"
            continue
        made = cards.charges.get(own[0]["idempotency_key"])
        arrived = made is not None and made["status"] == "succeeded"
        state = (grants[order_id], orders[order_id]["state"] == "paid", attempt["state"] == "succeeded")
        if state != (arrived, arrived, arrived):
            yield f"order {order_id}: granted, paid, succeeded are {state}, charged: {arrived}"
    if strangers := cards.charges.keys() - keys:
        yield f"charged for nobody: {strangers}"
