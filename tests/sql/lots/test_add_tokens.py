"""Granting: only services add lots, each once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection, refused

User = Callable[..., Caller]
FAR = datetime(2099, 1, 1, tzinfo=UTC)
PRIORITIES = {
    "rollover": 5,
    "allowance": 10,
    "welcome": 20,
    "promo": 20,
    "referral": 20,
    "grant": 20,
    "purchase": 50,
    "bonus": 50,
    "adjustment": 50,
}


def test_grant_makes_a_lot_and_an_entry(user: User, service: Caller) -> None:
    ada = user()
    receipt = service.call(
        "add_tokens",
        user_id=ada.user_id,
        tokens=Decimal("12.345678"),
        reason="promo",
        package_name="Spring",
        expires_at=FAR,
        priority=7,
        scope="module:whisper",
        metadata={"code": "SPRING"},
    )
    assert (receipt["user_id"], receipt["lot_id"], receipt["replayed"]) == (ada.user_id, 1, False)
    assert receipt["tokens"] == receipt["balance"] == Decimal("12.345678")
    (lot,) = ada.rows("select * from api.lots")
    assert lot | {"granted_at": None} == {
        "lot_id": 1,
        "user_id": ada.user_id,
        "source": "promo",
        "package_name": "Spring",
        "granted": Decimal("12.345678"),
        "remaining": Decimal("12.345678"),
        "held": 0,
        "priority": 7,
        "scope": "module:whisper",
        "granted_at": None,
        "expires_at": FAR,
        "expired": False,
        "frozen": False,
        "withheld": 0,
        "reversed": 0,
        "order_id": None,
    }
    (entry,) = ada.rows("select * from api.entries")
    assert (entry["entry_id"], entry["seq"], entry["kind"]) == (receipt["entry_id"], 1, "promo")
    assert (entry["balance_before"], entry["balance_after"]) == (0, Decimal("12.345678"))
    assert (entry["reference"], entry["metadata"]) == ("Spring", {"code": "SPRING"})
    assert entry["draws"] == [{"lot_id": 1, "tokens": Decimal("12.345678")}]


def test_first_grant_opens_the_account(user: User, service: Caller) -> None:
    ada = user()
    with refused("unknown_user"):
        service.call("quote_tokens", module_id="whisper", user_id=ada.user_id)
    service.call("add_tokens", user_id=ada.user_id, tokens=30)
    assert service.call("quote_tokens", module_id="whisper", user_id=ada.user_id)["balance"] == 30


@pytest.mark.parametrize(("reason", "priority"), PRIORITIES.items())
def test_each_reason_has_its_kind_and_default_priority(
    reason: str, priority: int, user: User, service: Caller
) -> None:
    ada = user()
    service.call("add_tokens", user_id=ada.user_id, tokens=1, reason=reason)
    lot = ada.row("select source, priority, expires_at, scope from api.lots")
    assert lot == {"source": reason, "priority": priority, "expires_at": None, "scope": None}
    assert ada.row("select kind, reference from api.entries") == {"kind": reason, "reference": reason}


@pytest.mark.parametrize(
    "reason", [None, "", "spend", "refund", "expire", "reversal", "Grant", "gift", "promo "], ids=str
)
def test_only_reasons_for_grants_are_accepted(reason: str | None, user: User, service: Caller) -> None:
    with refused("bad_reason"):
        service.call("add_tokens", user_id=user().user_id, tokens=1, reason=reason)


@pytest.mark.parametrize(
    "tokens",
    [
        None,
        0,
        -1,
        *map(
            Decimal,
            (
                "-0.000001",
                "NaN",
                "Infinity",
                "-Infinity",
                "0.0000001",
                "1.1234567",
                "1000000000000.000001",
                "1e400",
            ),
        ),
        10**13,
        2**63,
    ],
    ids=str,
)
def test_grant_refuses_a_bad_amount(tokens: Decimal | int | None, user: User, service: Caller) -> None:
    ada = user(5)
    with refused("bad_amount"):
        service.call("add_tokens", user_id=ada.user_id, tokens=tokens)
    assert ada.balance() == 5


@pytest.mark.parametrize("tokens", ["0.000001", "1000000000000", "1.5000000000000", "7e2"])
def test_smallest_largest_and_zero_padded_amounts_are_exact(tokens: str, user: User, service: Caller) -> None:
    ada = user()
    receipt = service.call("add_tokens", user_id=ada.user_id, tokens=Decimal(tokens))
    assert receipt["tokens"] == receipt["balance"] == ada.balance() == Decimal(tokens)


def test_balance_stays_below_its_bound(user: User, service: Caller) -> None:
    ada = user()
    for _ in range(99):
        service.call("add_tokens", user_id=ada.user_id, tokens=10**12)
    with refused("bad_amount"):
        service.call("add_tokens", user_id=ada.user_id, tokens=10**12)
    assert ada.balance() == 99 * 10**12


@pytest.mark.parametrize(
    "scope", ["", "whisper", "module:", "module:none", "category:", "category:whisper", "MODULE:whisper", "%"]
)
def test_scope_must_name_a_listed_module_or_category(scope: str, user: User, service: Caller) -> None:
    with refused("bad_scope"):
        service.call("add_tokens", user_id=user().user_id, tokens=1, scope=scope)


@pytest.mark.parametrize(
    "expires_at",
    [datetime(2000, 1, 1, tzinfo=UTC), "now", "-infinity"],
    ids=["past", "now", "minus infinity"],
)
def test_expiry_must_be_in_the_future(expires_at: object, user: User, service: Caller) -> None:
    with refused("bad_expiry"):
        service.call("add_tokens", user_id=user().user_id, tokens=1, expires_at=expires_at)


@pytest.mark.parametrize(
    "user_id", [None, "", "u" * 256, "u" * 12_000], ids=["null", "empty", "256", "12 kB"]
)
def test_user_id_has_1_to_255_characters(user_id: str | None, service: Caller) -> None:
    with refused("bad_user"):
        service.call("add_tokens", user_id=user_id, tokens=1)


def test_user_id_is_any_text(user: User, service: Caller) -> None:
    name = f"auth0|{user().user_id}|Ünïcødé' ; drop table --"
    assert service.call("add_tokens", user_id=name, tokens=1)["user_id"] == name
    assert service.call("add_tokens", user_id=name, tokens=1)["balance"] == 2


@pytest.mark.parametrize("metadata", ["[]", "null", "7", '{"text": "' + "x" * 16_384 + '"}', None])
def test_metadata_must_be_a_small_object(metadata: str | None, user: User, service: Caller) -> None:
    with refused("bad_metadata"):
        service.call("add_tokens", user_id=user().user_id, tokens=1, metadata=metadata)


def test_package_name_must_be_short(user: User, service: Caller) -> None:
    with refused("bad_reason"):
        service.call("add_tokens", user_id=user().user_id, tokens=1, package_name="p" * 201)


def test_frozen_account_receives_grants_and_a_closed_one_does_not(
    user: User, service: Caller, admin: Connection
) -> None:
    ada = user(1)
    _set_status(admin, ada, "frozen")
    assert service.call("add_tokens", user_id=ada.user_id, tokens=1)["balance"] == 2
    _set_status(admin, ada, "closed")
    with refused("account_frozen"):
        service.call("add_tokens", user_id=ada.user_id, tokens=1)
    assert ada.balance() == 2


# Idempotency


def test_same_call_with_the_same_key_gets_the_same_answer(user: User, service: Caller) -> None:
    ada = user()
    call: dict[str, Any] = {
        "user_id": ada.user_id,
        "tokens": 5,
        "reason": "welcome",
        "expires_at": FAR,
        "idempotency_key": "k",
    }
    first = service.call("add_tokens", **call)
    service.call("add_tokens", user_id=ada.user_id, tokens=7)
    assert service.call("add_tokens", **call | {"tokens": Decimal("5.00")}) == first | {"replayed": True}
    assert ada.balance() == 12


def test_key_matches_the_same_call_in_another_time_zone(user: User, service_url: str) -> None:
    """The fingerprint of a time does not depend on the backend's time zone."""
    ada, replayed = user(), []
    for zone in ("UTC", "Asia/Tokyo"):
        with psycopg.connect(service_url, autocommit=True, options=f"-c TimeZone={zone}") as connection:
            call = {"user_id": ada.user_id, "tokens": 5, "expires_at": FAR, "idempotency_key": "k"}
            replayed.append(Caller(connection, "service_role").call("add_tokens", **call)["replayed"])
    assert replayed == [False, True]


