"""A run: each call is made to the bank and to the model, then answers and books are compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

import psycopg
from callers import STATUS, Connection, Row
from hypothesis.stateful import RuleBasedStateMachine
from purchases import Purchase
from reliability.model.model import Account, Answer, Refused
from reliability.model.money import MoneyEvent, Payment
from reliability.model.rewards import Rewards
from reliability.model.session import VIEWS, BankSession, RefusedOverHttp, refusal_of
from reliability.model.world import PACKS, START, USERS

# What is read after every step. No step makes or drops an object, or changes a right, a login or a setting.
# The checks of these take longer than all the others, so they are left out.
BOOKS = {
    "findings": "select * from audit.findings where check_name not in ('check_release', 'check_access',"
    " 'check_roles', 'check_logins', 'check_creators', 'check_settings')",
    **{name: f"select {columns} from api.{view}" for name, (view, columns) in VIEWS.items()},
}


@dataclass(frozen=True)
class Asked:
    """A call about one account: what is sent to the bank, and what the model makes of it.

    `number`: of the hold that it may make.
    """

    account: Account
    function: str
    arguments: Row
    change: Callable[[Account], Answer]
    key: str | None = None
    user: bool = False
    number: int | None = None

    @property
    def sent(self) -> Row:
        return self.arguments if self.key is None else self.arguments | {"idempotency_key": self.key}

    def expected(self, account: Account) -> Answer | Refused:
        """What the model answers. It changes the account."""
        operation = None if self.key is None else (self.function, self.key)
        try:
            return account.call(self.change, operation, repr(self.arguments))
        except Refused as refusal:
            return refusal


class Run(RuleBasedStateMachine):
    """A run over three accounts. Runs follow each other, and share a connection and the counts."""

    connection: Connection
    counts: Counter[str]
    fault: str  # a statement that spoils the bank before the run begins
    audited: int  # at every step of so many, and at the end of the run

    def __init__(self) -> None:
        super().__init__()
        self.bank = self._begin()
        self.accounts = {user_id: Account(user_id, START) for user_id in USERS}
        self.rewards = Rewards(lambda: self.accounts)
        for account in self.accounts.values():
            account.rewards = self.rewards
        self.holds: dict[int, tuple[Account, str]] = {}  # with their ids in the bank
        self.pack = PACKS[0]
        self.orders: dict[Any, tuple[Account, int]] = {}  # by their ids in the bank
        self.unattached: list[Purchase] = []  # orders without a checkout
        self.payments: list[Payment] = []  # whose money may come back
        self.money_events: list[tuple[Payment, MoneyEvent, Row]] = []  # as they were sent
        self.amounts: dict[str, int] = {}  # of refunds and disputes, by their ids at Stripe
        self.keyed_calls: list[partial[None]] = []  # calls with keys
        self.numbers = count(1)
        self.hold_numbers = count()
        self.steps = count(1)  # of this run, so that a repeat of it is audited at the same steps
        if self.fault:
            self.connection.execute(self.fault.encode())
        self.bank.act_as(None)
        for user_id in USERS:
            self.bank.call("set_test_clock", {"user_id": user_id, "frozen_time": START})
        self.bank.act_as_superuser()
        known = self.bank.rows("select subject, account_id::text as name from credits.identities")
        self.names = {row["subject"]: row["name"] for row in known}  # account ids in the bank, by user

    def teardown(self) -> None:
        try:
            self._maintain()
            self._compare_orders()
            if not self.fault:
                self._audit()
            for account in self.accounts.values():
                self._compare_entries(account)
        finally:
            self._end()

    def _begin(self) -> BankSession:
        """Open a bank with empty books."""
        session = BankSession(self.connection)
        self.connection.execute("begin")
        return session

    def _end(self) -> None:
        self.connection.execute("rollback")

    def _maintain(self) -> None:
        self.bank.act_as(None)
        self.bank.call("maintain", {})
        for account in self.accounts.values():
            account.book_due()
            account.end_old_orders(self.pack)

    def _book_due_of_payer(self, account: Account) -> None:
        """What is said of a payment may move tokens of the referrer, so both come up to date."""
        account.book_due()
        if brought := self.rewards.brought.get(account.user_id):
            self.accounts[brought.referrer].book_due()

    def _key(self) -> str:
        return f"key-{next(self.numbers)}"

    def _call(self, keyed: bool, call: Callable[..., None], *arguments: Any) -> None:
        """Make a call. If it has a key, it may be repeated later."""
        again = partial(call, *arguments, key=self._key() if keyed else None)
        if keyed:
            self.keyed_calls.append(again)
        again()

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
        self._ask(Asked(account, function, arguments, change, key, user))

    def _ask(self, asked: Asked) -> None:
        account, function = asked.account, asked.function
        self.counts[function] += 1
        if function == "apply_stripe_event":
            self._book_due_of_payer(account)
        expected = asked.expected(account)
        if isinstance(expected, Refused):
            self.counts[expected.slug] += 1
        self.bank.act_as(account.user_id if asked.user else None)
        try:
            told: Row | psycopg.Error | RefusedOverHttp = self.bank.call(function, asked.sent)
        except (psycopg.Error, RefusedOverHttp) as error:
            told = error
        self._compare(account, told, expected)
        self._note_hold(asked, told)
        self._compare_books()

    def _note_hold(self, asked: Asked, told: Row | Exception) -> None:
        if asked.number is not None and isinstance(told, dict) and not told["replayed"]:
            self.holds[asked.number] = asked.account, told["hold_id"]

    def _compare(
        self, account: Account, told: Row | psycopg.Error | RefusedOverHttp, expected: Answer | Refused
    ) -> None:
        """Compare what the bank has told with what the model expects."""
        if isinstance(told, dict):
            assert not isinstance(expected, Refused), (expected.slug, expected.facts, told)
            self._compare_answer(account.user_id, told, expected)
        else:
            assert isinstance(expected, Refused), (expected, told, refusal_of(told))
            self._compare_refusal(told, expected)

    def _compare_refusal(
        self, error: psycopg.Error | RefusedOverHttp, expected: Refused, **more: Any
    ) -> None:
        code, detail = refusal_of(error)
        facts = json.loads(detail or "{}", parse_float=Decimal)
        slug = facts.pop("error", str(error))
        assert (slug, code) == (expected.slug, f"PT{STATUS[expected.slug]}")
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
        if next(self.steps) % self.audited == 0:
            self._audit()
        balances, lots, holds = self.bank.read().values()
        as_read = {who: account.as_read() for who, account in self.accounts.items()}
        # Views show what is due, except that freed tokens will end debt, and that unused ones will go over.
        owing = {who for who, account in self.accounts.items() if is_owing(account, as_read[who])}
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
        differing = {tuple(row.values()) for row in lots if row["user_id"] not in owing} ^ {
            (
                *(who, lot.lot_id, lot.remaining, lot.held, lot.withheld, lot.frozen, lot.reversed),
                lot.expires_at,
            )
            for who, account in as_read.items()
            for lot in account.lots.values()
            if who not in owing
        }
        assert not differing, differing
        assert {tuple(row.values()) for row in holds} == {
            (name, h.state, h.tokens, h.held, h.captured, h.shortfall, h.expires_at, h.late)
            for number, (account, name) in self.holds.items()
            for h in (as_read[account.user_id].holds[number],)
        }

    def _audit(self) -> None:
        found = self.bank.rows("execute findings")
        assert not found, found

    def _compare_orders(self) -> None:
        self._compare_books()
        self._compare_payments()

    def _compare_payments(self) -> None:
        """Orders that time or a changed pack has ended count, too."""
        written = self.bank.rows(
            "select order_id, state, coalesce(paid, 0) as paid, reversed, reversal_pending, disputed,"
            " reversed_debt from credits.orders"
        )
        expected = {}
        for name, (account, place) in self.orders.items():
            order = account.orders[place]
            if order.state == "planned":
                continue
            expected[name] = {
                "order_id": name,
                "state": order.state,
                "paid": order.money.paid or 0,
                "reversed": order.reversed,
                "reversal_pending": order.reversal_pending,
                "disputed": order.disputed,
                "reversed_debt": order.reversed_debt,
            }
        differing = differing_rows({row["order_id"]: row for row in written}, expected)
        assert not differing, differing
        told = self.bank.rows("select reversal_id, order_id, kind, amount, status from api.reversals")
        reversals = {tuple(row.values()) for row in told} ^ {
            (reversal_id, name, one.kind, one.amount, one.status)
            for name, (account, place) in self.orders.items()
            for reversal_id, one in account.orders[place].money.reversals.items()
        }
        assert not reversals, reversals

    def _compare_entries(self, account: Account) -> None:
        written = self.bank.rows(
            "select kind::text, tokens, balance_after, debt_after, draws, usage, tags, effective_at"
            " from credits.entries where account_id = %s order by seq",
            self.names[account.user_id],
        )
        assert len(written) == len(account.entries)
        self.counts["rollover"] += sum(
            entry.kind == "rollover"
            and len(entry.draws) == 1
            and account.lots[entry.draws[0][0]].order is not None
            for entry in account.entries
        )
        for row, entry in zip(written, account.entries, strict=True):
            effective = row.pop("effective_at")
            assert row == {
                "kind": entry.kind,
                "tokens": entry.tokens,
                "balance_after": entry.balance_after,
                "debt_after": entry.debt_after,
                "draws": draws_as_json(entry.draws),
                "usage": entry.usage,
                "tags": entry.tags,
            }
            # Entries of one moment are a microsecond apart.
            assert entry.effective_at <= effective < entry.effective_at + timedelta(milliseconds=1)


def is_owing(account: Account, as_read: Account) -> bool:
    """Will what is due end debt, or go over? Views do not show that."""
    due = as_read.entries[len(account.entries) :]
    return any(entry.kind in ("reinstatement", "rollover") for entry in due)


def differing_rows(written: dict[Any, Row], expected: dict[Any, Row]) -> dict[Any, dict[str, Any]]:
    """The members that differ, by row: what the bank has, and what it should have."""
    rows = {name: (written.get(name, {}), expected.get(name, {})) for name in {*written, *expected}}
    return {
        name: {
            member: f"{bank.get(member)}, should be {model.get(member)}"
            for member in bank | model
            if bank.get(member) != model.get(member)
        }
        for name, (bank, model) in rows.items()
        if bank != model
    }


def draws_as_json(draws: Any) -> list[Row]:
    return [{"lot_id": lot_id, "tokens": tokens} for lot_id, tokens in draws]
