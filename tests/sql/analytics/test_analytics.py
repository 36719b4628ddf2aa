"""The analysts' figures, on books small enough to count by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import Caller, Connection, Row, stop_clock
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from stripe_events import COMPLETED, attached, event, session

from pgcredits.bank.catalogs import apply_catalog

pytestmark = pytest.mark.slow


@pytest.fixture
def bank(admin: Connection, admin_url: str) -> Iterator[Caller]:
    """An analyst of the three accounts of this test, in a transaction that is rolled back."""
    with psycopg.connect(admin_url) as connection:
        connection.execute("begin")
        connection.execute("set local time zone 'Pacific/Auckland'")  # days and months are UTC's all the same
        connection.execute(
            "insert into credits.analyst_grants (login, segment) values (session_user, 'counted')"
        )
        people = ("one", "two", "three")
        for name in people:
            connection.execute("select api.add_tokens(%s, 1000::numeric)", (name,))
        connection.execute(
            "update credits.accounts set segment = 'counted' where account_id in"
            " (select account_id from credits.identities where subject = any (%s))",
            (list(people),),
        )
        owner = Caller(connection, "none")
        for name, module_id, times in (("one", "whisper", 3), ("two", "whisper", 1), ("two", "metube", 2)):
            for _ in range(times):
                owner.call("consume_tokens", module_id=module_id, user_id=name)
        for name, pack_id, paid in (
            ("one", "standard", True),
            ("one", "basique", True),
            ("two", "standard", True),
            ("three", "standard", False),
        ):
            order = owner.call("create_order", pack_id=pack_id, user_id=name)
            if paid:
                bought = Jsonb(event(COMPLETED, session(attached(owner, order))))
                connection.execute("select api.apply_stripe_event(%s)", (bought,))
        yield Caller(connection, "analyst")
        connection.rollback()


def test_module_usage_counts_charges_accounts_and_tokens(bank: Caller) -> None:
    rows = bank.rows(
        "select module_id, uses, own_key_uses, accounts, tokens,"
        " day = (clock_timestamp() at time zone 'UTC')::date as today"
        " from analytics.module_usage order by module_id"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("metube", 2, 0, 1, 20, True),
        ("whisper", 4, 0, 2, 100, True),
    ]


def test_average_use_counts_only_active_accounts(bank: Caller) -> None:
    row = bank.row("select active_accounts, uses_per_account, tokens_per_account from analytics.average_use")
    assert tuple(row.values()) == (2, 3, 60)


def test_conversion_is_the_share_of_accounts_that_bought(bank: Caller) -> None:
    row = bank.row("select accounts, buyers, conversion from analytics.purchase_conversion")
    assert tuple(row.values()) == (3, 2, Decimal("0.6667"))


def test_tokens_sold_are_those_of_paid_orders(bank: Caller) -> None:
    rows = bank.rows(
        "select package_name, currency, orders, tokens, amount from analytics.tokens_sold order by 1"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("Basique", "eur", 1, 100, 999),
        ("Standard", "eur", 2, 1000, 7998),
    ]


# Whole stories, each in a bank of its own, with a clock that the story sets


class Bank:
    """A bank, its service and its analyst."""

    def __init__(self, db: Connection, url: str, connect_as: Callable[..., Connection]) -> None:
        self.db, self.url, self.connect_as = db, url, connect_as
        self.service = Caller(connect_as("service_role"), "service_role")
        self.analyst = self.login("pgcredits_analyst")

    def login(self, name: str) -> Connection:
        connection = self.connect_as(name)
        connection.execute("set time zone 'Pacific/Auckland'")  # days and months are UTC's all the same
        return connection

    def sells(self, catalog: str) -> None:
        """Sell only what this catalog has. The story itself says what is given away."""
        self.db.execute("delete from credits.catalogs")
        apply_catalog(self.url, catalog)
        for table in ("campaigns", "guest_limits"):
            self.db.execute(f"delete from credits.{table}")

    def at(self, moment: str) -> None:
        stop_clock(self.db, f"{moment}Z")

    def segment(self, user_id: str, segment: str) -> None:
        self.db.execute(
            "update credits.accounts set segment = %s where account_id ="
            " (select account_id from credits.identities where subject = %s)",
            (segment, user_id),
        )

    def give(self, user_id: str, tokens: int, reason: str, **more: Any) -> Row:
        return self.service.call("add_tokens", user_id=user_id, tokens=tokens, reason=reason, **more)

    def buy(self, user_id: str, discount: int = 0, **what: Any) -> None:
        order = attached(self.service, self.service.call("create_order", user_id=user_id, **what))
        paid = session(order, total_details={"amount_discount": discount})
        outcome = self.service.call("apply_stripe_event", event=event(COMPLETED, paid))["outcome"]
        assert outcome == "granted"

    def use(self, user_id: str, module_id: str, times: int = 1, **more: Any) -> None:
        for _ in range(times):
            self.service.call("consume_tokens", user_id=user_id, module_id=module_id, **more)

    def fail(self, user_id: str, module_id: str, duration_ms: int | None = None) -> None:
        self.service.call("report_failure", user_id=user_id, module_id=module_id, duration_ms=duration_ms)

    def hold(self, user_id: str, module_id: str, **more: Any) -> Any:
        held = self.service.call("hold_tokens", user_id=user_id, module_id=module_id, **more)
        return held["hold_id"]

    def capture(self, hold_id: Any, **more: Any) -> None:
        self.service.call("capture_hold", hold_id=hold_id, **more)

    def release(self, hold_id: Any, reason: str) -> None:
        self.service.call("release_hold", hold_id=hold_id, reason=reason)

    def guest_uses(self, device: str, module_id: str) -> Any:
        keys = {"device_keys": [device], "network_keys": [uuid4().hex * 2]}
        return self.service.call("guest_consume", module_id=module_id, **keys)["use_id"]

    def signs_up(self, user_id: str, device: str) -> None:
        self.service.call("open_account", user_id=user_id, device_keys=[device])

    def figures(self, query: str, reader: Connection | None = None) -> list[tuple[Any, ...]]:
        """The figures, as the analyst reads them."""
        return (reader or self.analyst).execute(query.encode()).fetchall()


@pytest.fixture
def story(db: Connection, url: str, connect_as: Callable[..., Connection]) -> Bank:
    return Bank(db, url, connect_as)


MARGIN = (
    "select module_id, currency, uses, tokens, revenue, provider_cost, margin, margin_percent"
    " from analytics.module_margin where month = '{month}' order by 1, 2"
)
GENERATE, RENDER = "/api/ai/generate", "/api/3d/render-highres"


def decimals(*numbers: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(number) for number in numbers)


def test_margin_uses_the_price_really_paid(story: Bank) -> None:
    """Luneo: a draw of two packs at 19 and 12.51 cents a credit; a gift earns nothing and costs the same."""
    story.sells("luneo")
    story.at("2027-01-31 23:30")
    story.buy("ada", pack_id="credits-100")
    story.use("ada", RENDER, times=11)
    story.use("ada", GENERATE)
    story.at("2027-02-01 00:30")
    story.buy("ada", pack_id="credits-1000", discount=1390)
    story.use("ada", RENDER)  # 7 of the first pack, 1 of the second
    story.use("ada", GENERATE, times=3)
    story.give("bob", 20, "grant")
    story.use("bob", GENERATE, times=2)
    story.use("bob", GENERATE, times=4, byok=True)
    assert story.figures(MARGIN.format(month="2027-01-01")) == [
        (RENDER, "eur", 11, 88, 1672, 22, 1650, Decimal("98.68")),
        (GENERATE, "eur", 1, 5, 95, 4, 91, Decimal("95.79")),
    ]
    assert story.figures(MARGIN.format(month="2027-02-01")) == [
        (RENDER, "eur", 1, 8, *decimals("145.51", "2", "143.51", "98.63")),
        (GENERATE, "eur", 5, 25, *decimals("187.65", "20", "167.65", "89.34")),
    ]
    assert story.figures("select count(*) from analytics.module_margin") == [(4,)]


def test_margin_is_told_per_currency(story: Bank) -> None:
    """A charge on both is divided by what it drew. Euro costs are not compared with dollar revenue."""
    story.sells("luneo")
    story.db.execute("select credits.define_pack('dollars', 'Dollars', 10, 500, 'usd')")
    story.at("2027-01-01 00:00")
    story.buy("ada", pack_id="dollars")
    story.at("2027-01-01 00:01")
    story.buy("ada", pack_id="credits-100")
    story.use("ada", GENERATE)
    story.use("ada", RENDER)  # 5 of the dollars', 3 of the euros'
    story.give("bob", 8, "grant")
    story.use("bob", RENDER)
    rows = story.figures(MARGIN.format(month="2027-01-01"))
    assert rows == [
        (RENDER, "eur", 1, 11, *decimals("57", "2.75", "54.25", "95.18")),
        (RENDER, "usd", 1, 5, 250, None, None, None),
        (GENERATE, "usd", 1, 5, 250, None, None, None),
    ]
    # A catalog without a currency: revenue and provider cost are then in the same unit.
    story.db.execute("update credits.catalogs set currency = null")
    assert story.figures(MARGIN.format(month="2027-01-01")) == [
        (RENDER, "eur", 0, 3, *decimals("57", "0.75", "56.25", "98.68")),
        (RENDER, "usd", 1, 5, *decimals("250", "1.25", "248.75", "99.50")),
        (RENDER, None, 1, 8, 0, 2, -2, None),
        (GENERATE, "usd", 1, 5, 250, 4, 246, Decimal("98.40")),
    ]


def test_margin_follows_price_versions_and_is_null_when_unknown(story: Bank) -> None:
    story.sells("luneo")

    def price(provider_cost: str, tokens: int = 5) -> None:
        story.db.execute(
            "select credits.define_price(%s, p_module_id => %s)",
            (
                Jsonb([{"dimension": "calls", "price_per_unit": tokens} | provider_costs[provider_cost]]),
                GENERATE,
            ),
        )

    provider_costs = {"six": {"provider_cost": 6}, "unknown": {}, "nothing": {"provider_cost": 0}}
    story.at("2027-01-01 00:00")
    story.buy("ada", pack_id="credits-100")
    story.use("ada", GENERATE)
    story.at("2027-01-02 00:00")
    price("six")
    story.use("ada", GENERATE)
    story.at("2027-02-01 00:00")
    price("unknown")
    story.use("ada", GENERATE)
    story.at("2027-02-02 00:00")
    price("nothing", tokens=0)  # nothing drawn: free
    story.use("ada", GENERATE)
    story.at("2027-03-01 00:00")
    story.use("ada", GENERATE)
    assert story.figures(
        "select month, uses, tokens, currency, revenue, provider_cost, margin"
        " from analytics.module_margin order by 1"
    ) == [
        (date(2027, 1, 1), 2, 10, "eur", 190, 10, 180),
        (date(2027, 2, 1), 2, 5, "eur", 95, None, None),
        (date(2027, 3, 1), 1, 0, "eur", 0, 0, 0),
    ]


def test_margin_adds_dimensions_and_converts_provider_cost(story: Bank) -> None:
    """AppForge: 500 + 2000 tokens at 3 and 15 dollars a million, 1.08 dollars a euro: 2.9167 of 3.0625."""
    story.sells("appforge")
    story.at("2027-01-01 00:00")
    story.buy("ada", amount=500)
    usage = {"input_tokens": 500, "output_tokens": 2000}
    story.use("ada", "claude-sonnet-4", usage=usage)
    story.use("ada", "claude-sonnet-4", usage=usage | {"input_tokens": 300, "cached_input_tokens": 200})
    story.use("ada", "claude-sonnet-4", usage=usage, byok=True)
    assert story.figures(MARGIN.format(month="2027-01-01")) == [
        ("claude-sonnet-4", "eur", 2, *decimals("6.125", "6.125", "5.833333", "0.291667", "4.76")),
    ]
    assert story.figures(
        "select day, module_id, dimension, quantity, own_key_quantity"
        " from analytics.usage_quantities order by 3"
    ) == [
        (date(2027, 1, 1), "claude-sonnet-4", "cached_input_tokens", 200, 0),
        (date(2027, 1, 1), "claude-sonnet-4", "input_tokens", 1300, 500),
        (date(2027, 1, 1), "claude-sonnet-4", "output_tokens", 6000, 2000),
    ]
    assert story.figures("select uses, own_key_uses, accounts, tokens from analytics.module_usage") == [
        (3, 1, 1, Decimal("6.125"))
    ]
    assert story.figures("select uses_per_account, tokens_per_account from analytics.average_use") == [
        (3, Decimal("6.125"))
    ]


def test_refunds_count_on_their_own_day_and_not_as_uses(story: Bank) -> None:
    """Luneo: 8 credits of 19 cents. The provider's cost stays when the customer is refunded."""
    story.sells("luneo")
    story.at("2027-01-31 12:00")
    story.buy("ada", pack_id="credits-100")
    spent = story.service.call("consume_tokens", user_id="ada", module_id=RENDER)["entry_id"]
    story.use("ada", RENDER)
    story.service.call("refund_usage", entry_id=spent, tokens=3)
    story.at("2027-02-01 12:00")
    story.service.call("refund_usage", entry_id=spent)
    assert story.figures(MARGIN.format(month="2027-01-01")) == [
        (RENDER, "eur", 2, 13, 247, 4, 243, Decimal("98.38"))
    ]
    assert story.figures(MARGIN.format(month="2027-02-01")) == [
        (RENDER, "eur", 0, -5, -95, 0, -95, Decimal(100))
    ]
    assert story.figures("select day, uses, accounts, tokens from analytics.module_usage order by day") == [
        (date(2027, 1, 31), 2, 1, 13),
        (date(2027, 2, 1), 0, 0, -5),
    ]
    assert story.figures("select month, active_accounts, tokens_per_account from analytics.average_use") == [
        (date(2027, 1, 1), 1, 13)
    ]
    assert story.figures("select day, spent, granted, outstanding from analytics.burn_rate order by day") == [
        (date(2027, 1, 31), 13, 100, 87),
        (date(2027, 2, 1), -5, 0, 92),
    ]


