"""Every time, length of time and number from a caller has a range, and is refused by name outside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection
from psycopg import sql
from topping import paid_order

FAR: dict[str, list[str]] = {
    "numeric": ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "-1", "1e-400"],
    "interval": ["infinity", "-infinity", "178000000 years", "-178000000 years", "1001 years", "-1 day"],
    "timestamp with time zone": [
        *("infinity", "-infinity", "294276-12-31 00:00+00", "4713-01-02 00:00+00 BC"),
        *("10000-01-01 00:00+00", "1999-12-31 23:59:59+00"),
    ],
}
# Values with a meaning of their own.
MEANT = {
    ("add_tokens", "expires_at"): {"infinity"},  # never
    ("create_api_key", "expires_at"): {"infinity"},  # never
    ("rotate_api_key", "expires_at"): {"infinity"},  # never
    ("change_expiry", "expires_at"): {"infinity"},  # never
    ("refund_usage", "tokens"): {"Infinity"},  # all that is left
    ("request_refund", "tokens"): {"Infinity"},  # the same
    ("report_failure", "duration_ms"): {"1e-400"},  # a measurement is rounded
}
# For each function a call that is good: SQL for its arguments. :hold and :entry are of this user.
ADA = {"user_id": "'ada'"}
GOOD: dict[str, list[dict[str, str]]] = {
    "api.add_package": [ADA | {"tokens_to_add": "5", "package_name": "'P'"}],
    "api.add_tokens/3": [ADA | {"tokens_to_add": "5", "package_name": "'P'"}],
    "api.add_tokens/9": [ADA | {"tokens": "5", "expires_at": "'2150-01-01'"}],
    "api.consume_call": [
        ADA | {"module_id": "'metube'", "module_name": "'MeTube'", "tokens_to_consume": "10"}
    ],
    "api.consume_tokens/4": [
        ADA | {"module_id": "'metube'", "module_name": "'MeTube'", "tokens_to_consume": "10"}
    ],
    "api.explain_balance": [ADA | {"at": "now()", "movements": "5", "before_seq": "5"}],
    "audit.explain_balance": [ADA | {"at": "now()", "movements": "5", "before_seq": "5"}],
    "api.extend_hold": [{"hold_id": ":hold", "ttl": "'10 minutes'", "user_id": "'ada'"}],
    "api.hold_tokens": [ADA | {"module_id": "'metube'", "ttl": "'10 minutes'"}],
    "api.refund_usage": [{"entry_id": ":entry", "tokens": "5"}],
    "api.change_expiry": [{"lot_id": ":lot", "expires_at": "'2150-01-01'"}],
    "api.restore_lot": [{"entry_id": ":void", "tokens": "5"}],
    "api.void_lot": [{"lot_id": ":lot", "tokens": "5"}],
    "api.request_refund": [
        ADA
        | {
            "order_id": "(select o.order_id from api.orders as o"
            " where o.user_id = 'ada' and o.state = 'paid' limit 1)",
            "tokens": "5",
        }
    ],
    "api.create_api_key": [{"name": "'till'", "role": "'spender'", "expires_at": "'2150-01-01'"}],
    "api.rotate_api_key": [
        {"key_id": ":key", "overlap": "'1 day'", "expires_at": "'2150-01-01'"},
    ],
    "api.replay_webhook": [{"endpoint_id": ":endpoint", "since": "'2150-01-01'", "reason": "'why'"}],
    "api.read_stripe_list": [{"list": "'events'", "since": "'2026-01-01'"}],
    "api.report_failure": [ADA | {"module_id": "'metube'", "duration_ms": "5"}],
    "api.set_auto_topup": [
        ADA | {"threshold": "5", "monthly_limit": "5000", "words": "'yes'", "pack_id": "'basique'"}
    ],
    "api.set_low_balance": [ADA | {"below": "5"}, ADA | {"percent": "5"}],
    "api.set_overdraft_limit": [ADA | {"tokens": "5"}],
    "api.set_spend_limit": [ADA | {"period": "'day'", "tokens": "5"}],
    "api.set_test_clock": [
        {"user_id": "'bob'", "frozen_time": "now() + interval '1 day'"},
        {"user_id": "'bob'", "advance": "'1 day'"},
    ],
    "credits.bound_holds": [{"p_longest": "'2 days'"}],
    "credits.bound_unpaid": [{"p_window": "'2 hours'"}],
    "credits.bound_stripe_delay": [{"p_longest": "'2 hours'"}],
    "credits.limit_sign_ins": [{"p_window": "'2 hours'"}],
    "credits.define_campaign": [
        {"p_campaign_id": "'c'", "p_kind": "'referral'", "p_title": "'C'", "p_tokens": "5"}
        | {"p_referee_tokens": "5", "p_expires_after": "'1 day'"}
        | {"p_valid_from": "'2026-01-01'", "p_valid_until": "'2150-01-01'"}
    ],
    "credits.define_campaign_bounds": [
        {"p_campaign_id": "'welcome'", "p_per_device": "3", "p_sliding_window": "'1 day'"}
    ],
    "credits.define_guest_limits": [
        {"p_catalog_id": "'iahome'", "p_per_device": "3", "p_sliding_window": "'1 day'"}
    ],
    "credits.define_notice": [
        {"p_kind": "'low_balance'", "p_below": "5"},
        {"p_kind": "'low_balance'", "p_percent": "5"},
        {"p_kind": "'expiring_soon'", "p_ahead": "'1 day'"},
    ],
    "credits.define_purge": [{"p_after": "'2 years'", "p_ahead": "'30 days'"}],
    "credits.define_retention": [{"p_kind": "'guests'", "p_keep_for": "'90 days'"}],
    "credits.define_pack": [
        {"p_pack_id": "'p'", "p_title": "'P'", "p_tokens": "5", "p_amount": "500", "p_currency": "'eur'"}
        | {"p_bonus_tokens": "5", "p_expires_after": "'1 day'"}
    ],
    "credits.define_plan": [
        {
            "p_plan_id": "'pro'",
            "p_title": "'Pro'",
            "p_allowance": "500",
            "p_amount": "900",
            "p_currency": "'eur'",
        }
        | {"p_rollover_cap": "100", "p_rollover_percent": "50", "p_rollover_expires_after": "'30 days'"}
        | {"p_trial_days": "14", "p_trial_allowance": "50", "p_interval_count": "1"}
        | {"p_priority": "10", "p_rollover_priority": "5", "p_position": "1"}
    ],
    "credits.define_price": [
        {"p_components": """'[{"dimension": "calls", "price_per_unit": 1}]'""", "p_module_id": "'metube'"}
        | {"p_margin": "1", "p_exchange_rate": "1", "p_valid_from": "'2150-01-01'"}
    ],
    "credits.define_imported_price": [
        {"p_origin": "'o'", "p_module_id": "'m'", "p_title": "'M'"}
        | {"p_components": """'[{"dimension": "calls", "price_per_unit": 1}]'"""}
        | {"p_margin": "1", "p_exchange_rate": "1"}
    ],
    "credits.define_topup": [
        {"p_currency": "'usd'", "p_minimum": "500", "p_maximum": "5000", "p_tokens_per_unit": "0.5"}
    ],
    "finance.trial_balance": [{"at": "'2027-01-01'"}],
}
# Every function that somebody calls: services and users, price lists, operators.
CALLED = """
select
    p.pronamespace::regnamespace || '.' || p.proname as name,
    p.pronargs as arguments,
    p.pronargdefaults as optional,
    a.name as argument,
    format_type(a.type_id, null) as type
