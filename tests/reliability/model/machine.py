"""Stories: random calls and moves of the clock, told to the bank and to the model."""

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
from purchases import NEWS, Purchase
from reliability.model.model import ZERO, Account, Answer, Module, Pack, Price, Refused
from reliability.model.teller import Teller

USERS = ("ada", "bob", "cyd")
START = datetime(2098, 1, 30, 12, tzinfo=UTC)
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
MIDNIGHT, MONTH = datetime(2098, 1, 31, tzinfo=UTC), datetime(2098, 2, 1, tzinfo=UTC)


def price(dimension: str, *versions: tuple[str, datetime]) -> tuple[Price, ...]:
    """Calls are whole, as in the shipped price lists."""
    whole = dimension == "calls"
    return tuple(Price(dimension, Decimal(tokens), since, whole) for tokens, since in versions)


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
RARE = (Module("taste", None, TASTES), Module("Fi lm", None, SECONDS, meant="film"))
# What the pack is, and what may become of it. In the end it is not sold.
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
some = st.integers(0, 1000)  # of what there is: the index, modulo
users = st.sampled_from(USERS)
modules = st.sampled_from([*MODULES * 2, *RARE])
ttls = st.sampled_from([timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=6), timedelta(hours=24)])
usages = st.sampled_from([None, *QUANTITIES])  # none: one call, whatever the module counts
scopes = st.sampled_from([*[None] * 9, "module:draft", "module:clip", "category:moving"])
lives = st.sampled_from(
    [*[None] * 5, timedelta(minutes=5), timedelta(hours=7), timedelta(days=1), timedelta(days=3)]
)
reasons = st.sampled_from(["grant", "promo", "allowance", "rollover", "purchase"])
keyed = st.booleans()
notes = st.sampled_from([*[0] * 4, 1000, 1100])  # letters of metadata
# Money that is on its way, and how that ends, is told more often than the odd news.
ON_ITS_WAY = ["unpaid", "failed", "expired", "paid later"]
news = st.lists(st.sampled_from([*NEWS, *ON_ITS_WAY * 2]), min_size=1, max_size=4)
early = st.integers(0, 4)  # so many news come before the order's session is named
self_made = st.sampled_from([False, False, False, True])  # the user at the door, not a service
# What seldom comes about by chance: each story may begin with it.
OPENINGS = (
    *("none", "none", "in default", "an expired hold", "a hold that expired long ago", "a user's own hold"),
    "a hold of a lot that ends",
)
jumps = st.sampled_from(
    ["next", "before next", *(timedelta(minutes=minutes) for minutes in (1, 15, 360, 24 * 60, 4 * 24 * 60))]
)

# No step makes or drops an object, or changes a right, a login or a setting: what looks at those takes longer
# than all other checks together.
_FINDINGS = """
    select * from audit.findings
    where check_name not in (
        'check_release', 'check_access', 'check_roles', 'check_logins', 'check_creators', 'check_settings'
    )
"""