# The questions of imagegen, each one SELECT, and what its story answers


QUESTIONS = {
    "generations per user": (
        "select month, active_accounts, uses_per_account, tokens_per_account from analytics.average_use",
        [(date(2027, 3, 1), 2, Decimal("3.5"), 5)],
    ),
    "popular models": (
        "select module_id, sum(uses) from analytics.module_usage group by 1 order by 2 desc",
        [("flux-dev", 4), ("nano-banana-pro", 3)],
    ),
    "mean time": (
        "select day, module_id, mean_duration_ms from analytics.module_reliability order by 1, 2",
        [
            (date(2027, 3, 1), "flux-dev", None),
            (date(2027, 3, 1), "nano-banana", 3000),
            (date(2027, 3, 2), "flux-dev", 1500),
            (date(2027, 3, 2), "lora-context", None),
            (date(2027, 3, 2), "lora-normal", None),
            (date(2027, 3, 2), "nano-banana-pro", 4000),
            (date(2027, 3, 9), "flux-dev", None),
        ],
    ),
    "generations started, and what became of them": (
        "select module_id, sum(started), sum(succeeded), sum(failed), sum(called_off), sum(open)"
        " from analytics.module_reliability group by 1 order by 1",
        [
            ("flux-dev", 10, 4, 0, 1, 5),
            ("lora-context", 1, 0, 1, 0, 0),
            ("lora-normal", 1, 0, 1, 0, 0),
            ("nano-banana", 4, 2, 2, 0, 0),
            ("nano-banana-pro", 4, 3, 1, 0, 0),
        ],
    ),
    "failure rate by model": (
        "select module_id, succeeded, failed, failure_rate, mean_duration_of_failed_ms"
        " from analytics.module_reliability where day < '2027-03-09' and succeeded + failed > 0 order by 1",
        [
            ("flux-dev", 4, 0, 0, None),
            ("lora-context", 0, 1, 1, 900_000),
            ("lora-normal", 0, 1, 1, None),
            ("nano-banana", 2, 2, Decimal("0.5"), 500),
            ("nano-banana-pro", 3, 1, Decimal("0.25"), 9000),
        ],
    ),
    "burn rate": (
        "select extract(day from day), spent, granted, expired, spent_per_day, outstanding, days_left"
        " from analytics.burn_rate order by day",
        [
            (2, 10, 100, 0, 10, 90, 9),
            (3, 0, 135, 0, 5, 225, 45),
            (4, 0, 0, 0, Decimal("3.333333"), 225, Decimal("67.5")),
            (5, 0, 0, 0, Decimal("2.5"), 225, 90),
            (6, 0, 0, 0, 2, 225, Decimal("112.5")),
            (7, 0, 0, 0, Decimal("1.666667"), 225, 135),
            (8, 0, 0, 0, Decimal("1.428571"), 225, Decimal("157.5")),
            (9, 0, 0, 0, 0, 225, None),
        ],
    ),
    "guest to sign-up conversion": (
        "select month, guests, users, uses, used_up, signed_up, conversion from analytics.guest_conversion",
        [(date(2027, 3, 1), 4, 3, 6, 1, 1, Decimal("0.25"))],
    ),
    "pack mix": (
        "select pack_id, orders, tokens, amount, currency, share_of_orders, share_of_amount"
        " from analytics.pack_mix order by amount desc",
        [
            ("credits-110", 1, 110, 1499, "usd", *decimals("0.5", "0.7503")),
            ("credits-25", 1, 25, 499, "usd", *decimals("0.5", "0.2497")),
        ],
    ),
    "use of welcome credits": (
        "select month, source, accounts, granted, spent, expired, remaining, share_spent"
        " from analytics.welcome_use",
        [(date(2027, 3, 1), "welcome", 2, 100, 10, 0, 90, Decimal("0.1"))],
    ),
}


