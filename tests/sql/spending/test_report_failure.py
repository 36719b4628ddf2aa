"""Failed work: services write it down, and nobody is charged."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import Caller, Connection, at_once, refused, slugs


def test_failure_is_noted_and_nothing_is_charged(user: Callable[..., Caller], service: Caller) -> None:
    ada = user(tokens=100)
    receipt = service.call(
        "report_failure",
        module_id="whisper",
        duration_ms=Decimal("1500.5"),
        metadata={"job": 7},
        user_id=ada.user_id,
    )
    assert (receipt["user_id"], receipt["module_id"], receipt["replayed"]) == (ada.user_id, "whisper", False)
    assert ada.balance() == 100
    assert len(ada.rows("select * from api.entries")) == 1
    shown = ada.row("select * from api.failures")
    assert shown == {
        "failure_id": receipt["failure_id"],
        "user_id": ada.user_id,
        "failed_at": receipt["failed_at"],
        "module_id": "whisper",
        "module_title": "Whisper",
        "duration_ms": Decimal("1500.5"),
        "metadata": {"job": 7},
    }


def test_only_a_service_may_report(user: Callable[..., Caller], api_login: Connection) -> None:
    ada = user(tokens=10)
    for named in ({}, {"user_id": ada.user_id}, {"user_id": "somebody else"}):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ada.call("report_failure", module_id="whisper", **named)
    assert ada.rows("select * from api.failures") == []


def test_role_granted_by_mistake_is_refused_all_the_same(admin_url: str) -> None:
    with psycopg.connect(admin_url) as connection:
        connection.execute("grant execute on function api.report_failure to authenticated")
        with refused("not_yours"):
            Caller(connection, "authenticated", "eve").call("report_failure", module_id="whisper")
        connection.rollback()


def test_users_see_their_own_failures_only(user: Callable[..., Caller], service: Caller) -> None:
    ada, bob = user(tokens=1), user(tokens=1)
    for caller in (ada, ada, bob):
        service.call("report_failure", module_id="metube", user_id=caller.user_id)
    assert [len(caller.rows("select * from api.failures")) for caller in (ada, bob)] == [2, 1]
    seen = service.rows(
        "select user_id from api.failures where user_id = any (%s)", ([ada.user_id, bob.user_id],)
    )
    assert len(seen) == 3


def test_a_repeat_gets_the_same_answer(user: Callable[..., Caller], service: Caller) -> None:
    ada = user(tokens=1)
    said = {"module_id": "whisper", "user_id": ada.user_id, "idempotency_key": "f1"}
    first = service.call("report_failure", duration_ms=Decimal("20.0"), **said)
    again = service.call("report_failure", duration_ms=20, **said)
    assert again == first | {"replayed": True}
    for changes in (
        {"duration_ms": 21},
        {"duration_ms": None},
        {"duration_ms": 20, "metadata": {"job": 1}},
        {"duration_ms": 20, "module_id": "metube"},
    ):
        with refused("key_reused"):
            service.call("report_failure", **(said | changes))
    # A key of another operation or another user is a different key.
    service.call(
        "consume_tokens", module_id="nothing listed", user_id=user(tokens=30).user_id, idempotency_key="f1"
    )
    assert not service.call("report_failure", **(said | {"user_id": user(tokens=1).user_id}))["replayed"]
    assert len(ada.rows("select * from api.failures")) == 1


def test_repeats_at_once_are_one_failure(
    user: Callable[..., Caller], crowd: Callable[[int], list[Caller]]
) -> None:
    ada = user(tokens=1)

    def report(caller: Caller) -> Any:
        return caller.call("report_failure", module_id="whisper", user_id=ada.user_id, idempotency_key="once")

    results = at_once([lambda caller=caller: report(caller) for caller in crowd(12)])
    assert slugs(results) == []
    assert len({result["failure_id"] for result in results}) == 1
    assert sorted(result["replayed"] for result in results) == [False] + [True] * 11
    assert len(ada.rows("select * from api.failures")) == 1


@pytest.mark.parametrize(
    "duration", ["-0.001", "1e12", "999999999999.9999999", "NaN", "Infinity", "-Infinity"]
)
def test_bad_duration_is_refused(duration: str, user: Callable[..., Caller], service: Caller) -> None:
    ada = user(tokens=1)
    with refused("bad_duration"):
        service.call("report_failure", module_id="whisper", duration_ms=duration, user_id=ada.user_id)
    assert ada.rows("select * from api.failures") == []


@pytest.mark.parametrize(
    ("duration", "kept"),
    [("0", 0), ("-0.0", 0), ("1e-2000", 0), ("1.23456789", "1.234568"), ("999999999999", 999999999999)],
)
def test_duration_is_kept_to_the_nanosecond(
    duration: str, kept: Any, user: Callable[..., Caller], service: Caller
) -> None:
    ada = user(tokens=1)
    service.call("report_failure", module_id="whisper", duration_ms=duration, user_id=ada.user_id)
    assert ada.row("select duration_ms from api.failures")["duration_ms"] == Decimal(kept)


def test_refused_report_leaves_no_key(
    user: Callable[..., Caller], service: Caller, admin: Connection
) -> None:
    ada = user(tokens=1)
    said = {"module_id": "whisper", "user_id": ada.user_id, "idempotency_key": "k"}
    for slug, changes in (
        ("unknown_module", {"module_id": None}),
        ("unknown_module", {"module_id": ""}),
        ("unknown_module", {"module_id": "x" * 201}),
        ("unknown_user", {"user_id": f"nobody {uuid4()}"}),
        ("bad_user", {"user_id": None}),
        ("bad_metadata", {"metadata": "[]"}),
        ("bad_metadata", {"metadata": None}),
        ("bad_metadata", {"metadata": '{"n": 1e131071}'}),
        ("bad_metadata", {"metadata": {"text": "".join(str(number) for number in range(9000))}}),
        ("bad_key", {"idempotency_key": ""}),
        ("bad_key", {"idempotency_key": "k" * 201}),
    ):
        with refused(slug):
            service.call("report_failure", **(said | changes))
    assert ada.rows("select * from api.failures") == []
    assert not service.call("report_failure", **said)["replayed"]


def test_frozen_account_may_report_failures(
    user: Callable[..., Caller], service: Caller, admin: Connection
) -> None:
    ada = user(tokens=1)
    admin.execute(
        "update credits.wallets set status = 'frozen' where account_id ="
        " (select account_id from credits.identities where subject = %s)",
        (ada.user_id,),
    )
    service.call("report_failure", module_id="whisper", user_id=ada.user_id)
    assert len(ada.rows("select * from api.failures")) == 1
