"""Sixteen workers on three accounts make every call of the bank, at once and at random."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from threading import Event, Thread
from typing import Any, Protocol

import psycopg
from purchases import SESSION_EVENTS, Purchase
from reliability.books import Books, Row, read
from reliability.calls import Call, Channel, Log, Lost, SqlChannel
from reliability.charging import WORDS, Cards, report_of
from reliability.paying_back import goes_back
from support import PASSWORD

from pgcredits.database_urls import as_login

# Events that leave an order open come more often. Otherwise a short race might have none.
OFTEN = [*SESSION_EVENTS, *["unpaid", "nothing said"] * 3]
WORKERS, USERS = 16, 4  # of the workers so many are users, on their own account
PEOPLE = ("ada", "bob", "cleo")
# What one unit of a module costs: those of the price list iahome, and one with fractions.
PRICES = {
    "stablediffusion": Decimal(50),
    "whisper": Decimal(25),
    "metube": Decimal(10),
    "somethingelse": Decimal(30),
    "drip": Decimal("0.315001"),
}
SECONDS = '[{"dimension": "seconds", "price_per_unit": 0.315001}]'
# Ada's tokens are unbound, so spends use the head lot. Some of bob's are bound; cleo's expire soon.
BOUND = {"ada": 0.0, "bob": 0.3, "cleo": 0.3}
ENDING = {"ada": 0.02, "bob": 0.1, "cleo": 0.5}
SCOPES = ("module:whisper", "module:drip", "category:image")
OVERDRAFTS = (Decimal(0), Decimal(40), Decimal(200))
# How often; a user makes the first six.
WEIGHTS = {
    "spend": 22, "hold": 16, "capture": 16, "release": 4, "extend": 3, "reuse": 1,
    "grant": 9, "buy": 6, "refund": 8, "batch": 6, "freeze": 1, "thaw": 9, "overdraft": 3, "maintain": 2,
    "order": 6, "attach": 6, "news": 12, "reverse": 9,
    "agree": 6, "withdraw": 2, "charge_cards": 8, "card_news": 6,
}  # fmt: skip
FOR_USERS = tuple(WEIGHTS)[:6]
# Over HTTP mostly spends, so that many of them wait at the same time and share transactions.
MOSTLY_SPENDS = {**WEIGHTS, "spend": 150, "hold": 30, "capture": 30, "release": 15, "grant": 30, "buy": 30}
REPEATED = ("consume_tokens", "add_tokens", "hold_tokens", "capture_hold", "release_hold", "refund_usage")


@dataclass
class Race:
    """The calls of a race, and the books afterwards."""

    seed: int
    calls: list[Call]
    errors: list[str]
    books: Books
    seconds: float
    repeats: int
    sittings: list[Sitting]
    cards: Cards


@dataclass(frozen=True)
class Sitting:
    """A session kept a wallet locked for longer than calls wait."""

    name: str
    began_at: datetime
    ended_at: datetime


@dataclass
class Field:
    """What the workers know about each other's calls."""

    cards: Cards
    log: Log = field(default_factory=Log)
    holds: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in PEOPLE})
    charges: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in PEOPLE})
    orders: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in PEOPLE})
    paid: set[str] = field(default_factory=set)  # orders of which somebody was told so
    events: deque[Row] = field(default_factory=lambda: deque(maxlen=12))
    keyed: deque[tuple[str, str, Row]] = field(default_factory=lambda: deque(maxlen=6))
    consents: Counter[str] = field(default_factory=Counter)
    repeats: int = 0


class Connect(Protocol):
    """Connects a user, or a service, which is nobody."""

    def __call__(self, role: str, sub: str | None) -> Channel: ...


def by_sql(url: str) -> Connect:
    def connect(role: str, sub: str | None) -> Channel:
        login = "pgcredits_api" if role == "authenticated" else "pgcredits_service"
        return SqlChannel(as_login(url, login, PASSWORD), role, sub)

    return connect


