"""A quote has the same figures as the spend, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import psycopg
import pytest
from callers import Caller, Connection, refused

User = Callable[..., Caller]


def test_quote_tells_cost_balance_and_affordable(user: User) -> None:
    quote = user(Decimal("120.5")).call("quote_tokens", module_id="stablediffusion", usage={"calls": 2})
    assert quote.pop("price_id") > 0
    assert quote == {
        "module_id": "stablediffusion",
        "price_source": "category",
        "cost": 100,
        "balance": Decimal("120.5"),
        "available": Decimal("120.5"),
        "sufficient": True,
        "affordable": 2,
        "parts": [
            {
                "dimension": "calls",
                "quantity": 2,
                "includes": {},
                "free_quantity": 0,
                "unit_size": 1,
                "whole_units": False,
                "units": 2,
                "price_per_unit": 50,
                "tiers": [],
                "minimum_charge": 0,
                "charge": 100,
                "margin": 1,
                "exchange_rate": 1,
            }
        ],
    }


def test_quote_agrees_with_the_spend(user: User) -> None:
    ada = user(100)
    quote = ada.call("quote_tokens", module_id="whisper", usage={"calls": 4})
    receipt = ada.call("consume_tokens", module_id="whisper", usage={"calls": 4})
    assert (quote["sufficient"], quote["cost"], receipt["balance"]) == (True, receipt["cost"], 0)
    quote = ada.call("quote_tokens", module_id="whisper")
    assert (quote["sufficient"], quote["affordable"], quote["available"]) == (False, 0, 0)


def test_tokens_of_another_scope_are_not_available(user: User) -> None:
    ada = user(40, scope="module:whisper")
    whisper = ada.call("quote_tokens", module_id="whisper")
    picture = ada.call("quote_tokens", module_id="stablediffusion")
    assert (whisper["balance"], whisper["available"], whisper["sufficient"]) == (40, 40, True)
    assert (picture["balance"], picture["available"], picture["sufficient"]) == (40, 0, False)


def test_quote_of_a_newcomer_writes_nothing(user: User, admin: Connection) -> None:
    ada = user()
    before = _counts(admin)
    quote = ada.call("quote_tokens", module_id="whisper")
    assert (quote["cost"], quote["balance"], quote["available"], quote["sufficient"]) == (25, 0, 0, False)
    assert _counts(admin) == before


def test_quote_runs_in_a_read_only_transaction(user: User, api_url: str) -> None:
    ada = user(100)
    with psycopg.connect(
        api_url, autocommit=True, options="-c default_transaction_read_only=on"
    ) as connection:
        reader = Caller(connection, "authenticated", ada.user_id)
        assert reader.call("quote_tokens", module_id="whisper")["cost"] == 25
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.call("consume_tokens", module_id="whisper")


def test_service_quotes_for_the_user_it_names(user: User, service: Caller) -> None:
    ada = user(60)
    assert service.call("quote_tokens", module_id="whisper", user_id=ada.user_id)["balance"] == 60
    with refused("unknown_user"):
        service.call("quote_tokens", module_id="whisper", user_id=user().user_id)
    with refused("bad_user"):
        service.call("quote_tokens", module_id="whisper")


def test_user_cannot_quote_for_another(user: User) -> None:
    with refused("not_yours"):
        user(10).call("quote_tokens", module_id="whisper", user_id=user(60).user_id)


def test_caller_without_a_user_must_sign_in(api_login: Connection) -> None:
    with refused("not_signed_in"):
        Caller(api_login, "authenticated").call("quote_tokens", module_id="whisper")


@pytest.mark.parametrize(
    "usage",
    [
        "[]",
        "null",
        "1",
        '"calls"',
        '[{"calls": 1}]',
        '{"seconds": 1}',
        '{"calls": 1, "seconds": 1}',
        '{"": 1}',
        '{"calls": -1}',
        '{"calls": -0.000001}',
        '{"calls": "1"}',
        '{"calls": ""}',
        '{"calls": "NaN"}',
        '{"calls": "Infinity"}',
        '{"calls": null}',
        '{"calls": true}',
        '{"calls": []}',
        '{"calls": [1]}',
        '{"calls": {"calls": 1}}',
        '{"calls": 1000000000000001}',
        '{"calls": 1e30}',
        '{"calls": 1e131071}',
        '{"calls": 1e-31}',
    ],
)
def test_bad_usage_is_refused(usage: str, user: User) -> None:
    with refused("bad_usage"):
        user().call("quote_tokens", module_id="whisper", usage=usage)


@pytest.mark.parametrize("module_id", [None, "", "x" * 12_000], ids=["null", "empty", "12 kB"])
def test_impossible_module_id_is_refused(module_id: str | None, user: User) -> None:
    with refused("unknown_module"):
        user().call("quote_tokens", module_id=module_id)


def _counts(admin: Connection) -> object:
    return admin.execute(
        "select (select count(*) from credits.accounts), (select count(*) from credits.wallets),"
        " (select count(*) from credits.identities), (select count(*) from credits.entries),"
        " (select count(*) from credits.idempotency_keys)"
    ).fetchone()
