"""What users can make without paying is bounded, so no loop of calls can fill the disk."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from callers import Caller, Row, refused, slugs
from holding import Bank, hold
from stripe_events import COMPLETED, attached, event, session

pytestmark = pytest.mark.slow

MOST = 5
FREE = '[{"dimension": "calls", "price_per_unit": 0}]'
_numbers = itertools.count(1)


@dataclass
class World:
    """A user with tokens, in a bank with narrow bounds that has something of each kind."""

    bank: Bank
    ada: Caller

    def __post_init__(self) -> None:
        bank = self.bank
        bank.rows("select credits.bound_unpaid(%s, '1 hour')", (MOST,))
        bank.rows("select credits.bound_holds(p_most_open => %s)", (MOST,))
        bank.rows("select credits.bound_orders(%s)", (MOST,))
        bank.rows("select credits.define_module('free', 'For nothing')")
        bank.rows("select credits.define_price(%s, 'free')", (FREE,))
        bank.rows("select credits.define_notice('depleted')")
        bank.rows("select credits.define_campaign('brought', 'referral', 'Brought', 5)")
        bank.rows("select credits.define_campaign('summer', 'promo', 'Summer', 1)")
        bank.rows("select credits.define_code('SUMMER', 'summer')")
        bank.rows("select credits.define_plan('none', 'Free', 5)")
        bank.rows("select credits.define_plan('some', 'Some', 500, 999, 'eur')")
        bank.call("add_tokens", user_id="clock", tokens=10_000)
        self.own = hold(self.ada)["hold_id"]
        self.released = hold(self.ada)["hold_id"]
        self.ada.call("release_hold", hold_id=self.released)
        bank.rows(
            "update credits.wallets set unpaid = 0, unpaid_holds = 0, unpaid_until = '-infinity' returning 1"
        )

    def rows(self) -> int:
        """How many rows all tables have."""
        tables = self.bank.rows(
            "select c.oid::regclass::text as name from pg_class as c where c.relkind in ('r', 'p')"
            " and not c.relispartition and c.relnamespace = 'credits'::regnamespace"
        )
        counts = " + ".join(f"(select count(*) from {table['name']})" for table in tables)
        return int(self.bank.row(f"select {counts} as rows")["rows"])

    def unpaid(self) -> tuple[int, int]:
        """The number of uses and holds."""
        row = self.bank.row(
            "select unpaid, unpaid_holds from credits.wallets where account_id ="
            " (select account_id from credits.identities where subject = 'clock')"
        )
        return row["unpaid"], row["unpaid_holds"]


Loop = Callable[[World, str], Any]  # once round; the text is another one each time


@dataclass(frozen=True)
class Pays:
    """Each round costs tokens."""

    loop: Loop


@dataclass(frozen=True)
class SameRows:
    """Further calls make no more rows than the first call."""

    loop: Loop


@dataclass(frozen=True)
class Bounded:
    """After some rounds it is refused, with this slug."""

    slug: str
    loop: Loop


@dataclass(frozen=True)
class Reads:
    """It writes nothing: it is STABLE or IMMUTABLE, and PostgreSQL enforces that."""


Bound = Pays | SameRows | Bounded | Reads


def held_and_released(world: World, name: str, **arguments: Any) -> None:
    world.ada.call("release_hold", hold_id=hold(world.ada, **arguments)["hold_id"])


def held_and_expired(world: World, name: str) -> None:
    hold(world.ada, ttl="1 second")
    world.bank.at(f"2098-06-01 12:{int(name) % 50:02}:30Z")
    world.ada.call("extend_hold", hold_id=world.own)  # books what is due


def held_and_captured(world: World, name: str, module_id: str = "whisper") -> None:
    held = world.ada.call("hold_tokens", module_id=module_id)["hold_id"]
    world.ada.call("capture_hold", hold_id=held)


def ordered_and_cancelled(world: World, name: str) -> None:
    """Ends the order, as when the payment provider refuses it or its checkout expires."""
    order = world.ada.call("create_order", pack_id="standard", idempotency_key=name)
    world.bank.call("cancel_order", account_id=order["account_id"], order_id=order["order_id"])


def agreed_and_withdrawn(world: World, name: str) -> None:
    agreed = {"threshold": 1, "pack_id": "standard", "monthly_limit": 100_000, "words": name}
    world.ada.call("set_auto_topup", **agreed)
    world.ada.call("stop_auto_topup")


def call(function: str, **arguments: Any) -> Loop:
    return lambda world, name: world.ada.call(function, **arguments)


def keyed(function: str, **arguments: Any) -> Loop:
    return lambda world, name: world.ada.call(function, idempotency_key=name, **arguments)


PAID = {"user_id": "clock", "module_id": "whisper", "module_name": "W", "tokens_to_consume": 25}
# Every function that a user or a guest may execute, and what bounds the rows that it makes.
BOUNDS: dict[str, list[Bound]] = {
    "consume_call/6": [Pays(keyed("consume_call", **PAID))],
    "consume_tokens/4": [Pays(call("consume_tokens", **PAID))],
    "consume_tokens/7": [
        Pays(keyed("consume_tokens", module_id="whisper")),
        Bounded("unpaid_limit", keyed("consume_tokens", module_id="free")),
        Bounded("unpaid_limit", call("consume_tokens", module_id="free")),
    ],
    "quote_tokens/3": [Reads()],
    "receipt/1": [Reads()],
    "explain_balance/4": [Reads()],
    "hold_tokens/7": [
        Bounded("too_many_holds", keyed("hold_tokens", module_id="whisper")),
        Bounded("too_many_holds", call("hold_tokens", module_id="free")),
        Bounded("unpaid_limit", held_and_released),
        Bounded("unpaid_limit", lambda world, name: held_and_released(world, name, idempotency_key=name)),
        Bounded("unpaid_limit", held_and_expired),
    ],
    "capture_hold/6": [
        Pays(held_and_captured),
        Bounded("unpaid_limit", lambda world, name: held_and_captured(world, name, "free")),
    ],
    "release_hold/4": [
        SameRows(lambda world, name: world.ada.call("release_hold", hold_id=world.released)),
        Bounded(
            "unpaid_limit",
            lambda world, name: world.ada.call("release_hold", hold_id=world.released, idempotency_key=name),
        ),
    ],
    "extend_hold/3": [SameRows(lambda world, name: world.ada.call("extend_hold", hold_id=world.own))],
    "report_refusal/3": [
        SameRows(call("report_refusal", module_id="whisper", usage={"calls": 1000})),
        SameRows(call("report_refusal", module_id="whisper")),
    ],
    "report_refused_capture/3": [
        SameRows(
            lambda world, name: world.ada.call(
                "report_refused_capture", hold_id=world.own, usage={"calls": 100_000}
            )
        ),
        SameRows(lambda world, name: world.ada.call("report_refused_capture", hold_id=world.own)),
    ],
    "open_account/6": [SameRows(call("open_account"))],
    "create_order/5": [
        Bounded("too_many_orders", keyed("create_order", pack_id="standard")),
        Bounded("unpaid_limit", ordered_and_cancelled),
    ],
    "set_spend_limit/3": [
        SameRows(call("set_spend_limit", period="day", tokens=5)),
        SameRows(
            lambda world, name: (
                world.ada.call("set_spend_limit", period="month", tokens=name),
                world.ada.call("lift_spend_limit", period="month"),
            )
        ),
    ],
    "lift_spend_limit/2": [SameRows(call("lift_spend_limit", period="day"))],
    "set_low_balance/3": [
        SameRows(lambda world, name: world.ada.call("set_low_balance", below=name)),
        SameRows(
            lambda world, name: (
                world.ada.call("set_low_balance", below=1_000_000),
                world.ada.call("reset_low_balance"),
            )
        ),
    ],
    "reset_low_balance/1": [SameRows(call("reset_low_balance"))],
    "redeem_code/3": [Bounded("code_used", keyed("redeem_code", code="SUMMER"))],
    "referral_code/1": [SameRows(call("referral_code"))],
    "set_auto_topup/7": [
        Bounded("consent_limit", agreed_and_withdrawn),
    ],
    "start_free_plan/1": [SameRows(call("start_free_plan"))],
    "offer_plan/2": [SameRows(call("offer_plan", plan_id="some"))],
    "payment_customer/1": [Reads()],
    "stop_auto_topup/1": [SameRows(call("stop_auto_topup"))],
    "end_sessions/1": [SameRows(call("end_sessions"))],
}
# Private functions that views and policies call with the reader's rights.
READING = {"clock", "later", "held_at", "me", "module_price", "next_period", "period_start", "quantity"} | {
    "subject", "topup_tokens", "interval_text", "module_price", "user_of", "topped_up_since", "is_disputed",
}  # fmt: skip
LOOPS = [
    pytest.param(bound, id=f"{function}-{type(bound).__name__}-{place}")
    for function, bounds in BOUNDS.items()
    for place, bound in enumerate(bounds)
    if not isinstance(bound, Reads)
]


@pytest.fixture
def world(bank: Bank) -> World:
    bank.call("add_tokens", user_id="clock", tokens=1)
    return World(bank, bank.user())


def test_every_function_for_users_and_guests_says_what_bounds_its_rows(bank: Bank) -> None:
    granted = bank.rows(
        "select n.nspname as schema, p.proname as name, p.proname || '/' || p.pronargs as called,"
        " p.provolatile <> 'v' as reads"
        " from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace"
        " where n.nspname not in ('pg_catalog', 'information_schema')"
        " and (has_function_privilege('anon', p.oid, 'execute')"
        " or has_function_privilege('authenticated', p.oid, 'execute'))"
    )
    public = {row["called"]: row["reads"] for row in granted if row["schema"] == "api"}
    assert set(public) == set(BOUNDS)
    assert {name for name, reads in public.items() if reads} == {
        name for name, bounds in BOUNDS.items() if Reads() in bounds
    }
    assert {row["name"] for row in granted if row["schema"] != "api"} == READING


@pytest.mark.one_version
@pytest.mark.slow
@pytest.mark.parametrize("bound", LOOPS)
def test_users_unpaid_loop_is_bounded(bound: Pays | SameRows | Bounded, world: World) -> None:
    seen, refusal = [world.rows()], None
    for _ in range(4 * MOST):
        before = world.bank.row("select balance from api.balance where user_id = 'clock'")["balance"]
        try:
            bound.loop(world, str(next(_numbers)))
        except psycopg.Error as error:
            (refusal,) = slugs([error])
        else:
            after = world.bank.row("select balance from api.balance where user_id = 'clock'")["balance"]
            assert after < before or not isinstance(bound, Pays)
        seen.append(world.rows())
    if isinstance(bound, Bounded):
        assert refusal == bound.slug
        assert seen[-1] == seen[2 * MOST]  # refused from then on; a refused call leaves nothing
    else:
        assert refusal is None
        assert isinstance(bound, Pays) or set(seen[1:]) == {seen[1]}


def test_unpaid_limit_says_when_to_try_again(world: World) -> None:
    for _ in range(MOST):
        held_and_released(world, "")
    with refused("unpaid_limit") as facts:
        hold(world.ada)
    assert (facts["limit"], facts["reset_at"]) == (MOST, "2098-06-01T13:00:00+00:00")
    world.ada.call("consume_tokens", module_id="whisper")  # what is paid for is not stopped
    world.ada.call("capture_hold", hold_id=world.own)
    world.bank.at("2098-06-01 13:00Z")
    held_and_released(world, "")
    assert world.unpaid() == (0, 1)


KINDS: dict[str, Loop] = {
    "holds": held_and_released,
    "uses": call("consume_tokens", module_id="free"),
    "orders": ordered_and_cancelled,
}


@pytest.mark.parametrize("full", KINDS)
def test_each_kind_is_bounded_by_itself(world: World, full: str) -> None:
    for _ in range(MOST):
        KINDS[full](world, str(next(_numbers)))
    for kind, loop in KINDS.items():
        if kind == full:
            with refused("unpaid_limit") as facts:
                loop(world, str(next(_numbers)))
            assert (facts["limit"], facts["reset_at"]) == (MOST, "2098-06-01T13:00:00+00:00")
        else:
            loop(world, str(next(_numbers)))
    if full != "holds":
        held_and_captured(world, "")
    if full != "orders":
        assert world.ada.call("create_order", pack_id="standard")["state"] == "pending"


def test_paid_orders_are_not_counted(world: World, bank: Bank) -> None:
    for _ in range(3 * MOST):
        order = attached(bank, world.ada.call("create_order", pack_id="standard"))
        told = bank.call("apply_stripe_event", event=event(COMPLETED, session(order)))
        assert told["outcome"] == "granted"
    for _ in range(MOST):
        ordered_and_cancelled(world, str(next(_numbers)))
    with refused("unpaid_limit"):
        world.ada.call("create_order", pack_id="standard")


def test_orders_are_counted_within_the_last_hour(world: World, bank: Bank) -> None:
    for minute in range(MOST):
        bank.at(f"2098-06-01 12:0{minute}Z")
        ordered_and_cancelled(world, str(minute))
    with refused("unpaid_limit") as facts:
        world.ada.call("create_order", pack_id="standard")
    assert facts["reset_at"] == "2098-06-01T13:00:00+00:00"
    bank.at("2098-06-01 13:00Z")
    ordered_and_cancelled(world, "one more")
    with refused("unpaid_limit") as facts:
        world.ada.call("create_order", pack_id="standard")
    assert facts["reset_at"] == "2098-06-01T13:01:00+00:00"


def test_paid_holds_and_services_do_not_count(world: World, bank: Bank) -> None:
    for _ in range(3 * MOST):
        held_and_captured(world, "")
        bank.call("release_hold", hold_id=hold(bank, user_id="clock")["hold_id"])
        bank.call("consume_tokens", user_id="clock", module_id="free")
        order = bank.call("create_order", user_id="clock", pack_id="standard")
        bank.call("cancel_order", account_id=order["account_id"], order_id=order["order_id"])
    part = hold(world.ada, 2)["hold_id"]
    world.ada.call("capture_hold", hold_id=part, usage={"calls": 1}, final=False)
    world.ada.call("release_hold", hold_id=part)
    assert world.unpaid() == (0, 0)


def test_unpaid_limit_of_a_user_does_not_stop_a_service(world: World, bank: Bank) -> None:
    for _ in range(MOST):
        held_and_released(world, "")
    with refused("unpaid_limit"):
        hold(world.ada)
    assert hold(bank, user_id="clock")["state"] == "open"
    assert bank.call("consume_tokens", user_id="clock", module_id="free")["cost"] == 0
    assert bank.call("create_order", user_id="clock", pack_id="standard")["state"] == "pending"


def test_hold_can_be_repeated_past_the_bound(world: World) -> None:
    held = hold(world.ada, idempotency_key="k")
    for _ in range(MOST):
        held_and_released(world, "")
    assert hold(world.ada, idempotency_key="k") == held | {"replayed": True}


def test_bank_without_settings_has_the_first_bounds(world: World, bank: Bank) -> None:
    bank.rows("delete from credits.settings returning 1")
    for _ in range(MOST + 1):
        held_and_released(world, "")
    assert world.unpaid() == (0, MOST + 1)
    bank.rows("update credits.wallets set unpaid_holds = 1000 returning 1")
    with refused("unpaid_limit") as facts:
        hold(world.ada)
    assert facts["limit"] == 1000
    bank.rows("insert into credits.settings (test_clocks) values (false) returning 1")


@pytest.mark.parametrize("most", [0, -1, 1_000_001])
@pytest.mark.parametrize("window", ["1 minute"])
def test_bound_is_from_1_to_a_million(bank: Bank, most: int, window: str) -> None:
    with refused("bad_limit"):
        bank.rows("select credits.bound_unpaid(%s, %s)", (most, window))


@pytest.mark.parametrize("window", ["59 seconds", "0", "-1 hour", "24 hours 1 second", "1 month"])
def test_window_is_from_a_minute_to_a_day(bank: Bank, window: str) -> None:
    with refused("bad_limit"):
        bank.rows("select credits.bound_unpaid(p_window => %s)", (window,))


def test_bounds_that_are_not_named_stay(bank: Bank) -> None:
    def bounds() -> Row:
        return bank.row("select most_unpaid, unpaid_window::text as window from credits.settings")

    assert bounds() == {"most_unpaid": 1000, "window": "01:00:00"}
    bank.rows("select credits.bound_unpaid(7)")
    bank.rows("select credits.bound_unpaid(p_window => '1 day')")
    assert bounds() == {"most_unpaid": 7, "window": "24:00:00"}
    bank.rows("select credits.bound_unpaid()")
    assert bounds() == {"most_unpaid": 7, "window": "24:00:00"}
