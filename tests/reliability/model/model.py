"""A small bank in plain Python, written from the rules and not from the SQL: what every call must answer.

Amounts are exact decimals. Time is an account's own, and only moves by `Account.now`; what it makes due is
booked by whoever touches the account next, and seen by whoever only looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

Answer = dict[str, Any]
Draws = list[tuple[int, Decimal]]  # lot, tokens; first taken first
ZERO = Decimal(0)
LATE = DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)  # of an order without a session
LONGEST = timedelta(hours=60)  # of a service's hold, however often it is extended
MOST_OPEN = 2  # holds of an account
MOST_PENDING = 3  # orders of an account
LONGEST_NOTE = 1024  # bytes of metadata, of a user
SMALLEST = Decimal("0.000001")
PRIORITY = {"rollover": 5, "allowance": 10, "promo": 20, "grant": 20, "purchase": 50, "bonus": 50}


class Refused(Exception):
    """A call is refused, and has changed nothing."""

    def __init__(self, slug: str, **facts: Any) -> None:
        super().__init__(slug)
        self.slug = slug
        self.facts = facts


@dataclass(frozen=True)
class Price:
    """So much for a unit of its one dimension, from a moment on."""

    dimension: str
    tokens: Decimal
    valid_from: datetime
    whole: bool = False

    def cost(self, usage: dict[str, Decimal]) -> Decimal:
        used = said(usage)
        if set(used) != {self.dimension} or (self.whole and used[self.dimension] % 1):
            raise Refused("bad_usage")
        return (used[self.dimension] * self.tokens).quantize(SMALLEST, ROUND_CEILING)

    def may_cost(self, cost: Decimal, by_service: bool) -> None:
        """Users write no row for nothing, unless the use is free for everybody. Raises Refused."""
        if self.tokens and not cost and not by_service:
            raise Refused("bad_usage")

    def may_part(self, paid: Decimal, cost: Decimal, used: dict[str, Decimal], final: bool) -> None:
        """Nor a part of a hold, unless the parts before have paid for it, or for its end. Raises Refused."""
        if not paid or not (final or any(used.values())):
            self.may_cost(cost, False)

    def affordable(self, tokens: Decimal) -> int:
        return int(tokens // self.tokens)


@dataclass(frozen=True)
class Module:
    """What is sold. Its own prices before its category's, of each the last that has begun.

    `meant` is the listed module of which this id is a misspelling: nothing is sold under it.
    """

    module_id: str
    category: str | None
    prices: tuple[Price, ...] = field(repr=False)
    meant: str | None = None

    def price(self, at: datetime) -> Price:
        if self.meant:
            raise Refused("unknown_module", did_you_mean=self.meant)
        return max((price for price in self.prices if price.valid_from <= at), key=lambda p: p.valid_from)

    @property
    def scopes(self) -> tuple[str | None, str, str]:
        return None, f"module:{self.module_id}", f"category:{self.category}"


@dataclass
class Lot:
    lot_id: int
    granted: Decimal
    priority: int
    scope: str | None
    since: datetime
    expires_at: datetime | None
    paid: bool
    remaining: Decimal = ZERO
    held: Decimal = ZERO

    @property
    def free(self) -> Decimal:
        return self.remaining - self.held

    def is_over(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at

    def place(self) -> tuple[Any, ...]:
        """In the burn order."""
        return (
            self.priority,
            (self.expires_at is None, self.expires_at),
            self.scope is None,
            self.paid,
            self.since,
            self.lot_id,
        )


@dataclass
class Hold:
    number: int
    module: Module
    price: Price
    worst: dict[str, Decimal]
    used: dict[str, Decimal]  # by the parts that were captured
    tokens: Decimal
    draws: Draws
    by_service: bool
    made_at: datetime
    expires_at: datetime
    state: str = "open"
    parts: int = 0
    captured: Decimal = ZERO
    shortfall: Decimal = ZERO
    late: bool = False

    @property
    def held(self) -> Decimal:
        return sum((tokens for _, tokens in self.draws), ZERO)


@dataclass(frozen=True)
class Entry:
    """`unpaid`: of a spend, what became debt."""

    kind: str
    tokens: Decimal
    balance_after: Decimal
    debt_after: Decimal
    draws: Draws
    posted_at: datetime
    effective_at: datetime
    usage: dict[str, Decimal] | None = None
    unpaid: Decimal = ZERO


@dataclass(frozen=True)
class Pack:
    tokens: Decimal
    bonus: Decimal
    amount: int
    sold: bool = True


@dataclass
class Order:
    """`named`: its checkout session is known, and from then on it stays worth what it was made for."""

    pack: Pack
    made_at: datetime
    state: str = "pending"
    named: bool = False


@dataclass
class Account:
    user_id: str
    now: datetime
    status: str = "active"
    debt: Decimal = ZERO
    overdraft: Decimal = ZERO
    granted: Decimal = ZERO
    lots: dict[int, Lot] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    gone_back: dict[int, Decimal] = field(default_factory=dict)  # of the entry with that seq
    limits: dict[tuple[str, str], Decimal] = field(default_factory=dict)  # (by whom, day or month)
    keys: dict[tuple[str, str], tuple[Any, Answer]] = field(default_factory=dict)  # (operation, key)

    @property
    def balance(self) -> Decimal:
        return sum((lot.remaining for lot in self.lots.values()), ZERO) - self.debt

    @property
    def held(self) -> Decimal:
        return sum((hold.held for hold in self.holds.values()), ZERO)

    @property
    def spent(self) -> Decimal:
        return -sum((entry.tokens for entry in self.entries if entry.kind in ("spend", "refund")), ZERO)

    def copy(self) -> Account:
        return replace(
            self,
            lots={lot_id: replace(lot) for lot_id, lot in self.lots.items()},
            holds={number: replace(hold) for number, hold in self.holds.items()},
            orders=[replace(order) for order in self.orders],
            entries=list(self.entries),
            gone_back=dict(self.gone_back),
            limits=dict(self.limits),
            keys=dict(self.keys),
        )

    def post(self, kind: str, tokens: Decimal, draws: Draws, **more: Any) -> Entry:
        more.setdefault("effective_at", self.now)
        entry = Entry(kind, tokens, self.balance, self.debt, draws, self.now, **more)
        self.entries.append(entry)
        if kind not in ("spend", "refund", "byok"):
            self.granted += max(tokens, ZERO)
        return entry

    # What time does

    def settle(self) -> None:
        """Book what the time has made due: holds first, for what they let go of may have passed its date."""
        for hold in self.holds.values():
            if hold.state == "open" and hold.expires_at <= self.now:
                self._let_go(hold.draws)
                hold.state, hold.draws = "expired", []
        self._expire_lots()

    def _expire_lots(self, since: datetime | None = None) -> None:
        over = [lot for lot in self.lots.values() if lot.is_over(self.now) and lot.free > 0]
        for lot in sorted(over, key=lambda lot: (lot.expires_at, lot.lot_id)):
            tokens, lot.remaining = lot.free, lot.held
            assert lot.expires_at
            at = max(lot.expires_at, since) if since else lot.expires_at
            self.post("expire", -tokens, [(lot.lot_id, tokens)], effective_at=at)

    def _let_go(self, draws: Draws) -> None:
        for lot_id, tokens in draws:
            self.lots[lot_id].held -= tokens

    # Taking

    def _draw(self, module: Module, tokens: Decimal) -> tuple[Draws, Decimal]:
        """From which lots, in burn order, and what no lot has. Takes nothing yet."""
        draws: Draws = []
        usable = [
            lot
            for lot in self.lots.values()
            if lot.free > 0 and not lot.is_over(self.now) and lot.scope in module.scopes
        ]
        for lot in sorted(usable, key=Lot.place):
            part = min(lot.free, tokens)
            if part > 0:
                draws.append((lot.lot_id, part))
                tokens -= part
        return draws, tokens

    def _in_default(self) -> bool:
        return self.debt > self.overdraft

    def _afford(self, module: Module, price: Price, cost: Decimal) -> Draws:
        """The lots that pay a new use. Raises Refused."""
        if cost and self._in_default():
            raise self._too_little(price, cost, cost)
        self._keep_limits(cost)
        draws, missing = self._draw(module, cost)
        if missing:
            raise self._too_little(price, cost, missing)
        return draws

    def _too_little(self, price: Price, cost: Decimal, missing: Decimal) -> Refused:
        facts = {
            "balance": self.balance,
            "available": cost - missing,
            "cost": cost,
            "missing": missing,
            "affordable": price.affordable(cost - missing),
        }
        return Refused("insufficient_tokens", **facts, **({"debt": self.debt} if self.debt else {}))

    def _keep_limits(self, cost: Decimal) -> None:
        for (_, period), tokens in sorted(
            self.limits.items(), key=lambda item: (item[0][1] == "day", item[1])
        ):
            spent = self._spent_in(period)
            if cost and spent + self.held + cost > tokens:
                raise Refused(
                    "spend_limit", period=period, limit=tokens, spent=spent, held=self.held, cost=cost
                )

    def _spent_in(self, period: str) -> Decimal:
        begins = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        if period == "month":
            begins = begins.replace(day=1)
        return sum(
            (
                -entry.tokens - self.gone_back.get(seq, ZERO)
                for seq, entry in enumerate(self.entries, 1)
                if entry.kind == "spend" and entry.posted_at >= begins
            ),
            ZERO,
        )

    def _must_be_active(self) -> None:
        if self.status != "active":
            raise Refused("account_frozen")

    # The calls

    def call(
        self, work: Callable[[Account], Answer], key: tuple[str, str] | None = None, said: Any = None
    ) -> Answer:
        """One call: whole, or, when it raises Refused, not at all. A used key gets its answer again."""
        before = self.copy()
        try:
            self.settle()
            if key is None:
                return work(self)
            if key in self.keys:
                arguments, answer = self.keys[key]
                if arguments != said:
                    raise Refused("key_reused")
                return answer | self._as_it_is(answer) | {"replayed": True}
            answer = work(self)
            self.keys[key] = said, answer
            return answer
        except Refused:
            self.__dict__ = before.__dict__
            raise

    def _as_it_is(self, answer: Answer) -> Answer:
        """What an earlier answer says of a hold, as it is now."""
        if "number" not in answer:
            return {}
        hold = self.holds[answer["number"]]
        living = {"state": hold.state, "held": hold.held, "expires_at": hold.expires_at}
        return {name: living[name] for name in living if name in answer}

    def seen(self) -> Account:
        """How it looks to who only reads: what is due counts, booked or not."""
        looked_at = self.copy()
        looked_at.settle()
        return looked_at

    def add(
        self,
        reason: str,
        tokens: Decimal,
        expires_at: datetime | None = None,
        priority: int | None = None,
        scope: str | None = None,
        paid: bool = False,
    ) -> Answer:
        if expires_at is not None and expires_at <= self.now:
            raise Refused("bad_expiry")
        lot_id = len(self.entries) + 1
        priority = PRIORITY[reason] if priority is None else priority
        lot = Lot(lot_id, tokens, priority, scope, self.now, expires_at, paid, remaining=tokens)
        self.lots[lot_id] = lot
        entry = self.post(reason, tokens, [(lot_id, tokens)])
        if reason == "purchase" and self.debt:
            repaid = min(tokens, self.debt)
            lot.remaining -= repaid
            self.debt -= repaid
            self.post("repayment", ZERO, [(lot_id, repaid)])
        return {"lot_id": lot_id, "tokens": tokens, "balance": entry.balance_after}

    # Orders: what time and the catalogue end is noted by the next order, and by maintenance.

    def order(self, pack: Pack) -> int:
        """One more order of the pack, as it is sold now; its place. Raises Refused."""
        orders = [replace(o, state="expired") if self.has_lapsed(o, pack) else o for o in self.orders]
        # What is older has a session that ended long ago, and only the news of it is missing.
        young = self.now - timedelta(hours=25)
        if sum(o.state == "pending" and o.made_at > young for o in orders) >= MOST_PENDING:
            raise Refused("too_many_orders", limit=MOST_PENDING)
        if not pack.sold:
            raise Refused("unknown_pack")
        self.orders = [*orders, Order(pack, self.now)]
        return len(orders)

    def name_session(self, place: int, pack: Pack) -> None:
        """Raises Refused when it is too late."""
        order = self.orders[place]
        if order.state != "pending" or self.has_lapsed(order, pack):
            raise Refused("order_closed", state="expired")
        order.named = True

    def end_old_orders(self, pack: Pack) -> None:
        """As maintenance does, which looks at accounts that have an order of an hour."""
        if any(self._is_loose(o) and o.made_at <= self.now - HOUR for o in self.orders):
            for order in self.orders:
                if self.has_lapsed(order, pack):
                    order.state = "expired"

    def has_lapsed(self, order: Order, pack: Pack) -> bool:
        return self._is_loose(order) and (order.made_at <= self.now - HOUR or order.pack != pack)

    def _is_loose(self, order: Order) -> bool:
        return order.state == "pending" and not order.named

    # Spends, holds and refunds

    def spend(
        self,
        module: Module,
        usage: dict[str, Decimal],
        byok: bool = False,
        by_service: bool = True,
        note: int = 0,
    ) -> Answer:
        keep_short(note, by_service)
        self._must_be_active()
        price = module.price(self.now)
        cost = price.cost(usage)
        price.may_cost(cost, by_service)
        if byok:
            cost = ZERO
        draws = self._afford(module, price, cost)
        self._take(draws)
        entry = self.post("byok" if byok else "spend", -cost, draws, usage=said(usage))
        return {"seq": len(self.entries), "cost": cost, "balance": entry.balance_after, "draws": draws}

    def _take(self, draws: Draws) -> None:
        for lot_id, tokens in draws:
            self.lots[lot_id].remaining -= tokens

    def hold(
        self,
        number: int,
        module: Module,
        usage: dict[str, Decimal],
        ttl: timedelta,
        by_service: bool,
        note: int = 0,
    ) -> Answer:
        keep_short(note, by_service)
        self._must_be_active()
        price = module.price(self.now)
        tokens = price.cost(usage)
        # What users hold stops no service. Holds of nothing are not counted where something is first held.
        those = [h for h in self.holds.values() if h.state == "open" and (h.by_service or not by_service)]
        if (self.held or not tokens) and len(those) >= MOST_OPEN:
            raise Refused("too_many_holds", limit=MOST_OPEN)
        price.may_cost(tokens, by_service)
        draws = self._afford(module, price, tokens)
        for lot_id, part in draws:
            self.lots[lot_id].held += part
        ends = self.now + ttl
        self.holds[number] = Hold(
            number, module, price, said(usage), {}, tokens, draws, by_service, self.now, ends
        )
        return {
            "number": number,
            "state": "open",
            "held": tokens,
            "balance": self.balance,
            "available": max(self.balance - self.held, ZERO),
            "draws": draws,
            "expires_at": ends,
        }

    def capture(
        self, number: int, usage: dict[str, Decimal] | None, final: bool, over: str, by_service: bool
    ) -> Answer:
        hold = self._mine(number, by_service)
        late = hold.state == "expired"
        if usage is not None:
            used = said(usage)
            hold.price.cost(used)  # is it one?
            cost = hold.price.cost(plus(used, hold.used)) - (
                hold.price.cost(hold.used) if hold.used else ZERO
            )
        else:
            used = {name: max(worst - hold.used.get(name, ZERO), ZERO) for name, worst in hold.worst.items()}
            cost = max(hold.tokens - hold.captured, ZERO) if late else hold.held
        if hold.state not in ("open", "expired") or (
            late and (hold.late or self.now >= hold.expires_at + LATE)
        ):
            raise Refused("hold_closed", state=hold.state)
        if not by_service:
            self._must_be_active()
            if self.now >= hold.made_at + DAY:
                raise Refused("hold_closed", state=hold.state)
            hold.price.may_part(hold.captured + hold.shortfall, cost, used, final)

        own, rest = split(hold.draws, min(cost, hold.held))
        if cost > total(own) and not by_service:
            # No service has done work for it: it is a spend.
            if self._in_default():
                raise self._too_little(hold.price, cost, cost - total(own))
            self._keep_limits(cost - total(own))
            over = "error"
        balance = self.balance
        self._let_go(own)
        self._take(own)
        if final:
            self._let_go(rest)
        more, missing = self._draw(hold.module, cost - total(own))
        self._take(more)
        debt = ZERO
        if missing and over == "error":
            refusal = self._too_little(hold.price, cost, missing)
            refusal.facts["balance"] = balance
            raise refusal
        if over == "debt":
            debt = min(max(self.overdraft - self.debt, ZERO), missing)
        shortfall = missing - debt
        self.debt += debt

        entry = self.post("spend", shortfall - cost, own + more, unpaid=debt, usage=used)
        released = total(rest) if final else ZERO
        hold.captured += cost - shortfall
        hold.shortfall += shortfall
        hold.draws = [] if final else rest
        hold.late = late
        hold.parts += 1
        if not final:
            hold.used = plus(used, hold.used)
        if final and not late:
            hold.state = "captured"
        answer = {
            "number": number,
            "seq": len(self.entries),
            "state": hold.state,
            "cost": cost,
            "paid": cost - shortfall,
            "debt": debt,
            "shortfall": shortfall,
            "held": hold.held,
            "released": released,
            "balance": entry.balance_after,
            "draws": own + more,
            "late": late,
        }
        self._expire_lots()
        return answer

    def release(self, number: int, by_service: bool) -> Answer:
        hold = self._mine(number, by_service)
        replayed = hold.state == "released"
        if not replayed:
            if hold.state != "open":
                raise Refused("hold_closed", state=hold.state)
            self._let_go(hold.draws)
            hold.draws = []
            hold.state = "captured" if hold.parts else "released"
            self._expire_lots()
        return {
            "state": hold.state,
            "released": max(hold.tokens - hold.captured, ZERO),
            "captured": hold.captured,
            "replayed": replayed,
        }

    def extend(self, number: int, ttl: timedelta, by_service: bool) -> Answer:
        hold = self._mine(number, by_service)
        if hold.state != "open":
            raise Refused("hold_closed", state=hold.state)
        if not by_service:
            self._must_be_active()
        last = [hold.made_at + (LONGEST if hold.by_service else DAY)]
        for lot_id, _ in hold.draws:
            lot_ends = self.lots[lot_id].expires_at
            last += [] if lot_ends is None else [lot_ends + DAY]
        hold.expires_at = min(self.now + ttl, max(min(last), hold.expires_at))
        return {
            "state": "open",
            "held": hold.held,
            "balance": self.balance,
            "available": max(self.balance - self.held, ZERO),
            "draws": hold.draws,
            "expires_at": hold.expires_at,
        }

    def _mine(self, number: int, by_service: bool) -> Hold:
        hold = self.holds[number]
        if hold.by_service and not by_service:
            raise Refused("not_yours")
        return hold

    def refund(self, seq: int, tokens: Decimal | None) -> Answer:
        charge = self.entries[seq - 1]
        if charge.kind != "spend" or not charge.tokens:
            raise Refused("not_refundable", kind=charge.kind, tokens=charge.tokens)
        before = self.gone_back.get(seq, ZERO)
        left = -charge.tokens - before
        if not left:
            raise Refused("already_refunded", refunded=before)
        tokens = left if tokens is None else tokens
        if tokens > left:
            raise Refused("bad_amount", refundable=left)

        # Last taken, first back; debt was taken last of all.
        parts: list[tuple[int | None, Decimal]] = [(None, charge.unpaid), *reversed(charge.draws)]
        _, parts = split(parts, before)
        parts, _ = split(parts, tokens)
        self.gone_back[seq] = before + tokens
        back: Draws = []
        for lot_id, part in parts:
            if lot_id is not None:
                back.append((lot_id, part))
                continue
            lowered = min(part, self.debt)
            self.debt -= lowered
            back += self._repaid(seq, part - lowered)
        for lot_id, part in back:
            self.lots[lot_id].remaining += part
        entry = self.post("refund", tokens, back)
        expired = sum((part for lot_id, part in back if self.lots[lot_id].is_over(self.now)), ZERO)
        answer = {
            "seq": len(self.entries),
            "charge": seq,
            "tokens": tokens,
            "expired": expired,
            "balance": entry.balance_after - expired,
            "draws": back,
        }
        self._expire_lots(since=self.now)
        return answer

    def _repaid(self, seq: int, tokens: Decimal) -> Draws:
        """Debt of that charge that was repaid: the lots that paid it get it back, later ones first."""
        back: Draws = []
        repayments = [
            (number < seq, number, entry)
            for number, entry in enumerate(self.entries, 1)
            if entry.kind == "repayment"
        ]
        for _, number, entry in sorted(repayments, key=lambda found: found[:2]):
            ((lot_id, repaid),) = entry.draws
            before = self.gone_back.get(number, ZERO)
            part = min(repaid - before, tokens)
            if part > 0:
                self.gone_back[number] = before + part
                tokens -= part
                back.append((lot_id, part))
        assert not tokens
        return back


def keep_short(note: int, by_service: bool) -> None:
    """Of the metadata of a user. Raises Refused."""
    if note > LONGEST_NOTE and not by_service:
        raise Refused("bad_metadata")


def said(usage: dict[str, Decimal]) -> dict[str, Decimal]:
    """Nothing said is one call."""
    return usage or {"calls": Decimal(1)}


def plus(usage: dict[str, Decimal], more: dict[str, Decimal]) -> dict[str, Decimal]:
    return {name: quantity + more.get(name, ZERO) for name, quantity in usage.items()}


def split(parts: Sequence[tuple[Any, Decimal]], tokens: Decimal) -> tuple[Any, Any]:
    """The first so many tokens, and the rest."""
    first, rest = [], []
    for lot_id, part in parts:
        taken = min(part, tokens)
        tokens -= taken
        if taken:
            first.append((lot_id, taken))
        if part > taken:
            rest.append((lot_id, part - taken))
    return first, rest


def total(draws: Draws) -> Decimal:
    return sum((tokens for _, tokens in draws), ZERO)
