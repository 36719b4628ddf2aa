"""Plans in a price list: their terms are versions, and what Stripe would refuse is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection, refused

PRO = {"p_plan_id": "pro", "p_title": "Pro", "p_allowance": 3500, "p_amount": 2900, "p_currency": "eur"}
FREE = {"p_plan_id": "free", "p_title": "Free", "p_allowance": 100, "p_currency": "eur"}


@pytest.fixture(scope="module")
def till(admin: Connection, admin_url: str) -> Iterator[Connection]:
    with psycopg.connect(admin_url) as connection:
        yield connection


@pytest.fixture
def author(till: Connection) -> Iterator[Caller]:
    """The owner of the tables, in a transaction that is rolled back."""
    till.execute("begin")
    yield Caller(till, "credits_owner")
    till.rollback()


def define(author: Caller, line: dict[str, Any], **changes: Any) -> None:
    line = line | changes
    named = ", ".join(f"{name} => %({name})s" for name in line)
    author.rows(f"select credits.define_plan({named})", line)


@contextmanager
def line_refused(author: Caller, name: str | None = None) -> Iterator[None]:
    with refused("bad_catalog") as facts, author.connection.transaction():
        yield
    assert name in (None, facts["name"])


def versions(author: Caller, plan_id: str = "pro") -> list[tuple[Any, ...]]:
    rows = author.rows(
        "select version, allowance, amount, stripe_price_id from credits.plan_versions"
        " where plan_id = %s order by version",
        (plan_id,),
    )
    return [tuple(row.values()) for row in rows]


def test_plan_is_shown_with_the_terms_of_new_subscribers(author: Caller) -> None:
    define(author, FREE)
    define(
        author,
        PRO,
        p_rollover_percent=Decimal("12.5"),
        p_rollover_expires_after="1 month",
        p_trial_days=14,
        p_trial_allowance=200,
        p_popular=True,
        p_position=1,
        p_scope="module:metube",
    )
    free, pro = author.rows("select * from api.plans")
    assert (free["plan_id"], free["free"], free["amount"], free["price"]) == ("free", True, 0, 0)
    assert pro == {
        "plan_id": "pro",
        "title": "Pro",
        "allowance": 3500,
        "interval": "month",
        "interval_count": 1,
        "amount": 2900,
        "currency": "eur",
        "price": Decimal("29.00"),
        "free": False,
        "popular": True,
        "position": 1,
        "trial_days": 14,
        "trial_allowance": 200,
        "rollover_cap": None,
        "rollover_percent": Decimal("12.5"),
        "rollover_expires_after": "1 mon",
        "scope": "module:metube",
    }


def test_same_line_again_makes_no_version(author: Caller) -> None:
    for _ in range(2):
        define(
            author, PRO, p_rollover_cap=500, p_rollover_expires_after="30 days", p_stripe_price_id="price_a"
        )
    define(author, PRO, p_rollover_cap=500, p_rollover_expires_after="30 days", p_title="Professional")
    assert versions(author) == [(1, 3500, 2900, "price_a")]
    assert author.rows("select title from api.plans") == [{"title": "Professional"}]


def test_changed_terms_are_a_new_version(author: Caller) -> None:
    define(author, PRO, p_stripe_price_id="price_a")
    define(author, PRO, p_allowance=4000)
    define(author, PRO, p_allowance=4000, p_amount=3900, p_stripe_price_id="price_b")
    assert versions(author) == [
        (1, 3500, 2900, "price_a"),
        (2, 4000, 2900, "price_a"),
        (3, 4000, 3900, "price_b"),
    ]
    assert author.rows("select amount from api.plans") == [{"amount": 3900}]


def test_month_is_another_rollover_expiry_than_30_days(author: Caller) -> None:
    define(author, PRO, p_rollover_cap=500, p_rollover_expires_after="30 days")
    define(author, PRO, p_rollover_cap=500, p_rollover_expires_after="1 month")
    assert len(versions(author)) == 2


def test_withdrawn_plan_is_not_shown_and_keeps_its_terms(author: Caller) -> None:
    define(author, PRO)
    define(author, PRO, p_active=False)
    assert author.rows("select * from api.plans where plan_id = 'pro'") == []
    assert len(versions(author)) == 1


def test_price_at_stripe_of_the_operator_reaches_the_plan(author: Caller) -> None:
    author.rows("select set_config('pgcredits.stripe_prices', '{\"pro\": \"price_own\"}', true)")
    define(author, PRO)
    assert versions(author) == [(1, 3500, 2900, "price_own")]
    author.rows("select credits.check_stripe_prices()")
    author.rows("select credits.define_pack('pro', 'Pro', 10, 500, 'eur')")
    with line_refused(author, "pro"):
        author.rows("select credits.check_stripe_prices()")


@pytest.mark.parametrize(
    "wrong",
    [
        {"p_amount": 49},
        {"p_amount": -900},
        {"p_amount": 10**12},
        {"p_currency": None},
        {"p_currency": "eux"},
        {"p_currency": "ugx", "p_amount": 500050},
        {"p_allowance": 0},
        {"p_allowance": "NaN"},
        {"p_interval": "week"},
        {"p_interval_count": 0},
        {"p_interval_count": 37},
        {"p_interval": "year", "p_interval_count": 4},
        {"p_rollover_cap": 0},
        {"p_rollover_percent": 0},
        {"p_rollover_percent": 101},
        {"p_rollover_percent": "NaN"},
        {"p_rollover_expires_after": "30 days"},
        {"p_rollover_cap": 5, "p_rollover_expires_after": "0"},
        {"p_trial_days": 731},
        {"p_trial_days": -1},
        {"p_trial_allowance": 5},
        {"p_scope": "module:nowhere"},
        {"p_stripe_price_id": "prod_1"},
    ],
    ids=str,
)
def test_plan_that_makes_no_sense_is_refused_by_name(author: Caller, wrong: dict[str, Any]) -> None:
    with line_refused(author, "pro"):
        define(author, PRO, **wrong)


def test_unsellable_amount_is_refused_only_for_sale(author: Caller) -> None:
    define(author, PRO, p_amount=49, p_active=False)
    with line_refused(author, "pro"):
        define(author, PRO, p_amount=49)


@pytest.mark.parametrize(
    "wrong",
    [
        {"p_rollover_cap": 5},
        {"p_trial_days": 14},
        {"p_stripe_price_id": "price_free"},
    ],
    ids=str,
)
def test_free_plan_has_nothing_that_only_money_buys(author: Caller, wrong: dict[str, Any]) -> None:
    with line_refused(author, "free"):
        define(author, FREE, **wrong)


def test_there_is_one_free_plan_and_plans_stay_free_or_paid(author: Caller) -> None:
    define(author, FREE)
    define(author, PRO)
    with line_refused(author, "gratis"):
        define(author, FREE, p_plan_id="gratis")
    with line_refused(author, "free"):
        define(author, FREE, p_amount=900)
    with line_refused(author, "pro"):
        define(author, PRO, p_amount=0)
    define(author, FREE, p_active=False)
    define(author, FREE, p_plan_id="gratis")


def test_one_price_at_stripe_is_of_one_plan_and_one_amount(author: Caller) -> None:
    define(author, PRO, p_stripe_price_id="price_a")
    for changes in (
        {"p_amount": 3900},
        {"p_currency": "usd"},
        {"p_interval": "year"},
        {"p_plan_id": "team", "p_stripe_price_id": "price_a"},
    ):
        with line_refused(author):
            define(author, PRO | changes)
