"""Compares all answers with the books: each call was done once, as answered, and nothing else was done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from reliability.books import Books, Row
from reliability.calls import Call, Told, marked_once, told
from reliability.model.money import MoneyBack
from reliability.paying_back import is_about_money, money_event
from stripe_events import COMPLETED, SUCCEEDED

ZERO = Decimal(0)
# Entries that follow from others, or from what Stripe says of a payment: nobody asks for them.
_FOLLOWING = ("expire", "repayment", "reversal", "reinstatement")
_MADE = {
    "consume_tokens": "entry_id",
    "add_tokens": "entry_id",
    "capture_hold": "entry_id",
    "refund_usage": "entry_id",
}
_PAYING = (COMPLETED, SUCCEEDED)
_LIVING = {
    "hold_tokens": ("state", "held", "expires_at"),
    "capture_hold": ("state", "held", "expires_at", "refunded"),
    "consume_tokens": ("refunded",),
    "create_order": ("state", "checkout_session_id", "stripe_customer_id"),
}
_HELD = ("hold_tokens", "release_hold", "extend_hold")
_KEYED = (*_MADE, "hold_tokens", "release_hold")


class Verdicts:
    """The calls of a run and the books after it.

    `over_http`: the API itself may repeat a spend that has a key, when a connection breaks.
    """

    def __init__(self, calls: list[Call], books: Books, over_http: bool = False) -> None:
        self.calls = calls
        self.books = books
        self.told = list(told(calls))
        if over_http:
            self._forget_repeats_by_the_api()
        self.entries = {f"{entry['account_id']}:{entry['seq']}": entry for entry in books.entries}
        self.lots = {f"{lot['account_id']}:{lot['lot_id']}": lot for lot in books.lots}
        self.holds = {f"{hold['account_id']}:{hold['hold_id']}": hold for hold in books.holds}
        self.shortfalls = {
            f"{row['account_id']}:{row['entry_seq']}": row["tokens"] for row in books.shortfalls
        }
        self.keys = {(row["account_id"], row["operation"], row["key"]): row for row in books.keys}
        self.statuses = {
            (row["account_id"], row["changed_at"]): row["status"] for row in books.status_changes
        }
        self.marks = Counter(mark for entry in books.entries if (mark := marked_once(entry)))
        self.orders = {str(order["order_id"]): order for order in books.orders}
        self.told_money: dict[str, list[Row]] = defaultdict(list)  # events about the money of an order
        for one in self.told:
            if one.function == "apply_stripe_event" and one.refusal is None and is_about_money(one.arguments):
                event = one.arguments["event"]
                self.told_money[event["data"]["object"]["metadata"]["order_id"]].append(event)
        self.said_paid = {order_id for one in self.told if (order_id := _pays(one)) is not None}
        self.charged: dict[str, list[Row]] = defaultdict(list)  # captures, by hold
        for entry in books.entries:
            if entry["kind"] == "spend" and entry["hold_id"]:
                self.charged[f"{entry['account_id']}:{entry['hold_id']}"].append(entry)
        named = [one for one in self.told if one.function == "hold_tokens" and one.answer]
        self.named_holds = {one.said["hold_id"]: one for one in sorted(named, key=lambda one: one.new)}

    def _forget_repeats_by_the_api(self) -> None:
        """The client of a spend that the API repeated was told of a replay, and had sent it once."""
        groups: dict[tuple[str, str, str], list[Told]] = defaultdict(list)
        for one in self.told:
            if one.function == "consume_tokens" and one.key:
                groups[self._key_of(one)].append(one)
        for ones in groups.values():
            first = next((one for one in ones if one.answer), None)
            if first and not any(one.new or one.unknown for one in ones):
                first.answer = first.said | {"replayed": False}

    # Answers

    def untold(self) -> list[str]:
        """Acknowledged calls that the books do not have, or have differently."""
        return [f"{self._name(one)}: {text}" for one in self.told if one.answer for text in self._check(one)]

    def lost(self) -> list[Told]:
        """Acknowledged calls whose key the books do not have."""
        return [one for one in self.told if one.answer and one.key and self._key(one) is None]

    def keyed_twice(self) -> list[str]:
        """Calls with one key that did not have one effect, or did not get equal answers."""
        groups: dict[tuple[str, str, str], list[Told]] = defaultdict(list)
        for one in self.told:
            if one.key and (one.answer or one.unknown):
                groups[self._key_of(one)].append(one)
        found = []
        for key, ones in groups.items():
            # What a repeat tells of a hold or an order is how it is by then.
            living = _LIVING.get(key[1], ())
            answers = [{**one.said, "replayed": None} | dict.fromkeys(living) for one in ones if one.answer]
            done = sum(one.new for one in ones)
            sure = not any(one.unknown for one in ones)
            # A release that finds the hold released says so, whatever its key.
            if key[1] != "release_hold" and (done > 1 or (sure and done != 1)):
                found.append(f"{key} was done {done} times in {len(ones)} calls")
            if any(answer != answers[0] for answer in answers):
                found.append(f"{key} has several answers: {answers}")
        ends = Counter(
            (one.said["hold_id"], one.said.get("late", False))
            for one in self.told
            if one.new and (one.function == "release_hold" or _ends(one) or one.said.get("late"))
        )
        return found + [
            f"hold {name} (late: {late}) ended {n} times" for (name, late), n in ends.items() if n > 1
        ]

    def ghosts(self) -> list[str]:
        """Entries, holds and orders that nobody asked for, or that were made more than once."""
        made: Counter[str] = Counter()
        holds: Counter[str] = Counter()
        keys: set[tuple[str, str, str]] = set()
        for one in self.told:
            if one.new and one.function in _MADE:
                made[one.said["entry_id"]] += 1
            elif one.new and one.function == "hold_tokens":
                holds[one.said["hold_id"]] += 1
            if one.key and not one.refusal and one.function in (*_KEYED, "create_order"):
                keys.add(self._key_of(one))
        for one in {self._key_of(one): one for one in self.told if one.key and one.unknown}.values():
            row, account_id = self._key(one), self._account_of(one)
            if row is not None and one.function == "hold_tokens":
                holds.setdefault(f"{account_id}:{_made_under(row)}", 1)
            elif row is not None:
                made.setdefault(f"{account_id}:{_made_under(row)}", 1)
        found = [f"entry {name} was made by {times} calls" for name, times in made.items() if times > 1]
        owners = Counter(
            (row["account_id"], _made_under(row))
            for row in self.books.keys
            if row["operation"] != "release_hold"
        )
        found += [f"{name} belongs to {number} keys" for name, number in owners.items() if number > 1]
        found += [f"hold {name} was made by {times} calls" for name, times in holds.items() if times > 1]
        found += [f"{times} entries are of {mark}" for mark, times in self.marks.items() if times > 1]
        unknown = {marked_once(one.arguments) for one in self.told if one.unknown} - {None}
        for name, entry in self.entries.items():
            bought = entry["kind"] == "purchase" and str(entry["order_id"]) in self.said_paid
            asked = name in made or marked_once(entry) in unknown
            if not asked and entry["kind"] not in _FOLLOWING and not bought:
                found.append(f"entry {name} ({entry['kind']} {entry['tokens']}) that nobody asked for")
        found += [f"hold {name} that nobody asked for" for name in self.holds.keys() - holds.keys()]
        found += [f"key {key} that nobody sent" for key in self.keys.keys() - keys]
        return found

    def halves(self) -> list[str]:
        """Calls of unknown outcome that the books have only in part."""
        found = []
        for one in self.told:
            if one.unknown and one.key and (row := self._key(one)) is not None:
                found += [f"{self._name(one)}: {text}" for text in self._half(one, _made_under(row))]
        for call in self.calls:
            if call.function == "consume_tokens_batch" and call.answer is None and call.refusal is None:
                known = {self._key(one) is not None for one in told([call])}
                found += [f"a batch is there in part: {call.arguments}"] if len(known) > 1 else []
        return found

    def committed(self) -> int:
        """How many calls of unknown outcome were done."""
        return sum(
            marked_once(one.arguments) in self.marks if one.key is None else self._key(one) is not None
            for one in self.told
            if one.unknown
        )

    def wrong_holds(self) -> list[str]:
        """Holds and lots that do not keep what was answered, less the captures in the ledger."""
        ended = {one.said["hold_id"] for one in self.told if one.answer and _ends(one)}
        ended |= {one.said["hold_id"] for one in self.told if one.answer and one.function == "release_hold"}
        extended: dict[str, set[datetime]] = defaultdict(set)
        for one in self.told:
            if one.answer and one.function in ("extend_hold", "hold_tokens"):
                extended[one.said["hold_id"]].add(_moment(one.said["expires_at"]))
        held: dict[str, Decimal] = defaultdict(Decimal)
        found = []
        for name, one in self.named_holds.items():
            hold = self.holds.get(name)
            if hold is None:
                continue  # untold
            at_first = left = Decimal(one.said["held"] if one.new else hold["tokens"])
            for entry in self.charged[name]:
                if not entry["late"]:
                    left -= min(left, self.cost(entry))
            if hold["expires_at"] not in extended[name]:
                found.append(f"hold {name} ends at {hold['expires_at']}, told was {extended[name]}")
            if name in ended or hold["expires_at"] <= self.books.read_at:
                left = ZERO
            if hold["held"] != left or (hold["state"] == "open") == (
                name in ended or hold["expires_at"] <= self.books.read_at
            ):
                found.append(f"hold {name} ({hold['state']}) keeps {hold['held']}, told was {left}")
            passed = at_first - left
            for draw in one.said["draws"]:
                skipped = min(passed, draw["tokens"])
                passed -= skipped
                held[f"{hold['account_id']}:{draw['lot_id']}"] += draw["tokens"] - skipped
        # What changed in a head lot is on the wallet, and not on the lot's row yet.
        in_heads = {
            f"{row['account_id']}:{row['head_lot']}": row["head_reserved"] for row in self.books.wallets
        }
        for name, lot in self.lots.items():
            kept = lot["held"] + in_heads.get(name, ZERO)
            if kept != held[name]:
                found.append(f"lot {name} has {kept} held, told was {held[name]}")
        for wallet in self.books.wallets:
            total = sum(
                (tokens for name, tokens in held.items() if name.startswith(f"{wallet['account_id']}:")), ZERO
            )
            if wallet["held"] != total:
                found.append(f"wallet {wallet['account_id']} has {wallet['held']} held, told was {total}")
        return found

    def wrong_orders(self) -> list[str]:
        """Orders with a session that are not granted once if an event of it said paid, else not at all."""
        grants = Counter(
            str(entry["order_id"]) for entry in self.books.entries if entry["kind"] == "purchase"
        )
        told = Counter(str(one.said["order_id"]) for one in self.told if one.said.get("outcome") == "granted")
        found = []
        for order_id, order in self.orders.items():
            session = order["checkout_session_id"] is not None or order["kind"] == "auto_topup"
            due = order_id in self.said_paid and session
            if (grants[order_id], order["state"] == "paid") != (due, due) or told[order_id] > due:
                found.append(
                    f"order {order_id} is {order['state']}, granted {grants[order_id]} times,"
                    f" told {told[order_id]} times; paid: {due}"
                )
        return found

    def unfollowed_money(self) -> list[str]:
        """Paid orders that do not say of their money what its events come to, in whatever order they came.

        Money that goes back of an order that nobody reversed is a fault, too.
        """
        found = []
        for order_id, order in self.orders.items():
            if order["state"] != "paid":
                continue
            money = MoneyBack(paid=order["paid"], known=True)
            for event in self.told_money[order_id]:
                money.note(money_event(event))
            due = (money.back, money.pending, money.disputed)
            stored = (order["reversed"], order["reversal_pending"], order["disputed"])
            if stored != due:
                found.append(f"order {order_id} has {stored} back, pending and disputed, told was {due}")
        return found

    def captured_in_time(self, hold_id: str) -> Decimal:
        """What a hold has charged before it expired."""
        return -sum(
            (entry["tokens"] for entry in self.charged[hold_id] if not entry["late"]),
            ZERO,
        )

    def held_before(self, entry_id: str, hold_id: str) -> Decimal:
        """What a hold kept when that entry was about to charge it."""
        entry = self.entries[entry_id]
        if entry["late"]:
            return ZERO
        return self.held_at(hold_id, entry["posted_at"] - timedelta(microseconds=1))

    def held_at(self, hold_id: str, moment: datetime) -> Decimal:
        """What a hold that was open then kept."""
        held: Decimal = self.holds[hold_id]["tokens"]
        for entry in self.charged[hold_id]:
            if entry["posted_at"] <= moment:
                held -= min(held, self.cost(entry))
        return held

    # One answer

    def _check(self, one: Told) -> Iterator[str]:
        """The facts of an answer that differ from the books."""
        check: Callable[[Told, Row, Row], Iterator[str]] | None = getattr(
            self, f"_check_{one.function}", None
        )
        answer = one.said
        if one.key and one.function in _KEYED:
            row = self._key(one)
            what = answer.get(_MADE.get(one.function, "hold_id"), "")
            if row is None or _made_under(row) != what.split(":")[-1]:
                yield f"told {what}, the key has {row and _made_under(row)}"
        if name := _MADE.get(one.function):
            entry = self.entries.get(answer[name])
            if entry is None:
                yield f"told entry {answer[name]}, which is not there"
            elif check:
                yield from check(one, answer, entry)
        elif one.function in _HELD:
            hold = self.holds.get(answer["hold_id"])
            if hold is None:
                yield f"told hold {answer['hold_id']}, which is not there"
            elif check:
                yield from check(one, answer, hold)
        elif check:
            yield from check(one, answer, {})

    def _check_consume_tokens(self, one: Told, answer: Row, entry: Row) -> Iterator[str]:
        expected = {
            "account_id": self.books.accounts[answer["user_id"]],
            "kind": "byok" if one.arguments.get("byok") else "spend",
            "module_id": one.arguments["module_id"],
            "usage": one.arguments.get("usage") or {"calls": 1},
            "tokens": -answer["cost"],
            "balance_after": answer["balance"],
            "draws": answer["draws"],
            "hold_id": None,
            "late": None,
            "metadata": one.arguments.get("metadata", {}),
        }
        yield from _compare(expected, entry)
        if answer["module_id"] != one.arguments["module_id"]:
            yield f"asked {one.arguments['module_id']}, told {answer['module_id']}"

    def _check_add_tokens(self, one: Told, answer: Row, entry: Row) -> Iterator[str]:
        asked = one.arguments
        lot_id = answer["lot_id"]
        expected = {
            "account_id": self.books.accounts[asked["user_id"]],
            "kind": asked.get("reason", "grant"),
            "tokens": asked["tokens"],
            "balance_after": answer["balance"],
            "draws": [{"lot_id": lot_id, "tokens": asked["tokens"]}],
            "package_name": asked.get("package_name"),
            "order_id": None,
            "campaign_id": None,
        }
        yield from _compare(expected, entry)
        expected = {
            "granted": asked["tokens"],
            "source": asked.get("reason", "grant"),
            "scope": asked.get("scope"),
            "expires_at": asked.get("expires_at"),
            "package_name": asked.get("package_name"),
        }
        yield from _compare(expected, self.lots.get(f"{entry['account_id']}:{lot_id}", {}))
        if answer["tokens"] != asked["tokens"]:
            yield f"asked {asked['tokens']}, told {answer['tokens']}"

    def _check_create_order(self, one: Told, answer: Row, _: Row) -> Iterator[str]:
        expected = {"account_id": self.books.accounts[one.arguments["user_id"]], "tokens": answer["tokens"]}
        yield from _compare(expected, self.orders.get(str(answer["order_id"]), {}))

    def _check_attach_checkout(self, one: Told, answer: Row, _: Row) -> Iterator[str]:
        expected = {"checkout_session_id": one.arguments["session_id"]}
        yield from _compare(expected, self.orders.get(str(answer["order_id"]), {}))

    def _check_apply_stripe_event(self, one: Told, answer: Row, _: Row) -> Iterator[str]:
        if answer["outcome"] == "granted":
            order_id = str(answer["order_id"])
            tokens = self.orders.get(order_id, {}).get("tokens")
            expected = {"kind": "purchase", "order_id": UUID(order_id), "tokens": tokens}
            yield from _compare(expected, self.entries.get(answer["entry_id"], {}))

    def _check_hold_tokens(self, one: Told, answer: Row, hold: Row) -> Iterator[str]:
        expected = {
            "account_id": self.books.accounts[answer["user_id"]],
            "module_id": one.arguments["module_id"],
            "usage": one.arguments.get("usage") or {"calls": 1},
            "tokens": sum((draw["tokens"] for draw in answer["draws"]), ZERO),
        }
        yield from _compare(expected, hold)
        if not one.new:
            yield from self._check_repeat(one, answer, hold)
        elif (answer["state"], answer["held"]) != ("open", hold["tokens"]):
            yield f"told it is {answer['state']} and keeps {answer['held']} of {hold['tokens']}"

    def _check_repeat(self, one: Told, answer: Row, hold: Row) -> Iterator[str]:
        """What a repeated call told of a hold: how it was by then, not when it was made."""
        left, ever = hold["tokens"], {hold["tokens"], ZERO}
        for entry in self.charged[answer["hold_id"]]:
            left -= min(left, self.cost(entry))
            ever.add(left)
        if answer["held"] not in ever or (answer["held"] and answer["state"] != "open"):
            yield f"told it is {answer['state']} and keeps {answer['held']}, not one of {ever}"
        ended_at = hold["expires_at"] if hold["state"] == "expired" else hold["finished_at"]
        if answer["state"] == "open":
            if ended_at is not None and ended_at < one.call.sent_at:
                yield f"told it is open, it is {hold['state']} since {ended_at}"
        elif answer["state"] != hold["state"] or (one.call.ended_at and ended_at > one.call.ended_at):
            yield f"told it is {answer['state']}, it is {hold['state']} since {ended_at}"

    def _check_capture_hold(self, one: Told, answer: Row, entry: Row) -> Iterator[str]:
        hold = self.holds.get(one.arguments["hold_id"], {})
        seq = entry["seq"]
        before = self.entries.get(f"{entry['account_id']}:{seq - 1}", {"debt_after": ZERO})
        expected = {
            "kind": "spend",
            "module_id": hold.get("module_id"),
            "tokens": -answer["paid"],
            "balance_after": answer["balance"],
            "draws": answer["draws"],
            "debt_after": before["debt_after"] + answer["debt"],
            "hold_id": UUID(answer["hold_id"].split(":")[1]),
            "late": answer["late"],
        }
        if one.arguments.get("usage"):
            expected["usage"] = one.arguments["usage"]
        yield from _compare(expected, entry)
        if not one.new and hold:
            yield from self._check_repeat(one, answer, hold)
        drawn = sum((draw["tokens"] for draw in answer["draws"]), ZERO)
        shortfall = self.shortfalls.get(answer["entry_id"], ZERO)
        sums = {
            "shortfall": (answer["shortfall"], shortfall),
            "cost": (answer["cost"], answer["paid"] + shortfall),
            "paid": (answer["paid"], drawn + answer["debt"]),
        }
        for name, (was_told, found) in sums.items():
            if was_told != found:
                yield f"told {name} {was_told}, found {found}"
        if one.arguments["hold_id"] != answer["hold_id"] or seq not in hold.get("seqs", []):
            yield f"the hold does not know of entry {seq}"
        final = one.arguments.get("final", True) and not answer["late"]
        if final and (answer["state"], answer["held"], hold.get("state")) != ("captured", 0, "captured"):
            yield f"ended, told {answer['state']}, keeps {answer['held']}, is {hold.get('state')}"

    def _check_release_hold(self, one: Told, answer: Row, hold: Row) -> Iterator[str]:
        expected = {"state": answer["state"], "captured": answer["captured"], "held": 0}
        yield from _compare(expected, hold)
        if answer["released"] != max(hold["tokens"] - hold["captured"], ZERO):
            yield f"told {answer['released']} of {hold['tokens']} went back, captured {hold['captured']}"

    def _check_extend_hold(self, one: Told, answer: Row, hold: Row) -> Iterator[str]:
        if answer["held"] > hold["tokens"] or answer["state"] != "open":
            yield f"told it is {answer['state']} and keeps {answer['held']} of {hold['tokens']}"

    def _check_refund_usage(self, one: Told, answer: Row, entry: Row) -> Iterator[str]:
        charge = one.arguments["entry_id"]
        expected = {
            "account_id": charge.split(":")[0],
            "kind": "refund",
            "tokens": one.arguments.get("tokens") or answer["tokens"],
            "balance_after": answer["balance"] + answer["expired"],
            "draws": answer["draws"],
            "refunds_seq": int(charge.split(":")[1]),
        }
        yield from _compare(expected, entry)
        if (answer["charge_id"], answer["tokens"]) != (charge, entry["tokens"]):
            yield f"told {answer['tokens']} of {answer['charge_id']}"

    def _check_freeze_account(self, one: Told, answer: Row, _: Row) -> Iterator[str]:
        status = "frozen" if one.function == "freeze_account" else "active"
        account_id = self.books.accounts[one.arguments["user_id"]]
        if answer["status"] != status:
            yield f"told {answer['status']}"
        # An account that was never frozen has nothing to tell of its thaw.
        since = answer["changed_at"] and _moment(answer["changed_at"])
        if since and self.statuses.get((account_id, since)) != status:
            yield f"told {status} since {since}, which is not there"

    _check_thaw_account = _check_freeze_account

    def _check_set_overdraft_limit(self, one: Told, answer: Row, _: Row) -> Iterator[str]:
        if answer["tokens"] != one.arguments["tokens"]:
            yield f"asked {one.arguments['tokens']}, told {answer['tokens']}"

    def _half(self, one: Told, made: str) -> Iterator[str]:
        """What is missing of an unanswered call whose key is there."""
        account_id, asked = self._account_of(one), one.arguments
        what = f"{account_id}:{made}"
        if one.function == "hold_tokens":
            expected = {"module_id": asked["module_id"], "usage": asked.get("usage") or {"calls": 1}}
            yield from _compare(expected, self.holds.get(what, {}))
            return
        if one.function == "create_order":
            yield from _compare({"pack_id": asked["pack_id"]}, self.orders.get(made, {}))
            return
        entry = self.entries.get(what, {})
        if one.function == "add_tokens":
            kind = asked.get("reason", "grant")
            yield from _compare({"kind": kind, "tokens": asked["tokens"]}, entry)
            yield from _compare({"granted": asked["tokens"], "source": kind}, self.lots.get(what, {}))
        elif one.function == "consume_tokens":
            yield from _compare({"kind": "spend", "module_id": asked["module_id"], "hold_id": None}, entry)
        elif one.function == "capture_hold":
            hold = self.holds.get(asked["hold_id"], {})
            yield from _compare({"kind": "spend", "hold_id": UUID(asked["hold_id"].split(":")[1])}, entry)
            if entry.get("seq") not in hold.get("seqs", []):
                yield f"the hold does not know of entry {made}"
        else:
            yield f"no opinion of {one.function}"

    # Names

    def _account_of(self, one: Told) -> str:
        for name in ("hold_id", "entry_id"):
            if name in one.arguments:
                return str(one.arguments[name]).split(":")[0]
        return self.books.accounts.get(one.arguments["user_id"], "nobody")

    def _key_of(self, one: Told) -> tuple[str, str, str]:
        return self._account_of(one), one.function, one.key or ""

    def _key(self, one: Told) -> Row | None:
        return self.keys.get(self._key_of(one))

    def cost(self, entry: Row) -> Decimal:
        """Of a capture: what was charged, and the shortfall."""
        shortfall: Decimal = self.shortfalls.get(f"{entry['account_id']}:{entry['seq']}", ZERO)
        return shortfall - entry["tokens"]

    def _name(self, one: Told) -> str:
        return f"{one.function} {one.arguments} told {one.answer}"


def _made_under(key: Row) -> str:
    """The seq of the entry that a call with this key wrote, or the order or hold that it made or ended."""
    return str(key["entry_seq"] or key["made_id"])


def _pays(one: Told) -> str | None:
    """The order that an event says is paid, by its session or by the charge of a saved card."""
    if one.function != "apply_stripe_event" or one.refusal is not None or is_about_money(one.arguments):
        return None
    told = one.arguments["event"]
    if told["type"].startswith("payment_intent."):
        paid_for = str(told["data"]["object"]["metadata"]["order_id"])
        return paid_for if told["type"] == "payment_intent.succeeded" else None
    session = told["data"]["object"]
    order_id = str(session["metadata"]["order_id"])
    details = session.get("total_details") or {}
    discount = details.get("amount_discount") or 0
    total = session["amount_subtotal"] - discount if isinstance(discount, int) else None
    paid = session.get("payment_status") == "paid" or (
        session.get("payment_status") == "no_payment_required" and total == 0
    )
    paid = paid and session.get("amount_total", total) == total is not None
    return order_id if paid and session["id"] == f"cs_{order_id}" and told["type"] in _PAYING else None


def _ends(one: Told) -> bool:
    """A capture that ended its hold."""
    answer = one.said
    return (
        one.function == "capture_hold" and one.arguments.get("final", True) and not answer.get("late", False)
    )


def _compare(expected: Row, found: Row) -> Iterator[str]:
    for name, value in expected.items():
        if name not in found or found[name] != value:
            yield f"{name} is {found.get(name, 'not there')}, not {value}"


def _moment(value: datetime | str) -> datetime:
    """JSON has it as text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
