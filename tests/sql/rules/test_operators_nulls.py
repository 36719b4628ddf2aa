"""In operators' functions a null is refused by name, or means what the comment says. No raw error."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from callers import Connection, slugs
from psycopg import sql

CATALOG = {"p_catalog_id": "iahome"}
# A working call of each function. Every argument becomes null in turn, those left out as well.
GOOD: dict[str, dict[str, Any]] = {
    "accept_stripe_accounts": {"p_accounts": ["acct_1"]},
    "accept_stripe_livemode": {"p_livemode": False},
    "allow_test_clocks": {"p_allowed": True},
    "bound_holds": {"p_longest": "2 days", "p_most_open": 5},
    "bound_orders": {"p_most_pending": 5},
    "bound_stripe_delay": {"p_longest": "2 hours"},
    "bound_unpaid": {"p_most": 5, "p_window": "1 hour"},
    "define_campaign": {
        **{"p_campaign_id": "c", "p_kind": "referral", "p_title": "C", "p_tokens": 5, "p_referee_tokens": 5},
        **{"p_budget": 5, "p_per_account": 1, "p_expires_after": "1 day", "p_active": True},
        **{"p_valid_from": "2026-01-01", "p_valid_until": "2150-01-01"},
    },
    "define_campaign_bounds": {
        **{"p_campaign_id": "promo", "p_per_device": 3, "p_per_network": 5},
        **{"p_per_shared_network": 9, "p_sliding_window": "1 day"},
    },
    "define_catalog": CATALOG | {"p_title": "T", "p_unit": "tokens", "p_currency": "eur"},
    "define_category": {"p_category_id": "c", "p_title": "C"},
    "define_code": {"p_code": "CODE", "p_campaign_id": "promo"},
    "define_dimension": {"p_dimension": "d", "p_description": "D", "p_parent": "calls"},
    "define_guest_limits": CATALOG
    | {
        **{"p_per_device": 3, "p_per_network": 5, "p_per_shared_network": 9},
        "p_sliding_window": "1 day",
    },
    "define_imported_price": {
        **{"p_origin": "o", "p_module_id": "m", "p_title": "M", "p_margin": 1, "p_exchange_rate": 1},
        "p_components": '[{"dimension": "calls", "price_per_unit": 5}]',
    },
    "define_module": {"p_module_id": "m", "p_title": "M", "p_category_id": "audio", "p_active": True},
    "define_notice": {"p_kind": "low_balance", "p_below": 5, "p_percent": None, "p_ahead": None},
    "define_pack": {
        **{"p_pack_id": "p", "p_title": "P", "p_tokens": 100, "p_amount": 500, "p_currency": "eur"},
        **{"p_bonus_tokens": 5, "p_scope": "module:whisper", "p_expires_after": "1 day"},
        **{"p_popular": False, "p_active": True, "p_position": 1, "p_stripe_price_id": "price_1"},
    },
    "define_plan": {
        **{"p_plan_id": "pro", "p_title": "Pro", "p_allowance": 500, "p_amount": 900, "p_currency": "eur"},
        **{"p_interval": "month", "p_interval_count": 1, "p_rollover_cap": 100, "p_rollover_percent": 50},
        **{"p_rollover_expires_after": "30 days", "p_priority": 10, "p_rollover_priority": 5},
        **{"p_trial_days": 14, "p_trial_allowance": 50, "p_scope": "module:whisper", "p_popular": False},
        **{"p_position": 1, "p_stripe_price_id": "price_1", "p_active": True},
    },
    "define_price": {
        **{"p_components": '[{"dimension": "calls", "price_per_unit": 5}]', "p_module_id": "whisper"},
        **{"p_category_id": None, "p_margin": 1, "p_exchange_rate": 1, "p_valid_from": "2150-01-01"},
    },
    "define_purge": {"p_after": "2 years", "p_ahead": "30 days"},
    "define_retention": {"p_kind": "guests", "p_keep_for": "90 days"},
    "define_topup": {"p_currency": "eur", "p_minimum": 500, "p_maximum": 900, "p_tokens_per_unit": 1},
    "define_topup_preset": {"p_currency": "eur", "p_amount": 600, "p_popular": False},
    "limit_sign_ins": {
        **{"p_per_pair": 10, "p_per_account": 20, "p_per_network": 30, "p_sign_ups": 40},
        "p_window": "1 hour",
    },
    "require_verified_email": {"p_required": True},
    "trust_claims": {"p_login": "keeper", "p_roles": "{authenticated}"},
    "trust_login": {"p_login": "carla"},
}
WORDS = "^(accept|allow|bound|define|limit|require|trust)_"
# These have such a name, but only other functions call them.
INNER = {"bound_wait", "limit_left", "require_service"}


def call(connection: Connection, word: str, given: dict[str, Any]) -> None:
    named = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in given.items()
    )
    connection.execute(sql.SQL("select credits.{}({})").format(sql.Identifier(word), named))


def prepare(connection: Connection) -> None:
    connection.execute("select credits.define_topup('eur', 500, 900, 1)")
    connection.execute("select credits.define_campaign('promo', 'promo', 'Promo', 5)")
    connection.execute("create role keeper login in role authenticated")


def test_every_operator_function_is_tested(admin: Connection) -> None:
    rows = admin.execute(
        "select proname, proargnames[1:pronargs] from pg_proc"
        " where pronamespace = 'credits'::regnamespace and proname ~ %s",
        (WORDS,),
    ).fetchall()
    known = {name: set(arguments) for name, arguments in rows if name not in INNER}
    assert set(known) == set(GOOD)
    for word, given in GOOD.items():
        assert set(given) <= known[word], word


@pytest.mark.parametrize("word", GOOD)
def test_null_is_refused_by_name_or_means_something(word: str, admin: Connection) -> None:
    names = admin.execute(
        "select proargnames[1:pronargs] from pg_proc"
        " where pronamespace = 'credits'::regnamespace and proname = %s",
        (word,),
    ).fetchone()
    assert names
    for name in (None, *names[0]):
        with admin.transaction(force_rollback=True):
            prepare(admin)
            try:
                call(admin, word, GOOD[word] | ({name: None} if name else {}))
            except psycopg.Error as error:
                assert name, error
                assert (error.sqlstate or "").startswith("PT4"), (name, error)
                assert slugs([error]), name


@pytest.mark.parametrize(
    ("word", "slug"),
    [
        ("require_verified_email", "bad_email"),
        ("allow_test_clocks", "bad_clock"),
        ("bound_orders", "bad_limit"),
    ],
)
def test_operators_decisions_refuse_null(word: str, slug: str, admin: Connection) -> None:
    with pytest.raises(psycopg.Error) as refusal, admin.transaction(force_rollback=True):
        call(admin, word, dict.fromkeys(GOOD[word]))
    assert slugs([refusal.value]) == [slug]
