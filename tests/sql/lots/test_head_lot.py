"""The head lot: spends by a permit and two sums on the wallet's row do what spends with all checks do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection, Row, findings, refused, steady, stop_clock
from holding import Bank, clock_hold
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

pytestmark = pytest.mark.slow

NOON = "2098-06-01 12:00Z"


def wallet(bank: Caller, user_id: str = "clock") -> Row:
    return bank.row(
        "select w.head_lot, w.head_permit, w.head_taken, w.head_reserved"
        " from credits.wallets as w join credits.identities as i using (account_id) where i.subject = %s",
        (user_id,),
    )


def head(bank: Caller) -> tuple[int | None, Decimal]:
    """The head lot, and how much may be taken from it without further checks."""
    row = wallet(bank)
    return row["head_lot"], row["head_permit"]


def behind(bank: Caller) -> tuple[Decimal, Decimal]:
    """What was taken from the head lot, and held in it, and is not on its row yet."""
    row = wallet(bank)
    return row["head_taken"], row["head_reserved"]


def on_row(bank: Caller, lot_id: int = 1) -> tuple[Decimal, Decimal]:
    """What remains and is held on the row of the lot itself."""
    row = bank.row(
        "select l.remaining, l.held from credits.lots as l join credits.identities as i using (account_id)"
        " where i.subject = 'clock' and l.lot_id = %s",
        (lot_id,),
    )
    return row["remaining"], row["held"]


def shown(bank: Caller, lot_id: int = 1) -> tuple[Decimal, Decimal]:
    """What users see of it."""
    row = bank.row("select remaining, held from api.lots where user_id = 'clock' and lot_id = %s", (lot_id,))
    return row["remaining"], row["held"]


def spend(bank: Caller, calls: int = 1) -> Row:
    """10 tokens a call."""
    return bank.call("consume_tokens", module_id="metube", usage={"calls": calls}, user_id="clock")


def capture(bank: Caller, held: Row, calls: int | None = None, **more: Any) -> Row:
    usage = {} if calls is None else {"usage": {"calls": calls}}
    return bank.call("capture_hold", hold_id=held["hold_id"], **usage, **more)


def release(bank: Caller, held: Row) -> Row:
    return bank.call("release_hold", hold_id=held["hold_id"])


@pytest.fixture
def rich(bank: Bank) -> Bank:
    """990 tokens in one lot, and a permit for all of them."""
    bank.call("add_tokens", user_id="clock", tokens=1000)
    spend(bank)
    assert (head(bank), behind(bank), on_row(bank)) == ((1, 990), (0, 0), (990, 0))
    return bank


def test_spends_and_holds_leave_the_row_of_the_head_lot_alone(rich: Bank) -> None:
    first = clock_hold(rich, 4)
    assert spend(rich, 2)["balance"] == 970
    second, third = clock_hold(rich, 2), clock_hold(rich)
    assert (head(rich), behind(rich)) == ((1, 795), (20, 175))
    assert rich.standing() == (970, 175, 795)
    assert shown(rich) == (970, 175)
    rich.sound()
    assert capture(rich, first)["draws"] == [{"lot_id": 1, "tokens": 100}]
    spend(rich)
    assert release(rich, third)["released"] == 25
    assert behind(rich) == (130, 50)
    rich.sound()
    more = capture(rich, second, 1)
    assert (more["paid"], more["released"], more["draws"]) == (25, 25, [{"lot_id": 1, "tokens": 25}])
    assert (behind(rich), on_row(rich)) == ((155, 0), (990, 0))
    assert (rich.standing(), shown(rich)) == ((835, 0, 835), (835, 0))


def test_parts_are_charged_in_the_head_lot(rich: Bank) -> None:
    held, other = clock_hold(rich, 4), clock_hold(rich)
    for number in (1, 2):
        part = capture(rich, held, 1, final=False)
        assert (part["paid"], part["held"], part["draws"]) == (
            25,
            100 - 25 * number,
            [{"lot_id": 1, "tokens": 25}],
        )
        assert behind(rich) == (25 * number, 125 - 25 * number)
        rich.sound()
    spend(rich)
    last = capture(rich, held, 1)
    assert (last["paid"], last["released"], last["balance"]) == (25, 25, 905)
    assert capture(rich, other, 0)["released"] == 25
    assert (behind(rich), on_row(rich), rich.standing()) == ((85, 0), (990, 0), (905, 0, 905))


def test_freed_tokens_never_raise_the_permit(rich: Bank) -> None:
    held, other, third = clock_hold(rich, 4), clock_hold(rich, 2), clock_hold(rich, 30)
    assert head(rich) == (1, 90)
    release(rich, held)
    capture(rich, other, 1)
    assert (head(rich), rich.standing()) == ((1, 90), (965, 750, 215))
    spend(rich, 9)
    assert (head(rich), on_row(rich)) == ((1, 0), (990, 0))
    # A spend with all checks permits what has become free.
    spend(rich)
    assert (head(rich), shown(rich)) == ((1, 115), (865, 750))
    release(rich, third)
    assert head(rich) == (1, 115)
    rich.sound()


def test_capture_beyond_a_hold_takes_from_lots_and_no_other_hold(rich: Bank) -> None:
    rich.call("add_tokens", user_id="clock", tokens=100, priority=60)
    spend(rich)
    held, other = clock_hold(rich, 4), clock_hold(rich, 35)
    assert (head(rich), shown(rich)) == ((1, 5), (980, 975))
    captured = capture(rich, held, 7)
    assert captured["draws"] == [{"lot_id": n, "tokens": t} for n, t in ((1, 100), (1, 5), (3, 70))]
    assert (head(rich), on_row(rich), shown(rich)) == ((3, 30), (875, 875), (875, 875))
    rich.sound()
    assert capture(rich, other, 2)["draws"] == [{"lot_id": 1, "tokens": 50}]
    assert (head(rich), rich.standing()) == ((1, 825), (855, 0, 855))


@pytest.mark.parametrize("how", ["captured", "captured in part", "released"])
def test_older_holds_of_a_new_head_lot_use_the_sums(rich: Bank, how: str) -> None:
    early = clock_hold(rich, 4)
    rich.call("add_tokens", user_id="clock", tokens=20, priority=1)
    spend(rich)
    assert (head(rich), on_row(rich), behind(rich)) == ((3, 10), (990, 100), (0, 0))
    spend(rich, 2)
    late = clock_hold(rich, 2)
    assert (head(rich), on_row(rich), behind(rich)) == ((1, 830), (980, 100), (0, 50))
    rich.sound()
    if how == "released":
        release(rich, early)
        taken, held = Decimal(0), Decimal(50)
    elif how == "captured":
        assert capture(rich, early)["draws"] == [{"lot_id": 1, "tokens": 100}]
        taken, held = Decimal(100), Decimal(50)
    else:
        assert capture(rich, early, 3, final=False)["draws"] == [{"lot_id": 1, "tokens": 75}]
        taken, held = Decimal(75), Decimal(75)
    assert (on_row(rich), behind(rich)) == ((980, 100), (taken, held - 100))
    assert shown(rich) == (980 - taken, held)
    rich.sound()
    assert release(rich, late)["released"] == 50
    assert (rich.standing(), shown(rich)) == (
        (980 - taken, held - 50, 1030 - taken - held),
        (980 - taken, held - 50),
    )
    rich.sound()


@pytest.mark.parametrize("parts", [0, 1])
def test_release_in_the_head_lot_changes_the_sums(rich: Bank, parts: int) -> None:
    held, other = clock_hold(rich, 4), clock_hold(rich)
    if parts:
        capture(rich, held, parts, final=False)
    answer = release(rich, held)
    assert (answer["released"], answer["captured"]) == (100 - 25 * parts, 25 * parts)
    assert (head(rich), behind(rich), on_row(rich)) == ((1, 865), (25 * parts, 25), (990, 0))
    rich.sound()
    assert release(rich, other)["released"] == 25
    assert rich.standing() == (990 - 25 * parts, 0, 990 - 25 * parts)


@pytest.mark.parametrize("swept", [False, True], ids=["by the next call", "booked"])
def test_holds_in_the_head_lot_expire(rich: Bank, swept: bool) -> None:
    short, long = clock_hold(rich, 4, ttl="1 minute"), clock_hold(rich, 2, ttl="1 hour")
    rich.at("2098-06-01 12:01Z")
    assert (rich.standing(), shown(rich)) == ((990, 50, 940), (990, 50))
    if swept:
        assert rich.call("maintain")["accounts"] == 1
        assert (head(rich), on_row(rich)) == ((None, 0), (990, 50))
        rich.sound()
    assert spend(rich)["balance"] == 980
    assert (shown(rich), on_row(rich)) == ((980, 50), (980, 50))
    with refused("hold_closed"):
        release(rich, short)
    assert clock_hold(rich, 37)["available"] == 5
    rich.sound()
    assert capture(rich, long)["paid"] == 50
    late = capture(rich, short, 1)
    assert (late["late"], late["paid"], late["shortfall"]) == (True, 5, 20)


def test_extension_leaves_the_permit_alone(rich: Bank) -> None:
    held = clock_hold(rich, 4)
    rich.call("extend_hold", hold_id=held["hold_id"], ttl="1 hour")
    assert (head(rich), behind(rich)) == ((1, 890), (0, 100))
    rich.at("2098-06-01 12:59Z")
    assert capture(rich, held)["late"] is False


@pytest.mark.parametrize("atomic", [False, True])
def test_batch_beyond_the_head_lot_keeps_its_held_tokens(rich: Bank, atomic: bool) -> None:
    rich.call("add_tokens", user_id="clock", tokens=100, priority=60)
    spend(rich)
    held, other = clock_hold(rich, 37), clock_hold(rich, 2)
    assert head(rich) == (1, 5)
    items = [{"user_id": "clock", "module_id": "metube"}] * 3
    verdicts = rich.call("consume_tokens_batch", items=Jsonb(items), atomic=atomic)["verdicts"]
    assert [verdict["draws"] for verdict in verdicts] == [
        [{"lot_id": 1, "tokens": 5}, {"lot_id": 3, "tokens": 5}],
        [{"lot_id": 3, "tokens": 10}],
        [{"lot_id": 3, "tokens": 10}],
    ]
    assert (shown(rich), shown(rich, 3)) == ((975, 975), (75, 0))
    rich.sound()
    assert capture(rich, held, 36)["released"] == 25
    assert release(rich, other)["released"] == 50
    assert rich.standing() == (150, 0, 150)


def test_batch_within_the_head_lot_skips_its_held_tokens(rich: Bank) -> None:
    held = clock_hold(rich, 39)
    items = [{"user_id": "clock", "module_id": "metube"}] * 2
    verdicts = rich.call("consume_tokens_batch", items=Jsonb(items))["verdicts"]
    assert [verdict["ok"] for verdict in verdicts] == [True, False]
    assert (verdicts[1]["error"], verdicts[1]["available"]) == ("insufficient_tokens", 5)
    assert shown(rich) == (980, 975)
    rich.sound()
    assert capture(rich, held)["paid"] == 975


def test_tokens_freed_in_an_expiring_lot_go_onto_its_row(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=1000, expires_at="2098-06-01 12:10Z")
    spend(bank)
    held, other = clock_hold(bank, 4), clock_hold(bank)
    assert (head(bank), on_row(bank), behind(bank)) == ((1, 865), (990, 0), (0, 125))
    spend(bank)
    assert capture(bank, held, 1, final=False)["draws"] == [{"lot_id": 1, "tokens": 25}]
    assert (head(bank), on_row(bank), behind(bank)) == ((1, 855), (955, 100), (0, 0))
    bank.sound()
    spend(bank)
    bank.at("2098-06-01 12:10Z")
    assert bank.standing() == (100, 100, 0)
    assert capture(bank, held, 1)["paid"] == 25
    assert (head(bank), on_row(bank)) == ((None, 0), (25, 25))
    assert release(bank, other)["released"] == 25
    assert bank.standing() == (0, 0, 0)
    bank.sound()


# What closes the permit


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("set_spend_limit", {"period": "day", "tokens": 500}),
        ("set_low_balance", {"below": 100}),
        ("add_tokens", {"tokens": 5, "priority": 1}),
        ("freeze_account", {}),
    ],
)
def test_changes_of_limits_lots_and_notices_take_the_permit_back(
    rich: Bank, function: str, arguments: dict[str, Any]
) -> None:
    held = clock_hold(rich, 4)
    spend(rich)
    assert (head(rich), behind(rich)) == ((1, 880), (10, 100))
    rich.call(function, user_id="clock", **arguments)
    assert wallet(rich)["head_permit"] == 0
    assert shown(rich) == (980, 100)
    rich.sound()
    if function == "freeze_account":
        with refused("account_frozen"):
            spend(rich)
        rich.call("thaw_account", user_id="clock")
    spend(rich)
    expected = {"set_spend_limit": (1, 370), "set_low_balance": (1, 770), "add_tokens": (1, 875)}
    assert head(rich) == expected.get(function, (1, 870))
    rich.sound()
    assert capture(rich, held)["draws"] == [{"lot_id": 1, "tokens": 100}]
    rich.sound()


def told(bank: Caller) -> list[Row]:
    rows = bank.rows("select kind, facts from api.notices where user_id = 'clock' order by created_at")
    return [{row["kind"]: row["facts"]["balance"]} for row in rows]


def let_go(bank: Caller, held: Row, by_capture: bool) -> None:
    if by_capture:
        assert capture(bank, held, 0)["released"] > 0
    else:
        assert release(bank, held)["released"] > 0


@pytest.mark.parametrize("by_capture", [False, True], ids=["release", "capture"])
def test_permit_ends_at_the_threshold_of_a_notice_that_is_armed_again(bank: Bank, by_capture: bool) -> None:
    bank.call("add_tokens", user_id="clock", tokens=500)
    bank.call("set_low_balance", user_id="clock", below=100)
    spend(bank, 31)
    through, beside = clock_hold(bank, 4), clock_hold(bank, 2)
    # The notice is written. Until it is armed again above 110, nothing stops the permit.
    assert told(bank) == [{"low_balance": 90}]
    assert head(bank) == (1, 40)
    let_go(bank, through, by_capture)
    assert (bank.standing(), head(bank), shown(bank)) == ((190, 50, 140), (1, 40), (190, 50))
    bank.sound()
    again = clock_hold(bank)
    let_go(bank, again, by_capture)
    assert head(bank) == (1, 15)
    bank.sound()
    spend(bank, 4)
    assert len(told(bank)) == 1
    spend(bank)
    assert told(bank)[1:] == [{"low_balance": 90}]
    let_go(bank, beside, by_capture)
    bank.sound()


@pytest.mark.parametrize("by_capture", [False, True], ids=["release", "capture"])
def test_hold_of_the_last_tokens_writes_depleted_as_a_spend_does(bank: Bank, by_capture: bool) -> None:
    bank.rows("select credits.define_notice('depleted')")
    bank.call("add_tokens", user_id="clock", tokens=85)
    spend(bank)
    first = clock_hold(bank, 2)
    assert head(bank) == (1, 15)  # 10 are the least that anything costs
    last = clock_hold(bank)
    assert told(bank) == [{"depleted": 0}]
    bank.sound()
    let_go(bank, first, by_capture)
    assert head(bank) == (1, 40)
    let_go(bank, last, by_capture)
    bank.sound()
    spend(bank, 6)
    assert len(told(bank)) == 1
    clock_hold(bank, 0)
    bank.call("hold_tokens", module_id="metube", user_id="clock")
    assert told(bank)[1:] == [{"depleted": 5}]


def test_permit_counts_held_tokens_against_a_limit(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=1000)
    bank.call("set_spend_limit", user_id="clock", period="day", tokens=200)
    spend(bank)
    held = clock_hold(bank, 4)
    assert (head(bank), behind(bank)) == ((1, 90), (0, 100))
    bank.sound()
    with refused("spend_limit"):
        clock_hold(bank, 4)
    capture(bank, held, 1)
    assert (head(bank), behind(bank)) == ((1, 90), (25, 0))
    bank.sound()
    with refused("spend_limit"):
        spend(bank, 17)
    assert spend(bank, 16)["balance"] == 805


# Whatever is done, all ways do the same


@pytest.fixture(scope="module")
def till(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url) as connection:
        yield connection


_quantity = st.sampled_from([0, 1, 1, 2, 3, 5])
_which = st.sampled_from([0, 0, 1, 2, 5])  # from the newest on
_often = st.one_of(
    st.tuples(st.just("spend"), _quantity),
    st.tuples(st.just("hold"), _quantity),
    st.tuples(st.just("hold"), _quantity),
    st.tuples(st.just("hold for a minute"), _quantity),
    st.tuples(st.just("capture"), _which, _quantity),
    st.tuples(st.just("capture a part"), _which, _quantity),
    st.tuples(st.just("capture all"), _which),
    st.tuples(st.just("release"), _which),
)
_seldom = st.one_of(
    st.tuples(st.just("batch"), _quantity, _quantity, _quantity),
    st.tuples(st.just("grant"), st.sampled_from([3, 40, 200])),
    st.tuples(st.just("grant for two minutes"), st.sampled_from([3, 40, 200])),
    st.tuples(st.just("refund"), _which),
    st.tuples(st.just("notice"), st.sampled_from([0, 30, 100, 250])),
    st.tuples(st.just("limit"), st.sampled_from([150, 400])),
    st.tuples(
        st.just("half a minute"),
    ),
)
_steps = st.integers(0, 5).flatmap(lambda number: _often if number else _seldom)


class Account:
    """One of two that do the same. `before`: a function that is called before each of its steps."""

    def __init__(self, bank: Caller, name: str, before: str | None = None) -> None:
        self.bank = bank
        self.name = name
        self.before = before
        self.holds: list[str] = []
        self.open: list[str] = []  # or expired
        self.charges: list[str] = []
        bank.call("add_tokens", user_id=name, tokens=600)

    def account_id(self) -> str:
        row = self.bank.row("select account_id from credits.identities where subject = %s", (self.name,))
        return str(row["account_id"])

    def do(self, what: str, *numbers: int) -> Row:
        """The answer, or the refusal, without the names that differ."""
        if self.before:
            self.bank.rows(f"select credits.{self.before}(%s)", (self.account_id(),))
        call = self.call(what, *numbers)
        if call is None:
            return {}
        function, arguments = call
        try:
            with self.bank.connection.transaction():
                answer = self.bank.call(function, **arguments)
        except psycopg.Error as error:
            assert (error.sqlstate or "").startswith("PT"), error
            return dict(json.loads(error.diag.message_detail or "", parse_float=Decimal))
        if function == "hold_tokens":
            self.holds.append(answer["hold_id"])
            self.open.append(answer["hold_id"])
        elif answer.get("state") in ("captured", "released"):
            self.open.remove(answer["hold_id"])
        if answer.get("cost"):
            self.charges.append(answer["entry_id"])
        text = json.dumps(answer, default=str).replace(self.name, "").replace(self.account_id(), "")
        for number, name in enumerate(self.holds):
            text = text.replace(name.split(":")[1], f"hold {number}")
        return dict(json.loads(text))

    def call(self, what: str, *numbers: int) -> tuple[str, dict[str, Any]] | None:
        me = {"user_id": self.name}
        match what:
            case "spend":
                return "consume_tokens", me | {"module_id": "metube", "usage": {"calls": numbers[0]}}
            case "hold" | "hold for a minute":
                ttl = "1 minute" if what == "hold for a minute" else "1 hour"
                return "hold_tokens", me | {
                    "module_id": "whisper",
                    "usage": {"calls": numbers[0]},
                    "ttl": ttl,
                }
            case "capture" | "capture a part" | "capture all" | "release":
                if not self.open:
                    return None
                hold_id = self.open[-1 - numbers[0] % len(self.open)]
                if what == "release":
                    return "release_hold", {"hold_id": hold_id}
                usage = {"usage": {"calls": numbers[1]}} if what != "capture all" else {}
                return "capture_hold", {"hold_id": hold_id, "final": what != "capture a part"} | usage
            case "batch":
                items = [me | {"module_id": "metube", "usage": {"calls": number}} for number in numbers]
                return "consume_tokens_batch", {"items": Jsonb(items)}
            case "grant":
                return "add_tokens", me | {"tokens": numbers[0], "reason": "purchase"}
            case "grant for two minutes":
                ends = self.bank.row("select credits.clock() + interval '2 minutes' as at")["at"]
                return "add_tokens", me | {"tokens": numbers[0], "expires_at": ends}
            case "refund":
                if not self.charges:
                    return None
                return "refund_usage", {"entry_id": self.charges[-1 - numbers[0] % len(self.charges)]}
            case "notice":
                return "set_low_balance", me | {"below": numbers[0]}
            case _:
                return "set_spend_limit", me | {"period": "day", "tokens": numbers[0]}

    def books(self) -> list[list[Row]]:
        """What is written of it, but for names and hashes."""
        return self.look(
            "select seq, kind, tokens, balance_after, debt_after, draws, usage, posted_at"
            " from credits.entries where ME order by seq",
            "select balance, held, debt, lifetime_spent from credits.wallets where ME",
            "select lot_id, remaining, held from credits.current_lots where ME order by lot_id",
            "select kind, facts, created_at from credits.outbox where ME order by kind, facts::text",
            "select state, held, captured, shortfall, seqs, draws, usage_left, late from credits.holds"
            f" where ME order by array_position(array{self.holds}::text[], account_id || ':' || hold_id)",
        )

    def look(self, *queries: str) -> list[list[Row]]:
        me = f"account_id = '{self.account_id()}'"
        return [self.bank.rows(query.replace("ME", me)) for query in queries]

    def seen(self) -> list[list[Row]]:
        """What users, services and auditors see of its tokens."""
        return [
            sorted(self.bank.rows(f"select * from {view} where user_id = %s", (self.name,)), key=str)
            for view in ("api.balance", "api.lots")
        ] + self.look(
            "select lot_id, remaining, held from credits.current_lots where ME order by lot_id",
            "select credits.spendable(account_id, 'metube', credits.clock()) from credits.accounts where ME",
            "select f.* from credits.accounts as a, credits.free_lots(a.account_id, credits.clock()) as f"
            " where a.ME",
        )

    def adds_up(self) -> None:
        """The lots say together what the wallet says, and folding the head changes nothing that is seen."""
        (row,) = self.look(
            "select w.balance, w.held, sum(l.remaining) as remaining, sum(l.held) as in_lots"
            " from credits.wallets as w join credits.current_lots as l using (account_id) where w.ME"
            " group by w.account_id"
        )[0]
        assert (row["remaining"], row["in_lots"]) == (row["balance"], row["held"])
        before = self.seen()
        with self.bank.connection.transaction(force_rollback=True):
            self.bank.rows("select credits.fold_head(%s)", (self.account_id(),))
            assert self.seen() == before


def _both_ways(
    till: Connection, steps: list[tuple[Any, ...]], before: str, look: Callable[[Account, str], None]
) -> None:
    """Two accounts do the same: one by its permit, the other with `before` called before each step."""
    try:
        till.execute("begin")
        stop_clock(till, NOON)
        bank = Caller(till, "none")
        till.execute("select credits.define_notice('depleted')")
        quick = Account(bank, "quick")
        careful = Account(bank, "careful", before)
        seconds = 0
        for what, *numbers in steps:
            if what == "half a minute":
                seconds += 30
                stop_clock(till, f"2098-06-01 12:{seconds // 60:02}:{seconds % 60:02}Z")
                continue
            assert quick.do(what, *numbers) == careful.do(what, *numbers), what
            look(quick, what)
        assert quick.books() == careful.books()
        assert findings(bank) == []
    finally:
        till.rollback()


_ways = st.sampled_from(["close_head", "fold_head"])


@pytest.mark.slow
@pytest.mark.one_version
def test_spends_by_permit_do_what_spends_with_all_checks_do(till: Connection) -> None:
    seen: Counter[str] = Counter()

    @steady(20)
    @given(steps=st.lists(_steps, min_size=8, max_size=25), before=_ways)
    def compare(steps: list[tuple[Any, ...]], before: str) -> None:
        behind: Row = {"head_taken": Decimal(0), "head_reserved": Decimal(0)}

        def look(quick: Account, what: str) -> None:
            nonlocal behind
            now = wallet(quick.bank, "quick")
            seen["spent"] += what == "spend" and now["head_taken"] > behind["head_taken"]
            seen["held"] += what.startswith("hold") and now["head_reserved"] > behind["head_reserved"]
            seen["ended"] += (
                what.startswith(("capture", "release")) and now["head_reserved"] < behind["head_reserved"]
            )
            behind = now

        _both_ways(till, steps, before, look)

    compare()
    assert min(seen[what] for what in ("spent", "held", "ended")) > 5, seen


@pytest.mark.one_version
def test_current_lots_add_up_and_folding_changes_nothing(till: Connection) -> None:
    seen: Counter[str] = Counter()

    @steady(12)
    @given(steps=st.lists(_steps, min_size=8, max_size=25), before=_ways)
    def compare(steps: list[tuple[Any, ...]], before: str) -> None:
        def look(quick: Account, what: str) -> None:
            quick.adds_up()
            now = wallet(quick.bank, "quick")
            seen["taken"] += now["head_taken"] > 0
            seen["reserved"] += now["head_reserved"] > 0

        _both_ways(till, steps, before, look)

    compare()
    assert min(seen["taken"], seen["reserved"]) > 5, seen