def test_each_question_of_imagegen_is_one_select(story: Bank) -> None:
    tell_of_imagegen(story)
    for question, (query, answer) in QUESTIONS.items():
        assert story.figures(query) == answer, question


def tell_of_imagegen(story: Bank) -> None:
    story.sells("imagegen")
    story.db.execute("select credits.define_guest_limits('imagegen', 3)")
    ada, gone, failed, eager = (uuid4().hex * 2 for _ in range(4))
    story.at("2027-03-01 10:00:00")
    uses = [story.guest_uses(ada, "nano-banana") for _ in range(3)]
    uses.append(story.guest_uses(failed, "nano-banana"))
    story.guest_uses(gone, "flux-dev")
    for _ in range(3):
        story.guest_uses(eager, "flux-dev")
    for moment, use_id, end in (
        ("10:00:00.250", uses[2], "release"),
        ("10:00:00.750", uses[3], "release"),
        ("10:00:02", uses[0], "confirm"),
        ("10:00:04", uses[1], "confirm"),
    ):
        story.at(f"2027-03-01 {moment}")
        story.service.call(f"{end}_guest_use", use_id=use_id)

    story.at("2027-03-02 00:00")
    story.signs_up("ada", ada)
    for user_id in ("ada", "bob"):
        story.give(user_id, 50, "welcome")
    pros = [story.hold("ada", "nano-banana-pro") for _ in range(4)]
    fluxes = [story.hold("ada", "flux-dev") for _ in range(2)]
    story.hold("ada", "lora-context")  # by a worker that never came back
    called_off = story.hold("bob", "flux-dev")
    for moment, hold_id in (
        ("01.5", fluxes[0]),
        ("01.5", fluxes[1]),
        ("02", pros[0]),
        ("04", pros[1]),
        ("06", pros[2]),
    ):
        story.at(f"2027-03-02 00:00:{moment}")
        story.capture(hold_id)
    story.release(called_off, "cancelled")
    story.at("2027-03-02 00:00:09")
    story.release(pros[3], "failed: out of memory")
    story.fail("ada", "lora-normal")
    # A duration from a user does not count, and neither does one that is not a number.
    bob = Caller(story.connect_as("authenticated", "bob"), "authenticated", "bob")
    bob.call("consume_tokens", module_id="flux-dev", metadata={"duration_ms": 900000000})
    story.use("bob", "flux-dev", metadata={"duration_ms": [-5]})
    story.at("2027-03-03 23:59:59")
    story.buy("ada", pack_id="credits-110")
    story.buy("bob", pack_id="credits-25")
    story.service.call("create_order", user_id="bob", pack_id="credits-650")
    story.at("2027-03-09 11:50")
    story.hold("bob", "flux-dev")
    story.at("2027-03-09 12:00")


