"""A small bank in plain Python. It says what every call must answer, from the rules and not from the SQL.

Amounts are exact decimals. Each account has its own time, `Account.now`. The next call on an account books
what has become due. Reading shows it as if it were booked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from typing import Any

from burn_order import burn_order
from reliability.model.money import MoneyBack, MoneyEvent
from reliability.model.rewards import Rewards
from reliability.model.subscriptions import Subscriptions

Answer = dict[str, Any]
Draws = list[tuple[int, Decimal]]  # lot and tokens, in the order in which they were taken
Tags = dict[str, Any] | None
ZERO = Decimal(0)
LATE_CAPTURE = DAY = timedelta(hours=24)
ORDER_LIFETIME = timedelta(hours=1)  # without a checkout
LONGEST_SERVICE_HOLD = timedelta(hours=60)  # however often it is extended
MOST_OPEN_HOLDS = 2  # per account
MOST_PENDING_ORDERS = 3  # per account
LARGEST_USER_METADATA = 1024  # in bytes
SMALLEST = Decimal("0.000001")
PRIORITY = {
    "rollover": 5,
    "allowance": 10,
    "promo": 20,
    "grant": 20,
    "referral": 20,
    "purchase": 50,
    "bonus": 50,
}


class Refused(Exception):
    """The call was refused and has changed nothing."""

    def __init__(self, slug: str, **facts: Any) -> None:
        super().__init__(slug)
        self.slug = slug
        self.facts = facts


@dataclass(frozen=True)
class Price:
    """A fixed price per unit of one dimension, from a moment on. Its parts cost the same when named apart."""

    dimension: str
    tokens: Decimal
    valid_from: datetime
    whole: bool = False
    parts: tuple[str, ...] = ()

    def cost(self, usage: dict[str, Decimal]) -> Decimal:
        used = usage_or_call(usage)
        quantity = sum(used.values(), ZERO)
        if set(used) - {*self.parts} != {self.dimension} or (self.whole and quantity % 1):
            raise Refused("bad_usage")
        return (quantity * self.tokens).quantize(SMALLEST, ROUND_CEILING)

    def check_free_use(self, cost: Decimal, by_service: bool) -> None:
        """A user's use must cost something, unless it is free for everybody. Raises Refused."""
        if self.tokens and not cost and not by_service:
            raise Refused("bad_usage")

    def check_free_part(self, paid: Decimal, cost: Decimal, used: dict[str, Decimal], final: bool) -> None:
        """The same for a part, unless earlier parts paid for it or it ends the hold. Raises Refused."""
        if not paid or not (final or any(used.values())):
            self.check_free_use(cost, False)

    def affordable(self, tokens: Decimal) -> int:
        return int(tokens // self.tokens)


@dataclass(frozen=True)
class Module:
    """A module and its prices: its own or its category's. The last one that has begun applies.

    If `did_you_mean` is set, this id is a misspelling of that module, and nothing is sold under it.
    """

    module_id: str
    category: str | None
    prices: tuple[Price, ...] = field(repr=False)
    did_you_mean: str | None = None

    def price(self, at: datetime) -> Price:
        if self.did_you_mean:
            raise Refused("unknown_module", did_you_mean=self.did_you_mean)
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
    effective_at: datetime
    expires_at: datetime | None
    paid: bool
    remaining: Decimal = ZERO
    held: Decimal = ZERO
    order: int | None = None  # the place of the order that paid for it
    reversed: Decimal = ZERO  # taken back with its money
    withheld: Decimal = ZERO  # their money may go back
    frozen: bool = False
    gone: Decimal = ZERO  # expired or voided
    source: str = "grant"

    @property
    def bought(self) -> Decimal:
        """What its order paid for. What went over was paid for with the allowance."""
        return ZERO if self.source == "rollover" else self.granted

    @property
    def free(self) -> Decimal:
        return self.remaining - self.held

    @property
    def blocked(self) -> Decimal:
        """What is free in it and cannot be spent, because its money may go back."""
        return self.free if self.frozen else min(self.withheld, self.free)

    @property
    def spendable(self) -> Decimal:
        return self.free - self.blocked

    def has_expired(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at


@dataclass
class Hold:
    number: int
    module: Module
    price: Price
    worst_case: dict[str, Decimal]
    captured_usage: dict[str, Decimal]  # of the parts captured so far
    tokens: Decimal
    draws: Draws
    by_service: bool
    created_at: datetime
    expires_at: datetime
    state: str = "open"
    parts: int = 0
    captured: Decimal = ZERO
    shortfall: Decimal = ZERO
    late: bool = False
    tags: Tags = None

    @property
    def held(self) -> Decimal:
        return sum((tokens for _, tokens in self.draws), ZERO)


@dataclass(frozen=True)
class Entry:
    """`unpaid` is the part of a spend that became debt."""

    kind: str
    tokens: Decimal
    balance_after: Decimal
    debt_after: Decimal
    draws: Draws
    posted_at: datetime
    effective_at: datetime
    usage: dict[str, Decimal] | None = None
    unpaid: Decimal = ZERO
    order: int | None = None
    voided: int | None = None  # the lot out of which an operator took tokens
    tags: Tags = None


@dataclass(frozen=True)
class Pack:
    tokens: Decimal
    bonus: Decimal
    amount: int
    sold: bool = True


@dataclass
class Order:
    """Once an order `has_checkout`, it can be paid as it was made, whatever happens to the pack."""

    pack: Pack
    created_at: datetime
    state: str = "pending"
    has_checkout: bool = False
    order_id: str = ""  # in the bank
    money: MoneyBack = field(default_factory=MoneyBack)
    reversed: int = 0
    reversal_pending: int = 0
    disputed: bool = False
    reversed_debt: Decimal = ZERO  # debt that its reversals made

    def copy(self) -> Order:
        return replace(self, money=self.money.copy())


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
    refunded_of: dict[int, Decimal] = field(default_factory=dict)  # tokens, by the seq of the charge
    restored_of: dict[int, Decimal] = field(default_factory=dict)  # tokens, by the seq of the void
    limits: dict[tuple[str, str], Decimal] = field(default_factory=dict)  # (set by, period)
    keys: dict[tuple[str, str], tuple[Any, Answer]] = field(default_factory=dict)  # (operation, key)
    plans: Subscriptions = field(default_factory=Subscriptions)
    rewards: Rewards | None = None  # shared by all accounts of a run

    @property
    def balance(self) -> Decimal:
        return sum((lot.remaining for lot in self.lots.values()), ZERO) - self.debt

    @property
    def held(self) -> Decimal:
        return sum((hold.held for hold in self.holds.values()), ZERO)

    @property
    def available(self) -> Decimal:
        if self._in_default():
            return ZERO
        return sum((x.spendable for x in self.lots.values() if not x.has_expired(self.now)), ZERO)

    @property
    def spent(self) -> Decimal:
        return -sum((entry.tokens for entry in self.entries if entry.kind in ("spend", "refund")), ZERO)

    def copy(self) -> Account:
        return replace(
            self,
            lots={lot_id: replace(lot) for lot_id, lot in self.lots.items()},
            holds={number: replace(hold) for number, hold in self.holds.items()},
            orders=[order.copy() for order in self.orders],
            entries=list(self.entries),
            refunded_of=dict(self.refunded_of),
            restored_of=dict(self.restored_of),
            limits=dict(self.limits),
            keys=dict(self.keys),
            plans=self.plans.copy(),
        )

    def post(self, kind: str, tokens: Decimal, draws: Draws, **more: Any) -> Entry:
        more.setdefault("effective_at", self.now)
        entry = Entry(kind, tokens, self.balance, self.debt, draws, self.now, **more)
        self.entries.append(entry)
        if kind not in ("spend", "refund", "byok", "reinstatement", "adjustment"):
            self.granted += max(tokens, ZERO)
        return entry

    # What becomes due

    def book_due(self) -> None:
        """Book what has become due. Holds come first: the tokens that they free may be past their date."""
        for hold in self.holds.values():
            if hold.state == "open" and hold.expires_at <= self.now:
                self._unhold(hold.draws)
                hold.state, hold.draws = "expired", []
        self.end_debts()
        self.expire_lots()

    def expire_lots(self, returned_at: datetime | None = None) -> None:
        expired = [lot for lot in self.lots.values() if lot.has_expired(self.now) and lot.free > 0]
        expired.sort(key=lambda lot: (lot.expires_at, lot.lot_id))
        for lot in expired:
            tokens, lot.remaining = lot.free, lot.held
            lot.gone += tokens
            assert lot.expires_at
            at = max(lot.expires_at, returned_at) if returned_at else lot.expires_at
            self.post("expire", -tokens, [(lot.lot_id, tokens)], effective_at=at)
            if lot.order in self.plans.periods and lot.source == "allowance":
                self.plans.note_unused(lot.order, tokens)
        for lot in expired:
            if lot.order in self.plans.periods and lot.source == "allowance":
                self.plans.roll_over(self, lot.order)

    def _unhold(self, draws: Draws) -> None:
        for lot_id, tokens in draws:
            self.lots[lot_id].held -= tokens

    # Taking

    def _draw(self, module: Module, tokens: Decimal) -> tuple[Draws, Decimal]:
        """Find the lots to draw from, in burn order, and how much is missing. This takes nothing yet."""
        draws: Draws = []
        usable = [
            lot
            for lot in self.lots.values()
            if lot.spendable > 0 and not lot.has_expired(self.now) and lot.scope in module.scopes
        ]
        for lot in sorted(usable, key=burn_order):
            part = min(lot.spendable, tokens)
            if part > 0:
                draws.append((lot.lot_id, part))
                tokens -= part
        return draws, tokens

    def _in_default(self) -> bool:
        return self.debt > self.overdraft

    def _draw_for_use(self, module: Module, price: Price, cost: Decimal) -> Draws:
        """The draws that pay for a new use. Raises Refused."""
        if cost and self._in_default():
            raise self._insufficient_tokens(price, cost, cost)
        self._check_limits(cost)
        draws, missing = self._draw(module, cost)
        if missing:
            raise self._insufficient_tokens(price, cost, missing)
        return draws

    def _insufficient_tokens(self, price: Price, cost: Decimal, missing: Decimal) -> Refused:
        facts = {
            "balance": self.balance,
            "available": cost - missing,
            "cost": cost,
            "missing": missing,
            "affordable": price.affordable(cost - missing),
        }
        return Refused("insufficient_tokens", **facts, **({"debt": self.debt} if self.debt else {}))

    def _check_limits(self, cost: Decimal) -> None:
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
                -entry.tokens - self.refunded_of.get(seq, ZERO)
                for seq, entry in enumerate(self.entries, 1)
                if entry.kind == "spend" and entry.posted_at >= begins
            ),
            ZERO,
        )

    def _check_active(self) -> None:
        if self.status != "active":
            raise Refused("account_frozen")

    # The calls

    def call(
        self, change: Callable[[Account], Answer], key: tuple[str, str] | None = None, asked: Any = None
    ) -> Answer:
        """Make one call. If it raises Refused, nothing has changed. A used key gets the same answer again."""
        before = self.copy()
        try:
            self.book_due()
            if key is None:
                return change(self)
            if key in self.keys:
                arguments, answer = self.keys[key]
                if arguments != asked:
                    raise Refused("key_reused")
                return answer | self._present_state(answer) | {"replayed": True}
            answer = change(self)
            self.keys[key] = asked, answer
            return answer
        except Refused:
            self.__dict__ = before.__dict__
            raise

    def _present_state(self, answer: Answer) -> Answer:
        """The facts about a hold or a lot that a repeated answer gives as they are now."""
        if "lot_now" in answer:
            return self._lot_now(answer["lot_now"])
        if "number" not in answer:
            return {}
        hold = self.holds[answer["number"]]
        present = {"state": hold.state, "held": hold.held, "expires_at": hold.expires_at}
        return {name: present[name] for name in present if name in answer}

    def as_read(self) -> Account:
        """The account as readers see it: what is due counts, booked or not."""
        account = self.copy()
        account.book_due()
        return account

    def grant(
        self,
        reason: str,
        tokens: Decimal,
        expires_at: datetime | None = None,
        priority: int | None = None,
        scope: str | None = None,
        paid: bool = False,
        order: int | None = None,
        effective_at: datetime | None = None,
    ) -> Answer:
        """`effective_at`: only tokens of a period are dated back, and may have expired."""
        if expires_at is not None and expires_at <= self.now and effective_at is None:
            raise Refused("bad_expiry")
        effective_at = effective_at or self.now
        lot_id = len(self.entries) + 1
        priority = PRIORITY[reason] if priority is None else priority
        lot = Lot(lot_id, tokens, priority, scope, effective_at, expires_at, paid, tokens, order=order)
        lot.source = reason
        self.lots[lot_id] = lot
        entry = self.post(reason, tokens, [(lot_id, tokens)], effective_at=effective_at)
        if (reason == "purchase" or (reason == "allowance" and paid)) and self.debt:
            repaid = min(tokens, self.debt)
            lot.remaining -= repaid
            self.debt -= repaid
            self.post("repayment", ZERO, [(lot_id, repaid)])
        return {"lot_id": lot_id, "tokens": tokens, "balance": entry.balance_after}

    # Orders. The next order, and maintenance, end those that have lapsed.

    def order(self, pack: Pack) -> int:
        """Order the pack as it is sold now. Returns the index of the order. Raises Refused."""
        orders = [o.copy() for o in self.orders]
        for order in orders:
            if self.has_lapsed(order, pack):
                order.state = "expired"
        # An older order has a checkout that ended long ago; only the event about its end is missing.
        oldest = self.now - timedelta(hours=25)
        if sum(o.state == "pending" and o.created_at > oldest for o in orders) >= MOST_PENDING_ORDERS:
            raise Refused("too_many_orders", limit=MOST_PENDING_ORDERS)
        if not pack.sold:
            raise Refused("unknown_pack")
        self.orders = [*orders, Order(pack, self.now)]
        return len(orders)

    def attach_checkout(self, place: int, pack: Pack) -> None:
        """Raises Refused when it is too late."""
        order = self.orders[place]
        if order.state != "pending" or self.has_lapsed(order, pack):
            raise Refused("order_closed", state="expired")
        order.has_checkout = True

    def end_old_orders(self, pack: Pack) -> None:
        """What maintenance does for accounts with an order that is an hour old."""
        if any(self._awaits_checkout(o) and o.created_at <= self.now - ORDER_LIFETIME for o in self.orders):
            for order in self.orders:
                if self.has_lapsed(order, pack):
                    order.state = "expired"

    def has_lapsed(self, order: Order, pack: Pack) -> bool:
        return self._awaits_checkout(order) and (
            order.created_at <= self.now - ORDER_LIFETIME or order.pack != pack
        )

    def _awaits_checkout(self, order: Order) -> bool:
        return order.state == "pending" and not order.has_checkout

    # Money that comes back

    def fulfil(self, place: int, paid: int, known: bool) -> Answer:
        """The order is paid. `known`: by a payment that later events name."""
        order = self.orders[place]
        order.money.arrive(paid, known)
        granted = self.grant("purchase", order.pack.tokens, paid=paid > 0, order=place)
        if order.pack.bonus:
            self.grant("bonus", order.pack.bonus, order=place)
        self.earn_rewards(place)
        self.follow_money(place)
        return granted

    def hear(self, place: int, event: MoneyEvent) -> Answer:
        """An event about the payment of an order that is known has come."""
        outcome = self.orders[place].money.note(event)
        # The tokens follow even a warning that says nothing new: the setting may have changed.
        if outcome == "applied" or event.kind == "fraud_warning":
            self.follow_money(place)
        return {"outcome": outcome}

    def hear_waiting(self, place: int) -> Answer:
        """The payment is known now. What was said of it before is heard again."""
        for event in self.orders[place].money.take_waiting():
            self.hear(place, event)
        return {}

    def earn_rewards(self, place: int) -> None:
        if self.rewards:
            self.rewards.earn(self, place)

    def follow_money(self, place: int) -> None:
        self.follow_lots(place)
        if self.rewards:
            self.rewards.follow(self, place)
        self.end_debts()

    def follow_lots(self, place: int) -> None:
        """The tokens of an order follow its money."""
        order = self.orders[place]
        if not order.money.paid:
            return
        money = order.money
        lots = [lot for lot in self.lots.values() if lot.order == place]
        taken, missing = self._taken(lots, money.back, money.paid)
        # What went over is not gone.
        gone = sum((lot.gone - (lot.granted - lot.bought) for lot in lots), ZERO)
        owed = max(missing - gone, ZERO) if missing else ZERO
        moves = [(lot, taken[lot.lot_id] - lot.reversed) for lot in lots]

        gives = [(lot.lot_id, -tokens) for lot, tokens in moves if tokens < 0]
        less = max(order.reversed_debt - owed, ZERO)
        if gives or less:
            self._give_back(place, gives, less)
        takes = [(lot.lot_id, tokens) for lot, tokens in moves if tokens > 0]
        more = max(owed - order.reversed_debt, ZERO)
        if takes or more:
            for lot_id, tokens in takes:
                self.lots[lot_id].remaining -= tokens
                self.lots[lot_id].reversed += tokens
            self.debt += more
            self.post("reversal", -total_tokens(takes) - more, takes, order=place)
        for lot in lots:
            lot.frozen = money.disputed
        self._withhold(lots, money)
        order.reversed, order.reversal_pending, order.disputed = money.back, money.pending, money.disputed
        order.reversed_debt = owed
        if gives or less:
            self.expire_lots(returned_at=self.now)

    def _taken(self, lots: list[Lot], back: int, paid: int) -> tuple[dict[int, Decimal], Decimal]:
        """What each lot pays when so much money has gone back, and what all of them cannot pay."""
        due = {lot.lot_id: share(lot.bought, back, paid) for lot in lots}
        # Each lot pays its own part, as far as it can. Then the other one helps.
        most = {lot.lot_id: lot.free + lot.reversed for lot in lots}
        taken = {lot_id: min(due[lot_id], most[lot_id]) for lot_id in due}
        missing = sum(due.values(), ZERO) - sum(taken.values(), ZERO)
        for lot_id in taken:
            more = min(most[lot_id] - taken[lot_id], missing)
            taken[lot_id] += more
            missing -= more
        return taken, missing

    def _withhold(self, lots: list[Lot], money: MoneyBack) -> None:
        """Tokens whose money may go back: first those that would go, then held ones, then the rest."""
        after = money.back + money.pending
        left = sum((share(lot.bought, after, money.paid) for lot in lots), ZERO)
        left -= sum((share(lot.bought, money.back, money.paid) for lot in lots), ZERO)
        taken, _ = self._taken(lots, after, money.paid)
        # A lot that paid for another one may have to pay less by now, and then takes nothing more.
        rooms = [(lot, max(taken[lot.lot_id] - lot.reversed, ZERO)) for lot in lots]
        rooms += [(lot, lot.held) for lot in lots]
        rooms += [(lot, lot.granted - sum(room for x, room in rooms if x is lot)) for lot in lots]
        for lot in lots:
            lot.withheld = ZERO
        for lot, room in rooms:
            lot.withheld += min(room, left)
            left -= min(room, left)

    def _give_back(self, place: int, gives: Draws, debt: Decimal) -> None:
        """Tokens go back into the lots of an order. Debt ends, or the lots that repaid it get theirs back."""
        lowered = min(self.debt, debt)
        repaid: Draws = []
        if debt > lowered:
            reversals = [
                seq
                for seq, entry in enumerate(self.entries, 1)
                if entry.kind == "reversal" and entry.order == place
            ]
            repaid = self._return_repaid(reversals[0], debt - lowered)
        for lot_id, tokens in gives:
            self.lots[lot_id].remaining += tokens
            self.lots[lot_id].reversed -= tokens
        for lot_id, tokens in repaid:
            self.lots[lot_id].remaining += tokens
        self.debt -= lowered
        self.post("reinstatement", total_tokens(gives) + debt, gives + repaid, order=place)

    def end_debts(self) -> None:
        """Tokens that came back into lots whose money is gone end the debt that stood for them."""
        while True:
            owing = [
                (order.created_at, order.order_id, place)
                for place, order in enumerate(self.orders)
                if order.reversed_debt
                and any(lot.free > 0 for lot in self.lots.values() if lot.order == place)
            ]
            if not owing:
                return
            self.follow_lots(min(owing)[2])

    # Corrections by an operator

    def void(self, lot_id: int, tokens: Decimal | None) -> Answer:
        lot = self.lots[lot_id]
        tokens = lot.free if tokens is None else tokens
        if not 0 < tokens <= lot.free:
            raise Refused("bad_amount", free=lot.free)
        lot.remaining -= tokens
        lot.gone += tokens
        entry = self.post("adjustment", -tokens, [(lot_id, tokens)], voided=lot_id)
        return self._lot_answer(lot_id, entry, len(self.entries))

    def restore(self, seq: int, tokens: Decimal | None) -> Answer:
        void = self.entries[seq - 1]
        if void.voided is None:
            raise Refused("not_refundable", kind=void.kind, tokens=void.tokens)
        left = -void.tokens - self.restored_of.get(seq, ZERO)
        tokens = left if tokens is None else tokens
        if not 0 < tokens <= left:
            raise Refused("bad_amount", restorable=left)
        self.restored_of[seq] = self.restored_of.get(seq, ZERO) + tokens
        lot = self.lots[void.voided]
        lot.remaining += tokens
        lot.gone -= tokens
        entry, number = self.post("adjustment", tokens, [(lot.lot_id, tokens)]), len(self.entries)
        if lot.order is not None:
            self.follow_lots(lot.order)
        self.expire_lots(returned_at=self.now)
        return self._lot_answer(lot.lot_id, entry, number)

    def change_expiry(self, lot_id: int, expires_at: datetime | None) -> Answer:
        if expires_at is not None and expires_at <= self.now:
            raise Refused("bad_expiry")
        self.lots[lot_id].expires_at = expires_at
        entry = self.post("adjustment", ZERO, [])
        return self._lot_answer(lot_id, entry, len(self.entries))

    def _lot_answer(self, lot_id: int, entry: Entry, seq: int) -> Answer:
        answer = {"seq": seq, "lot_now": lot_id, "tokens": entry.tokens, "balance": entry.balance_after}
        return answer | self._lot_now(lot_id)

    def _lot_now(self, lot_id: int) -> Answer:
        lot = self.lots[lot_id]
        return {"lot_id": lot_id, "remaining": lot.remaining, "expires_at": lot.expires_at}

    # Spends, holds and refunds

    def spend(
        self,
        module: Module,
        usage: dict[str, Decimal],
        byok: bool = False,
        by_service: bool = True,
        metadata_size: int = 0,
        tags: Tags = None,
    ) -> Answer:
        check_metadata_size(metadata_size, by_service)
        check_tags(tags)
        self._check_active()
        price = module.price(self.now)
        cost = price.cost(usage)
        price.check_free_use(cost, by_service)
        if byok:
            cost = ZERO
        draws = self._draw_for_use(module, price, cost)
        self._take_from_lots(draws)
        used = usage_or_call(usage)
        entry = self.post("byok" if byok else "spend", -cost, draws, usage=used, tags=tags)
        return {"seq": len(self.entries), "cost": cost, "balance": entry.balance_after, "draws": draws}

    def _take_from_lots(self, draws: Draws) -> None:
        for lot_id, tokens in draws:
            self.lots[lot_id].remaining -= tokens

    def hold(
        self,
        number: int,
        module: Module,
        usage: dict[str, Decimal],
        ttl: timedelta,
        by_service: bool,
        metadata_size: int = 0,
        tags: Tags = None,
    ) -> Answer:
        check_metadata_size(metadata_size, by_service)
        check_tags(tags)
        self._check_active()
        price = module.price(self.now)
        tokens = price.cost(usage)
        # Users' holds do not stop a service. Free holds do not count when the first tokens are held.
        counted = [h for h in self.holds.values() if h.state == "open" and (h.by_service or not by_service)]
        if (self.held or not tokens) and len(counted) >= MOST_OPEN_HOLDS:
            raise Refused("too_many_holds", limit=MOST_OPEN_HOLDS)
        price.check_free_use(tokens, by_service)
        draws = self._draw_for_use(module, price, tokens)
        for lot_id, part in draws:
            self.lots[lot_id].held += part
        expires_at = self.now + ttl
        self.holds[number] = Hold(
            number, module, price, usage_or_call(usage), {}, tokens, draws, by_service, self.now, expires_at
        )
        self.holds[number].tags = tags
        return {
            "number": number,
            "state": "open",
            "held": tokens,
            "balance": self.balance,
            "available": self.available,
            "draws": draws,
            "expires_at": expires_at,
        }

    def capture(
        self, number: int, usage: dict[str, Decimal] | None, final: bool, over: str, by_service: bool
    ) -> Answer:
        hold = self._find_hold(number, by_service)
        late = hold.state == "expired"
        if usage is not None:
            used = usage_or_call(usage)
            hold.price.cost(used)  # raises Refused if this is not a usage of the price
            cost = hold.price.cost(add_usage(used, hold.captured_usage)) - (
                hold.price.cost(hold.captured_usage) if hold.captured_usage else ZERO
            )
        else:
            used = {
                name: max(hold.worst_case.get(name, ZERO) - hold.captured_usage.get(name, ZERO), ZERO)
                for name in hold.worst_case | hold.captured_usage
            }
            cost = max(hold.tokens - hold.captured, ZERO) if late else hold.held
        if hold.state not in ("open", "expired") or (
            late and (hold.late or self.now >= hold.expires_at + LATE_CAPTURE)
        ):
            raise Refused("hold_closed", state=hold.state)
        if not by_service:
            self._check_active()
            if self.now >= hold.created_at + DAY:
                raise Refused("hold_closed", state=hold.state)
            hold.price.check_free_part(hold.captured + hold.shortfall, cost, used, final)

        from_hold, left_in_hold = split_draws(hold.draws, min(cost, hold.held))
        if cost > total_tokens(from_hold) and not by_service:
            # What a user takes beyond their hold is a spend like any other.
            if self._in_default():
                raise self._insufficient_tokens(hold.price, cost, cost - total_tokens(from_hold))
            self._check_limits(cost - total_tokens(from_hold))
            over = "error"
        balance = self.balance
        self._unhold(from_hold)
        self._take_from_lots(from_hold)
        if final:
            self._unhold(left_in_hold)
        more, missing = self._draw(hold.module, cost - total_tokens(from_hold))
        self._take_from_lots(more)
        debt = ZERO
        if missing and over == "error":
            refusal = self._insufficient_tokens(hold.price, cost, missing)
            refusal.facts["balance"] = balance
            raise refusal
        if over == "debt":
            debt = min(max(self.overdraft - self.debt, ZERO), missing)
        shortfall = missing - debt
        self.debt += debt

        draws = from_hold + more
        entry = self.post("spend", shortfall - cost, draws, unpaid=debt, usage=used, tags=hold.tags)
        released = total_tokens(left_in_hold) if final else ZERO
        hold.captured += cost - shortfall
        hold.shortfall += shortfall
        hold.draws = [] if final else left_in_hold
        hold.late = late
        hold.parts += 1
        if not final:
            hold.captured_usage = add_usage(used, hold.captured_usage)
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
            "draws": from_hold + more,
            "late": late,
        }
        self.end_debts()
        self.expire_lots()
        return answer

    def release(self, number: int, by_service: bool) -> Answer:
        hold = self._find_hold(number, by_service)
        replayed = hold.state == "released"
        if not replayed:
            if hold.state != "open":
                raise Refused("hold_closed", state=hold.state)
            self._unhold(hold.draws)
            hold.draws = []
            hold.state = "captured" if hold.parts else "released"
            self.end_debts()
            self.expire_lots()
        return {
            "state": hold.state,
            "released": max(hold.tokens - hold.captured, ZERO),
            "captured": hold.captured,
            "replayed": replayed,
        }

    def extend(self, number: int, ttl: timedelta, by_service: bool) -> Answer:
        hold = self._find_hold(number, by_service)
        if hold.state != "open":
            raise Refused("hold_closed", state=hold.state)
        if not by_service:
            self._check_active()
        last = [hold.created_at + (LONGEST_SERVICE_HOLD if hold.by_service else DAY)]
        for lot_id, _ in hold.draws:
            lot_ends = self.lots[lot_id].expires_at
            last += [] if lot_ends is None else [lot_ends + DAY]
        hold.expires_at = min(self.now + ttl, max(min(last), hold.expires_at))
        return {
            "state": "open",
            "held": hold.held,
            "balance": self.balance,
            "available": self.available,
            "draws": hold.draws,
            "expires_at": hold.expires_at,
        }

    def _find_hold(self, number: int, by_service: bool) -> Hold:
        hold = self.holds[number]
        if hold.by_service and not by_service:
            raise Refused("not_yours")
        return hold

    def refund(self, seq: int, tokens: Decimal | None) -> Answer:
        charge = self.entries[seq - 1]
        if charge.kind != "spend" or not charge.tokens:
            raise Refused("not_refundable", kind=charge.kind, tokens=charge.tokens)
        before = self.refunded_of.get(seq, ZERO)
        left = -charge.tokens - before
        if not left:
            raise Refused("already_refunded", refunded=before)
        tokens = left if tokens is None else tokens
        if tokens > left:
            raise Refused("bad_amount", refundable=left)

        # What was taken last goes back first. Debt was made last of all.
        parts: list[tuple[int | None, Decimal]] = [(None, charge.unpaid), *reversed(charge.draws)]
        _, parts = split_draws(parts, before)
        parts, _ = split_draws(parts, tokens)
        self.refunded_of[seq] = before + tokens
        back: Draws = []
        for lot_id, part in parts:
            if lot_id is not None:
                back.append((lot_id, part))
                continue
            lowered = min(part, self.debt)
            self.debt -= lowered
            back += self._return_repaid(seq, part - lowered)
        for lot_id, part in back:
            self.lots[lot_id].remaining += part
        entry, number = self.post("refund", tokens, back, tags=charge.tags), len(self.entries)
        self.end_debts()
        shown = len(self.entries)
        self.expire_lots(returned_at=self.now)
        expired = -sum(
            (e.tokens for e in self.entries[shown:] if e.kind == "expire" and e.effective_at == self.now),
            ZERO,
        )
        return {
            "seq": number,
            "charge": seq,
            "tokens": tokens,
            "expired": expired,
            "balance": entry.balance_after - expired,
            "draws": back,
        }

    def _return_repaid(self, seq: int, tokens: Decimal) -> Draws:
        """Return repaid debt of a charge to the lots that repaid it, later repayments first."""
        back: Draws = []
        repayments = [
            (number < seq, number, entry)
            for number, entry in enumerate(self.entries, 1)
            if entry.kind == "repayment"
        ]
        for _, number, entry in sorted(repayments, key=lambda found: found[:2]):
            ((lot_id, repaid),) = entry.draws
            before = self.refunded_of.get(number, ZERO)
            part = min(repaid - before, tokens)
            if part > 0:
                self.refunded_of[number] = before + part
                tokens -= part
                back.append((lot_id, part))
        assert not tokens
        return back


