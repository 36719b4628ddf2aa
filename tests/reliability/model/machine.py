"""Random calls and moves of the clock, made both to the bank and to the model. Their answers must agree."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

import psycopg
from callers import STATUS, Connection, Row
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from purchases import SESSION_EVENTS, Purchase
from reliability.model.model import ZERO, Account, Answer, Module, Pack, Price, Refused
from reliability.model.money import (
    DISPUTE_STATUSES,
    FIRST_SUCCESS,
    INQUIRY_STATUSES,
    REFUND_STATUSES,
    MoneyEvent,
)
from reliability.model.session import BankSession
from stripe_events import event as stripe_event

USERS = ("ada", "bob", "cyd")
START = datetime(2098, 1, 30, 12, tzinfo=UTC)
ZERO_TIME = timedelta(0)
CREATED = stripe_event("", {})["created"]  # when Stripe's events happen
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
MIDNIGHT, MONTH = datetime(2098, 1, 31, tzinfo=UTC), datetime(2098, 2, 1, tzinfo=UTC)


def price(dimension: str, *versions: tuple[str, datetime]) -> tuple[Price, ...]:
    """Versions of a price. A number of calls is whole, as in the price lists of sql/catalogs."""
    whole = dimension == "calls"
    return tuple(Price(dimension, Decimal(tokens), effective_at, whole) for tokens, effective_at in versions)


PAGES = price("pages", ("2", NEVER), ("2.5", MIDNIGHT), ("0.7", MONTH))
SECONDS = price("seconds", ("0.333333", NEVER), ("0.5", MIDNIGHT + timedelta(hours=6)))
CALLS = price("calls", ("10", NEVER), ("12.345678", MIDNIGHT))
TASTES = price("pages", ("3", NEVER), ("0", MIDNIGHT))
MODULES = (
    Module("draft", None, PAGES),
    Module("film", "moving", SECONDS),
    Module("clip", "moving", CALLS),
    Module("anything", None, price("calls", ("30", NEVER))),  # the default of iahome
)
RARE_MODULES = (Module("taste", None, TASTES), Module("Fi lm", None, SECONDS, did_you_mean="film"))
# The pack, and what it may be changed to. The last one is withdrawn.
PACKS = (
    Pack(Decimal(80), Decimal(20), 500),
    Pack(Decimal(80), Decimal(20), 600),
    Pack(Decimal(60), ZERO, 500),
    Pack(Decimal(80), Decimal(20), 500, sold=False),
)

tokens = st.sampled_from(["0.000001", "0.5", "3", "10", "12.345678", "25", "40", "100", "333.333333"]).map(
    Decimal
)
QUANTITIES = [
    Decimal(quantity) for quantity in ("0", "0.001", "0.5", "1", "2", "3.7", "7", "10", "33", "120")
]
indexes = st.integers(0, 1000)  # modulo the length of the list
users = st.sampled_from(USERS)
modules = st.sampled_from([*MODULES * 2, *RARE_MODULES])
ttls = st.sampled_from([timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=6), timedelta(hours=24)])
usages = st.sampled_from([None, *QUANTITIES])  # None: one call, whatever the module counts
captured = st.sampled_from(
    [None, ZERO, *QUANTITIES, Decimal(33), Decimal(120)]
)  # often nothing, or far too much
scopes = st.sampled_from([*[None] * 9, "module:draft", "module:clip", "category:moving"])
lifetimes = st.sampled_from(
    [*[None] * 5, timedelta(minutes=5), timedelta(hours=7), timedelta(days=1), timedelta(days=3)]
)
reasons = st.sampled_from(["grant", "promo", "allowance", "rollover", "purchase"])
keyed = st.booleans()
# Parts of a payment. Thirds are not whole tokens. The last one is more than was paid.
money_parts = st.sampled_from([(1, 1), (1, 1), (1, 2), (1, 3), (2, 3), (1, 500), (501, 500)])
metadata_sizes = st.sampled_from([*[0] * 4, 1000, 1100])  # in letters
# Events about pending money come more often than odd events.
PENDING_MONEY = ["unpaid", "failed", "expired", "paid later"]
variants = st.lists(st.sampled_from([*SESSION_EVENTS, *PENDING_MONEY * 2]), min_size=1, max_size=4)
events_before_attach = st.integers(0, 4)  # how many come before attach_checkout
by_user = st.sampled_from([False, False, False, True])  # a user over HTTP calls, not a service
# Situations that seldom come about by chance. Each run may begin with one.
OPENINGS = (
    *("none", "none", "in default", "an expired hold", "a hold that expired long ago", "a user's own hold"),
    *("a hold of a lot that ends", "debt and an open hold", *["a limit and a user's own hold"] * 2),
    *("a spent purchase", "a purchase that ends", "a held purchase", "a refund of what is held"),
    *("a purchase that repaid a dispute", "a debt that was repaid is won back", "a void and a refund"),
    *("a refund before its purchase", "a refund and a dispute", "a pending refund", "an inquiry"),
)
jumps = st.sampled_from(
    ["next", "before next", *(timedelta(minutes=minutes) for minutes in (1, 15, 360, 24 * 60, 4 * 24 * 60))]
)

# What is read after every step. No step makes or drops an object, or changes a right, a login or a setting.
# The checks of these take longer than all the others, so they are left out.
BOOKS = {
    "findings": "select * from audit.findings where check_name not in ('check_release', 'check_access',"
    " 'check_roles', 'check_logins', 'check_creators', 'check_settings')",
    "balances": "select user_id, balance, held, available, debt, lifetime_granted, lifetime_spent, status"
    " from api.balance",
    "lots": "select user_id, lot_id, remaining, held, withheld, frozen, reversed, expires_at from api.lots",
    "holds": "select hold_id, state, tokens, held, captured, shortfall, expires_at, late from api.holds",
}


class BankMachine(RuleBasedStateMachine):
    """A run over three accounts. Runs follow each other, and share a connection and the counts."""

    connection: Connection
    counts: Counter[str]
    fault: str  # a statement that spoils the bank before the run begins

    def __init__(self) -> None:
        super().__init__()
        self.bank = BankSession(self.connection)
        self.accounts = {user_id: Account(user_id, START) for user_id in USERS}
        self.holds: list[tuple[Account, str]] = []  # with their ids in the bank
        self.pack = PACKS[0]
        self.orders: dict[Any, tuple[Account, int]] = {}  # by their ids in the bank
        self.unattached: list[Purchase] = []  # orders without a checkout
        self.purchases: list[Purchase] = []
        self.money_events: list[tuple[Purchase, MoneyEvent, Row]] = []  # as they were sent
        self.amounts: dict[str, int] = {}  # of refunds and disputes, by their ids at Stripe
        self.keyed_calls: list[partial[None]] = []  # calls with keys
        self.numbers = count(1)
        self.steps = count(1)  # of this run, so that a repeat of it is audited at the same steps
        self.connection.execute("begin")
        if self.fault:
            self.connection.execute(self.fault.encode())
        self.bank.act_as(None)
        for user_id in USERS:
            self.bank.call("set_test_clock", {"user_id": user_id, "frozen_time": START})
        self.bank.act_as_superuser()
        known = self.bank.rows("select subject, account_id::text as name from credits.identities")
        self.names = {row["subject"]: row["name"] for row in known}  # account ids in the bank, by user
        for who in USERS:
            self._grant(who, "promo", Decimal(200), None, None, None, None)

    def teardown(self) -> None:
        try:
            self._maintain()
            self._compare_orders()
            for account in self.accounts.values():
                self._compare_entries(account)
        finally:
            self.connection.execute("rollback")

    # Steps

    @initialize(who=users, opening=st.sampled_from(OPENINGS))
    def open(self, who: str, opening: str) -> None:
        draft, minute, day = MODULES[0], timedelta(minutes=1), timedelta(hours=24)
        if opening == "in default":
            # More debt than the account may have now, and tokens for clips alone.
            self._grant(who, "grant", Decimal(100), None, "module:clip", None, None)
            self.overdraft(who, Decimal(100))
            self._hold(who, draft, Decimal(10), day, False, 0, None)
            self._capture(0, Decimal(120), False, True, "debt", False, None)
            self.overdraft(who, ZERO)
        elif opening == "debt and an open hold":
            # Debt of 42 tokens, and a small hold of which most captures make more.
            self.overdraft(who, Decimal(50))
            self._hold(who, draft, Decimal(10), day, False, 0, None)
            self._hold(who, draft, Decimal(1), day, False, 0, None)
            self._capture(0, Decimal(120), False, True, "debt", False, None)
        elif opening in ("an expired hold", "a hold that expired long ago"):
            self._hold(who, draft, Decimal(10), minute, False, 0, None)
            self.move_clock(who, 2 * minute if opening == "an expired hold" else day + minute, True)
        elif opening == "a user's own hold":
            self._hold(who, draft, Decimal(10), day, True, 0, None)
            self.move_clock(who, minute, True)
        elif opening == "a limit and a user's own hold":
            # The hold takes 20 of 30 tokens.
            self.spend_limit(who, "day", Decimal(30), False)
            self._hold(who, draft, Decimal(10), day, True, 0, None)
        elif opening == "a hold of a lot that ends":
            expires_at = self.accounts[who].now + 5 * minute
            self._grant(who, "promo", Decimal(40), expires_at, None, 1, None)
            self._hold(who, draft, Decimal(10), day, False, 0, None)
        elif opening != "none":
            # All that the account has is a purchase, mostly of 80 tokens and 20 more.
            self._void(who, 1, None, None)
            self._open_with_purchase(who, opening)

    def _open_with_purchase(self, who: str, opening: str) -> None:
        draft, minute, whole = MODULES[0], timedelta(minutes=1), (1, 1)
        self.buy(who, ["paid"], 0, opening == "a refund before its purchase")
        if opening in (
            "a spent purchase",
            "a purchase that ends",
            "a held purchase",
            "a refund of what is held",
        ):
            # 40 of its tokens are spent or held, or it ends soon.
            if opening == "a spent purchase":
                self._spend(who, draft, Decimal(20), False, False, 0, None)
            else:
                self._hold(who, draft, Decimal(20), 10 * minute, False, 0, None)
            if opening == "a purchase that ends":
                for lot_id in self._lots_bought(who):
                    self._change_expiry(who, lot_id, self.accounts[who].now + 5 * minute, None)
            if opening == "a refund of what is held":
                self.refund_payment(0, 1, whole, "succeeded")
        elif opening in ("a purchase that repaid a dispute", "a debt that was repaid is won back"):
            # Another one has repaid the debt of a dispute that may still be won.
            self._spend(who, draft, Decimal(30), False, False, 0, None)
            self.dispute_payment(0, 1, whole, "needs_response", "funds_withdrawn", 1)
            self.buy(who, ["paid"], 0, False)
            if opening == "a debt that was repaid is won back":
                self.dispute_payment(0, 1, whole, "won", "funds_reinstated", 2)
        elif opening == "a refund before its purchase":
            self.refund_payment(0, 1, (1, 2), "succeeded")
            self.attach_later(0, ["paid"], 0, True)
        elif opening == "a refund and a dispute":
            self.refund_payment(0, 1, whole, "succeeded")
            self.dispute_payment(0, 1, whole, "needs_response", "funds_withdrawn", 1)
            self.refund_payment(0, 1, whole, "pending")
        elif opening == "a pending refund":
            self.refund_payment(0, 1, (1, 2), "pending")
            self._spend(who, draft, Decimal(33), False, False, 0, None)
        elif opening == "an inquiry":
            self.dispute_payment(0, 1, whole, "warning_needs_response", "created", 0)
            self._spend(who, draft, Decimal(2), False, False, 0, None)
        elif opening == "a void and a refund":
            self._void(who, self._lots_bought(who)[0], Decimal(40), None)
            self.refund_payment(0, 1, whole, "succeeded")
            void = max(seq for seq, entry in enumerate(self.accounts[who].entries, 1) if entry.voided)
            self._restore(who, void, None, None)

    @rule(
        who=users,
        reason=reasons,
        tokens=tokens,
        lifetime=lifetimes,
        scope=scopes,
        priority=st.none() | st.just(1),
        keyed=keyed,
    )
    def grant(
        self,
        who: str,
        reason: str,
        tokens: Decimal,
        lifetime: Any,
        scope: str | None,
        priority: int | None,
        keyed: bool,
    ) -> None:
        expires_at = None if lifetime is None else self.accounts[who].now + lifetime
        self._call(keyed, self._grant, who, reason, tokens, expires_at, scope, priority)

    @rule(
        who=users,
        variants=variants,
        events_before_attach=events_before_attach,
        later=st.sampled_from([False, False, True]),
    )
    def buy(self, who: str, variants: list[str], events_before_attach: int, later: bool) -> None:
        """Buy the pack as it is sold now, and pay at once or later."""
        expected: int | Refused
        try:
            expected = self.accounts[who].order(self.pack)
        except Refused as refusal:
            expected = refusal
            self.counts[refusal.slug] += 1
        self.bank.act_as(who)
        try:
            order = self.bank.call("create_order", {"pack_id": "bundle"})
        except psycopg.Error as error:
            assert isinstance(expected, Refused), error
            self._compare_refusal(error, expected)
        else:
            assert not isinstance(expected, Refused), (expected.slug, order)
            sold = (self.pack.tokens, self.pack.bonus, self.pack.amount, "pending")
            assert (order["tokens"], order["bonus_tokens"], order["amount"], order["state"]) == sold
            self.orders[order["order_id"]] = self.accounts[who], expected
            self.accounts[who].orders[expected].order_id = str(order["order_id"])
            purchase = Purchase(order, f"cs_{order['order_id']}")
            self.purchases.append(purchase)
            if later:
                self.unattached.append(purchase)
            else:
                self._pay(purchase, variants, events_before_attach, True)
        self._compare_orders()

    @precondition(lambda self: self.unattached)
    @rule(
        which=indexes, variants=variants, events_before_attach=events_before_attach, maintained=st.booleans()
    )
    def attach_later(
        self, which: int, variants: list[str], events_before_attach: int, maintained: bool
    ) -> None:
        """A checkout that is attached too late is refused. The buyer gets nothing and pays nothing."""
        self._pay(
            self.unattached.pop(which % len(self.unattached)), variants, events_before_attach, maintained
        )
        self._compare_orders()

    def _pay(
        self, purchase: Purchase, variants: list[str], events_before_attach: int, maintained: bool
    ) -> None:
        """Some events come before attach_checkout. All of them come again."""
        account, place = self.orders[purchase.order["order_id"]]
        delivered = []
        for number, one in enumerate([*variants, None]):
            if number == min(events_before_attach, len(variants)):
                self._attach_checkout(purchase, maintained)
                self._follow(purchase)
            if one is not None:
                self.bank.act_as(None)
                delivered.append(purchase.event(one))
                receipt = self.bank.call("apply_stripe_event", {"event": delivered[-1]})
                assert receipt["outcome"] == purchase.receive(one)
                self._follow(purchase)
                again = self.bank.call("apply_stripe_event", {"event": delivered[-1]})
                assert again["outcome"] == purchase.repeat()
        for event in delivered:
            assert self.bank.call("apply_stripe_event", {"event": event})["outcome"] == purchase.repeat()
        self.counts[f"order {account.orders[place].state}"] += 1

    def _follow(self, purchase: Purchase) -> None:
        """What the account gets when an event has moved its order."""
        account, place = self.orders[purchase.order["order_id"]]
        order = account.orders[place]
        if purchase.attached:
            order.state = purchase.state
        if purchase.granted and order.money.paid is None:
            paid = 0 if purchase.free else order.pack.amount
            account.call(lambda a: a.fulfil(place, paid, purchase.known))
            order = account.orders[place]
        order.money.known = order.money.known or purchase.known
        if order.money.known:
            account.call(lambda a: a.hear_waiting(place))

    def _attach_checkout(self, purchase: Purchase, maintained: bool) -> None:
        order = purchase.order
        account, place = self.orders[order["order_id"]]
        # A refused attach_checkout books nothing that is due.
        if maintained or not account.has_lapsed(account.orders[place], self.pack):
            self._maintain()
        expected: Refused | None = None
        try:
            account.attach_checkout(place, self.pack)
            purchase.attach()
        except Refused as refusal:
            expected = refusal
            self.counts[refusal.slug] += 1
        self.bank.act_as(None)
        arguments = {"account_id": order["account_id"], "order_id": order["order_id"]}
        try:
            attached = self.bank.call("attach_checkout", arguments | {"session_id": purchase.session_id})
        except psycopg.Error as error:
            assert expected, error
            self._compare_refusal(error, expected)
        else:
            assert not expected, (expected.slug, attached)
            assert attached["state"] == purchase.state

    # Money that comes back

    @precondition(lambda self: self.purchases)
    @rule(
        which=indexes,
        number=st.integers(1, 2),
        amount=money_parts,
        status=st.sampled_from([*REFUND_STATUSES, "succeeded", "succeeded", "pending"]),
    )
    def refund_payment(self, which: int, number: int, amount: tuple[int, int], status: str) -> None:
        purchase = self._some_purchase(which)
        name = f"re_{number}_{purchase.order['order_id']}"
        kind = "refund.failed" if status in ("failed", "canceled") else "refund.updated"
        self._tell(
            purchase, kind, MoneyEvent("", "refund", name, self._amount(purchase, name, amount), status), {}
        )

    @precondition(lambda self: self.purchases)
    @rule(which=indexes, amount=money_parts)
    def see_charge_refunded(self, which: int, amount: tuple[int, int]) -> None:
        """The charge says how much of it has been refunded in all."""
        purchase = self._some_purchase(which)
        name, whole = f"ch_{purchase.order['order_id']}", purchase.order["amount"]
        told = MoneyEvent("", "refunded_charge", name, whole * amount[0] // amount[1], "refunded")
        self._tell(purchase, "charge.refunded", told, {"amount": whole, "amount_refunded": told.amount})

    @precondition(lambda self: self.purchases)
    @rule(
        which=indexes,
        number=st.integers(1, 2),
        amount=money_parts,
        status=st.sampled_from([*DISPUTE_STATUSES * 3, *INQUIRY_STATUSES]),
        step=st.sampled_from(["created", "updated", "closed", "funds_withdrawn", "funds_reinstated"]),
        movements=st.integers(0, 4),
    )
    def dispute_payment(
        self, which: int, number: int, amount: tuple[int, int], status: str, step: str, movements: int
    ) -> None:
        """Its list of movements begins with a withdrawal, and then goes to and fro."""
        purchase = self._some_purchase(which)
        name = f"dp_{number}_{purchase.order['order_id']}"
        told = MoneyEvent("", "dispute", name, self._amount(purchase, name, amount), status)
        movements = 0 if status.startswith("warning_") else movements
        told.withdrawals, told.reinstatements = (movements + 1) // 2, movements // 2
        moved = [{"amount": -told.amount if place % 2 == 0 else told.amount} for place in range(movements)]
        if step.startswith("funds_"):
            told.withdrawals = max(told.withdrawals, 1)
        if step == "funds_reinstated":
            told.reinstatements = max(told.reinstatements, 1)
        self._tell(purchase, f"charge.dispute.{step}", told, {"balance_transactions": moved})

    @precondition(lambda self: self.purchases)
    @rule(which=indexes, actionable=st.sampled_from([True, True, False]))
    def warn_of_fraud(self, which: int, actionable: bool) -> None:
        purchase = self._some_purchase(which)
        name = f"issfr_{purchase.order['order_id']}"
        told = MoneyEvent("", "fraud_warning", name, 0, "actionable" if actionable else "closed")
        kind = "radar.early_fraud_warning.created" if actionable else "radar.early_fraud_warning.updated"
        self._tell(purchase, kind, told, {"actionable": actionable})

    @precondition(lambda self: self.purchases)
    @rule(which=indexes, failed=st.booleans(), later=st.integers(0, 3))
    def hear_of_debit(self, which: int, failed: bool, later: int) -> None:
        """A payment that had succeeded has failed, or has succeeded again, by Stripe's clock."""
        purchase = self._some_purchase(which)
        account, place = self.orders[purchase.order["order_id"]]
        if account.orders[place].state != "paid":
            return
        told = purchase.event("failed" if failed else "paid later", created=CREATED + later)

        def change(account: Account) -> Answer:
            order = account.orders[place]
            outcome = "duplicate"
            if failed:
                outcome = order.money.fail(purchase.session_id, FIRST_SUCCESS + later)
            else:
                order.money.succeed(FIRST_SUCCESS + later)
            account.follow_money(place)
            return {"outcome": outcome}

        self._call_both(account, "apply_stripe_event", {"event": told}, change)
        self._compare_orders()

    @precondition(lambda self: self.money_events)
    @rule(which=indexes)
    def tell_again(self, which: int) -> None:
        purchase, told, event = self.money_events[which % len(self.money_events)]
        self._deliver(purchase, told, event)

    def _some_purchase(self, which: int) -> Purchase:
        """Mostly one of the last two, so that much happens to one payment."""
        some = self.purchases[-2:] if which % 4 else self.purchases
        return some[which // 4 % len(some)]

    def _amount(self, purchase: Purchase, name: str, part: tuple[int, int]) -> int:
        """A refund and a dispute keep their amount."""
        return self.amounts.setdefault(name, max(purchase.order["amount"] * part[0] // part[1], 1))

    def _tell(self, purchase: Purchase, kind: str, told: MoneyEvent, members: Row) -> None:
        """Send an event about the payment. Once its charge is known, some events name that alone."""
        account, place = self.orders[purchase.order["order_id"]]
        charge = f"ch_{purchase.order['order_id']}"
        thing = {"id": told.object_id, "charge": charge, "payment_intent": purchase.intent}
        if account.orders[place].money.charge_known and next(self.numbers) % 2:
            del thing["payment_intent"]
        thing |= {"amount": told.amount, "status": told.status, "currency": "eur"}
        event = stripe_event(kind, thing | members)
        told.event_id = event["id"]
        self.money_events.append((purchase, told, event))
        self._deliver(purchase, told, event)

    def _deliver(self, purchase: Purchase, told: MoneyEvent, event: Row) -> None:
        account, place = self.orders[purchase.order["order_id"]]
        money = account.orders[place].money
        self.counts[told.kind] += 1
        if money.known and told.event_id not in money.done:
            self._call_both(account, "apply_stripe_event", {"event": event}, lambda a: a.hear(place, told))
        else:  # it is no news, or its payment is unknown: it locks nothing and moves nothing
            if not money.known and told not in money.waiting:
                money.waiting.append(told)
            self.bank.act_as(None)
            receipt = self.bank.call("apply_stripe_event", {"event": event})
            assert receipt["outcome"] == ("duplicate" if money.known else "waiting")
        self._compare_orders()

    # Corrections of lots

    @rule(who=users, which=indexes, part=st.none() | tokens, keyed=keyed)
    def void(self, who: str, which: int, part: Decimal | None, keyed: bool) -> None:
        self._call(keyed, self._void, who, self._some_lot(who, which), part)

    @rule(who=users, which=indexes, part=st.none() | tokens, keyed=keyed)
    def restore(self, who: str, which: int, part: Decimal | None, keyed: bool) -> None:
        corrections = [
            seq for seq, entry in enumerate(self.accounts[who].entries, 1) if entry.kind == "adjustment"
        ]
        if corrections:
            self._call(keyed, self._restore, who, corrections[which % len(corrections)], part)

    @rule(who=users, which=indexes, lifetime=st.just(ZERO_TIME) | lifetimes, keyed=keyed)
    def change_expiry(self, who: str, which: int, lifetime: Any, keyed: bool) -> None:
        expires_at = None if lifetime is None else self.accounts[who].now + lifetime
        self._call(keyed, self._change_expiry, who, self._some_lot(who, which), expires_at)

    def _some_lot(self, who: str, which: int) -> int:
        """Every other time a lot that was paid for, if there is one."""
        bought = self._lots_bought(who)
        some = bought if which % 2 and bought else list(self.accounts[who].lots)
        return some[which // 2 % len(some)]

    def _lots_bought(self, who: str) -> list[int]:
        return [lot_id for lot_id, lot in self.accounts[who].lots.items() if lot.order is not None]

    def _void(self, who: str, lot_id: int, part: Decimal | None, key: str | None) -> None:
        arguments: Row = {"lot_id": f"{self.names[who]}:{lot_id}"} | (
            {} if part is None else {"tokens": part}
        )
        self._call_both(self.accounts[who], "void_lot", arguments, lambda a: a.void(lot_id, part), key)

    def _restore(self, who: str, seq: int, part: Decimal | None, key: str | None) -> None:
        arguments: Row = {"entry_id": f"{self.names[who]}:{seq}"} | ({} if part is None else {"tokens": part})
        self._call_both(self.accounts[who], "restore_lot", arguments, lambda a: a.restore(seq, part), key)

    def _change_expiry(self, who: str, lot_id: int, expires_at: Any, key: str | None) -> None:
        self._call_both(
            self.accounts[who],
            "change_expiry",
            {"lot_id": f"{self.names[who]}:{lot_id}", "expires_at": expires_at or "infinity"},
            lambda a: a.change_expiry(lot_id, expires_at),
            key,
        )

    @rule(pack=st.sampled_from([*PACKS[:2], *PACKS, PACKS[3]]))
    def change_pack(self, pack: Pack) -> None:
        """Give the pack another price or content, withdraw it, or restore it."""
        self.pack = pack
        self.bank.act_as_superuser()
        self.bank.rows(
            "select credits.define_pack('bundle', 'Bundle', %s, %s, 'eur', %s, p_active => %s)",
            pack.tokens,
            pack.amount,
            pack.bonus,
            pack.sold,
        )

    @rule(
        who=users,
        module=modules,
        quantity=usages,
        byok=st.sampled_from([False] * 3 + [True]),
        user=by_user,
        metadata_size=metadata_sizes,
        keyed=keyed,
    )
    def spend(
        self,
        who: str,
        module: Module,
        quantity: Decimal | None,
        byok: bool,
        user: bool,
        metadata_size: int,
        keyed: bool,
    ) -> None:
        self._call(keyed, self._spend, who, module, quantity, byok and not user, user, metadata_size)

    @rule(
        who=users,
        module=modules,
        quantity=usages,
        ttl=ttls,
        user=by_user,
        metadata_size=metadata_sizes,
        keyed=keyed,
    )
    def hold(
        self,
        who: str,
        module: Module,
        quantity: Decimal | None,
        ttl: timedelta,
        user: bool,
        metadata_size: int,
        keyed: bool,
    ) -> None:
        self._call(keyed, self._hold, who, module, quantity, ttl, user, metadata_size)

    @precondition(lambda self: self.holds)
    @rule(
        which=indexes,
        quantity=captured,
        whole=st.booleans(),
        final=st.sampled_from([True, True, False]),
        over=st.sampled_from(["debt", "debt", "available", "error"]),
        user=by_user,
        keyed=keyed,
    )
    def capture(
        self,
        which: int,
        quantity: Decimal | None,
        whole: bool,
        final: bool,
        over: str,
        user: bool,
        keyed: bool,
    ) -> None:
        number, user = self._some_hold(which, user)
        self._call(keyed, self._capture, number, quantity, whole, final, over, user)

    @precondition(lambda self: self.holds)
    @rule(which=indexes, user=by_user, keyed=keyed)
    def release(self, which: int, user: bool, keyed: bool) -> None:
        number, user = self._some_hold(which, user)
        self._call(keyed, self._release, number, user)

    @precondition(lambda self: self.holds)
    @rule(which=indexes, ttl=ttls, user=by_user)
    def extend(self, which: int, ttl: timedelta, user: bool) -> None:
        number, user = self._some_hold(which, user)
        account, name = self.holds[number]
        self._call_both(
            account,
            "extend_hold",
            {"hold_id": name, "ttl": ttl},
            lambda a: a.extend(number, ttl, not user),
            user=user,
        )

    @rule(who=users, which=indexes, part=st.none() | tokens, keyed=keyed)
    def refund(self, who: str, which: int, part: Decimal | None, keyed: bool) -> None:
        spends = [
            n for n, entry in enumerate(self.accounts[who].entries, 1) if entry.kind in ("spend", "byok")
        ]
        if which % 2:
            spends = spends[-2:]  # so that one of them is soon refunded twice
        if spends:
            self._call(keyed, self._refund, who, spends[which % len(spends)], part)

    @rule(who=users, status=st.sampled_from(["frozen", "active", "active"]))
    def freeze_or_thaw(self, who: str, status: str) -> None:
        def change(account: Account) -> Answer:
            replayed, account.status = account.status == status, status
            return {"status": status, "replayed": replayed}

        function = "freeze_account" if status == "frozen" else "thaw_account"
        self._call_both(self.accounts[who], function, {"user_id": who}, change)

    @rule(who=users, tokens=st.just(ZERO) | tokens)
    def overdraft(self, who: str, tokens: Decimal) -> None:
        def change(account: Account) -> Answer:
            account.overdraft = tokens
            return {"tokens": tokens, "debt": account.debt}

        self._call_both(self.accounts[who], "set_overdraft_limit", {"user_id": who, "tokens": tokens}, change)

    @rule(who=users, period=st.sampled_from(["day", "month"]), tokens=st.none() | tokens, user=by_user)
    def spend_limit(self, who: str, period: str, tokens: Decimal | None, user: bool) -> None:
        def change(account: Account) -> Answer:
            by = "user" if user else "service"
            account.limits.pop((by, period), None)
            if tokens is not None:
                account.limits[by, period] = tokens
            return {"tokens": tokens, "set_by": by}

        function = "lift_spend_limit" if tokens is None else "set_spend_limit"
        arguments = {"user_id": who, "period": period} | ({} if tokens is None else {"tokens": tokens})
        self._call_both(self.accounts[who], function, arguments, change, user=user)

    @rule(
        items=st.lists(st.tuples(users, modules, usages, keyed), min_size=1, max_size=6),
        again=st.booleans(),
        atomic=st.sampled_from([False, False, True]),
    )
    def batch(self, items: list[tuple[str, Module, Decimal | None, bool]], again: bool, atomic: bool) -> None:
        """A batch shares its keys with single spends, which repeat them. One may come twice in the batch."""
        keyed = [
            (who, module, quantity, self._key() if key else None) for who, module, quantity, key in items
        ]
        if again:
            keyed.append(keyed[0])
        self._batch(keyed, atomic)

    @precondition(lambda self: self.keyed_calls)
    @rule(which=indexes)
    def repeat_call(self, which: int) -> None:
        """Repeat an earlier call that had a key."""
        self.keyed_calls[which % len(self.keyed_calls)]()

    @precondition(lambda self: self.keyed_calls)
    @rule(which=indexes, tokens=tokens)
    def reuse_key(self, which: int, tokens: Decimal) -> None:
        """Make another call with the key of an earlier one. If that was refused, it left no key."""
        again = self.keyed_calls[which % len(self.keyed_calls)]
        changed = list(again.args)
        if again.func == self._capture:
            changed[3] = not changed[3]  # final
        elif again.func == self._release:
            return
        elif again.func == self._change_expiry:
            changed[2] = self.accounts[changed[0]].now + timedelta(seconds=1 + int(tokens))
        else:
            changed[2] = tokens + 1  # what is granted or refunded, or the quantity that is spent or held
        again.func(*changed, **again.keywords)

    @rule(who=users, jump=jumps, by_service=st.booleans())
    def move_clock(self, who: str, jump: str | timedelta, by_service: bool) -> None:
        """A service moves the clock, which books what is due; or time passes, and the next call books it."""
        account = self.accounts[who]
        due = [h.expires_at for h in account.holds.values() if h.state == "open"]
        due += [lot.expires_at for lot in account.lots.values() if lot.remaining and lot.expires_at]
        ahead = [moment for moment in due if moment > account.now]
        if isinstance(jump, timedelta):
            later = account.now + jump
        elif ahead:
            later = max(min(ahead) - timedelta(milliseconds=jump == "before next"), account.now)
        else:
            return
        if by_service:
            account.book_due()
            account.now = later
            self._call_both(
                account,
                "set_test_clock",
                {"user_id": who, "frozen_time": later},
                lambda a: {"frozen_time": later},
            )
        else:
            account.now = later
            self.bank.act_as_superuser()
            self.connection.execute(
                "update credits.wallets set test_clock = %s where account_id = %s", (later, self.names[who])
            )
            self._compare_books()

    @rule()
    def maintain(self) -> None:
        self._maintain()
        self._compare_orders()

    def _maintain(self) -> None:
        self.bank.act_as(None)
        self.bank.call("maintain", {})
        for account in self.accounts.values():
            account.book_due()
            account.end_old_orders(self.pack)

    # The calls

    def _some_hold(self, which: int, user: bool) -> tuple[int, bool]:
        """Every other time an open hold, else any. Every other time its maker calls, else who `user` says."""
        still_open = [n for n, (account, _) in enumerate(self.holds) if account.holds[n].state == "open"]
        numbers = still_open if which % 2 and still_open else range(len(self.holds))
        number = numbers[which // 4 % len(numbers)]
        by_service = self.holds[number][0].holds[number].by_service
        return number, not by_service if which // 2 % 2 else user

    def _key(self) -> str:
        return f"key-{next(self.numbers)}"

    def _call(self, keyed: bool, call: Callable[..., None], *arguments: Any) -> None:
        """Make a call. If it has a key, it may be repeated later."""
        again = partial(call, *arguments, key=self._key() if keyed else None)
        if keyed:
            self.keyed_calls.append(again)
        again()

    def _grant(
        self,
        who: str,
        reason: str,
        tokens: Decimal,
        expires_at: Any,
        scope: str | None,
        priority: int | None,
        key: str | None,
    ) -> None:
        arguments: dict[str, Any] = {"user_id": who, "reason": reason, "tokens": tokens}
        arguments |= {"scope": scope} if scope is not None else {}
        arguments |= {"expires_at": expires_at} if expires_at is not None else {}
        self._call_both(
            self.accounts[who],
            "add_tokens",
            arguments | {"priority": priority},
            lambda a: a.grant(reason, tokens, expires_at, priority, scope),
            key,
        )

    def _spend(
        self,
        who: str,
        module: Module,
        quantity: Decimal | None,
        byok: bool,
        user: bool,
        metadata_size: int,
        key: str | None,
    ) -> None:
        usage = usage_of(module, quantity)
        arguments: Row = {"user_id": who, "module_id": module.module_id, "usage": usage}
        self._call_both(
            self.accounts[who],
            "consume_tokens",
            arguments | ({"byok": True} if byok else {}) | metadata_of(metadata_size),
            lambda a: a.spend(module, usage, byok, not user, metadata_size),
            key,
            user,
        )

    def _hold(
        self,
        who: str,
        module: Module,
        quantity: Decimal | None,
        ttl: timedelta,
        user: bool,
        metadata_size: int,
        key: str | None,
    ) -> None:
        usage, number = usage_of(module, quantity), len(self.holds)
        self._call_both(
            self.accounts[who],
            "hold_tokens",
            {"user_id": who, "module_id": module.module_id, "usage": usage, "ttl": ttl}
            | metadata_of(metadata_size),
            lambda a: a.hold(number, module, usage, ttl, not user, metadata_size),
            key,
            user,
        )

    def _capture(
        self,
        number: int,
        quantity: Decimal | None,
        whole: bool,
        final: bool,
        over: str,
        user: bool,
        key: str | None,
    ) -> None:
        account, name = self.holds[number]
        usage = None if whole else usage_of(account.holds[number].module, quantity)
        self._call_both(
            account,
            "capture_hold",
            {"hold_id": name, "final": final, "over": over} | ({} if usage is None else {"usage": usage}),
            lambda a: a.capture(number, usage, final, over, not user),
            key,
            user,
        )

    def _release(self, number: int, user: bool, key: str | None) -> None:
        account, name = self.holds[number]
        self._call_both(
            account, "release_hold", {"hold_id": name}, lambda a: a.release(number, not user), key, user
        )

    def _refund(self, who: str, seq: int, part: Decimal | None, key: str | None) -> None:
        arguments = {"entry_id": f"{self.names[who]}:{seq}"} | ({} if part is None else {"tokens": part})
        self._call_both(self.accounts[who], "refund_usage", arguments, lambda a: a.refund(seq, part), key)

    def _batch(self, items: list[tuple[str, Module, Decimal | None, str | None]], atomic: bool) -> None:
        self.counts["consume_tokens_batch"] += 1
        before = {who: account.copy() for who, account in self.accounts.items()}
        sent, expected = [], []
        for who, module, quantity, key in items:
            usage = usage_of(module, quantity)
            item: Row = {"user_id": who, "module_id": module.module_id, "usage": usage}
            operation = None if key is None else ("consume_tokens", key)
            spend = partial(Account.spend, module=module, usage=usage)
            sent.append(item | ({} if key is None else {"idempotency_key": key}))
            try:
                expected.append(self.accounts[who].call(spend, operation, repr(item)))
            except Refused as refusal:
                expected.append(refusal)
            if key is not None:
                self.keyed_calls.append(partial(self._spend, who, module, quantity, False, False, 0, key=key))
        refusals = [
            (place, verdict) for place, verdict in enumerate(expected) if isinstance(verdict, Refused)
        ]
        self.bank.act_as(None)
        try:
            answer = self.bank.call("consume_tokens_batch", {"items": sent, "atomic": atomic})
        except psycopg.Error as error:
            assert atomic
            assert refusals, error
            (place, refusal), *_ = refusals
            self._compare_refusal(error, refusal, index=place)
            self.accounts = before
            self.holds = [(before[account.user_id], name) for account, name in self.holds]
            self.orders = {
                name: (before[account.user_id], place) for name, (account, place) in self.orders.items()
            }
        else:
            assert not (atomic and refusals)
            assert (answer["accepted"], answer["refused"]) == (len(items) - len(refusals), len(refusals))
            for (who, *_), verdict, model in zip(items, answer["verdicts"], expected, strict=True):
                if isinstance(model, Refused):
                    assert (verdict["ok"], verdict["error"]) == (False, model.slug)
                    assert {name: verdict.get(name) for name in model.facts} == model.facts
                else:
                    assert verdict["ok"] is True
                    self._compare_answer(who, verdict, model)
            for who in {who for who, *_ in items}:
                self.accounts[who].book_due()  # a batch books what is due even if all items are refused
        self._compare_books()

    # Comparing answers and books

    def _call_both(
        self,
        account: Account,
        function: str,
        arguments: Row,
        change: Callable[[Account], Answer],
        key: str | None = None,
        user: bool = False,
    ) -> None:
        """Call the model and the bank. Both must give the same answer, or refuse for the same reason."""
        self.counts[function] += 1
        expected: Answer | Refused
        try:
            operation = None if key is None else (function, key)
            expected = account.call(change, operation, repr(arguments))
        except Refused as refusal:
            expected = refusal
            self.counts[refusal.slug] += 1
        self.bank.act_as(account.user_id if user else None)
        try:
            answer = self.bank.call(
                function, arguments if key is None else arguments | {"idempotency_key": key}
            )
        except psycopg.Error as error:
            assert isinstance(expected, Refused), (
                expected,
                error.diag.message_primary,
                error.diag.message_detail,
            )
            self._compare_refusal(error, expected)
        else:
            assert not isinstance(expected, Refused), (expected.slug, expected.facts, answer)
            self._compare_answer(account.user_id, answer, expected)
            if function == "hold_tokens" and not answer["replayed"]:
                self.holds.append((account, answer["hold_id"]))
        self._compare_books()

    def _compare_refusal(self, error: psycopg.Error, expected: Refused, **more: Any) -> None:
        facts = json.loads(error.diag.message_detail or "{}", parse_float=Decimal)
        slug = facts.pop("error", str(error))
        assert (slug, error.sqlstate) == (expected.slug, f"PT{STATUS[expected.slug]}")
        expected_facts = expected.facts | more
        assert {name: facts.get(name) for name in expected_facts} == expected_facts

    def _compare_answer(self, who: str, answer: Row, model: Answer) -> None:
        expected = {"replayed": False} | model if "replayed" in answer else dict(model)
        expected.pop("lot_now", None)  # of the model
        expected.pop("number", None)  # only the model numbers its holds
        for ours, theirs in (("seq", "entry_id"), ("charge", "charge_id")):
            if ours in expected:
                expected[theirs] = f"{self.names[who]}:{expected.pop(ours)}"
        if "draws" in expected:
            expected["draws"] = draws_as_json(expected["draws"])
        assert {name: answer[name] for name in expected} == expected

    def _compare_books(self) -> None:
        """The views must show what the model has, and no check of the audit may find a fault."""
        self.counts["step"] += 1
        self.bank.act_as_superuser()
        # The audit takes longer than all the rest. The answers alone should betray a bank with a fault.
        if not self.fault or next(self.steps) % 10 == 0:
            assert self.bank.rows("execute findings") == []
        balances, lots, holds = (self.bank.rows(f"execute {name}") for name in ("balances", "lots", "holds"))
        as_read = {who: account.as_read() for who, account in self.accounts.items()}
        # Views show what is due, except that freed tokens will end debt.
        owing = {
            who
            for who, account in as_read.items()
            if any(e.kind == "reinstatement" for e in account.entries[len(self.accounts[who].entries) :])
        }
        shown = [row for row in balances if row["user_id"] not in {None, *owing}]
        assert {row["user_id"]: row for row in shown} == {
            who: {
                "user_id": who,
                "balance": account.balance,
                "held": account.held,
                "available": account.available,
                "debt": account.debt,
                "lifetime_granted": account.granted,
                "lifetime_spent": account.spent,
                "status": account.status,
            }
            for who, account in as_read.items()
            if who not in owing
        }
        assert {tuple(row.values()) for row in lots if row["user_id"] not in owing} == {
            (
                *(who, lot.lot_id, lot.remaining, lot.held, lot.withheld, lot.frozen, lot.reversed),
                lot.expires_at,
            )
            for who, account in as_read.items()
            for lot in account.lots.values()
            if who not in owing
        }
        assert {tuple(row.values()) for row in holds} == {
            (name, h.state, h.tokens, h.held, h.captured, h.shortfall, h.expires_at, h.late)
            for number, (account, name) in enumerate(self.holds)
            for h in (as_read[account.user_id].holds[number],)
        }

    def _compare_orders(self) -> None:
        """Orders that time or a changed pack has ended count, too."""
        self._compare_books()
        written = self.bank.rows(
            "select order_id, state, coalesce(paid, 0) as paid, reversed, reversal_pending, disputed,"
            " reversed_debt from credits.orders"
        )
        expected = {}
        for name, (account, place) in self.orders.items():
            order = account.orders[place]
            expected[name] = {
                "order_id": name,
                "state": order.state,
                "paid": order.money.paid or 0,
                "reversed": order.reversed,
                "reversal_pending": order.reversal_pending,
                "disputed": order.disputed,
                "reversed_debt": order.reversed_debt,
            }
        assert {row["order_id"]: row for row in written} == expected
        told = self.bank.rows("select reversal_id, order_id, kind, amount, status from api.reversals")
        assert {tuple(row.values()) for row in told} == {
            (reversal_id, name, one.kind, one.amount, one.status)
            for name, (account, place) in self.orders.items()
            for reversal_id, one in account.orders[place].money.reversals.items()
        }

    def _compare_entries(self, account: Account) -> None:
        written = self.bank.rows(
            "select kind::text, tokens, balance_after, debt_after, draws, usage, effective_at"
            " from credits.entries where account_id = %s order by seq",
            self.names[account.user_id],
        )
        assert len(written) == len(account.entries)
        for row, entry in zip(written, account.entries, strict=True):
            effective = row.pop("effective_at")
            assert row == {
                "kind": entry.kind,
                "tokens": entry.tokens,
                "balance_after": entry.balance_after,
                "debt_after": entry.debt_after,
                "draws": draws_as_json(entry.draws),
                "usage": entry.usage,
            }
            # Entries of one moment are a microsecond apart.
            assert entry.effective_at <= effective < entry.effective_at + timedelta(milliseconds=1)


def metadata_of(metadata_size: int) -> Row:
    return {"metadata": {"note": "x" * metadata_size}} if metadata_size else {}


def usage_of(module: Module, quantity: Decimal | None) -> dict[str, Decimal]:
    return {} if quantity is None else {module.prices[0].dimension: quantity}


def draws_as_json(draws: Any) -> list[Row]:
    return [{"lot_id": lot_id, "tokens": tokens} for lot_id, tokens in draws]
