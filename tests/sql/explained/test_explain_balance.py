"""An explained balance ends in the number that the user saw, now and at any earlier moment."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection, Row, refused
from holding import Bank

User = Callable[..., Caller]
# Does a hold keep tokens past the date of their lot?
KEEPS = """
    select exists (
        select from credits.held_draws as d
        join credits.lots as l on d.account_id = l.account_id and d.lot_id = l.lot_id
        where d.expires_at > credits.clock() and l.expires_at <= credits.clock()
    ) as keeps
"""


class Month:
    """Some weeks of a user's life, and what they saw at many moments."""

    def __init__(self, bank: Bank, seed: int) -> None:
        self.bank, self.dice = bank, random.Random(seed)
        self.now = datetime(2098, 6, 1, 12, tzinfo=UTC)
        self.holds: list[str] = []
        self.charges: list[str] = []
        self.lots: list[str] = []
        self.seen: list[Row] = []

    def tried(self, function: str, **arguments: Any) -> Row | None:
        try:
            return self.bank.call(function, **arguments)
        except psycopg.Error as error:
            assert (error.sqlstate or "").startswith("PT"), error
            return None

    def step(self) -> None:
        """One call, or none; then time goes on, and the user looks."""
        dice, user = self.dice, {"user_id": "clock"}
        match dice.choice(
            ("grant", "spend", "spend", "hold", "capture", "release", "refund", "void", "wait")
        ):
            case "grant":
                ends = self.now + timedelta(hours=dice.randint(1, 60))
                expiry = {"expires_at": ends} if dice.random() < 0.7 else {}
                made = self.bank.call("add_tokens", **user, tokens=dice.randint(20, 200), **expiry)
                self.lots.append(made["entry_id"])
            case "spend":
                if made := self.tried("consume_tokens", **user, module_id="whisper"):
                    self.charges.append(made["entry_id"])
            case "hold":
                usage = {"calls": dice.randint(1, 3)}
                ttl = f"{dice.randint(1, 400)} minutes"
                if made := self.tried("hold_tokens", **user, module_id="whisper", usage=usage, ttl=ttl):
                    self.holds.append(made["hold_id"])
            case "capture" if self.holds:
                usage = {"calls": dice.randint(1, 2)}
                final = dice.random() < 0.5
                self.tried("capture_hold", hold_id=dice.choice(self.holds), usage=usage, final=final)
            case "release" if self.holds:
                self.tried("release_hold", hold_id=dice.choice(self.holds))
            case "refund" if self.charges:
                self.tried("refund_usage", entry_id=dice.choice(self.charges), tokens=dice.randint(1, 25))
            case "void" if self.lots:
                self.tried("void_lot", lot_id=dice.choice(self.lots), tokens=dice.randint(1, 30))
        self.now += timedelta(minutes=dice.choice((1, 7, 60, 300)))
        self.bank.at(self.now.isoformat())
        shown = self.bank.row("select balance, held, debt from api.balance where user_id = 'clock'")
        self.seen.append({"at": self.now, "keeps": self.bank.row(KEEPS)["keeps"], **shown})
        self.now += timedelta(seconds=1)
        self.bank.at(self.now.isoformat())