def share(granted: Decimal, money: int, paid: int) -> Decimal:
    """The part of the granted tokens that was paid for with so much of the money."""
    if money == paid:
        return granted
    return (granted * money / paid).quantize(SMALLEST, ROUND_DOWN)


def check_metadata_size(metadata_size: int, by_service: bool) -> None:
    """The metadata of a user must be short. Raises Refused."""
    if metadata_size > LARGEST_USER_METADATA and not by_service:
        raise Refused("bad_metadata")


def check_tags(tags: Tags) -> None:
    """The value of a tag is a text. Raises Refused."""
    if tags is not None and not all(isinstance(value, str) for value in tags.values()):
        raise Refused("bad_tags")


def usage_or_call(usage: dict[str, Decimal]) -> dict[str, Decimal]:
    """Leaving out the usage means one call."""
    return usage or {"calls": Decimal(1)}


def add_usage(usage: dict[str, Decimal], more: dict[str, Decimal]) -> dict[str, Decimal]:
    return {name: usage.get(name, ZERO) + more.get(name, ZERO) for name in usage | more}


def split_draws(parts: Sequence[tuple[Any, Decimal]], tokens: Decimal) -> tuple[Any, Any]:
    """Split draws into the first `tokens` tokens and the rest."""
    first, left_in_hold = [], []
    for lot_id, part in parts:
        taken = min(part, tokens)
        tokens -= taken
        if taken:
            first.append((lot_id, taken))
        if part > taken:
            left_in_hold.append((lot_id, part - taken))
    return first, left_in_hold


def total_tokens(draws: Draws) -> Decimal:
    return sum((tokens for _, tokens in draws), ZERO)
