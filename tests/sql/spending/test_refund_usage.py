"""Refunds go back into the lots of the charge, never exceed it, and count once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import BOOKS, Caller, Connection, Row, at_once, findings, refused, slugs, steady, stop_clock
from hypothesis import given
from hypothesis import strategies as st

User = Callable[..., Caller]
Crowd = Callable[[int], list[Caller]]


def lots(caller: Caller) -> dict[int, Decimal]:
    """The remaining tokens of each of the user's lots."""
    return {row["lot_id"]: row["remaining"] for row in caller.rows("select lot_id, remaining from api.lots")}


def sound(admin: Connection, caller: Caller) -> None:
    """The audit finds nothing on this account."""
    found = admin.execute(
        f"select f.* from ({BOOKS}) as f join credits.identities as i using (account_id)"
        " where i.subject = %s",
        (caller.user_id,),
    )
    assert found.fetchall() == []


def charge(caller: Caller, calls: str = "1", module_id: str = "metube") -> Row:
    return caller.call("consume_tokens", module_id=module_id, usage=f'{{"calls": {calls}}}')


@pytest.fixture
def ada(user: User, service: Caller) -> Caller:
    """Somebody with three lots, spent in this order: 15 (lot 1), 20 (lot 2), 100 (lot 3)."""
    ada = user()
    for priority, tokens in ((1, 15), (2, 20), (3, 100)):
        service.call("add_tokens", user_id=ada.user_id, tokens=tokens, priority=priority)
    return ada


def test_whole_charge_goes_back_where_it_came_from(ada: Caller, service: Caller, admin: Connection) -> None:
    spent = charge(ada, "4")
    assert lots(ada) == {1: 0, 2: 0, 3: 95}
    refund = service.call("refund_usage", entry_id=spent["entry_id"], reason="the job failed")
    assert refund == {
        "entry_id": spent["entry_id"].replace(":4", ":5"),
        "user_id": ada.user_id,
        "charge_id": spent["entry_id"],
        "tokens": 40,
        "expired": 0,
        "balance": 135,
        "draws": [{"lot_id": 3, "tokens": 5}, {"lot_id": 2, "tokens": 20}, {"lot_id": 1, "tokens": 15}],
        "replayed": False,
    }
    assert lots(ada) == {1: 15, 2: 20, 3: 100}
    entry = ada.row("select * from api.entries where kind = 'refund'")
    assert (entry["tokens"], entry["balance_after"], entry["reference"]) == (40, 135, "4")
    assert (entry["module_id"], entry["usage"], entry["metadata"]) == (
        "metube",
        None,
        {"reason": "the job failed"},
    )
    assert ada.row("select lifetime_granted, lifetime_spent from api.balance") == {
        "lifetime_granted": 135,
        "lifetime_spent": 0,
    }
    assert ada.row("select cost, refunded from api.usage") == {"cost": 40, "refunded": 40}
    assert charge(ada, "1")["draws"] == [{"lot_id": 1, "tokens": 10}]  # live again, in burn order
    sound(admin, ada)


def test_partial_refunds_return_the_last_draws_first(ada: Caller, service: Caller, admin: Connection) -> None:
    spent = charge(ada, "4")  # 15 + 20 + 5
    undo = partial(service.call, "refund_usage", entry_id=spent["entry_id"])
    assert undo(tokens="2.5")["draws"] == [{"lot_id": 3, "tokens": Decimal("2.5")}]
    assert undo(tokens=10)["draws"] == [
        {"lot_id": 3, "tokens": Decimal("2.5")},
        {"lot_id": 2, "tokens": Decimal("7.5")},
    ]
    with refused("bad_amount") as facts:
        undo(tokens="27.500001")
    assert facts["refundable"] == Decimal("27.5")
    assert undo()["tokens"] == Decimal("27.5")
    with refused("already_refunded") as facts:
        undo()
    assert facts["refunded"] == 40
    with refused("already_refunded"):
        undo(tokens=1)
    assert lots(ada) == {1: 15, 2: 20, 3: 100}
    sound(admin, ada)