def test_hold_captured_in_parts_is_one_use_on_its_first_day(story: Bank) -> None:
    """Luneo: 3 times 5 credits of 19 cents, streamed over midnight; and a hold whose worker came late."""
    story.sells("luneo")
    story.at("2027-01-31 23:59:50")
    story.buy("ada", pack_id="credits-100")
    streamed, late = (story.hold("ada", GENERATE, usage={"calls": calls}) for calls in (3, 1))
    outcomes = (
        "select day, started, succeeded, failed, called_off, open, failure_rate, mean_duration_ms"
        " from analytics.module_reliability"
    )
    january, february = date(2027, 1, 31), date(2027, 2, 1)
    assert story.figures(outcomes) == [(january, 2, 0, 0, 0, 2, None, None)]
    story.capture(streamed, usage={"calls": 1}, final=False)
    assert story.figures(outcomes) == [(january, 2, 0, 0, 0, 2, None, None)]
    story.at("2027-02-01 00:00:10")
    story.capture(streamed, usage={"calls": 1}, final=False)
    story.capture(streamed)
    assert story.figures(outcomes) == [(january, 2, 1, 0, 0, 1, 0, 20_000)]
    story.at("2027-02-01 00:20:00")
    assert story.figures(outcomes) == [(january, 2, 1, 1, 0, 0, Decimal("0.5"), 20_000)]
    story.capture(late)
    assert story.figures(outcomes) == [(january, 2, 2, 0, 0, 0, 0, (20_000 + 1_210_000) / 2)]

    assert story.figures("select day, uses, accounts, tokens from analytics.module_usage order by 1") == [
        (january, 1, 1, 5),
        (february, 1, 1, 15),
    ]
    assert story.figures("select month, uses_per_account from analytics.average_use order by 1") == [
        (date(2027, 1, 1), 1),
        (date(2027, 2, 1), 1),
    ]
    assert story.figures("select month, uses, tokens, revenue from analytics.module_margin order by 1") == [
        (date(2027, 1, 1), 1, 5, 95),
        (date(2027, 2, 1), 1, 15, 285),
    ]