@pytest.mark.parametrize(
    "other",
    [
        {"tokens": 6},
        {"reason": "promo"},
        {"package_name": "P"},
        {"expires_at": FAR + timedelta(seconds=1)},
        {"priority": 1},
        {"scope": "category:image"},
        {"metadata": {"a": 1}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_key_with_other_arguments_is_refused(other: dict[str, Any], user: User, service: Caller) -> None:
    ada = user()
    call: dict[str, Any] = {
        "user_id": ada.user_id,
        "tokens": 5,
        "reason": "welcome",
        "expires_at": FAR,
        "idempotency_key": "k",
    }
    service.call("add_tokens", **call)
    with refused("key_reused"):
        service.call("add_tokens", **call | other)
    assert ada.balance() == 5


def test_refusal_leaves_no_key(user: User, service: Caller) -> None:
    call: dict[str, Any] = {"user_id": user().user_id, "tokens": 5, "idempotency_key": "k"}
    with refused("bad_expiry"):
        service.call("add_tokens", **call, expires_at=datetime(2000, 1, 1, tzinfo=UTC))
    assert not service.call("add_tokens", **call)["replayed"]


def test_each_account_has_its_own_keys(user: User, service: Caller) -> None:
    for caller in (user(), user()):
        receipt = service.call("add_tokens", user_id=caller.user_id, tokens=5, idempotency_key="shared")
        assert (receipt["balance"], receipt["replayed"]) == (5, False)


@pytest.mark.parametrize("key", ["", "k" * 201, "k" * 12_000], ids=["empty", "201", "12 kB"])
def test_key_has_1_to_200_characters(key: str, user: User, service: Caller) -> None:
    ada = user()
    with refused("bad_key"):
        service.call("add_tokens", user_id=ada.user_id, tokens=5, idempotency_key=key)
    with refused("unknown_user"):
        service.call("consume_tokens", user_id=ada.user_id, module_id="whisper")


# IAHome's signature


@pytest.mark.parametrize(
    "arguments",
    [
        "%(user)s::text, 500::numeric, 'Standard'::text",
        "%(user)s::text, 500::bigint, 'Standard'::varchar",
        "%(user)s, 500, 'Standard'",
        "%(user)s, '500', 'Standard'",
        "%(user)s, 500, 'Standard'::api.grant_reason",  # whose values are text
        "user_id => %(user)s, tokens_to_add => 500, package_name => 'Standard'",
    ],
)
def test_iahome_signature_grants_a_package(arguments: str, user: User, service: Caller) -> None:
    ada = user()
    receipt = service.row(f"select * from api.add_tokens({arguments})", {"user": ada.user_id})
    assert (receipt["tokens"], receipt["balance"]) == (500, 500)
    assert ada.row("select source, package_name from api.lots") == {
        "source": "purchase",
        "package_name": "Standard",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        "%(user)s::text, 5::numeric",
        "%(user)s, 5",
        "%(user)s, '5'",
        "%(user)s, 5, 'promo', null",
        "%(user)s::text, 5::numeric, 'promo'::text, null::text, 'infinity'::timestamptz, 20, 'any'::text,"
        " 'key'::text, '{}'::jsonb",
        "%(user)s, 5, 'promo', null, 'infinity', 20, 'any', 'key', '{}'",
    ],
)
def test_full_signature_works_by_position(arguments: str, user: User, service: Caller) -> None:
    ada = user()
    receipt = service.row(f"select * from api.add_tokens({arguments})", {"user": ada.user_id})
    assert receipt["balance"] == 5
    assert ada.row("select priority from api.lots")["priority"] == 20


@pytest.mark.parametrize(
    "tokens", [None, 0, -5, Decimal("NaN"), Decimal("Infinity"), Decimal("1.0000001")], ids=str
)
def test_package_with_a_bad_amount_is_refused(
    tokens: Decimal | int | None, user: User, service: Caller
) -> None:
    with refused("bad_amount"):
        service.call("add_tokens", user_id=user().user_id, tokens_to_add=tokens, package_name="P")


def _set_status(admin: Connection, caller: Caller, status: str) -> None:
    admin.execute(
        "update credits.wallets set status = %s where account_id ="
        " (select account_id from credits.identities where subject = %s)",
        (status, caller.user_id),
    )


def test_third_argument_must_not_be_a_reason(service: Caller, user: User) -> None:
    """Three arguments by position mean IAHome's signature. Otherwise a gift would be booked as a sale."""
    ada = user()
    with refused("bad_reason"):
        service.row("select * from api.add_tokens(%s, 3, 'promo')", (ada.user_id,))
    with refused("bad_reason"):  # of this type it is a reason, and there is no such reason
        service.row("select * from api.add_tokens(%s, 3, 'Standard'::char(8))", (ada.user_id,))
    assert (
        service.row("select * from api.add_tokens(%s, 3, reason => 'promo')", (ada.user_id,))["tokens"] == 3
    )
    assert ada.row("select kind from api.entries")["kind"] == "promo"


@pytest.mark.parametrize("moment", ["294276-12-31 00:00+00", "10000-01-01 00:00+00"])
def test_expiry_must_be_a_time_that_comes(service: Caller, moment: str) -> None:
    with refused("bad_expiry"):
        service.call("add_tokens", user_id="ada", tokens=5, expires_at=moment)
