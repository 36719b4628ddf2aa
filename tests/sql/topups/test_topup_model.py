"""Random lives of an account with automatic top-ups, beside a model that knows nothing of the code.

The model keeps one number for the balance, and the rules of docs/automatic-topups.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from callers import Connection, Row
from holding import Bank
from topping import AUTHENTICATION, CARD_ERROR, LOST, agree, claim, intent, report, tell, topup, with_customer

pytestmark = pytest.mark.slow

START = datetime(2098, 6, 1, 12, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
COST, PACK, PRICE, THRESHOLD, LIMIT = 10, 100, 999, 60, 3000

# What may happen next, and how often it does.
STEPS: list[tuple[int, str, tuple[Any, ...]]] = [
    (60, "spend", (1, 2, 4, 6)),
    (8, "hold", (1, 2, 3)),
    (4, "release", (0,)),
    (6, "capture", (0, 1, 5)),
    (14, "grant", (20, 50, 120)),
    (14, "wait", (1, 59, 60, 120, 60, 60, 180, 24 * 60, 20 * 24 * 60)),
    (22, "answer", ()),
    (1, "withdraw", (0,)),
    (4, "agree", (0,)),
    (2, "agree anew", (0,)),
    (1, "freeze", (0,)),
    (8, "thaw", (0,)),
]


# Some cards are always charged, so that the limit of the month is reached, and some are never.
ANSWERS: list[tuple[str, ...]] = [
    ("charged", "charged", "event", "declined", "declined", "asks", "lost"),
    ("charged", "charged", "event", "lost"),
    ("declined", "declined", "lost"),
]


@dataclass
class Model:
    """What the account should look like."""

    now: datetime = START
    tokens: int = 0
    holds: dict[str, int] = field(default_factory=dict)
    state: str = "on"
    frozen: bool = False
    declines: int = 0
    failures: int = 0
    wanted: bool = False
    next_try: datetime = LONG_AGO
    in_flight: bool = False
    consented: int = 0  # the number of the agreement that the charge in flight belongs to
    agreement: int = 0
    charges: list[datetime] = field(default_factory=list)  # when they ended; the last one may be in flight
    stopped_by: int | None = None
    attempt: int = 0

    @property
    def free(self) -> int:
        return self.tokens - sum(self.holds.values())

    def this_month(self) -> int:
        """How many charges count for this month: those that ended in it, and the one in flight."""
        ended = self.charges[:-1] if self.in_flight else self.charges
        return self.in_flight + sum((at.year, at.month) == (self.now.year, self.now.month) for at in ended)

    def fell(self, before: int) -> None:
        """A spend, a hold or a capture took tokens."""
        crossed = before >= THRESHOLD > self.free
        due = self.wanted and self.next_try <= self.now and self.free < THRESHOLD
        if self.state != "on" or self.in_flight or not (crossed or due) or self.free >= before:
            return
        if self.frozen or self.next_try > self.now:
            self.wanted = True
        elif (self.this_month() + 1) * PRICE > LIMIT:
            self.wanted = True
            month = (self.now.replace(day=1) + timedelta(days=32)).replace(day=1)
            self.next_try = max(self.next_try, month.replace(hour=0, minute=0, second=0))
        else:
            self.in_flight, self.wanted, self.consented = True, False, self.agreement
            self.attempt += 1
            self.charges.append(self.now)

    def failed(self, declined: bool, asks: bool = False) -> None:
        self.in_flight = False
        self.charges.pop()
        if self.state != "on" or self.consented != self.agreement:
            return
        self.declines += declined
        self.failures += 1
        self.wanted = True
        hours = min(24, 2 ** (self.failures - 1))
        self.next_try = max(self.next_try, self.now + timedelta(hours=hours))
        if self.declines >= 3:
            self.state, self.wanted = "off", False
        elif asks:
            self.state, self.wanted = "paused", False

    def charged(self) -> None:
        self.tokens += PACK
        self.charges[-1] = self.now
        self.in_flight = False
        if self.consented == self.agreement and self.state != "withdrawn":
            self.declines = self.failures = 0
            self.wanted = self.free < THRESHOLD
            self.next_try = self.now + timedelta(hours=1) if self.wanted else LONG_AGO


class Life:
    """The bank and the model, step by step."""

    def __init__(self, bank: Bank) -> None:
        self.bank, self.model = bank, Model()
        self.call: Row | None = None  # the charge that a worker has taken
        bank.at(START.isoformat())
        with_customer(bank, "ada")
        agree(bank, "ada", threshold=THRESHOLD, monthly_limit=LIMIT, words="0")

    def step(self, what: str, number: Any) -> None:
        getattr(self, f"do_{what.replace(' ', '_')}")(number)
        self.compare()

    def take(self, function: str, tokens: int, **arguments: Any) -> Row | None:
        if self.model.frozen or self.model.free < tokens:
            return None
        return self.bank.call(function, user_id="ada", module_id="metube", **arguments)

    def do_spend(self, times: int) -> None:
        for _ in range(times):
            before = self.model.free
            if self.take("consume_tokens", COST) is not None:
                self.model.tokens -= COST
                self.model.fell(before)

    def do_hold(self, calls: int) -> None:
        before = self.model.free
        held = self.take("hold_tokens", calls * COST, usage={"calls": calls}, ttl="20 hours")
        if held is not None:
            self.model.holds[held["hold_id"]] = calls * COST
            self.model.fell(before)

    def do_release(self, _: int) -> None:
        if self.model.holds:
            name, _ = self.model.holds.popitem()
            self.bank.call("release_hold", hold_id=name, user_id="ada")

    def do_capture(self, calls: int) -> None:
        if not self.model.holds:
            return
        name, held = next(iter(self.model.holds.items()))
        before = self.model.free
        if before + held < calls * COST:
            return
        del self.model.holds[name]
        self.bank.call("capture_hold", hold_id=name, usage={"calls": calls}, user_id="ada")
        self.model.tokens -= calls * COST
        if calls * COST > held:
            self.model.fell(before)

    def do_grant(self, tokens: int) -> None:
        self.bank.call("add_tokens", user_id="ada", tokens=tokens)
        self.model.tokens += tokens

    def do_wait(self, minutes: int) -> None:
        if self.model.in_flight and self.call is None:
            if self.model.frozen:  # no worker takes it, and after a day it is canceled
                return
            self.do_answer("lost")
        self.model.now += timedelta(minutes=minutes)
        self.bank.at(self.model.now.isoformat())
        if minutes >= 20 * 60:
            self.model.holds.clear()

    def do_answer(self, how: str) -> None:
        if not self.model.in_flight or (self.call is None and self.model.frozen):
            return
        if self.call is None:
            order = str(topup(self.bank, "ada")["order_in_flight"])
            (self.call,) = [
                call
                for call in claim(self.bank, most=100)
                if call["params"]["metadata"].get("order_id") == order
            ]
        if how == "lost":
            return
        call, self.call = self.call, None
        if how == "charged":
            report(self.bank, call, {"object": intent(call)})
            tell(self.bank, "payment_intent.succeeded", intent(call))
            self.model.charged()
        elif how == "event":
            tell(self.bank, "payment_intent.succeeded", intent(call))
            report(self.bank, call, LOST)
            self.model.charged()
        else:
            report(self.bank, call, AUTHENTICATION if how == "asks" else CARD_ERROR)
            self.model.failed(declined=how == "declined", asks=how == "asks")

    def do_withdraw(self, _: int) -> None:
        self.bank.call("stop_auto_topup", user_id="ada")
        if self.model.state != "off":
            self.model.state, self.model.wanted = "off", False
            if self.model.in_flight and self.call is None:
                self.model.in_flight = False
                self.model.charges.pop()

    def do_agree(self, _: int) -> None:
        self._agree("pm_1")

    def do_agree_anew(self, _: int) -> None:
        self._agree(f"pm_{self.model.agreement + 2}")

    def _agree(self, card: str) -> None:
        model = self.model
        now = self.bank.row("select payment_method_id as card, consent_id from credits.auto_topups")
        model.agreement += 1
        agree(
            self.bank,
            "ada",
            threshold=THRESHOLD,
            monthly_limit=LIMIT,
            words=str(model.agreement),
            payment_method_id=card,
        )
        model.state, model.declines = "on", 0
        if now["card"] != card:
            model.failures, model.next_try = 0, LONG_AGO

    def do_freeze(self, _: int) -> None:
        self.bank.call("freeze_account", user_id="ada")
        self.model.frozen = True

    def do_thaw(self, _: int) -> None:
        self.bank.call("thaw_account", user_id="ada")
        self.model.frozen = False

    def compare(self) -> None:
        state, model = topup(self.bank, "ada"), self.model
        row = self.bank.row("select balance, held from api.balance where user_id = 'ada'")
        assert (row["balance"], row["held"]) == (model.tokens, sum(model.holds.values()))
        assert (state["order_in_flight"] is not None, state["state"]) == (model.in_flight, model.state)
        assert state["declines"] == model.declines
        assert state["charged_this_month"] == PRICE * model.this_month() <= LIMIT


def live(still: Connection, seed: int, bent: str = "") -> Life:
    """250 random steps, in a bank that the statement `bent` has spoilt."""
    random = Random(seed)
    life = Life(Bank(still, "none"))
    if bent:
        still.execute(bent.encode())
    life.do_grant(200)
    for _ in range(250):
        ((_, what, options),) = random.choices(STEPS, [weight for weight, _, _ in STEPS])
        if what == "answer":
            options = ANSWERS[seed % len(ANSWERS)]
        elif what.startswith("agree") and seed % len(ANSWERS) == 2 and life.model.state == "on":
            continue  # so that declines add up
        life.step(what, random.choice(options))
    return life


@pytest.mark.parametrize("seed", range(9))
def test_account_lives_as_the_model_says(still: Connection, seed: int) -> None:
    still.execute("begin")
    try:
        life = live(still, seed)
        life.bank.sound()
        assert life.model.attempt > 2
    finally:
        still.execute("rollback")


# A function, a part of its text, and the text that replaces it.
BENT = {
    "the cooldown is ignored": (
        "credits.cooldown",
        "when (p_failures >= 6) is true",
        "when true then '0' when false",
    ),
    "the monthly limit is ignored": ("credits.fire_topup", "<= v_topup.monthly_limit", "<= 10^9"),
    "a balance above the threshold is topped up": (
        "credits.fire_topup",
        "p_after - v_wallet.held < v_topup.threshold",
        "p_after - v_wallet.held < 2 * v_topup.threshold",
    ),
    "a top-up that had to wait is forgotten": ("credits.wait_with_topup", "wanted = true", "wanted = false"),
}


@pytest.mark.parametrize("rule", BENT)
def test_model_finds_a_bent_rule(still: Connection, rule: str) -> None:
    function, right, wrong = BENT[rule]
    text = still.execute("select pg_get_functiondef(to_regproc(%s))", (function,)).fetchone()
    assert text and right in text[0], f"{function} no longer says {right}"
    found = []
    for seed in range(9):
        still.execute("begin")
        try:
            live(still, seed, text[0].replace(right, wrong))
        except AssertionError:
            found.append(seed)
            break
        finally:
            still.execute("rollback")
    assert found