def test_means_ignore_missing_numbers(story: Bank) -> None:
    story.at("2027-01-01 00:00")
    story.give("ada", 100, "grant")
    for duration in (-1, 1e12, 1e99, True, None, [7], {"ms": 7}, "7", "NaN"):
        story.use("ada", "metube", metadata={"duration_ms": duration})
    mean = "select succeeded, mean_duration_ms from analytics.module_reliability"
    assert story.figures(mean) == [(9, None)]
    story.use("ada", "metube", metadata={"duration_ms": 0})
    story.give("bob", 100, "grant")
    story.use("bob", "metube", metadata={"duration_ms": 5}, byok=True)
    assert story.figures(mean) == [(11, Decimal("2.5"))]


def test_welcome_tokens_are_spent_expired_or_remaining(story: Bank) -> None:
    """Per campaign. Tokens past their date have expired, booked or not."""
    story.at("2027-01-01 00:00")
    story.db.execute("select credits.define_campaign('spring', 'promo', 'Spring', 30)")
    story.db.execute("select credits.define_code('SPRING', 'spring')")
    story.at("2027-01-31 12:00")
    story.give("ada", 30, "welcome", expires_at="2027-02-10 00:00Z")
    story.give("ada", 500, "purchase")
    story.give("bob", 40, "welcome", expires_at="2027-02-20 00:00Z")
    story.use("ada", "metube")
    story.at("2027-02-01 12:00")
    for user_id in ("ada", "bob"):
        story.service.call("redeem_code", code="spring", user_id=user_id)
    story.give("ada", 8, "referral")
    story.give("ada", 8, "grant")
    story.use("ada", "whisper", times=2)  # 20 of the welcome tokens, 30 of the promotion's
    story.at("2027-02-15 00:00")
    query = (
        "select month, source, campaign_id, accounts, granted, spent, expired, remaining, share_spent"
        " from analytics.welcome_use order by 1, 2 desc, 3"
    )
    january, february = date(2027, 1, 1), date(2027, 2, 1)

    def expected(spent: int, expired: int, remaining: int, share: str) -> list[tuple[Any, ...]]:
        return [
            (january, "welcome", None, 2, 70, spent, expired, remaining, Decimal(share)),
            (february, "referral", None, 1, 8, 0, 0, 8, 0),
            (february, "promo", "spring", 2, 60, 30, 0, 30, Decimal("0.5")),
        ]

    assert story.figures(query) == expected(30, 0, 40, "0.4286")
    story.use("bob", "metube")
    assert story.figures(query) == expected(40, 0, 30, "0.5714")
    story.at("2027-02-20 00:00")
    assert story.figures(query) == expected(40, 30, 0, "0.5714")
    assert "expire" not in {row["kind"] for row in story.service.rows("select kind from api.entries")}
    story.give("bob", 1, "grant")  # which books what has expired
    assert "expire" in {row["kind"] for row in story.service.rows("select kind from api.entries")}
    assert story.figures(query) == expected(40, 30, 0, "0.5714")
    assert story.figures("select day, expired from analytics.burn_rate where expired > 0") == [
        (date(2027, 2, 20), 30)
    ]