from pg_proc as p
cross join unnest(p.proargtypes::oid[], p.proargnames[1:p.pronargs]) as a (type_id, name)
where
    p.pronamespace::regnamespace::text in ('api', 'audit', 'analytics', 'finance') or (
        p.pronamespace = 'credits'::regnamespace
        and obj_description(p.oid, 'pg_proc') ~ '^For the operator|bad_catalog'
        and p.proname !~ '^(check|refuse)_'
    )
order by 1, 2, 4
"""


@pytest.fixture(scope="module")
def desk(admin: Connection, admin_url: str) -> Iterator[Caller]:
    """The superuser, whose calls are all undone."""
    with psycopg.connect(admin_url) as connection:
        desk = Caller(connection, "none")
        connection.execute("select credits.allow_test_clocks(true)")
        connection.execute("select credits.define_campaign('welcome', 'welcome', 'Welcome', 5)")
        desk.call("add_tokens", user_id="ada", tokens=500)
        paid_order(desk, "ada")
        yield desk
        connection.rollback()


def signature(row: dict[str, Any], overloaded: set[str]) -> str:
    return f"{row['name']}/{row['arguments']}" if row["name"] in overloaded else str(row["name"])


def asked(desk: Caller) -> list[tuple[str, str, str]]:
    """Function, argument and type of every argument that has a range."""
    rows = desk.rows(CALLED)
    several = {(row["name"], row["arguments"]) for row in rows}
    overloaded = {name for name, _ in several if sum(name == other for other, _ in several) > 1}
    return [(signature(row, overloaded), row["argument"], row["type"]) for row in rows if row["type"] in FAR]


def attempt(desk: Caller, function: str, given: dict[str, str], made: dict[str, Any]) -> str:
    """The bank's slug, PostgreSQL's own words, or an empty text."""
    arguments = ", ".join(f"{name} => {value}" for name, value in given.items())
    for name, value in made.items():
        arguments = arguments.replace(f":{name}", f"'{value}'")
    try:
        with desk.connection.transaction(force_rollback=True):
            desk.connection.execute(f"select {function.split('/')[0]}({arguments})".encode())
    except psycopg.Error as error:
        if not (error.sqlstate or "").startswith("PT"):
            return f"{error.sqlstate} {error}"
        return str(json.loads(error.diag.message_detail or "")["error"])
    return ""


def test_every_argument_with_a_range_has_a_good_call(desk: Caller) -> None:
    """A new argument needs a line in GOOD."""
    given = {(name, argument) for name, calls in GOOD.items() for call in calls for argument in call}
    missing = [place[:2] for place in asked(desk) if place[:2] not in given]
    assert not missing
    assert len(asked(desk)) > 30


def test_far_values_are_refused_with_a_slug(desk: Caller) -> None:
    made = {
        "hold": desk.call("hold_tokens", user_id="ada", module_id="metube")["hold_id"],
        "entry": desk.call("consume_tokens", user_id="ada", module_id="metube")["entry_id"],
        "lot": desk.call("add_tokens", user_id="ada", tokens=100)["entry_id"],
        "key": desk.call("create_api_key", name="till", role="spender")["key_id"],
        "endpoint": str(desk.call("register_webhook", url="https://shop.example/")["endpoint_id"]),
    }
    made["void"] = desk.call("void_lot", lot_id=made["lot"], tokens=10)["entry_id"]
    tried, wrong = 0, []
    for function, argument, kind in asked(desk):
        for good in (call for call in GOOD[function] if argument in call):
            assert attempt(desk, function, good, made) == "", (function, good)
            for value in FAR[kind]:
                try:
                    with desk.connection.transaction():
                        desk.connection.execute(
                            sql.SQL("select {}::{}").format(sql.Literal(value), sql.SQL(kind))
                        )
                except psycopg.DataError:
                    continue  # this version of PostgreSQL does not read it
                tried += 1
                slug = attempt(desk, function, good | {argument: f"'{value}'::{kind}"}, made)
                name = function.split(".")[1].split("/")[0]
                meant = value in MEANT.get((name, argument), set())
                if meant:
                    right = slug == ""
                elif name.startswith("define_"):
                    right = slug == "bad_catalog"
                else:
                    right = slug.startswith("bad_") or slug == "price_mismatch"
                if not right:
                    wrong.append(f"{function}({argument} => {value}): {slug or 'taken'}")
    assert not wrong, "\n" + "\n".join(wrong)
    assert tried > 150


# Texts that some version of PostgreSQL reads as a number.
NO_NUMBERS = [
    *('"5"', '"0x64"', '"1_000"', '"1e3"', '" 5 "', '"Infinity"', '"NaN"', '""'),
    *("-1", "1e400", "1e-400", "10000000000000000", "true", "[5]", "{}", "null"),
]
COMPONENT = {"dimension": '"calls"', "price_per_unit": "2"}
PLACES = ["unit_size", "price_per_unit", "free_quantity", "minimum_charge", "provider_cost"]


def component(**members: str) -> str:
    named = ", ".join(f'"{name}": {value}' for name, value in (COMPONENT | members).items())
    return f"[{{{named}}}]"


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_price_components_take_only_numbers(value: str, desk: Caller) -> None:
    """Each number of a component and its tiers accepts 5, and refuses whatever is not a number."""

    def define(components: str) -> str:
        return attempt(desk, "credits.define_price", {"p_components": f"'{components}'::jsonb"}, {})

    for name in PLACES:
        assert define(component(**{name: "5"})) == ""
        assert define(component(**{name: value})) == "bad_catalog", name
    for name in ("above", "price_per_unit"):
        tier = {"above": "5", "price_per_unit": "5"}
        for number, expected in (("5", ""), (value, "bad_catalog")):
            told = ", ".join(f'"{member}": {text}' for member, text in (tier | {name: number}).items())
            assert define(component(tiers=f"[{{{told}}}]")) == expected, name


def test_whole_numbers_never_raise_raw_errors(desk: Caller) -> None:
    """The answer is a slug, or no refusal: any priority and any place in a list is fine."""
    tried = 0
    rows = [row for row in desk.rows(CALLED) if row["type"] == "bigint"]
    for row in rows:
        for good in GOOD.get(row["name"], []):
            for value in ("9223372036854775807", "-9223372036854775808", "0", "-1"):
                given = good | {row["argument"]: f"({value})::bigint"}
                slug = attempt(desk, row["name"], given, {})
                assert " " not in slug, (row["name"], row["argument"], value, slug)
                tried += 1
    assert tried > 50
