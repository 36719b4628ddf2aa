"""Each refusal must have been true at some moment between the call and its answer."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice, takewhile

from reliability.books import Row
from reliability.calls import Told
from reliability.verdicts import Verdicts

ZERO = Decimal(0)
LOCK_TIMEOUT = timedelta(seconds=2)  # of the logins of the HTTP API: sql/roles.sql
# What a call books before it does anything, and undoes when it is refused.
BOOKED = ("expire", "reversal", "reinstatement")


class Refusals:
    """The refusals of a run whose outcome is all known. `prices` is what one unit of each module costs.

    `sat_on`: when somebody sat on an account's wallet, from and until.
    """

    def __init__(
        self,
        verdicts: Verdicts,
        prices: dict[str, Decimal],
        sat_on: dict[str, list[tuple[datetime, datetime]]] | None = None,
    ) -> None:
        self.verdicts = verdicts
        self.prices = prices
        self.sat_on = sat_on or {}
        # The item for which a whole batch was refused.
        self.refused = [
            one
            for one in verdicts.told
            if one.refusal is not None and one.refusal.get("index", one.place) == one.place
        ]
        self.history: dict[str, list[Row]] = defaultdict(list)
        for entry in verdicts.books.entries:
            self.history[entry["account_id"]].append(entry)
        self.moments = {
            name: [entry["posted_at"] for entry in history] for name, history in self.history.items()
        }
        self.refunds: dict[str, list[Row]] = defaultdict(list)
        for entry in verdicts.books.entries:
            if entry["kind"] == "refund":
                self.refunds[f"{entry['account_id']}:{entry['refunds_seq']}"].append(entry)
        self.statuses: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
        for change in verdicts.books.status_changes:
            self.statuses[change["account_id"]].append((change["changed_at"], change["status"]))

    def counts(self) -> Counter[str]:
        return Counter(one.refusal["error"] for one in self.refused if one.refusal)

    def untrue(self) -> list[str]:
        found = []
        for one in self.refused:
            refusal = one.refusal or {}
            check = getattr(self, f"_check_{refusal['error']}", None)
            texts = ["nothing in this run is refused like that"] if check is None else check(one, refusal)
            found += [f"{one.function} {one.arguments} refused {refusal}: {text}" for text in texts]
        return found

    def charged_while_frozen(self) -> list[str]:
        """New spends that are dated when the account was frozen, and debt beyond any limit there was."""
        limits: dict[str, Decimal] = defaultdict(Decimal)
        for one in self.verdicts.told:
            if one.function == "set_overdraft_limit" and one.answer:
                account_id = self.verdicts.books.accounts[one.arguments["user_id"]]
                limits[account_id] = max(limits[account_id], one.arguments["tokens"])
        found = []
        for account_id, history in self.history.items():
            debt = ZERO
            for entry in history:
                if entry["kind"] in ("spend", "byok") and entry["hold_id"] is None:
                    (status,) = self._statuses(account_id, entry["posted_at"], entry["posted_at"])
                    if status != "active":
                        found.append(f"{account_id}:{entry['seq']} was charged while {status}")
                # Money that goes back makes debt whatever the limit is.
                if entry["kind"] != "reversal" and entry["debt_after"] > max(debt, limits[account_id]):
                    found.append(f"{account_id}:{entry['seq']} made debt of {entry['debt_after']}")
                debt = entry["debt_after"]
        return found

    def captured_while_frozen(self) -> list[str]:
        """Captures by users of their own holds while their account was not active."""
        found = []
        for one in self.verdicts.told:
            if one.function == "capture_hold" and one.call.role != "service_role" and one.new:
                posted_at = self.verdicts.entries[one.said["entry_id"]]["posted_at"]
                (status,) = self._statuses(self._account_of(one), posted_at, posted_at)
                if status != "active":
                    found.append(f"{one.said['entry_id']} was captured by a user while {status}")
        return found

    def overdrawn_by_users(self) -> list[str]:
        """Captures by users beyond their own holds that a spend could not have made."""
        found = []
        for one in self.captures_beyond():
            answer = one.said
            if answer["debt"] or answer["shortfall"]:
                found.append(f"{answer['entry_id']} made debt or a shortfall: {answer}")
        return found

    def captures_beyond(self) -> list[Told]:
        """Captures by users that took more than their hold kept."""
        return [
            one
            for one in self.verdicts.told
            if one.function == "capture_hold"
            and one.call.role != "service_role"
            and one.new
            and one.said["cost"] > self.verdicts.held_before(one.said["entry_id"], one.said["hold_id"])
        ]

    def mispriced(self) -> list[str]:
        """Captures, each a part or all of a use, that cost something else than the usage they record."""
        found = []
        for name, entry in self.verdicts.entries.items():
            if entry["kind"] == "spend" and entry["hold_id"]:
                cost = self.verdicts.cost(entry)
                price = self._price(entry, entry["module_id"])
                if cost != price:
                    found.append(f"{name} cost {cost}, {entry['usage']} costs {price}")
        return found

    def misdrawn(self) -> list[str]:
        """New spends from lots that were not theirs: expired by then, or bound to something else."""
        found = []
        for name, entry in self.verdicts.entries.items():
            if entry["kind"] != "spend" or entry["hold_id"] is not None:
                continue
            for draw in entry["draws"]:
                lot = self.verdicts.lots.get(f"{entry['account_id']}:{draw['lot_id']}", {})
                scope, expires_at = lot.get("scope"), lot.get("expires_at")
                if scope not in (None, f"module:{entry['module_id']}") and not scope.startswith("category:"):
                    found.append(f"{name} for {entry['module_id']} draws on a lot of {scope}")
                if expires_at is not None and expires_at <= entry["posted_at"]:
                    found.append(f"{name} of {entry['posted_at']} draws on a lot that ended at {expires_at}")
        return found

    # What each refusal says

    def _check_insufficient_tokens(self, one: Told, facts: Row) -> Iterator[str]:
        cost, available, missing, debt = (
            Decimal(facts.get(name, 0)) for name in ("cost", "available", "missing", "debt")
        )
        hold = self.verdicts.holds.get(one.arguments.get("hold_id", ""), {})
        asked = hold or one.arguments
        if hold and not one.arguments.get("usage"):  # late: else it takes no more than is held
            price = hold["tokens"] - self.verdicts.captured_in_time(one.arguments["hold_id"])
        else:
            price = self._price(one.arguments, asked["module_id"])
        if not (missing > 0 and available >= 0 and cost == available + missing == price):
            yield f"it costs {price}"
        if facts["affordable"] != available // self.prices[asked["module_id"]]:
            yield "that is not what it could pay"
        if available > facts["balance"] + debt:
            yield "more is available than there is"
        if one.function == "capture_hold" and not (
            one.arguments["over"] == "error" or self._may_be_beyond(one, price)
        ):
            yield "it had to be captured"
        yield from self._check_standing(one, facts["balance"], debt)

    def _check_account_frozen(self, one: Told, facts: Row) -> Iterator[str]:
        if "frozen" not in self._statuses(self._account_of(one), one.call.sent_at, one.call.ended_at):
            yield "it was not frozen"
        if one.function in ("capture_hold", "extend_hold") and one.call.role == "service_role":
            yield "freezing stops no service that ends its work"

    def _check_busy(self, one: Told, facts: Row) -> Iterator[str]:
        """On a machine that does too much, calls wait as long for each other as for an idle session."""
        sent_at, ended_at = one.call.sent_at, one.call.ended_at
        if ended_at is None or ended_at - sent_at >= LOCK_TIMEOUT:
            return
        if not self._was_sat_on(self._account_of(one), sent_at, ended_at):
            yield "nobody sat on it, and it did not wait"

    def _was_sat_on(self, account_id: str, since: datetime, until: datetime) -> bool:
        """An idle session kept the wallet, or a batch did that waited for another such wallet."""

        def directly(one: str) -> bool:
            return any(begin < until and since < end for begin, end in self.sat_on.get(one, []))

        if directly(account_id):
            return True
        accounts = self.verdicts.books.accounts
        for call in self.verdicts.calls:
            if call.function == "consume_tokens_batch" and call.ended_at is not None:
                theirs = {accounts[item["user_id"]] for item in call.arguments["items"]}
                overlaps = call.sent_at < until and since < call.ended_at
                if overlaps and account_id in theirs and any(map(directly, theirs)):
                    return True
        return False

    def _check_too_many_holds(self, one: Told, facts: Row) -> Iterator[str]:
        account_id, began, ended = self._account_of(one), one.call.sent_at, one.call.ended_at
        open_then = sum(
            hold["account_id"] == account_id
            and (hold["by_service"] or one.call.role != "service_role")
            and (ended is None or hold["created_at"] <= ended)
            and (hold["finished_at"] is None or hold["finished_at"] >= began)
            for hold in self.verdicts.books.holds
        )
        if open_then < facts["limit"]:
            yield f"{open_then} were open"

    def _check_hold_closed(self, one: Told, facts: Row) -> Iterator[str]:
        hold = self.verdicts.holds[one.arguments["hold_id"]]
        ended_at = hold["expires_at"] if hold["state"] == "expired" else hold["finished_at"]
        if facts["state"] != hold["state"] or ended_at > one.call.ended_at:
            yield f"it is {hold['state']} since {ended_at}"
        if one.function == "capture_hold" and hold["state"] == "expired" and not hold["late"]:
            yield "a hold that expired today can be captured"

    def _check_not_yours(self, one: Told, facts: Row) -> Iterator[str]:
        if one.call.role == "service_role" or not self.verdicts.holds[one.arguments["hold_id"]]["by_service"]:
            yield "it is theirs"

    def _check_bad_usage(self, one: Told, facts: Row) -> Iterator[str]:
        """Of what was asked for here only a user's part of the rest, where none is left, costs nothing."""
        if one.function != "capture_hold" or one.call.role == "service_role" or "usage" in one.arguments:
            yield "it would have cost something"
        elif one.arguments.get("final", True):
            yield "what was paid may end"
        elif self.verdicts.held_at(one.arguments["hold_id"], one.call.ended_at or one.call.sent_at) > 0:
            yield "something was left"

    def _check_already_refunded(self, one: Told, facts: Row) -> Iterator[str]:
        charge = self.verdicts.entries[one.arguments["entry_id"]]
        if not facts["refunded"] == -charge["tokens"] == self._refunded(charge, one.call.ended_at):
            yield f"{self._refunded(charge, one.call.ended_at)} of {-charge['tokens']} was"

    def _check_not_refundable(self, one: Told, facts: Row) -> Iterator[str]:
        charge = self.verdicts.entries[one.arguments["entry_id"]]
        if not charge["tokens"] == facts["tokens"] == 0:
            yield f"it charged {-charge['tokens']}"

    def _check_bad_amount(self, one: Told, facts: Row) -> Iterator[str]:
        charge = self.verdicts.entries[one.arguments["entry_id"]]
        moments = [
            one.call.sent_at,
            *self._moments(charge["account_id"], one.call.sent_at, one.call.ended_at),
        ]
        refundable = {-charge["tokens"] - self._refunded(charge, moment) for moment in moments}
        if facts["refundable"] not in refundable or one.arguments["tokens"] <= facts["refundable"]:
            yield f"refundable was {refundable}"

    def _check_bad_expiry(self, one: Told, facts: Row) -> Iterator[str]:
        if one.arguments["expires_at"] > one.call.ended_at:
            yield "that was still to come"

    def _check_key_reused(self, one: Told, facts: Row) -> Iterator[str]:
        key = one.arguments["idempotency_key"]
        before = [item.get("idempotency_key") for item in self._before(one)]
        if key not in before and (self._account_of(one), one.function, key) not in self.verdicts.keys:
            yield "nothing was done with that key"

    # What was so when

    def _may_be_beyond(self, one: Told, price: Decimal) -> bool:
        """Did a user capture more than their hold kept at the time of the answer?"""
        hold = self.verdicts.holds[one.arguments["hold_id"]]
        ended_at = one.call.ended_at
        if one.call.role == "service_role":
            return False
        if ended_at is None or hold["expires_at"] <= ended_at:
            return price > 0
        # Without usage it takes what is held.
        return bool(one.arguments.get("usage")) and price > self.verdicts.held_at(
            one.arguments["hold_id"], ended_at
        )

    def _price(self, arguments: Row, module_id: str) -> Decimal:
        usage = arguments.get("usage") or {"calls": 1}
        return sum((self.prices[module_id] * quantity for quantity in usage.values()), ZERO)

    def _before(self, one: Told) -> list[Row]:
        """Of a batch that was refused whole, the items before, of the same user."""
        if one.call.refusal is None or one.call.function != "consume_tokens_batch":
            return []
        items = one.call.arguments["items"][: one.place]
        return [item for item in items if item["user_id"] == one.arguments["user_id"]]

    def _check_standing(self, one: Told, balance: Decimal, debt: Decimal) -> Iterator[str]:
        """The balance and debt are those after some entry in force meanwhile.

        What expired in the call itself was booked by a later one, perhaps with more: it lies between the two.
        """
        account_id = self._account_of(one)
        history = self.history[account_id]
        # What the batch had charged by then, and undid.
        undone = sum((self._price(item, item["module_id"]) for item in self._before(one)), ZERO)
        first = bisect_right(self.moments[account_id], one.call.sent_at) - 1
        last = bisect_right(self.moments[account_id], one.call.ended_at)
        for place in range(first, last):
            if place < 0:
                highest, owed = ZERO, ZERO
            else:
                highest, owed = history[place]["balance_after"], history[place]["debt_after"]
            lowest, debts = highest, {owed}
            for entry in takewhile(lambda entry: entry["kind"] in BOOKED, islice(history, place + 1, None)):
                lowest, highest = min(lowest, entry["balance_after"]), max(highest, entry["balance_after"])
                debts.add(entry["debt_after"])
            if lowest - undone <= balance <= highest and debt in debts:
                return
        yield f"balance {balance} with debt {debt} was never so"

    def _statuses(self, account_id: str, begin: datetime, end: datetime | None) -> set[str]:
        found = {"active"}
        for changed_at, status in self.statuses[account_id]:
            if changed_at <= begin:
                found = {status}
            elif end is not None and changed_at <= end:
                found.add(status)
        return found

    def _moments(self, account_id: str, begin: datetime, end: datetime | None) -> list[datetime]:
        moments = self.moments[account_id]
        return moments[
            bisect_left(moments, begin) : len(moments) if end is None else bisect_right(moments, end)
        ]

    def _refunded(self, charge: Row, until: datetime | None) -> Decimal:
        refunds = self.refunds[f"{charge['account_id']}:{charge['seq']}"]
        return sum(
            (entry["tokens"] for entry in refunds if until is None or entry["posted_at"] <= until), ZERO
        )

    def _account_of(self, one: Told) -> str:
        for name in ("hold_id", "entry_id"):
            if name in one.arguments:
                return str(one.arguments[name]).split(":")[0]
        if "account_id" in one.arguments:
            return str(one.arguments["account_id"])
        if "event" in one.arguments:
            return str(one.arguments["event"]["data"]["object"]["client_reference_id"])
        return self.verdicts.books.accounts[one.arguments["user_id"]]