def test_tokens_refunded_to_an_expired_lot_expire_at_once(user: User, admin: Connection) -> None:
    bank = Caller(admin, "none")
    admin.execute("begin")
    try:
        stop_clock(admin, "2031-11-10 00:00Z")
        bank.call("add_tokens", user_id="late", tokens=15, expires_at="2031-11-11 00:00Z")
        bank.call("add_tokens", user_id="late", tokens=100)
        spent = bank.call("consume_tokens", user_id="late", module_id="metube", usage='{"calls": 2}')
        bank.call("add_tokens", user_id="late", tokens=1)
        stop_clock(admin, "2031-11-12 00:00Z")
        refund = bank.call("refund_usage", entry_id=spent["entry_id"], idempotency_key="k")
        assert (refund["tokens"], refund["expired"], refund["balance"]) == (20, 15, 101)
        entries = bank.rows(
            "select kind, tokens, balance_after, effective_at > '2031-11-11 12:00Z' as late, draws"
            " from api.entries where user_id = 'late' and seq > 4 order by seq"
        )
        assert entries == [
            {
                "kind": "refund",
                "tokens": 20,
                "balance_after": 116,
                "late": True,
                "draws": [{"lot_id": 2, "tokens": 5}, {"lot_id": 1, "tokens": 15}],
            },
            {
                "kind": "expire",
                "tokens": -15,
                "balance_after": 101,
                "late": True,
                "draws": [{"lot_id": 1, "tokens": 15}],
            },
        ]
        stop_clock(admin, "2031-11-13 00:00Z")
        bank.call("consume_tokens", user_id="late", module_id="metube")
        again = bank.call("refund_usage", entry_id=spent["entry_id"], idempotency_key="k")
        assert again == refund | {"replayed": True}
        assert findings(bank) == []
    finally:
        admin.execute("rollback")


def test_refilled_lot_expires_on_its_day(admin: Connection) -> None:
    bank = Caller(admin, "none")
    admin.execute("begin")
    try:
        stop_clock(admin, "2031-11-10 00:00Z")
        bank.call("add_tokens", user_id="full", tokens=10, expires_at="2031-11-20 00:00Z")
        spent = bank.call("consume_tokens", user_id="full", module_id="metube")
        bank.call("add_tokens", user_id="full", tokens=1, expires_at="2032-01-01 00:00Z")
        bank.call("refund_usage", entry_id=spent["entry_id"])
        balance = "select balance from api.balance where user_id = 'full'"
        assert bank.row(balance)["balance"] == 11
        stop_clock(admin, "2031-11-20 00:00Z")
        assert bank.row(balance)["balance"] == 1
        with refused("insufficient_tokens"), admin.transaction():
            bank.call("consume_tokens", user_id="full", module_id="metube")
        assert findings(bank) == []
    finally:
        admin.execute("rollback")


def test_key_makes_one_refund_and_one_answer(ada: Caller, service: Caller) -> None:
    spent = charge(ada, "4")
    undo = partial(service.call, "refund_usage", entry_id=spent["entry_id"], idempotency_key="k")
    first = undo(tokens=10, reason="slow")
    charge(ada)
    assert undo(tokens="10.0", reason="slow") == first | {"replayed": True}
    for other in ({"tokens": 11, "reason": "slow"}, {"tokens": 10}, {}):
        with refused("key_reused"):
            undo(**other)
    other_charge = charge(ada)
    with refused("key_reused"):
        service.call(
            "refund_usage", entry_id=other_charge["entry_id"], tokens=10, reason="slow", idempotency_key="k"
        )
    # A key of another operation is a different key.
    assert service.call("add_tokens", user_id=ada.user_id, tokens=1, idempotency_key="k")["replayed"] is False


def test_refusal_leaves_no_key(ada: Caller, service: Caller) -> None:
    spent = charge(ada)
    with refused("bad_amount"):
        service.call("refund_usage", entry_id=spent["entry_id"], tokens=11, idempotency_key="k")
    assert service.call("refund_usage", entry_id=spent["entry_id"], idempotency_key="k")["tokens"] == 10