def test_pack_mix_shares_add_up_per_month_and_currency(story: Bank) -> None:
    story.sells("appforge")
    story.db.execute("select credits.define_pack('dollars', 'Dollars', 10, 500, 'usd')")
    story.db.execute("select credits.define_pack('big', 'Big', 1000, 900, 'eur', 100)")
    for moment, bought in (
        (
            "2027-01-31 23:59:59",
            [{"amount": 500}, {"amount": 700}, {"pack_id": "big"}, {"pack_id": "dollars"}],
        ),
        ("2027-02-01 00:00:00", [{"pack_id": "big"}]),
    ):
        story.at(moment)
        for what in bought:
            story.buy("ada", **what)
    assert story.figures(
        "select month, currency, pack_id, package_name, orders, tokens, amount,"
        " share_of_orders, share_of_amount from analytics.pack_mix order by 1, 2, 3"
    ) == [
        (date(2027, 1, 1), "eur", "big", "Big", 1, 1100, 900, *decimals("0.3333", "0.4286")),
        (date(2027, 1, 1), "eur", None, "Top-up", 2, 1200, 1200, *decimals("0.6667", "0.5714")),
        (date(2027, 1, 1), "usd", "dollars", "Dollars", 1, 10, 500, 1, 1),
        (date(2027, 2, 1), "eur", "big", "Big", 1, 1100, 900, 1, 1),
    ]