def race(
    url: str, seed: int, steps: int, connect: Connect | None = None, weights: Mapping[str, int] = WEIGHTS
) -> Race:
    """Each worker takes so many steps. `url` is the superuser's, of a database with the prices of iahome."""
    connect = connect or by_sql(url)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "select credits.bound_unpaid(1000000)"
        )  # these workers release more holds than people do
        admin.execute("select credits.define_module('drip', 'Drip')")
        admin.execute("select credits.define_price(%s, p_module_id => 'drip')", (SECONDS,))
        for name in PEOPLE:
            admin.execute("select credits.open_account(%s)", (name,))
        admin.execute(b"update credits.accounts set stripe_customer_id = 'cus_' || account_id")
        field = Field(Cards(str(seed)))
        workers = [Worker(connect, weights, field, seed, place) for place in range(WORKERS)]
        began, over = datetime.now(UTC), Event()
        sitter = Sitter(url, seed)
        sitting = Thread(target=sitter.sit, args=(over,))
        sitting.start()
        for worker in workers:
            worker.thread = Thread(target=worker.work, args=(steps,))
            worker.thread.start()
        for worker in workers:
            worker.thread.join()
            worker.channel.close()
        over.set()
        sitting.join()
        seconds = (datetime.now(UTC) - began).total_seconds()

        # Let everything that ends soon end, and book it.
        admin.execute("select pg_sleep_until(clock_timestamp() + %s)", (LATEST,))
        with_claims = connect("service_role", None)
        for order in (order for orders in field.orders.values() for order in orders):
            field.log.send(with_claims, "attach_checkout", naming(order))
        while any((field.log.send(with_claims, "maintain", {}).answer or {}).values()):
            pass
        for told in field.cards.events():
            field.log.send(with_claims, "apply_stripe_event", {"event": told})
        # Booking takes back every permit. In the end each person gets a new one, and holds tokens by it.
        # The grant is larger than any debt of theirs.
        ending: dict[str, Row] = {
            "thaw_account": {},
            "add_tokens": {"tokens": Decimal(1_000_000), "reason": "purchase", "priority": 1},
            "consume_tokens": {"module_id": "metube"},
            "hold_tokens": {"module_id": "metube", "ttl": timedelta(minutes=10)},
        }
        for name in PEOPLE:
            for function, arguments in ending.items():
                field.log.send(with_claims, function, {"user_id": name} | arguments)
        with_claims.close()
    errors = field.log.errors() + [worker.error for worker in workers if worker.error]
    return Race(
        seed, field.log.calls, errors, read(url), seconds, field.repeats, sitter.sittings, field.cards
    )


# The latest end of a lot or hold that ends soon.
LATEST = timedelta(seconds=1)


# How often one user may agree to top-ups, less than the bank allows in a day.
CONSENTS = 90


# The bound on unpaid orders of one user, as far as the workers know.
UNPAID = 8


def naming(order: Row) -> Row:
    """The arguments of attach_checkout for an order of this run."""
    return {
        "account_id": order["account_id"],
        "order_id": order["order_id"],
        "session_id": f"cs_{order['order_id']}",
    }


SITS = timedelta(seconds=3)


class Sitter:
    """Now and then lock a wallet and stay idle."""

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.random = Random(f"{seed}:sitter")
        self.sittings: list[Sitting] = []

    def sit(self, over: Event) -> None:
        """Repeat until the race is over, at least once."""
        with psycopg.connect(self.url) as connection:
            while not (self.sittings and over.wait(self.random.uniform(2, 6))):
                name = self.random.choice(PEOPLE)
                with connection.transaction():
                    connection.execute(
                        "select from credits.wallets as w join credits.identities as i using (account_id)"
                        " where i.subject = %s for no key update of w",
                        (name,),
                    )
                    began_at = datetime.now(UTC)
                    over.wait(SITS.total_seconds() if not self.sittings else self.random.uniform(0.1, 3))
                    self.sittings.append(Sitting(name, began_at, datetime.now(UTC)))