def test_only_charges_are_refunded(ada: Caller, service: Caller, admin: Connection) -> None:
    spent = charge(ada)
    account = spent["entry_id"].split(":")[0]
    service.call("refund_usage", entry_id=spent["entry_id"])
    nothing = {"module_id": "metube", "usage": '{"calls": 0}'}
    free = service.call("consume_tokens", user_id=ada.user_id, **nothing)
    own_key = service.call("consume_tokens", user_id=ada.user_id, module_id="metube", byok=True)
    for entry_id, kind in (
        (f"{account}:1", "grant"),
        (f"{account}:5", "refund"),
        (free["entry_id"], "spend"),
        (own_key["entry_id"], "byok"),
    ):
        with refused("not_refundable") as facts:
            service.call("refund_usage", entry_id=entry_id)
        assert facts["kind"] == kind


@pytest.mark.parametrize(
    "name",
    [
        "{account}:99",
        "{account}:0",
        "{account}:04",
        "{account}:-1",
        "{account}:4 ",
        "{account}:4\n",
        "{account}:9999999999999999999999",
        "{account}",
        "{account}:",
        ":4",
        "",
        "4",
        "x:4",
        "00000000-0000-0000-0000-000000000000:4",
        None,
    ],
)
def test_refund_of_an_unknown_entry_is_refused(name: str | None, ada: Caller, service: Caller) -> None:
    account = charge(ada)["entry_id"].split(":")[0]
    with refused("unknown_entry"):
        service.call("refund_usage", entry_id=name and name.format(account=account))


@pytest.mark.parametrize("tokens", ["0", "-1", "NaN", "-Infinity", "0.0000001", "1000000000001"])
def test_refund_refuses_a_bad_amount(tokens: str, ada: Caller, service: Caller) -> None:
    with refused("bad_amount"):
        service.call("refund_usage", entry_id=charge(ada)["entry_id"], tokens=Decimal(tokens))


def test_refund_reason_must_be_short(ada: Caller, service: Caller) -> None:
    spent = charge(ada)
    with refused("bad_reason"):
        service.call("refund_usage", entry_id=spent["entry_id"], reason="x" * 201)
    assert service.call("refund_usage", entry_id=spent["entry_id"], reason="é" * 200)["tokens"] == 10