def test_guest_is_used_up_at_the_limit_within_the_window(story: Bank) -> None:
    story.db.execute("select credits.define_guest_limits('iahome', 2, p_sliding_window => '24 hours')")
    slow, quick, lucky = (uuid4().hex * 2 for _ in range(3))
    used_up = "select guests, users, uses, used_up from analytics.guest_conversion"
    story.at("2027-01-01 10:00")
    for device in (slow, quick):
        story.guest_uses(device, "whisper")
    failed = story.guest_uses(lucky, "whisper")
    story.guest_uses(lucky, "whisper")
    assert story.figures(used_up) == [(3, 3, 4, 1)]
    story.service.call("release_guest_use", use_id=failed)
    assert story.figures(used_up) == [(3, 3, 3, 0)]
    story.at("2027-01-02 09:59:59")
    story.guest_uses(quick, "whisper")
    story.at("2027-01-02 10:00")
    story.guest_uses(slow, "whisper")
    assert story.figures(used_up) == [(3, 3, 5, 1)]


# Who may count whom


VIEWS = (
    "account_use",
    "average_use",
    "burn_rate",
    "cohort_revenue",
    "daily_margin",
    "funnel",
    "guest_conversion",
    "module_margin",
    "module_reliability",
    "module_usage",
    "pack_mix",
    "purchase_conversion",
    "retention",
    "running_out",
    "tokens_sold",
    "usage_by_tag",
    "usage_quantities",
    "weekly_margin",
    "weekly_sales",
    "welcome_use",
)


def tell_of_two_segments(story: Bank) -> None:
    """Ada (schools) and Bob (shops) have different figures everywhere. Guests belong to neither segment."""
    story.db.execute("select credits.define_guest_limits('iahome', 3)")
    for user_id, segment, module_id, pack_id, times, moment in (
        ("ada", "schools", "metube", "basique", 1, "2027-01-01 10:00"),
        ("bob", "shops", "whisper", "standard", 2, "2027-01-01 10:00"),
    ):
        story.at(moment)
        device = uuid4().hex * 2
        use_id = story.guest_uses(device, module_id)
        story.guest_uses(uuid4().hex * 2, "photoportfolio")
        story.at("2027-01-01 10:00:01")
        story.service.call("confirm_guest_use", use_id=use_id)
        story.signs_up(user_id, device)
        story.segment(user_id, segment)
        story.give(user_id, 100 * times, "welcome")
        story.use(
            user_id,
            module_id,
            times,
            metadata={"duration_ms": 1000 * times, "who": user_id},
            tags={"feature": segment},
        )
        story.fail(user_id, module_id, 7)
        story.buy(user_id, pack_id=pack_id)


def read_all(story: Bank, reader: Connection) -> dict[str, list[Row]]:
    with reader.cursor(row_factory=dict_row) as cursor:
        return {
            view: cursor.execute(f"select * from analytics.{view} as v order by v::text".encode()).fetchall()
            for view in VIEWS
        }


