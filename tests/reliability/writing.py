"""Eight clients that never stop: grants, purchases, spends, holds with their captures, batches, with keys.

When a connection breaks, a client connects again and goes on, now and then with the same call.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from random import Random
from threading import Event, Thread
from types import TracebackType

from purchases import Purchase
from reliability.books import Row
from reliability.calls import ONCE, Channel, Log, Lost, marked_once
from reliability.charging import WORDS, Cards, report_of
from reliability.paying_back import goes_back

WRITERS = 8
PEOPLE = ("ada", "bob", "cleo", "dan")
POOR = "eve"  # has nothing, and is refused everything
TOPPED_UP = "fay"  # spends tokens that her card pays for
LEASE = 1  # seconds, after which another worker takes a call whose worker has not reported
MODULES = ("stablediffusion", "whisper", "metube", "somethingelse")
Connect = Callable[[], Channel]


def fund(connect: Connect, log: Log) -> None:
    """Everybody but one gets tokens that last for the whole run."""
    channel = connect()
    for name in PEOPLE:
        bought = {
            "user_id": name,
            "tokens": 10**9,
            "reason": "purchase",
            "idempotency_key": f"first of {name}",
        }
        assert log.send(channel, "add_tokens", bought).answer
    grant = {"user_id": POOR, "tokens": 1, "idempotency_key": "first"}
    spend = {"user_id": POOR, "module_id": "somethingelse", "idempotency_key": "first"}
    assert log.send(channel, "add_tokens", grant).answer
    assert log.send(channel, "consume_tokens", spend).refusal
    channel.close()


def agree(connect: Connect, log: Log, customer: Callable[[str], None]) -> None:
    """One of them agrees to automatic top-ups. `customer` makes an account a customer of Stripe."""
    channel = connect()
    tokens = {"user_id": TOPPED_UP, "tokens": 150, "idempotency_key": "first of the topped up"}
    assert log.send(channel, "add_tokens", tokens).answer
    customer(TOPPED_UP)
    agreed = {"threshold": 20, "pack_id": "basique", "monthly_limit": 10**9, "words": WORDS}
    card = {"user_id": TOPPED_UP, "payment_method_id": "pm_1"}
    assert log.send(channel, "set_auto_topup", agreed | card).answer
    channel.close()


class Writers:
    """`with Writers(…)`: they write until the block ends. `connect` raises Lost while the server is away."""

    def __init__(self, connect: Connect, log: Log, seed: str, cards: Cards) -> None:
        self.stopping = Event()
        self.writers = [
            Writer(connect, log, f"{seed}:{place}", self.stopping, cards) for place in range(WRITERS)
        ]

    def __enter__(self) -> Writers:
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        for writer in self.writers:
            writer.join()


class Writer(Thread):
    """One of them."""

    def __init__(self, connect: Connect, log: Log, seed: str, stopping: Event, cards: Cards) -> None:
        super().__init__(daemon=True)
        self.cards = cards
        self.connect = connect
        self.log = log
        self.random = Random(seed)
        self.seed = seed
        self.stopping = stopping
        self.number = 0
        self.last: tuple[str, Row] | None = None

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                channel = self.connect()
            except Lost:
                time.sleep(0.02)
                continue
            with suppress(Lost):
                if self.last and self.random.random() < 0.5:
                    self.send(channel, *self.last)
                while not self.stopping.is_set():
                    self.step(channel)
            channel.close()

    def step(self, channel: Channel) -> None:
        name = self.random.choice(PEOPLE)
        chance = self.random.random()
        if chance < 0.1:
            self.spend_without_key(channel, name)
        elif chance < 0.35:
            self.send(channel, "consume_tokens", self.use(name))
        elif chance < 0.55:
            tokens = Decimal(self.random.randint(1, 10_000)) / 100
            reason = self.random.choice(["grant", "promo", "purchase"])
            grant = {"user_id": name, "tokens": tokens, "reason": reason, "idempotency_key": self.key()}
            self.send(channel, "add_tokens", grant)
        elif chance < 0.8:
            use = self.use(name) | {"usage": {"calls": 2}, "ttl": "1 hour"}
            if hold := self.send(channel, "hold_tokens", use):
                usage = {"calls": self.random.randint(1, 3)}
                capture = {"hold_id": hold["hold_id"], "usage": usage, "idempotency_key": self.key()}
                self.send(channel, "capture_hold", capture)
        elif chance < 0.88:
            self.buy(channel, name)
        elif chance < 0.95:
            self.send(channel, "consume_tokens", self.use(TOPPED_UP))
            self.charge(channel)
        elif chance < 0.98:
            items = [self.use(self.random.choice(PEOPLE)) for _ in range(self.random.randint(2, 5))]
            self.send(channel, "consume_tokens_batch", {"items": items, "atomic": self.random.random() < 0.5})
        else:
            # More than there is.
            usage = {"calls": self.random.randint(1, 9)}
            self.send(channel, "consume_tokens", self.use(POOR) | {"usage": usage})

    def charge(self, channel: Channel) -> None:
        """What `pgcredits work` does. Some workers end between Stripe's answer and their report."""
        claimed = self.send(channel, "claim_stripe_calls", {"most": 2, "lease_seconds": LEASE})
        for due in (claimed or {"calls": []})["calls"]:
            report = report_of(due, self.cards.answer(due, due["account_id"]))
            if self.random.random() < 0.4:
                continue
            calls: list[tuple[str, Row]] = [
                ("report_stripe_call", report),
                ("apply_stripe_event", {"event": self.cards.event_about(due)}),
            ]
            self.random.shuffle(calls)
            for call in calls:
                self.send(channel, *call)

    def buy(self, channel: Channel, name: str) -> None:
        """Events of the payment may come before the checkout is attached, and with members missing."""
        order = self.send(
            channel, "create_order", {"user_id": name, "pack_id": "basique", "idempotency_key": self.key()}
        )
        if order is None:
            return
        named = {name: str(order[name]) for name in ("account_id", "order_id")}
        purchase = Purchase(order, f"cs_{order['order_id']}")
        calls: list[tuple[str, Row]] = [
            ("attach_checkout", named | {"session_id": purchase.session_id}),
            ("apply_stripe_event", {"event": purchase.event("nothing said")}),
            ("apply_stripe_event", {"event": purchase.event("paid, little said")}),
        ]
        # Some money comes back, half of it before the bank knows the payment.
        if self.random.random() < 0.6:
            calls += [
                ("apply_stripe_event", {"event": goes_back(order, self.random)})
                for _ in range(self.random.randint(1, 3))
            ]
        self.random.shuffle(calls)
        for call in calls:
            self.send(channel, *call)

    def spend_without_key(self, channel: Channel, name: str) -> None:
        """Nobody may repeat it. Its entry is known by its metadata."""
        use = self.use(name)
        once = {ONCE: use.pop("idempotency_key")}
        self.last = None
        self.log.send(channel, "consume_tokens", use | {"metadata": once})

    def send(self, channel: Channel, function: str, arguments: Row) -> Row | None:
        self.last = function, arguments
        return self.log.send(channel, function, arguments).answer

    def use(self, name: str) -> Row:
        return {"user_id": name, "module_id": self.random.choice(MODULES), "idempotency_key": self.key()}

    def key(self) -> str:
        self.number += 1
        return f"{self.seed}:{self.number}"


def charge_all(connect: Connect, log: Log, cards: Cards) -> None:
    """Make the calls to Stripe that are left, once their leases have ended, and deliver all events."""
    channel = connect()
    time.sleep(LEASE)
    claimed = log.send(channel, "claim_stripe_calls", {"most": 100, "lease_seconds": LEASE}).answer
    for due in (claimed or {"calls": []})["calls"]:
        report = report_of(due, cards.answer(due, due["account_id"]))
        log.send(channel, "report_stripe_call", report)
    for told in cards.events():
        log.send(channel, "apply_stripe_event", {"event": told})
    channel.close()


def repeat_all(connect: Connect, log: Log) -> int:
    """Repeat every call that was not refused and may be repeated, with as many clients. Returns how many."""
    calls = [call for call in log.calls if call.refusal is None and not marked_once(call.arguments)]
    channels = [connect() for _ in range(WRITERS)]

    def work(place: int) -> None:
        for call in calls[place::WRITERS]:
            log.send(channels[place], call.function, call.arguments)
        channels[place].close()

    threads = [Thread(target=work, args=(place,)) for place in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(calls)