def test_users_cannot_refund(ada: Caller, api_login: Connection) -> None:
    spent = charge(ada)
    for role in ("authenticated", "anon"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            Caller(api_login, role, ada.user_id).call("refund_usage", entry_id=spent["entry_id"])


def test_frozen_account_gets_refunds_and_a_closed_one_does_not(
    ada: Caller, service: Caller, admin: Connection
) -> None:
    spent = charge(ada)
    status = (
        "update credits.wallets set status = %s"
        " where account_id = (select account_id from credits.identities where subject = %s)"
    )
    admin.execute(status, ("frozen", ada.user_id))
    assert service.call("refund_usage", entry_id=spent["entry_id"], tokens=4)["tokens"] == 4
    admin.execute(status, ("closed", ada.user_id))
    with refused("account_frozen"):
        service.call("refund_usage", entry_id=spent["entry_id"])


def test_only_refunds_of_today_free_todays_limits(admin: Connection) -> None:
    bank = Caller(admin, "none")
    admin.execute("begin")
    try:
        stop_clock(admin, "2031-11-10 12:00Z")
        use = {"user_id": "tight", "module_id": "metube"}
        bank.call("add_tokens", user_id="tight", tokens=1000)
        bank.call("set_spend_limit", user_id="tight", period="day", tokens=30)
        bank.call("set_spend_limit", user_id="tight", period="month", tokens=70)
        first, second, third = (bank.call("consume_tokens", **use)["entry_id"] for _ in range(3))
        with refused("spend_limit"), admin.transaction():
            bank.call("consume_tokens", **use)
        bank.call("refund_usage", entry_id=third, tokens=9)
        with refused("spend_limit") as facts, admin.transaction():
            bank.call("consume_tokens", **use)
        assert facts["spent"] == 21
        bank.call("refund_usage", entry_id=third)
        bank.call("consume_tokens", **use)
        # Tomorrow: the month gets it back, the new day never saw it.
        stop_clock(admin, "2031-11-11 12:00Z")
        bank.call("consume_tokens", **use)
        bank.call("refund_usage", entry_id=first)
        limits = "select period, spent from api.spend_limits where user_id = 'tight' order by period"
        assert bank.rows(limits) == [{"period": "day", "spent": 10}, {"period": "month", "spent": 30}]
        # Next month, with a limit that is set only now, or set anew.
        stop_clock(admin, "2031-12-01 00:00Z")
        bank.call("consume_tokens", **use)
        bank.call("refund_usage", entry_id=second, tokens=5)
        assert bank.rows(limits) == [{"period": "day", "spent": 10}, {"period": "month", "spent": 10}]
        for period in ("day", "month"):
            bank.call("lift_spend_limit", user_id="tight", period=period)
            assert bank.call("set_spend_limit", user_id="tight", period=period, tokens=70)["spent"] == 10
        assert findings(bank) == []
    finally:
        admin.execute("rollback")


def test_limit_set_after_a_refund_ignores_it(ada: Caller, service: Caller) -> None:
    spent = charge(ada, "4")
    service.call("refund_usage", entry_id=spent["entry_id"], tokens=15)
    assert ada.call("set_spend_limit", period="day", tokens=100)["spent"] == 25


def test_refund_arms_notices_and_writes_none(admin: Connection) -> None:
    bank = Caller(admin, "none")
    admin.execute("begin")
    try:
        stop_clock(admin, "2031-11-10 00:00Z")
        bank.rows("select credits.define_notice('low_balance', 50)")
        bank.rows("select credits.define_notice('depleted')")
        use = {"user_id": "told again", "module_id": "metube", "usage": '{"calls": 10}'}
        bank.call("add_tokens", user_id="told again", tokens=100, expires_at="2031-11-11 00:00Z")
        first = bank.call("consume_tokens", **use)["entry_id"]
        kinds = "select kind from api.notices where user_id = 'told again' order by created_at, kind desc"

        def told() -> list[str]:
            return [row["kind"] for row in bank.rows(kinds)]

        assert told() == ["low_balance", "depleted"]
        bank.call("refund_usage", entry_id=first)
        assert told() == ["low_balance", "depleted"]
        second = bank.call("consume_tokens", **use)["entry_id"]
        assert sorted(told()) == ["depleted", "depleted", "low_balance", "low_balance"]
        # Into a lot past its date: the balance has not risen, so it does not fall again.
        stop_clock(admin, "2031-11-12 00:00Z")
        assert bank.call("refund_usage", entry_id=second)["balance"] == 0
        assert len(told()) == 4
        assert findings(bank) == []
    finally:
        admin.execute("rollback")


def test_tokens_refunded_to_a_frozen_lot_stay_frozen(ada: Caller, service: Caller, admin: Connection) -> None:
    spent = charge(ada)
    account = spent["entry_id"].split(":")[0]
    admin.execute("select credits.lock_wallet(%s)", (account,))
    admin.execute("update credits.lots set frozen = true where account_id = %s and lot_id = 1", (account,))
    assert service.call("refund_usage", entry_id=spent["entry_id"])["draws"] == [{"lot_id": 1, "tokens": 10}]
    assert charge(ada)["draws"] == [{"lot_id": 2, "tokens": 10}]
    sound(admin, ada)


@pytest.mark.parametrize(
    ("before", "tokens", "parts"),
    [
        (0, 5, [(None, 5)]),
        (0, 12, [(None, 10), (2, 2)]),
        (8, 4, [(None, 2), (2, 2)]),
        (10, 20, [(2, 20)]),
        (30, 10, [(1, 10)]),
        (0, 60, [(None, 10), (2, 20), (1, 30)]),
    ],
)
def test_refund_reduces_the_charges_debt_first(
    before: int, tokens: int, parts: list[tuple[int | None, int]], admin: Connection
) -> None:
    """A charge of 60: 30 of lot 1, 20 of lot 2, 10 of debt."""
    found = admin.execute(
        "select lot_id, tokens from credits.parts_to_return(%s, 60, %s, %s)",
        ('[{"lot_id": 1, "tokens": 30}, {"lot_id": 2, "tokens": 20}]', before, tokens),
    )
    assert found.fetchall() == parts


def owing(user: User, service: Caller, calls: int) -> tuple[Caller, str]:
    """A user with 20 tokens and a charge of 10 tokens a call, the rest as debt; and that charge."""
    ada = user(20)
    service.call("set_overdraft_limit", user_id=ada.user_id, tokens=1000)
    hold = service.call("hold_tokens", module_id="metube", user_id=ada.user_id)
    captured = service.call("capture_hold", hold_id=hold["hold_id"], usage={"calls": calls})
    assert captured["debt"] == 10 * calls - 20
    return ada, captured["entry_id"]


def test_refund_lowers_the_debt_that_the_charge_made(user: User, service: Caller, admin: Connection) -> None:
    ada, spent = owing(user, service, 5)
    refund = service.call("refund_usage", entry_id=spent, tokens=12)
    assert (refund["balance"], refund["draws"]) == (-18, [])
    assert ada.row("select balance, debt from api.balance") == {"balance": -18, "debt": 18}
    refund = service.call("refund_usage", entry_id=spent)
    # Twice out of one lot: what had been held, and then the rest.
    assert refund["draws"] == [{"lot_id": 1, "tokens": 10}] * 2
    assert ada.row("select balance, debt, lifetime_spent from api.balance") == {
        "balance": 20,
        "debt": 0,
        "lifetime_spent": 0,
    }
    sound(admin, ada)


def test_repaid_debt_goes_back_to_the_lots_that_paid_it(
    user: User, service: Caller, admin: Connection
) -> None:
    ada, spent = owing(user, service, 5)
    for tokens in (12, 100):  # bought: 12 go whole, then 18 of the 100
        service.call("add_tokens", user_id=ada.user_id, tokens=tokens, reason="purchase")
    assert lots(ada) == {1: 0, 3: 0, 5: 82}
    assert service.call("refund_usage", entry_id=spent, tokens=20)["draws"] == [
        {"lot_id": 3, "tokens": 12},
        {"lot_id": 5, "tokens": 8},
    ]
    sound(admin, ada)
    assert service.call("refund_usage", entry_id=spent)["draws"] == [
        {"lot_id": 5, "tokens": 10},
        {"lot_id": 1, "tokens": 10},
        {"lot_id": 1, "tokens": 10},
    ]
    assert lots(ada) == {1: 20, 3: 12, 5: 100}
    assert ada.row("select balance, debt from api.balance") == {"balance": 132, "debt": 0}
    sound(admin, ada)


def test_refunds_of_two_charges_share_the_remaining_debt(
    user: User, service: Caller, admin: Connection
) -> None:
    """The first charge's debt was repaid, so its refund lowers the debt of the other charge."""
    ada, first = owing(user, service, 3)
    service.call("add_tokens", user_id=ada.user_id, tokens=20, reason="purchase")  # 10 repay
    hold = service.call("hold_tokens", module_id="metube", user_id=ada.user_id)
    second = service.call("capture_hold", hold_id=hold["hold_id"], usage={"calls": 2})
    assert (second["debt"], lots(ada)) == (10, {1: 0, 3: 0})
    assert service.call("refund_usage", entry_id=first, tokens=10)["draws"] == []
    assert service.call("refund_usage", entry_id=second["entry_id"], tokens=10)["draws"] == [
        {"lot_id": 3, "tokens": 10}
    ]
    for entry_id in (first, second["entry_id"]):
        service.call("refund_usage", entry_id=entry_id)
    assert (lots(ada), ada.balance()) == ({1: 20, 3: 20}, 40)
    sound(admin, ada)


# At once


@pytest.mark.slow
def test_many_refunds_at_once_give_back_no_more_than_the_charge(
    ada: Caller, crowd: Crowd, admin: Connection
) -> None:
    spent = charge(ada, "4")
    results = at_once(
        [partial(one.call, "refund_usage", entry_id=spent["entry_id"], tokens=3) for one in crowd(30)]
    )
    # Thirteen times 3 of 40; then 1 is left, of which 3 are too many.
    assert Counter(slugs(results)) == {"bad_amount": 17}
    assert ada.balance() == 135 - 40 + 39
    sound(admin, ada)


@pytest.mark.slow
def test_same_key_at_once_is_one_refund(ada: Caller, crowd: Crowd, admin: Connection) -> None:
    spent = charge(ada, "4")
    results = at_once(
        [
            partial(one.call, "refund_usage", entry_id=spent["entry_id"], tokens=3, idempotency_key="k")
            for one in crowd(30)
        ]
    )
    assert slugs(results) == []
    assert Counter(result.pop("replayed") for result in results) == {True: 29, False: 1}
    assert all(result == results[0] for result in results)
    assert ada.balance() == 135 - 40 + 3


@pytest.mark.slow
def test_spends_and_refunds_at_once_lose_nothing(ada: Caller, crowd: Crowd, admin: Connection) -> None:
    """Each worker spends and refunds again and again, in whole or in part."""

    def work(place: int, one: Caller) -> int:
        kept = 0
        for turn in range(6):
            spent = one.call("consume_tokens", user_id=ada.user_id, module_id="metube")
            part: dict[str, int] = [{}, {"tokens": 4}, {"tokens": 10}][(place + turn) % 3]
            kept += 10 - int(one.call("refund_usage", entry_id=spent["entry_id"], **part)["tokens"])
        return kept

    results = at_once([partial(work, place, one) for place, one in enumerate(crowd(6))])
    assert slugs(results) == []
    assert ada.balance() == 135 - sum(results)
    sound(admin, ada)


# Compared with a reference of a few lines


@pytest.fixture(scope="module")
def till(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("set jit = off")  # of Debian: it would take longer than the audit itself
        connection.autocommit = False
        yield connection


_amounts = st.decimals("0.000001", "60", places=6)


@pytest.mark.slow
@steady(24)
@given(
    sizes=st.lists(_amounts, min_size=1, max_size=4),
    steps=st.lists(
        st.one_of(_amounts.map(lambda calls: ("spend", calls)), st.tuples(st.integers(0, 9), _amounts))
    ),
)
def test_refunds_agree_with_the_reference_model(
    till: Connection, sizes: list[Decimal], steps: list[tuple[Any, Decimal]]
) -> None:
    """Charges of any size and refunds of any amount agree lot for lot."""
    till.execute("begin")
    try:
        bank = Caller(till, "none")
        name = uuid4().hex
        till.execute("select credits.define_module('tap', 'Tap')")
        price = '[{"dimension": "seconds", "price_per_unit": 10}]'
        till.execute("select credits.define_price(%s, p_module_id => 'tap')", (price,))
        left = []
        for size in sizes:
            bank.call("add_tokens", user_id=name, tokens=size)
            left.append(size)
        charges: list[tuple[str, list[list[Any]]]] = []  # what can still go back, as a stack of [lot, tokens]
        for what, amount in steps:
            if what == "spend":
                cost = amount * 10
                use = f'{{"seconds": {amount:f}}}'
                if cost > sum(left):
                    with refused("insufficient_tokens"), till.transaction():
                        bank.call("consume_tokens", user_id=name, module_id="tap", usage=use)
                    continue
                spent = bank.call("consume_tokens", user_id=name, module_id="tap", usage=use)
                stack = []
                for place in range(len(left)):
                    taken = min(left[place], cost)
                    if taken:
                        left[place] -= taken
                        cost -= taken
                        stack.append([place, taken])
                charges.append((spent["entry_id"], stack))
            elif charges:
                entry_id, stack = charges[what % len(charges)]
                if amount > sum(tokens for _, tokens in stack):
                    slug = "bad_amount" if stack else "already_refunded"
                    with refused(slug), till.transaction():
                        bank.call("refund_usage", entry_id=entry_id, tokens=amount)
                    continue
                bank.call("refund_usage", entry_id=entry_id, tokens=amount)
                while amount:
                    place, tokens = stack.pop()
                    back = min(tokens, amount)
                    left[place] += back
                    amount -= back
                    if back < tokens:
                        stack.append([place, tokens - back])
        shown = bank.rows("select remaining from api.lots where user_id = %s order by lot_id", (name,))
        assert [row["remaining"] for row in shown] == left
        assert findings(bank) == []
    finally:
        till.rollback()