def granted(story: Bank, *segments: str) -> None:
    story.db.execute("delete from credits.analyst_grants")
    for segment in segments:
        story.db.execute(
            "insert into credits.analyst_grants (login, segment) values ('pgcredits_analyst', %s)", (segment,)
        )


def test_every_view_of_analytics_is_tested_for_segments(story: Bank) -> None:
    found = story.db.execute(
        "select relname from pg_class where relnamespace = 'analytics'::regnamespace and relkind = 'v'"
    ).fetchall()
    # Who may read people is tested in tests/bank/test_analysts.py.
    assert sorted(name for (name,) in found) == sorted([*VIEWS, "people"])


def test_analyst_sees_figures_of_granted_segments_only(story: Bank) -> None:
    tell_of_two_segments(story)
    granted(story, "shops")
    shops = read_all(story, story.analyst)
    january = date(2027, 1, 1)
    assert [tuple(row.values()) for row in shops["module_usage"]] == [(january, "whisper", 2, 1, 50, 0)]
    assert [tuple(row.values()) for row in shops["average_use"]] == [(january, 1, 2, 50)]
    assert [row["package_name"] for row in shops["tokens_sold"]] == ["Standard"]
    assert [row["accounts"] for row in shops["purchase_conversion"]] == [1]
    assert [tuple(row.values()) for row in shops["usage_quantities"]] == [(january, "whisper", "calls", 2, 0)]
    assert [tuple(row.values()) for row in shops["usage_by_tag"]] == [
        (january, "feature", "shops", "whisper", 2, 1, 50)
    ]
    assert [tuple(row.values()) for row in shops["burn_rate"]] == [(january, 50, 700, 0, 50, 650, 13)]
    assert [(row["module_id"], row["tokens"]) for row in shops["module_margin"]] == [("whisper", 50)]
    assert [tuple(row.values()) for row in shops["guest_conversion"]] == [(january, 1, 1, 1, 0, 1, 1)]
    assert [(row["pack_id"], row["share_of_orders"]) for row in shops["pack_mix"]] == [("standard", 1)]
    assert [(row["accounts"], row["granted"], row["spent"]) for row in shops["welcome_use"]] == [(1, 200, 50)]
    # Two charges of 2000 ms and the guest's 1000, without ada's and those of unlinked guests.
    assert [tuple(row.values()) for row in shops["module_reliability"]] == [
        (january, "whisper", 3, 1, Decimal("0.25"), Decimal("1666.667"), 7, 4, 0, 0)
    ]
    granted(story)
    assert {view: rows for view, rows in read_all(story, story.analyst).items() if rows} == {}


def test_all_segments_together_lack_only_guests_without_an_account(
    story: Bank,
) -> None:
    tell_of_two_segments(story)
    granted(story, "shops", "schools")
    both = read_all(story, story.analyst)
    granted(story, "*")
    everything = read_all(story, story.analyst)
    differing = {view for view in VIEWS if both[view] != everything[view]}
    assert differing == {"guest_conversion", "module_reliability", "funnel"}
    more = [row for row in everything["module_reliability"] if row not in both["module_reliability"]]
    assert [(row["module_id"], row["started"], row["open"]) for row in more] == [("photoportfolio", 2, 2)]
    assert [row["guests"] for row in both["guest_conversion"]] == [2]
    assert [(row["guests"], row["conversion"]) for row in everything["guest_conversion"]] == [
        (4, Decimal("0.5"))
    ]
    # An auditor has no segments, and reads everything.
    assert read_all(story, story.login("pgcredits_auditor")) == everything


def test_charge_durations_checks_segments_itself(story: Bank) -> None:
    """It checks even a caller who may execute it, and returns nothing else from the metadata."""
    tell_of_two_segments(story)
    granted(story, "shops")
    story.db.execute("grant usage on schema credits to analyst")
    rows = story.figures("select * from credits.charge_durations()")
    bob = story.db.execute("select account_id from credits.identities where subject = 'bob'").fetchone()
    assert bob is not None
    assert {(account_id, duration) for account_id, _, duration in rows} == {(bob[0], 2000)}
    assert len(rows) == 2
    granted(story)
    assert story.figures("select * from credits.charge_durations()") == []
    for reading in (
        "metadata from credits.entries",
        "metadata from credits.failures",
        "device_key from credits.guests",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            story.figures(f"select {reading}")