class Story(RuleBasedStateMachine):
    """A story of three accounts; one after another, they share a connection and what is counted."""

    connection: Connection
    counted: Counter[str]
    fault: str  # what to do to the bank before it begins

    def __init__(self) -> None:
        super().__init__()
        self.teller = Teller(self.connection)
        self.accounts = {user_id: Account(user_id, START) for user_id in USERS}
        self.holds: list[tuple[Account, str]] = []  # with their names in the bank
        self.pack = PACKS[0]
        self.orders: dict[Any, tuple[Account, int]] = {}  # by their names in the bank
        self.unnamed: list[Purchase] = []  # orders without a session
        self.sent: list[partial[None]] = []  # calls with keys
        self.numbers = count(1)
        self.connection.execute("begin")
        if self.fault:
            self.connection.execute(self.fault.encode())
        self.teller.be(None)
        for user_id in USERS:
            self.teller.call("set_test_clock", {"user_id": user_id, "frozen_time": START})
        self.teller.be_yourself()
        known = self.teller.rows("select subject, account_id::text as name from credits.identities")
        self.names = {row["subject"]: row["name"] for row in known}  # of accounts, in the bank
        for who in USERS:
            self._grant(who, "promo", Decimal(200), None, None, None, None)

    def teardown(self) -> None:
        try:
            self._maintain()
            self._same_orders()
            for account in self.accounts.values():
                self._same_entries(account)
        finally:
            self.connection.execute("rollback")

    # Steps

    @initialize(who=users, opening=st.sampled_from(OPENINGS))
    def open(self, who: str, opening: str) -> None:
        draft, minute, day = MODULES[0], timedelta(minutes=1), timedelta(hours=24)
        if opening == "in default":
            # More debt than the account may have now, and tokens for clips alone.
            self._grant(who, "grant", Decimal(100), None, "module:clip", None, None)
            self.trust(who, Decimal(100))
            self._hold(who, draft, Decimal(10), day, False, 0, None)
            self._capture(0, Decimal(120), False, True, "debt", False, None)
            self.trust(who, ZERO)
        elif opening in ("an expired hold", "a hold that expired long ago"):
            self._hold(who, draft, Decimal(10), minute, False, 0, None)
            self.time_passes(who, 2 * minute if opening == "an expired hold" else day + minute, True)
        elif opening == "a user's own hold":
            self._hold(who, draft, Decimal(10), day, True, 0, None)
        elif opening == "a hold of a lot that ends":
            ends = self.accounts[who].now + 5 * minute
            self._grant(who, "promo", Decimal(40), ends, None, 1, None)
            self._hold(who, draft, Decimal(10), day, False, 0, None)

    @rule(
        who=users,
        reason=reasons,
        tokens=tokens,
        life=lives,
        scope=scopes,
        first=st.none() | st.just(1),
        keyed=keyed,
    )
    def grant(
        self,
        who: str,
        reason: str,
        tokens: Decimal,
        life: Any,
        scope: str | None,
        first: int | None,
        keyed: bool,
    ) -> None:
        ends = None if life is None else self.accounts[who].now + life
        self._send(keyed, self._grant, who, reason, tokens, ends, scope, first)

    @rule(who=users, news=news, early=early, later=st.sampled_from([False, False, True]))
    def buy(self, who: str, news: list[str], early: int, later: bool) -> None:
        """A pack, as it is sold now; it is paid at once or later."""
        expected: int | Refused
        try:
            expected = self.accounts[who].order(self.pack)
        except Refused as refusal:
            expected = refusal
            self.counted[refusal.slug] += 1
        self.teller.be(who)
        try:
            order = self.teller.call("create_order", {"pack_id": "bundle"})
        except psycopg.Error as error:
            assert isinstance(expected, Refused), error
            self._same_refusal(error, expected)
        else:
            assert not isinstance(expected, Refused), (expected.slug, order)
            sold = (self.pack.tokens, self.pack.bonus, self.pack.amount, "pending")
            assert (order["tokens"], order["bonus_tokens"], order["amount"], order["state"]) == sold
            self.orders[order["order_id"]] = self.accounts[who], expected
            purchase = Purchase(order, f"cs_{order['order_id']}")
            if later:
                self.unnamed.append(purchase)
            else:
                self._pay(purchase, news, early, True)
        self._same_orders()

    @precondition(lambda self: self.unnamed)
    @rule(which=some, news=news, early=early, maintained=st.booleans())
    def pay_later(self, which: int, news: list[str], early: int, maintained: bool) -> None:
        """Whoever comes too late gets nothing, and is charged nothing: the session is never named."""
        self._pay(self.unnamed.pop(which % len(self.unnamed)), news, early, maintained)
        self._same_orders()

    def _pay(self, purchase: Purchase, news: list[str], early: int, maintained: bool) -> None:
        """Some news come before the order's session is named, all of them come again."""
        account, place = self.orders[purchase.order["order_id"]]
        told = []
        for number, one in enumerate([*news, None]):
            if number == min(early, len(news)):
                self._name_session(purchase, maintained)
            if one is not None:
                self.teller.be(None)
                told.append(purchase.event(one))
                receipt = self.teller.call("apply_stripe_event", {"event": told[-1]})
                assert receipt["outcome"] == purchase.tell(one)
                again = self.teller.call("apply_stripe_event", {"event": told[-1]})
                assert again["outcome"] == purchase.again()
        for event in told:
            assert self.teller.call("apply_stripe_event", {"event": event})["outcome"] == purchase.again()
        if purchase.named:
            account.orders[place].state = purchase.state
        if purchase.granted:
            pack = account.orders[place].pack
            account.call(lambda a: a.add("purchase", pack.tokens, paid=not purchase.free))
            if pack.bonus:
                account.call(lambda a: a.add("bonus", pack.bonus))
        self.counted[f"order {account.orders[place].state}"] += 1

    def _name_session(self, purchase: Purchase, maintained: bool) -> None:
        order = purchase.order
        account, place = self.orders[order["order_id"]]
        # Nothing that is due is booked by who comes too late.
        if maintained or not account.has_lapsed(account.orders[place], self.pack):
            self._maintain()
        expected: Refused | None = None
        try:
            account.name_session(place, self.pack)
            purchase.name()
        except Refused as refusal:
            expected = refusal
            self.counted[refusal.slug] += 1
        self.teller.be(None)
        named = {"account_id": order["account_id"], "order_id": order["order_id"]}
        try:
            attached = self.teller.call("attach_checkout", named | {"session_id": purchase.session_id})
        except psycopg.Error as error:
            assert expected, error
            self._same_refusal(error, expected)
        else:
            assert not expected, (expected.slug, attached)
            assert attached["state"] == purchase.state

    @rule(pack=st.sampled_from([*PACKS[:2], *PACKS, PACKS[3]]))
    def sell_otherwise(self, pack: Pack) -> None:
        """Another price, another content, or not any more; or again as before."""
        self.pack = pack
        self.teller.be_yourself()
        self.teller.rows(
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
        user=self_made,
        note=notes,
        keyed=keyed,
    )
    def spend(
        self,
        who: str,
        module: Module,
        quantity: Decimal | None,
        byok: bool,
        user: bool,
        note: int,
        keyed: bool,
    ) -> None:
        self._send(keyed, self._spend, who, module, quantity, byok and not user, user, note)

    @rule(who=users, module=modules, quantity=usages, ttl=ttls, user=self_made, note=notes, keyed=keyed)
    def hold(
        self,
        who: str,
        module: Module,
        quantity: Decimal | None,
        ttl: timedelta,
        user: bool,
        note: int,
        keyed: bool,
    ) -> None:
        self._send(keyed, self._hold, who, module, quantity, ttl, user, note)

    @precondition(lambda self: self.holds)
    @rule(
        which=some,
        quantity=usages,
        whole=st.booleans(),
        final=st.sampled_from([True, True, False]),
        over=st.sampled_from(["debt", "debt", "available", "error"]),
        user=self_made,
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
        self._send(keyed, self._capture, which % len(self.holds), quantity, whole, final, over, user)

    @precondition(lambda self: self.holds)
    @rule(which=some, user=self_made, keyed=keyed)
    def release(self, which: int, user: bool, keyed: bool) -> None:
        self._send(keyed, self._release, which % len(self.holds), user)

    @precondition(lambda self: self.holds)
    @rule(which=some, ttl=ttls, user=self_made)
    def extend(self, which: int, ttl: timedelta, user: bool) -> None:
        number = which % len(self.holds)
        account, name = self.holds[number]
        self._expect(
            account,
            "extend_hold",
            {"hold_id": name, "ttl": ttl},
            lambda a: a.extend(number, ttl, not user),
            user=user,
        )

    @rule(who=users, which=some, part=st.none() | tokens, keyed=keyed)
    def refund(self, who: str, which: int, part: Decimal | None, keyed: bool) -> None:
        spends = [
            n for n, entry in enumerate(self.accounts[who].entries, 1) if entry.kind in ("spend", "byok")
        ]
        if which % 2:
            spends = spends[-2:]  # of which one is soon refunded twice
        if spends:
            self._send(keyed, self._refund, who, spends[which % len(spends)], part)

    @rule(who=users, status=st.sampled_from(["frozen", "active", "active"]))
    def freeze_or_thaw(self, who: str, status: str) -> None:
        def change(account: Account) -> Answer:
            replayed, account.status = account.status == status, status
            return {"status": status, "replayed": replayed}

        function = "freeze_account" if status == "frozen" else "thaw_account"
        self._expect(self.accounts[who], function, {"user_id": who}, change)

    @rule(who=users, tokens=st.just(ZERO) | tokens)
    def trust(self, who: str, tokens: Decimal) -> None:
        def change(account: Account) -> Answer:
            account.overdraft = tokens
            return {"tokens": tokens, "debt": account.debt}

        self._expect(self.accounts[who], "set_overdraft_limit", {"user_id": who, "tokens": tokens}, change)

    @rule(who=users, period=st.sampled_from(["day", "month"]), tokens=st.none() | tokens, user=self_made)
    def limit(self, who: str, period: str, tokens: Decimal | None, user: bool) -> None:
        def change(account: Account) -> Answer:
            by = "user" if user else "service"
            account.limits.pop((by, period), None)
            if tokens is not None:
                account.limits[by, period] = tokens
            return {"tokens": tokens, "set_by": by}

        function = "lift_spend_limit" if tokens is None else "set_spend_limit"
        arguments = {"user_id": who, "period": period} | ({} if tokens is None else {"tokens": tokens})
        self._expect(self.accounts[who], function, arguments, change, user=user)

    @rule(
        items=st.lists(st.tuples(users, modules, usages, keyed), min_size=1, max_size=6),
        again=st.booleans(),
        atomic=st.sampled_from([False, False, True]),
    )
    def batch(self, items: list[tuple[str, Module, Decimal | None, bool]], again: bool, atomic: bool) -> None:
        """Its keys are those of single spends: each of them is sent again by itself, and in this batch."""
        keyed = [
            (who, module, quantity, self._key() if key else None) for who, module, quantity, key in items
        ]
        if again:
            keyed.append(keyed[0])
        self._batch(keyed, atomic)

    @precondition(lambda self: self.sent)
    @rule(which=some)
    def send_again(self, which: int) -> None:
        """A call that had a key, after whatever has happened since."""
        self.sent[which % len(self.sent)]()

    @precondition(lambda self: self.sent)
    @rule(which=some, tokens=tokens)
    def send_something_else(self, which: int, tokens: Decimal) -> None:
        """Under the key of an earlier call, which may have been refused, and then left no key."""
        again = self.sent[which % len(self.sent)]
        if again.func == self._grant:
            who, reason, _, *rest = again.args
            self._grant(who, reason, tokens + 1, *rest, **again.keywords)
        elif again.func == self._spend:
            who, module, _, *rest = again.args
            self._spend(who, module, tokens, *rest, **again.keywords)

    @rule(who=users, jump=jumps, touched=st.booleans())
    def time_passes(self, who: str, jump: str | timedelta, touched: bool) -> None:
        """Booked at once when the clock is moved by a service; else whoever comes next finds it due."""
        account = self.accounts[who]
        due = [h.expires_at for h in account.holds.values() if h.state == "open"]
        due += [lot.expires_at for lot in account.lots.values() if lot.remaining and lot.expires_at]
        ahead = [moment for moment in due if moment > account.now]
        if isinstance(jump, timedelta):
            then = account.now + jump
        elif ahead:
            then = max(min(ahead) - timedelta(milliseconds=jump == "before next"), account.now)
        else:
            return
        if touched:
            account.settle()
            account.now = then
            self._expect(
                account,
                "set_test_clock",
                {"user_id": who, "frozen_time": then},
                lambda a: {"frozen_time": then},
            )
        else:
            account.now = then
            self.teller.be_yourself()
            self.connection.execute(
                "update credits.wallets set test_clock = %s where account_id = %s", (then, self.names[who])
            )
            self._same_books()

    @rule()
    def maintain(self) -> None:
        self._maintain()
        self._same_orders()

    def _maintain(self) -> None:
        self.teller.be(None)
        self.teller.call("maintain", {})
        for account in self.accounts.values():
            account.settle()
            account.end_old_orders(self.pack)

    # The calls

    def _key(self) -> str:
        return f"key-{next(self.numbers)}"

    def _send(self, keyed: bool, call: Callable[..., None], *arguments: Any) -> None:
        """Once; with a key it may be sent again."""
        again = partial(call, *arguments, key=self._key() if keyed else None)
        if keyed:
            self.sent.append(again)
        again()

    def _grant(
        self,
        who: str,
        reason: str,
        tokens: Decimal,
        ends: Any,
        scope: str | None,
        first: int | None,
        key: str | None,
    ) -> None:
        named: dict[str, Any] = {"user_id": who, "reason": reason, "tokens": tokens}
        named |= {"scope": scope} if scope is not None else {}
        named |= {"expires_at": ends} if ends is not None else {}
        self._expect(
            self.accounts[who],
            "add_tokens",
            named | {"priority": first},
            lambda a: a.add(reason, tokens, ends, first, scope),
            key,
        )

    def _spend(
        self,
        who: str,
        module: Module,
        quantity: Decimal | None,
        byok: bool,
        user: bool,
        note: int,
        key: str | None,
    ) -> None:
        usage = used(module, quantity)
        named: Row = {"user_id": who, "module_id": module.module_id, "usage": usage}
        self._expect(
            self.accounts[who],
            "consume_tokens",
            named | ({"byok": True} if byok else {}) | noted(note),
            lambda a: a.spend(module, usage, byok, not user, note),
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
        note: int,
        key: str | None,
    ) -> None:
        usage, number = used(module, quantity), len(self.holds)
        self._expect(
            self.accounts[who],
            "hold_tokens",
            {"user_id": who, "module_id": module.module_id, "usage": usage, "ttl": ttl} | noted(note),
            lambda a: a.hold(number, module, usage, ttl, not user, note),
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
        usage = None if whole else used(account.holds[number].module, quantity)
        self._expect(
            account,
            "capture_hold",
            {"hold_id": name, "final": final, "over": over} | ({} if usage is None else {"usage": usage}),
            lambda a: a.capture(number, usage, final, over, not user),
            key,
            user,
        )

    def _release(self, number: int, user: bool, key: str | None) -> None:
        account, name = self.holds[number]
        self._expect(
            account, "release_hold", {"hold_id": name}, lambda a: a.release(number, not user), key, user
        )

    def _refund(self, who: str, seq: int, part: Decimal | None, key: str | None) -> None:
        named = {"entry_id": f"{self.names[who]}:{seq}"} | ({} if part is None else {"tokens": part})
        self._expect(self.accounts[who], "refund_usage", named, lambda a: a.refund(seq, part), key)

    def _batch(self, items: list[tuple[str, Module, Decimal | None, str | None]], atomic: bool) -> None:
        self.counted["consume_tokens_batch"] += 1
        before = {who: account.copy() for who, account in self.accounts.items()}
        sent, expected = [], []
        for who, module, quantity, key in items:
            usage = used(module, quantity)
            item: Row = {"user_id": who, "module_id": module.module_id, "usage": usage}
            operation = None if key is None else ("consume_tokens", key)
            spend = partial(Account.spend, module=module, usage=usage)
            sent.append(item | ({} if key is None else {"idempotency_key": key}))
            try:
                expected.append(self.accounts[who].call(spend, operation, repr(item)))
            except Refused as refusal:
                expected.append(refusal)
            if key is not None:
                self.sent.append(partial(self._spend, who, module, quantity, False, False, 0, key=key))
        refusals = [
            (place, verdict) for place, verdict in enumerate(expected) if isinstance(verdict, Refused)
        ]
        self.teller.be(None)
        try:
            answer = self.teller.call("consume_tokens_batch", {"items": sent, "atomic": atomic})
        except psycopg.Error as error:
            assert atomic
            assert refusals, error
            (place, refusal), *_ = refusals
            self._same_refusal(error, refusal, index=place)
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
                    self._same_answer(who, verdict, model)
            for who in {who for who, *_ in items}:
                self.accounts[who].settle()  # what is due is booked even if all of them are refused
        self._same_books()

    # What is said and answered

    def _expect(
        self,
        account: Account,
        function: str,
        arguments: Row,
        work: Callable[[Account], Answer],
        key: str | None = None,
        user: bool = False,
    ) -> None:
        """Both are asked: the same answer, or refused for the same reason."""
        self.counted[function] += 1
        expected: Answer | Refused
        try:
            operation = None if key is None else (function, key)
            expected = account.call(work, operation, repr(arguments))
        except Refused as refusal:
            expected = refusal
            self.counted[refusal.slug] += 1
        self.teller.be(account.user_id if user else None)
        try:
            answer = self.teller.call(
                function, arguments if key is None else arguments | {"idempotency_key": key}
            )
        except psycopg.Error as error:
            assert isinstance(expected, Refused), (
                expected,
                error.diag.message_primary,
                error.diag.message_detail,
            )
            self._same_refusal(error, expected)
        else:
            assert not isinstance(expected, Refused), (expected.slug, expected.facts, answer)
            self._same_answer(account.user_id, answer, expected)
            if function == "hold_tokens" and not answer["replayed"]:
                self.holds.append((account, answer["hold_id"]))
        self._same_books()

    def _same_refusal(self, error: psycopg.Error, expected: Refused, **more: Any) -> None:
        facts = json.loads(error.diag.message_detail or "{}", parse_float=Decimal)
        slug = facts.pop("error", str(error))
        assert (slug, error.sqlstate) == (expected.slug, f"PT{STATUS[expected.slug]}")
        expected_facts = expected.facts | more
        assert {name: facts.get(name) for name in expected_facts} == expected_facts

    def _same_answer(self, who: str, answer: Row, model: Answer) -> None:
        expected = {"replayed": False} | model if "replayed" in answer else dict(model)
        expected.pop("number", None)  # of a hold, in the model alone
        for ours, theirs in (("seq", "entry_id"), ("charge", "charge_id")):
            if ours in expected:
                expected[theirs] = f"{self.names[who]}:{expected.pop(ours)}"
        if "draws" in expected:
            expected["draws"] = listed(expected["draws"])
        assert {name: answer[name] for name in expected} == expected

    def _same_books(self) -> None:
        """The views show what the model has, and no check of the audit finds anything."""
        self.counted["step"] += 1
        self.teller.be_yourself()
        assert self.teller.rows(_FINDINGS) == []
        balances = self.teller.rows(
            "select user_id, balance, held, available, debt, lifetime_granted, lifetime_spent, status"
            " from api.balance"
        )
        lots = self.teller.rows("select user_id, lot_id, remaining, held from api.lots")
        holds = self.teller.rows(
            "select hold_id, state, tokens, held, captured, shortfall, expires_at, late from api.holds"
        )
        seen = {who: account.seen() for who, account in self.accounts.items()}
        assert {row["user_id"]: row for row in balances if row["user_id"]} == {
            who: {
                "user_id": who,
                "balance": account.balance,
                "held": account.held,
                "available": max(account.balance - account.held, ZERO),
                "debt": account.debt,
                "lifetime_granted": account.granted,
                "lifetime_spent": account.spent,
                "status": account.status,
            }
            for who, account in seen.items()
        }
        assert {tuple(row.values()) for row in lots} == {
            (who, lot.lot_id, lot.remaining, lot.held)
            for who, account in seen.items()
            for lot in account.lots.values()
        }
        assert {tuple(row.values()) for row in holds} == {
            (name, h.state, h.tokens, h.held, h.captured, h.shortfall, h.expires_at, h.late)
            for number, (account, name) in enumerate(self.holds)
            for h in (seen[account.user_id].holds[number],)
        }

    def _same_orders(self) -> None:
        """Also where nothing but time, or the catalogue, has ended them."""
        self._same_books()
        written = self.teller.rows("select order_id, state from credits.orders")
        assert {row["order_id"]: row["state"] for row in written} == {
            name: account.orders[place].state for name, (account, place) in self.orders.items()
        }

    def _same_entries(self, account: Account) -> None:
        written = self.teller.rows(
            "select kind::text, tokens, balance_after, debt_after, draws, usage, effective_at"
            " from credits.entries where account_id = %s order by seq",
            self.names[account.user_id],
        )
        for row, entry in zip(written, account.entries, strict=True):
            effective = row.pop("effective_at")
            assert row == {
                "kind": entry.kind,
                "tokens": entry.tokens,
                "balance_after": entry.balance_after,
                "debt_after": entry.debt_after,
                "draws": listed(entry.draws),
                "usage": entry.usage,
            }
            # Entries of one moment are a microsecond apart.
            assert entry.effective_at <= effective < entry.effective_at + timedelta(milliseconds=1)


def noted(note: int) -> Row:
    return {"metadata": {"note": "x" * note}} if note else {}


def used(module: Module, quantity: Decimal | None) -> dict[str, Decimal]:
    return {} if quantity is None else {module.prices[0].dimension: quantity}


def listed(draws: Any) -> list[Row]:
    return [{"lot_id": lot_id, "tokens": tokens} for lot_id, tokens in draws]
