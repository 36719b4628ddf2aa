"""Seeded faults: each spoils one thing in a copy of the books or of the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

from reliability.books import Books, Row
from reliability.calls import Call
from reliability.charging import Cards
from reliability.paying_back import is_about_money
from reliability.replay import GRANTS

CRUMB = Decimal("0.000001")


def _pick(random: Random, rows: list[Row], allowed: Callable[[Row], Any] = bool) -> Row:
    return random.choice([row for row in rows if allowed(row)])


def _more(table: str, column: str) -> Callable[[Random, Books], None]:
    """Add a little to a number."""

    def tamper(random: Random, books: Books) -> None:
        row = _pick(random, getattr(books, table))
        row[column] += 1 if column == "seq" else CRUMB

    return tamper


def _lose(table: str, allowed: Callable[[Row], Any] = bool) -> Callable[[Random, Books], None]:
    def tamper(random: Random, books: Books) -> None:
        getattr(books, table).remove(_pick(random, getattr(books, table), allowed))

    return tamper


def _entry_twice(random: Random, books: Books) -> None:
    place = random.randrange(len(books.entries))
    books.entries.insert(place, dict(books.entries[place]))


def _entries_swapped(random: Random, books: Books) -> None:
    place = random.choice(
        [
            place
            for place, row in enumerate(books.entries[1:])
            if row["account_id"] == books.entries[place]["account_id"]
        ]
    )
    first, second = books.entries[place : place + 2]
    first["seq"], second["seq"] = second["seq"], first["seq"]
    books.entries[place : place + 2] = [second, first]


def _another_lot(random: Random, books: Books) -> None:
    entry = _pick(random, books.entries, lambda row: row["kind"] == "spend" and row["draws"])
    lots = [lot for lot in books.lots if lot["account_id"] == entry["account_id"]]
    draw = random.choice(entry["draws"])
    draw["lot_id"] = _pick(random, lots, lambda lot: lot["lot_id"] != draw["lot_id"])["lot_id"]


def _draw_of_more(random: Random, books: Books) -> None:
    random.choice(_pick(random, books.entries, lambda row: row["draws"])["draws"])["tokens"] += CRUMB


def _draw_lost(random: Random, books: Books) -> None:
    draws = _pick(random, books.entries, lambda row: row["draws"])["draws"]
    draws.remove(random.choice(draws))


def _another_kind(random: Random, books: Books) -> None:
    entry = _pick(random, books.entries, lambda row: row["kind"] in GRANTS)
    entry["kind"] = random.choice([kind for kind in GRANTS if kind != entry["kind"]])


def _another_charge(random: Random, books: Books) -> None:
    refund = _pick(random, books.entries, lambda row: row["kind"] == "refund")
    own = [
        row for row in books.entries if row["account_id"] == refund["account_id"] and row["kind"] == "spend"
    ]
    earlier = [row["seq"] for row in own if row["seq"] < refund["seq"]]
    refund["refunds_seq"] = random.choice([seq for seq in earlier if seq != refund["refunds_seq"]] or [0])


def _time_goes_back(random: Random, books: Books) -> None:
    entry = _pick(random, books.entries, lambda row: row["seq"] > 1)
    (before,) = (row for row in books.entries_of(entry["account_id"]) if row["seq"] == entry["seq"] - 1)
    entry["posted_at"] = before["posted_at"]


def _between_lots(random: Random, books: Books) -> None:
    """The balance is right, the lots are not."""
    lot = _pick(random, books.lots, lambda row: row["remaining"] > 0)
    own = [row for row in books.lots if row["account_id"] == lot["account_id"] and row is not lot]
    lot["remaining"] -= CRUMB
    random.choice(own)["remaining"] += CRUMB


def _more_taken_from_head(random: Random, books: Books) -> None:
    _pick(random, books.wallets, lambda row: row["head_lot"])["head_taken"] += CRUMB


def _reversal_of_another_lot(random: Random, books: Books) -> None:
    """A lot of another order pays."""
    entry = _pick(random, books.entries, lambda row: row["kind"] == "reversal" and row["draws"])
    others = [
        lot
        for lot in books.lots
        if lot["account_id"] == entry["account_id"] and lot["order_id"] != entry["order_id"]
    ]
    random.choice(entry["draws"])["lot_id"] = random.choice(others)["lot_id"]


def _more_debt_of_reversals(random: Random, books: Books) -> None:
    _pick(random, books.orders, lambda row: row["state"] == "paid")["reversed_debt"] += CRUMB


def _money_back(random: Random, books: Books) -> None:
    """More or less money has gone back than tokens followed."""
    order = _pick(random, books.orders, lambda row: row["paid"] and not _gone(books, row))
    order["reversed"] += 1 if order["reversed"] < order["paid"] else -1


def _gone(books: Books, order: Row) -> bool:
    """Whether tokens of an order have expired."""
    lots = {lot["lot_id"] for lot in books.lots if lot["order_id"] == order["order_id"]}
    return any(
        draw["lot_id"] in lots
        for entry in books.entries_of(order["account_id"])
        if entry["kind"] == "expire"
        for draw in entry["draws"]
    )


def _another_order_reversed(random: Random, books: Books) -> None:
    entry = _pick(random, books.entries, lambda row: row["kind"] == "reversal")
    paid = [row["order_id"] for row in books.orders if row["state"] == "paid"]
    entry["order_id"] = random.choice([order_id for order_id in paid if order_id != entry["order_id"]])


# Each must be reported by replay.faults.
OF_THE_LEDGER: dict[str, Callable[[Random, Books], None]] = {
    "tokens of an entry": _more("entries", "tokens"),
    "balance after an entry": _more("entries", "balance_after"),
    "debt after an entry": _more("entries", "debt_after"),
    "entry lost": _lose("entries"),
    "entry twice": _entry_twice,
    "entries swapped": _entries_swapped,
    "draw on another lot": _another_lot,
    "draw of more": _draw_of_more,
    "draw lost": _draw_lost,
    "grant of another kind": _another_kind,
    "refund of another charge": _another_charge,
    "time goes back": _time_goes_back,
    "stored balance": _more("wallets", "balance"),
    "stored debt": _more("wallets", "debt"),
    "stored seq": _more("wallets", "seq"),
    "stored sum of grants": _more("wallets", "lifetime_granted"),
    "stored sum of spends": _more("wallets", "lifetime_spent"),
    "lot with more in it": _more("lots", "remaining"),
    "more taken from the head lot": _more_taken_from_head,
    "lot of more": _more("lots", "granted"),
    "lot lost": _lose("lots"),
    "tokens in another lot": _between_lots,
    "reversal of another lot": _reversal_of_another_lot,
    "reversal of another order": _another_order_reversed,
    "stored tokens that were reversed": _more("lots", "reversed"),
    "stored debt of reversals": _more_debt_of_reversals,
    "money that has gone back": _money_back,
    "share refunded": _more("refunds", "refunded"),
    "share refunded lost": _lose("refunds"),
}


def _two_in_flight(random: Random, books: Books, cards: Cards) -> None:
    accounts = Counter(row["account_id"] for row in books.attempts)
    account_id = random.choice([name for name, number in accounts.items() if number > 1])
    own = [row for row in books.attempts if row["account_id"] == account_id]
    first, second = random.choice(list(pairwise(sorted(own, key=lambda row: row["fired_at"]))))
    first["ended_at"] = second["fired_at"] + timedelta(microseconds=1)


def _two_charges(random: Random, books: Books, cards: Cards) -> None:
    call = _pick(random, books.stripe_calls)
    books.stripe_calls.append(call | {"idempotency_key": f"{call['idempotency_key']} again"})


def _charged_for_nobody(random: Random, books: Books, cards: Cards) -> None:
    cards.charges["another"] = random.choice(list(cards.charges.values()))


def _another_key(random: Random, books: Books, cards: Cards) -> None:
    _pick(random, books.stripe_calls, lambda row: row["idempotency_key"] in cards.charges)[
        "idempotency_key"
    ] += " again"


def _topup(random: Random, books: Books, state: str) -> Row:
    return _pick(random, books.attempts, lambda row: row["state"] == state)


def _granted_twice(random: Random, books: Books, cards: Cards) -> None:
    order_id = _topup(random, books, "succeeded")["order_id"]
    entry = _pick(random, books.entries, lambda row: row["order_id"] == order_id)
    books.entries.append(dict(entry))


def _declined_and_granted(random: Random, books: Books, cards: Cards) -> None:
    attempt = _topup(random, books, "declined")
    entry = _pick(random, books.entries, lambda row: row["kind"] == "purchase")
    books.entries.append(entry | {"order_id": attempt["order_id"]})


def _withdrawn_before(random: Random, books: Books, cards: Cards) -> None:
    attempt = _pick(random, books.attempts)
    books.consents.append(
        {
            "kind": "withdrawal",
            "agreed_id": attempt["consent_id"],
            "decided_at": attempt["fired_at"] - timedelta(microseconds=1),
        }
    )


def _not_agreed(random: Random, books: Books, cards: Cards) -> None:
    agreed = _pick(random, books.attempts)["consent_id"]
    books.consents = [row for row in books.consents if row["consent_id"] != agreed]


def _no_cooldown(random: Random, books: Books, cards: Cards) -> None:
    first = _topup(random, books, "declined")
    moment = timedelta(microseconds=1)
    again = {"fired_at": first["ended_at"] + moment, "ended_at": first["ended_at"] + 2 * moment}
    books.attempts.append(first | again)


def _beyond_the_limit(random: Random, books: Books, cards: Cards) -> None:
    """The agreement was for less than was charged."""
    attempt = _topup(random, books, "succeeded")
    consent = _pick(random, books.consents, lambda row: row["consent_id"] == attempt["consent_id"])
    consent["monthly_limit"] = attempt["amount"] - 1


def _not_below(random: Random, books: Books, cards: Cards) -> None:
    attempt = _pick(random, books.attempts)
    attempt["balance_after"] = attempt["threshold"]


def _without_cause(random: Random, books: Books, cards: Cards) -> None:
    _pick(random, books.attempts).update(entry_seq=None, hold_id=None)


# Each must be reported by topups.topup_faults.
OF_THE_TOPUPS: dict[str, Callable[[Random, Books, Cards], None]] = {
    "two charges in flight": _two_in_flight,
    "two calls of an attempt": _two_charges,
    "another key": _another_key,
    "charged for nobody": _charged_for_nobody,
    "granted twice": _granted_twice,
    "declined, and granted": _declined_and_granted,
    "begun after a withdrawal": _withdrawn_before,
    "not agreed to": _not_agreed,
    "no cooldown": _no_cooldown,
    "beyond the monthly limit": _beyond_the_limit,
    "not below the threshold": _not_below,
    "without a cause": _without_cause,
}


def _told_more(function: str, column: str) -> Callable[[Random, list[Call], Books], None]:
    """An answer with a number that is a little too high."""

    def tamper(random: Random, calls: list[Call], books: Books) -> None:
        place = random.choice(
            [place for place, call in enumerate(calls) if call.function == function and call.answer]
        )
        answer = calls[place].answer or {}
        calls[place] = replace(calls[place], answer=answer | {column: answer[column] + CRUMB})

    return tamper


def _batch_told_more(random: Random, calls: list[Call], books: Books) -> None:
    places = [
        (place, call.answer["verdicts"])
        for place, call in enumerate(calls)
        if call.answer and "verdicts" in call.answer
    ]
    place, verdicts = random.choice([each for each in places if any(verdict["ok"] for verdict in each[1])])
    told = random.choice([n for n, verdict in enumerate(verdicts) if verdict["ok"]])
    wrong = [
        verdict | ({"cost": verdict["cost"] + 1} if n == told else {}) for n, verdict in enumerate(verdicts)
    ]
    calls[place] = replace(calls[place], answer={"verdicts": wrong})


def _open_when_ended(random: Random, calls: list[Call], books: Books) -> None:
    """A repeat that got the first answer although the hold had ended since."""
    ended = {
        f"{row['account_id']}:{row['hold_id']}": row["finished_at"]
        for row in books.holds
        if row["state"] in ("captured", "released")
    }
    first = random.choice(
        [
            call
            for call in calls
            if _keyed(call) and (call.answer or {}).get("hold_id") in ended and call.function == "hold_tokens"
        ]
    )
    answer = first.answer or {}
    sent_at = ended[answer["hold_id"]] + timedelta(seconds=1)
    calls.append(replace(first, sent_at=sent_at, ended_at=None, answer=answer | {"replayed": True}))


def _key_lost(random: Random, calls: list[Call], books: Books) -> None:
    _lose("keys")(random, books)


def _keyed(call: Call) -> bool:
    return "idempotency_key" in call.arguments and call.answer is not None and not call.answer["replayed"]


def _done_again(random: Random, calls: list[Call], books: Books) -> None:
    """A repeat with a key that was done again."""
    place = random.choice(
        [
            place
            for place, call in enumerate(calls)
            if _keyed(call) and call.function in ("consume_tokens", "add_tokens")
        ]
    )
    account_id, seq = str((calls[place].answer or {})["entry_id"]).split(":")
    own = [row for row in books.entries_of(account_id) if row["seq"] != int(seq)]
    again = f"{account_id}:{random.choice(own)['seq']}"
    calls.append(replace(calls[place], answer=(calls[place].answer or {}) | {"entry_id": again}))


def _ghost(random: Random, calls: list[Call], books: Books) -> None:
    """A refused call that is in the ledger."""
    made = [
        call
        for call in calls
        if call.function == "add_tokens" and call.answer and not call.answer["replayed"]
    ]
    gone = random.choice([call for call in made if "idempotency_key" not in call.arguments])
    calls[calls.index(gone)] = replace(gone, answer=None, refusal={"error": "bad_expiry"})


def _entry_gone(random: Random, calls: list[Call], books: Books) -> None:
    told = {(call.answer or {}).get("entry_id") for call in calls}
    _lose("entries", lambda row: f"{row['account_id']}:{row['seq']}" in told)(random, books)


def _orders_paid(books: Books) -> list[str]:
    return [
        str(order["order_id"])
        for order in books.orders
        if order["state"] == "paid" and order["kind"] == "checkout"
    ]


def _not_granted(random: Random, calls: list[Call], books: Books) -> None:
    paid = random.choice(_orders_paid(books))
    books.entries = [entry for entry in books.entries if str(entry["order_id"]) != paid]


def _never_told(random: Random, calls: list[Call], books: Books) -> None:
    """Nobody said that this order was paid."""
    paid = random.choice(_orders_paid(books))
    calls[:] = [
        call
        for call in calls
        if call.function != "apply_stripe_event"
        or is_about_money(call.arguments)
        or str(call.arguments["event"]["data"]["object"]["metadata"]["order_id"]) != paid
    ]


def _another_order(random: Random, calls: list[Call], books: Books) -> None:
    granted = [call for call in calls if (call.answer or {}).get("outcome") == "granted"]
    one, other = random.sample(granted, 2)
    other_id = (other.answer or {})["order_id"]
    calls[calls.index(one)] = replace(one, answer=(one.answer or {}) | {"order_id": other_id})


def _money_untold(random: Random, calls: list[Call], books: Books) -> None:
    """Nobody said that money of this order went back."""
    gone = random.choice([str(order["order_id"]) for order in books.orders if order["reversed"]])
    calls[:] = [
        call
        for call in calls
        if call.function != "apply_stripe_event"
        or not is_about_money(call.arguments)
        or call.arguments["event"]["data"]["object"]["metadata"]["order_id"] != gone
    ]


def _money(column: str, wrong: Callable[[Row], Any]) -> Callable[[Random, list[Call], Books], None]:
    def tamper(random: Random, calls: list[Call], books: Books) -> None:
        order = _pick(random, books.orders, lambda row: row["state"] == "paid")
        order[column] = wrong(order)

    return tamper


def _hold_gone(random: Random, calls: list[Call], books: Books) -> None:
    _lose("holds")(random, books)


def _held_in_head(random: Random, calls: list[Call], books: Books) -> None:
    _pick(random, books.wallets, lambda row: row["head_lot"])["head_reserved"] += CRUMB


def _held_more(table: str) -> Callable[[Random, list[Call], Books], None]:
    return lambda random, calls, books: _more(table, "held")(random, books)


# Each must be reported by that method of verdicts.Verdicts.
OF_THE_ANSWERS: dict[str, tuple[Callable[[Random, list[Call], Books], None], str]] = {
    "cost of a spend": (_told_more("consume_tokens", "cost"), "untold"),
    "balance after a spend": (_told_more("consume_tokens", "balance"), "untold"),
    "tokens of a grant": (_told_more("add_tokens", "tokens"), "untold"),
    "tokens of a hold": (_told_more("hold_tokens", "held"), "untold"),
    "debt of a capture": (_told_more("capture_hold", "debt"), "untold"),
    "shortfall of a capture": (_told_more("capture_hold", "shortfall"), "untold"),
    "tokens of a refund": (_told_more("refund_usage", "tokens"), "untold"),
    "tokens that a release gave back": (_told_more("release_hold", "released"), "untold"),
    "cost in a batch": (_batch_told_more, "untold"),
    "entry gone": (_entry_gone, "untold"),
    "hold gone": (_hold_gone, "untold"),
    "key gone": (_key_lost, "lost"),
    "open, though it had ended": (_open_when_ended, "untold"),
    "done again": (_done_again, "keyed_twice"),
    "refused, and yet there": (_ghost, "ghosts"),
    "paid, and not granted": (_not_granted, "wrong_orders"),
    "granted, and not paid": (_never_told, "wrong_orders"),
    "granted, and told by nobody": (_never_told, "ghosts"),
    "granted to another order": (_another_order, "untold"),
    "reversed, and told by nobody": (_money_untold, "unfollowed_money"),
    "more money gone back": (_money("reversed", lambda order: order["reversed"] + 1), "unfollowed_money"),
    "a refund under way": (
        _money("reversal_pending", lambda order: order["reversal_pending"] + 1),
        "unfollowed_money",
    ),
    "disputed or not": (_money("disputed", lambda order: not order["disputed"]), "unfollowed_money"),
    "held in a lot": (_held_more("lots"), "wrong_holds"),
    "held by a wallet": (_held_more("wallets"), "wrong_holds"),
    "held in a head lot": (_held_in_head, "wrong_holds"),
    "held by a hold": (_held_more("holds"), "wrong_holds"),
}