@pytest.mark.one_version
def test_an_explanation_ends_in_the_number_that_was_shown(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    month = Month(bank, seed=2)
    for number in range(120):
        month.step()
        seen = month.seen[-1]
        told = bank.call("explain_balance", user_id="clock", movements=1000)
        assert {name: told[name] for name in ("balance", "held", "debt")} == {
            name: seen[name] for name in ("balance", "held", "debt")
        }, number
        assert sum(lot["tokens"] for lot in told["lots"]) == told["balance"] + told["debt"]
        assert sum(hold["held"] for hold in told["holds"]) == told["held"]
    newest = bank.call("explain_balance", user_id="clock", movements=1000)
    assert {line["kind"] for line in newest["movements"]} >= {"spend", "refund", "expire", "adjustment"}
    lines, kept, late = [], 0, 0
    for seen in month.seen:
        told = bank.call("explain_balance", user_id="clock", at=seen["at"], movements=1000)
        lines = told["movements"]
        late += sum(line["line"] == "late" for line in lines)
        assert told["opening"] + sum(line["tokens"] for line in lines) == told["balance"]
        assert told["held"] == seen["held"] == sum(hold["held"] for hold in told["holds"]), seen
        assert told["debt"] == seen["debt"]
        if seen["keeps"]:
            kept += 1
            assert told["balance"] <= seen["balance"] <= told["balance"] + told["held"]
            continue
        assert told["balance"] == seen["balance"], seen
        assert sum(lot["tokens"] for lot in told["lots"]) == told["balance"] + told["debt"], seen
    assert late > 0
    assert kept < len(month.seen) // 3


def test_running_balances_add_up_in_both_orders(bank: Bank) -> None:
    """An expiry that was booked late counts from its date in one of them."""
    bank.call("add_tokens", user_id="clock", tokens=100)
    bank.call("add_tokens", user_id="clock", tokens=40, expires_at="2098-06-02 00:00Z")
    bank.at("2098-06-03 00:00Z")
    told = bank.call("explain_balance", user_id="clock")
    assert [(line["line"], line["tokens"]) for line in told["movements"]][-1] == ("unbooked", -40)
    assert (told["balance"], told["balance_posted"]) == (100, 140)
    bank.call("consume_tokens", user_id="clock", module_id="whisper")
    lines = bank.rows("select * from audit.explain_balance('clock', '2098-06-02 12:00Z')")
    assert [
        (line["line"], line["tokens"], line["balance_posted"], line["balance_effective"]) for line in lines
    ] == [
        ("opening", None, 0, 0),
        ("movement", 100, 100, 100),
        ("movement", 40, 140, 140),
        ("late", -40, None, 100),
        ("balance", None, 140, 100),
        ("lot", 100, None, None),
    ]
    assert [line["place"] for line in lines] == [1, 2, 3, 4, 5, 6]
    before = bank.rows("select * from audit.explain_balance('clock', '2098-06-01 23:59Z')")
    assert [(line["line"], line["tokens"]) for line in before][-2:] == [("lot", 40), ("lot", 100)]


def test_a_period_that_was_paid_late_counts_from_its_beginning(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    bank.at("2098-06-10 00:00Z")
    bank.call("consume_tokens", user_id="clock", module_id="whisper")
    bank.rows("select credits.lock_wallet(l.account_id) from credits.lots as l")
    bank.rows(
        "select credits.put_lot(jsonb_populate_record(l, %s::jsonb)) from credits.lots as l",
        (
            '{"source": "allowance", "granted": 60, "remaining": 60, "priority": 10,'
            ' "effective_at": "2098-06-05T00:00:00Z", "package_name": "Plan"}',
        ),
    )
    for at, balance, posted in (("2098-06-04", 100, 100), ("2098-06-06", 160, 100), ("2098-06-09", 160, 100)):
        told = bank.call("explain_balance", user_id="clock", at=f"{at} 00:00Z")
        assert (told["balance"], told["balance_posted"]) == (balance, posted)
        assert sum(lot["tokens"] for lot in told["lots"]) == balance


def test_pages_carry_the_balance(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=1000)
    for _ in range(10):
        bank.call("consume_tokens", user_id="clock", module_id="whisper")
    whole = bank.call("explain_balance", user_id="clock")
    assert (whole["opening"], len(whole["movements"]), whole["before_seq"]) == (0, 11, None)
    page = bank.call("explain_balance", user_id="clock", movements=4)
    assert page["balance"] == whole["balance"] == 750
    found = page["movements"]
    while page["before_seq"] is not None:
        newer = page
        page = bank.call("explain_balance", user_id="clock", movements=4, before_seq=page["before_seq"])
        assert page["balance_posted"] == newer["opening"]
        assert page["balance"] is page["held"] is page["holds"] is page["lots"] is None
        found = page["movements"] + found
    assert page["opening"] == 0
    assert found == whole["movements"]
    lines = bank.rows("select line, balance_posted from audit.explain_balance('clock', null, 2, 4)")
    assert [(line["line"], line["balance_posted"]) for line in lines] == [
        ("opening", 1000),
        ("movement", 975),
        ("movement", 950),
        ("carried", 950),
    ]


def test_there_is_an_answer_where_there_is_nothing(bank: Bank) -> None:
    """A user without an account, and a moment before the account was opened."""
    newcomer = bank.user("nobody yet").call("explain_balance")
    bank.call("add_tokens", user_id="clock", tokens=100)
    early = bank.call("explain_balance", user_id="clock", at="2001-01-01 00:00Z")
    for told in (newcomer, early):
        assert (told["balance"], told["held"], told["debt"], told["opening"]) == (0, 0, 0, 0)
        assert told["movements"] == told["holds"] == told["lots"] == []
        assert told["before_seq"] is None


@pytest.mark.one_version
def test_an_explanation_shows_one_moment_while_others_spend(
    user: User, crowd: Callable[[int], list[Caller]]
) -> None:
    """Its parts come from several statements, which all see the same books."""
    ada = user(10_000)
    spender, reader = crowd(2)

    def spend() -> None:
        for _ in range(60):
            spender.call("consume_tokens", module_id="whisper", user_id=ada.user_id)

    worker = Thread(target=spend)
    worker.start()
    seen = set()
    while not seen or worker.is_alive():
        told = reader.call("explain_balance", user_id=ada.user_id, movements=5)
        assert told["opening"] + sum(line["tokens"] for line in told["movements"]) == told["balance"]
        assert sum(lot["tokens"] for lot in told["lots"]) == told["balance"]
        seen.add(told["balance"])
    worker.join(60)
    assert ada.balance() == 10_000 - 60 * 25
    assert len(seen) > 1


def test_bad_questions_about_a_balance_are_refused(user: User, service: Caller, admin: Connection) -> None:
    ada, bob = user(100), user(100)
    for caller, arguments, slug in (
        (ada, {"at": "2090-01-01 00:00Z"}, "bad_at"),
        (ada, {"at": "1999-01-01 00:00Z"}, "bad_at"),
        (ada, {"movements": 0}, "bad_limit"),
        (ada, {"movements": 1001}, "bad_limit"),
        (ada, {"before_seq": 0}, "bad_limit"),
        (ada, {"user_id": bob.user_id}, "not_yours"),
        (Caller(ada.connection, "authenticated"), {}, "not_signed_in"),
        (service, {}, "bad_user"),
        (service, {"user_id": "nobody at all"}, "unknown_user"),
    ):
        with refused(slug):
            caller.call("explain_balance", **arguments)
    assert service.call("explain_balance", user_id=bob.user_id)["balance"] == 100
    for role in ("anon", "spender", "support", "analyst", "auditor"):
        with admin.transaction(force_rollback=True), pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute(f"set local role {role}")
            admin.execute("select api.explain_balance()")
    told = "select balance_effective from audit.explain_balance(%s) where line = 'balance'"
    for role, may in (("support", True), ("auditor", True), ("analyst", False), ("authenticated", False)):
        with admin.transaction(force_rollback=True):
            admin.execute(f"set local role {role}")
            if may:
                assert admin.execute(told, (ada.user_id,)).fetchall() == [(Decimal(100),)]
                with refused("unknown_user"):
                    admin.execute(told, ("nobody at all",))
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    admin.execute(told, (ada.user_id,))