def sat_on(run: Race) -> dict[str, list[tuple[datetime, datetime]]]:
    """When a session kept the wallet of each account locked."""
    times: dict[str, list[tuple[datetime, datetime]]] = {}
    for sitting in run.sittings:
        account_id = run.books.accounts[sitting.name]
        times.setdefault(account_id, []).append((sitting.began_at, sitting.ended_at))
    return times


class Worker:
    """A worker, with its own connection and random numbers."""

    thread: Thread

    def __init__(
        self, connect: Connect, weights: Mapping[str, int], field: Field, seed: int, place: int
    ) -> None:
        self.field = field
        self.weights = weights
        self.random = Random(f"{seed}:{place}")
        self.name = PEOPLE[place % len(PEOPLE)] if place < USERS else None
        self.place = place
        self.number = 0
        self.error = ""
        self.channel = connect("authenticated" if self.name else "service_role", self.name)

    def work(self, steps: int) -> None:
        try:
            for _ in range(steps):
                self.step()
        except Exception as error:
            self.error = f"worker {self.place} stopped: {error!r}"

    def step(self) -> None:
        if self.random.random() < 0.15 and (again := self.repeatable()):
            self.field.repeats += 1
            self.send(self.random.choice(again)[1:])
            return
        name = self.name or self.random.choice(PEOPLE)
        actions = FOR_USERS if self.name else tuple(WEIGHTS)
        (action,) = self.random.choices(actions, [self.weights[each] for each in actions])
        if what := getattr(self, action)(name):
            self.send(what)

    def repeatable(self) -> list[tuple[str, str, Row]]:
        """Calls that others have just sent, or are sending now."""
        allowed = REPEATED if not self.name else ("consume_tokens", "hold_tokens")
        return [
            each for each in list(self.field.keyed) if each[1] in allowed and self.name in (None, each[0])
        ]

    def send(self, what: tuple[str, Row]) -> None:
        function, arguments = what
        self._send(function, arguments)

    def _send(self, function: str, arguments: Row) -> Row | None:
        user_id = arguments.get("user_id", "")
        if "idempotency_key" in arguments and function in REPEATED:
            self.field.keyed.append((user_id, function, arguments))
        try:
            call = self.field.log.send(self.channel, function, arguments)
        except Lost as lost:
            raise RuntimeError(f"{function} {arguments}: {lost.__cause__!r}") from lost
        answer = call.answer
        if answer and function == "create_order":
            self.field.orders[user_id].append(answer)
        elif answer and (answer.get("outcome") == "granted" or answer.get("state") == "paid"):
            self.field.paid.add(answer["order_id"])
        elif answer and function == "hold_tokens":
            more = {"usage": arguments["usage"], "by": self.channel.role}
            self.field.holds[user_id].append(answer | more)
        elif answer and function in ("consume_tokens", "capture_hold"):
            self.field.charges[answer["user_id"]].append(answer)
        elif answer and function == "consume_tokens_batch":
            for verdict in answer["verdicts"]:
                if verdict["ok"]:
                    self.field.charges[verdict["user_id"]].append(verdict)
        return answer

    def charge_cards(self, name: str) -> None:
        """Charge the cards that are due, as `pgcredits work` does. Some workers end before they report."""
        claimed = self._send("claim_stripe_calls", {"most": 2, "lease_seconds": 1}) or {"calls": []}
        for call in claimed["calls"]:
            answer = self.field.cards.answer(call, call["account_id"])
            if self.random.random() < 0.7:
                self._send("report_stripe_call", report_of(call, answer))

    # What can be done

    def spend(self, name: str) -> tuple[str, Row]:
        return "consume_tokens", {"user_id": name} | self.use() | self.key(0.5)

    def hold(self, name: str) -> tuple[str, Row]:
        seconds = self.random.choice([0.05, 0.2, 0.5, 600, 600, 600])
        return "hold_tokens", {"user_id": name, "ttl": timedelta(seconds=seconds)} | self.use(2) | self.key(
            0.5
        )

    def capture(self, name: str) -> tuple[str, Row] | None:
        """Capture less, all or more; a part or the end; in time or late. Users mostly capture their own."""
        holds = self.field.holds[name]
        if self.name and self.random.random() < 0.8:
            holds = [each for each in holds if each["by"] == self.channel.role]
        hold = self.one_of(holds)
        if hold is None:
            return None
        arguments: Row = {"hold_id": hold["hold_id"], "final": self.random.random() < 0.7}
        arguments["over"] = self.random.choice(["debt", "debt", "available", "error"])
        if self.random.random() < 0.7:
            ((dimension, quantity),) = hold["usage"].items()
            # Thirds of what was held. A user pays a little more than that, a service runs into debt.
            thirds = self.random.choice([2, 3, 5, 6, 6, 9] if self.name else [1, 2, 3, 6, 9, 30])
            arguments["usage"] = {dimension: max(1, quantity * thirds // 3)}
        return "capture_hold", arguments | self.key(0.6)

    def release(self, name: str) -> tuple[str, Row] | None:
        hold = self.one_of(self.field.holds[name])
        return hold and ("release_hold", {"hold_id": hold["hold_id"]} | self.key(0.5))

    def extend(self, name: str) -> tuple[str, Row] | None:
        hold = self.one_of(self.field.holds[name])
        ttl = timedelta(seconds=self.random.choice([0.2, 0.5, 600]))
        return hold and ("extend_hold", {"hold_id": hold["hold_id"], "ttl": ttl})

    def reuse(self, name: str) -> tuple[str, Row] | None:
        """Use a key again for another call."""
        mine = [each for each in self.repeatable() if each[1] == "consume_tokens"]
        if not mine:
            return None
        _, function, arguments = self.random.choice(mine)
        return function, arguments | {"metadata": {"changed by": self.place}}

    def grant(self, name: str) -> tuple[str, Row]:
        reason = self.random.choice(["grant", "promo", "welcome", "allowance", "rollover", "adjustment"])
        arguments: Row = {"user_id": name, "tokens": self.amount(150), "reason": reason}
        if self.random.random() < BOUND[name]:
            arguments["scope"] = self.random.choice(SCOPES)
        if self.random.random() < ENDING[name]:
            seconds = self.random.uniform(0.05, LATEST.total_seconds())
            arguments["expires_at"] = datetime.now(UTC) + timedelta(seconds=seconds)
        return "add_tokens", arguments | self.key(0.5)

    def buy(self, name: str) -> tuple[str, Row]:
        package = {"package_name": "Basique"} if self.random.random() < 0.5 else {}
        arguments = {"user_id": name, "tokens": self.amount(120), "reason": "purchase"}
        return "add_tokens", arguments | package | self.key(0.5)

    def order(self, name: str) -> tuple[str, Row] | None:
        unpaid = [order for order in self.field.orders[name] if order["order_id"] not in self.field.paid]
        return ("create_order", {"user_id": name, "pack_id": "basique"}) if len(unpaid) < UNPAID else None

    def attach(self, name: str) -> tuple[str, Row] | None:
        order = self.one_of(self.field.orders[name])
        return order and ("attach_checkout", naming(order))

    def news(self, name: str) -> tuple[str, Row] | None:
        """Send an event about an order, mostly before its checkout is attached. Some events come again."""
        order = self.one_of(self.field.orders[name])
        if order is None:
            return None
        if not self.field.events or self.random.random() < 0.7:
            told = Purchase(order, naming(order)["session_id"]).event(self.random.choice(OFTEN))
            self.field.events.append(told)
        return "apply_stripe_event", {"event": self.random.choice(list(self.field.events))}

    def agree(self, name: str) -> tuple[str, Row] | None:
        """Some agreements allow one charge. Another card need not wait for the cooldown of the last one."""
        if self.field.consents[name] >= CONSENTS:
            return None
        self.field.consents[name] += 1
        return "set_auto_topup", {
            "user_id": name,
            "threshold": Decimal(self.random.choice([10, 40, 100])),
            "pack_id": "basique",
            "monthly_limit": 999 * self.random.choice([1, 4, 10_000, 10_000]),
            "words": WORDS,
            "payment_method_id": f"pm_{self.random.randint(1, 9)}",
        }

    def withdraw(self, name: str) -> tuple[str, Row]:
        return "stop_auto_topup", {"user_id": name}

    def card_news(self, name: str) -> tuple[str, Row] | None:
        """What became of a charge, before its worker reports it, while it does, or after."""
        told = self.field.cards.some_event(self.random)
        return told and ("apply_stripe_event", {"event": told})

    def reverse(self, name: str) -> tuple[str, Row] | None:
        """Money goes back, or may. Ada's payments are not frozen, so her head lots are used."""
        orders = self.field.orders[name]
        if self.random.random() < 0.8:
            orders = [order for order in orders if order["order_id"] in self.field.paid] or orders
        order = self.one_of(orders)
        if order is None:
            return None
        told = goes_back(order, self.random, only_ended=name == "ada")
        if self.random.random() < 0.3:
            self.field.events.append(told)
        return "apply_stripe_event", {"event": told}

    def refund(self, name: str) -> tuple[str, Row] | None:
        charge = self.one_of(self.field.charges[name])
        part = {"tokens": self.amount(20)} if self.random.random() < 0.5 else {}
        return charge and ("refund_usage", {"entry_id": charge["entry_id"]} | part | self.key(0.5))

    def batch(self, name: str) -> tuple[str, Row]:
        """A batch of items of all accounts, in any order. Some repeat a single call that was just made."""
        again = [each[2] for each in list(self.field.keyed) if each[1] == "consume_tokens"]
        items = [
            self.random.choice(again)
            if again and self.random.random() < 0.15
            else {"user_id": self.random.choice(PEOPLE)} | self.use() | self.key(0.5)
            for _ in range(self.random.randint(2, 8))
        ]
        return "consume_tokens_batch", {"items": items, "atomic": self.random.random() < 0.4}

    def freeze(self, name: str) -> tuple[str, Row]:
        return "freeze_account", {"user_id": name, "reason": f"by worker {self.place}"}

    def thaw(self, name: str) -> tuple[str, Row]:
        return "thaw_account", {"user_id": name}

    def overdraft(self, name: str) -> tuple[str, Row]:
        return "set_overdraft_limit", {"user_id": name, "tokens": self.random.choice(OVERDRAFTS)}

    def maintain(self, name: str) -> tuple[str, Row]:
        return "maintain", {"max_accounts": self.random.randint(1, 3)}

    # Chances

    def use(self, most: int = 1) -> Row:
        module_id = self.random.choice(list(PRICES))
        if module_id == "drip":
            return {"module_id": module_id, "usage": {"seconds": self.random.randint(1, 60 * most)}}
        return {"module_id": module_id, "usage": {"calls": self.random.randint(1, most)}}

    def amount(self, most: int) -> Decimal:
        return Decimal(self.random.randint(1, most * 10**6)) / 10**6

    def key(self, chance: float) -> Row:
        if self.random.random() >= chance:
            return {}
        self.number += 1
        return {"idempotency_key": f"{self.place}-{self.number}"}

    def one_of(self, answers: list[Any]) -> Any:
        """One of the newest, mostly."""
        if not answers:
            return None
        return self.random.choice(answers[-8:] if self.random.random() < 0.9 else answers)
