"""Tokens held for work under way: what a hold takes, keeps and gives back, and when it expires."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from callers import BOOKS, Caller, Connection, refused
from holding import METUBE, WHISPER, Bank, clock_hold, hold, standing

User = Callable[..., Caller]


@pytest.fixture
def findings(admin: Connection) -> Iterator[Callable[[], list[Any]]]:
    """The whole audit, which runs once more after the test."""
    ask = lambda: admin.execute(BOOKS).fetchall()  # noqa: E731
    yield ask
    assert ask() == []


# Holding


def test_hold_lowers_available_and_not_the_balance(user: User, findings: Callable[[], list[Any]]) -> None:
    ada = user(100)
    held = hold(ada, 3, metadata={"job": 7})
    assert {
        name: held[name] for name in ("user_id", "module_id", "state", "held", "balance", "available")
    } == {
        "user_id": ada.user_id,
        "module_id": "whisper",
        "state": "open",
        "held": 75,
        "balance": 100,
        "available": 25,
    }
    assert held["draws"] == [{"lot_id": 1, "tokens": 75}]
    assert held["replayed"] is False
    assert standing(ada) == (100, 75, 25)
    assert ada.row("select remaining, held from api.lots") == {"remaining": 100, "held": 75}
    assert ada.row("select count(*) from api.entries")["count"] == 1
    row = ada.row("select * from api.holds")
    assert row["hold_id"] == held["hold_id"]
    assert (row["state"], row["tokens"], row["held"], row["captured"]) == ("open", 75, 75, 0)
    assert (row["usage"], row["metadata"]) == ({"calls": 3}, {"job": 7})
    assert (row["finished_at"], row["duration_ms"], row["late"]) == (None, None, False)
    assert row["expires_at"] == held["expires_at"]
    lasts = ada.row("select extract(epoch from expires_at - created_at) as seconds from api.holds")
    assert lasts["seconds"] == 15 * 60
    assert findings() == []


@pytest.mark.parametrize("spends", [0, 1], ids=["", "after a spend"])
def test_held_tokens_are_not_spent_by_anything_else(user: User, spends: int) -> None:
    ada = user(100 + WHISPER * spends)
    for _ in range(spends):
        ada.call("consume_tokens", module_id="whisper")
    hold(ada, 3)
    quote = ada.call("quote_tokens", module_id="whisper")
    assert (quote["balance"], quote["available"], quote["affordable"]) == (100, 25, 1)
    with refused("insufficient_tokens") as facts:
        ada.call("consume_tokens", module_id="whisper", usage={"calls": 2})
    assert (facts["balance"], facts["cost"], facts["missing"], facts["affordable"]) == (100, 50, 25, 1)
    with refused("insufficient_tokens"):
        hold(ada, 2)
    assert ada.call("consume_tokens", module_id="whisper")["balance"] == 75
    assert standing(ada) == (75, 75, 0)


def test_hold_beyond_available_is_refused_with_affordable(user: User) -> None:
    ada = user(60)
    with refused("insufficient_tokens") as facts:
        hold(ada, 4)
    assert facts == {
        "error": "insufficient_tokens",
        "balance": 60,
        "available": 60,
        "cost": 100,
        "missing": 40,
        "affordable": 2,
    }
    assert standing(ada) == (60, 0, 60)
    assert ada.rows("select * from api.holds") == []


def test_hold_draws_in_burn_order_over_several_lots(user: User, service: Caller) -> None:
    ada = user(30, priority=20)
    service.call("add_tokens", user_id=ada.user_id, tokens=30, priority=10)
    service.call("add_tokens", user_id=ada.user_id, tokens=30, priority=5, scope="module:metube")
    assert hold(ada, 2)["draws"] == [{"lot_id": 2, "tokens": 30}, {"lot_id": 1, "tokens": 20}]
    assert ada.call("hold_tokens", module_id="metube")["draws"] == [{"lot_id": 3, "tokens": 10}]
    assert hold(service, 0, user_id=ada.user_id)["draws"] == []
    with refused("insufficient_tokens") as facts:
        hold(ada)  # what is left is bound to metube, but for 10
    assert facts["missing"] == 15


def test_hold_of_zero_tokens_holds_nothing(user: User, service: Caller) -> None:
    ada = user(1)
    held = hold(service, 0, user_id=ada.user_id)
    assert (held["held"], held["draws"], held["available"]) == (0, [], 1)
    assert service.call("release_hold", hold_id=held["hold_id"])["released"] == 0


def test_repeated_hold_with_a_key_is_one_hold(user: User) -> None:
    ada = user(100)
    first = hold(ada, 2, idempotency_key="job 1", ttl="1 hour")
    ada.call("consume_tokens", module_id="metube")
    ada.call("capture_hold", hold_id=first["hold_id"])
    again = hold(ada, 2, idempotency_key="job 1", ttl="60 minutes")
    assert again == first | {"replayed": True, "state": "captured", "held": 0}
    with refused("key_reused"):
        hold(ada, 3, idempotency_key="job 1", ttl="1 hour")
    with refused("key_reused"):
        hold(ada, 2, idempotency_key="job 1")
    assert ada.row("select count(*) from api.holds")["count"] == 1


def test_refused_hold_leaves_no_key(user: User, service: Caller) -> None:
    ada = user(10)
    with refused("insufficient_tokens"):
        hold(ada, idempotency_key="k")
    service.call("add_tokens", user_id=ada.user_id, tokens=15)
    assert hold(ada, idempotency_key="k")["replayed"] is False


@pytest.mark.parametrize(
    "ttl",
    [
        "0",
        "-1 second",
        "24 hours 1 microsecond",
        "1 day 1 second",
        "1 month",
        "1 year -359 days",  # to a comparison of intervals one day, to the clock six
        "-1 year 360 days 1 hour",  # and this one hour, or some days ago
        None,
        "-1 day 30 hours",
    ],
)
def test_hold_lasts_no_longer_than_a_day(user: User, ttl: str | None) -> None:
    ada = user(100)
    held = hold(ada)
    if ttl == "-1 day 30 hours":  # six hours
        assert hold(ada, ttl=ttl)["state"] == "open"
        return
    with refused("bad_ttl"):
        hold(ada, ttl=ttl)
    with refused("bad_ttl"):
        ada.call("extend_hold", hold_id=held["hold_id"], ttl=ttl)


@pytest.mark.parametrize("ttl", ["24 hours", "1 day", "1 microsecond"])
def test_longest_and_shortest_hold(user: User, ttl: str) -> None:
    ada = user(100)
    assert hold(ada, ttl=ttl)["state"] == "open"


@pytest.mark.parametrize(
    ("slug", "arguments"),
    [
        ("bad_usage", {"usage": {"pages": 1}}),
        ("bad_usage", {"usage": {"calls": -1}}),
        ("bad_usage", {"usage": {"calls": "x" * 3000}}),
        ("bad_metadata", {"metadata": {"x": "y" * 20000}}),
        ("bad_key", {"idempotency_key": ""}),
        ("unknown_module", {"module_id": ""}),
    ],
)
def test_bad_holds_are_refused(user: User, slug: str, arguments: dict[str, Any]) -> None:
    ada = user(100)
    with refused(slug):
        ada.call("hold_tokens", **{"module_id": "whisper"} | arguments)
    assert standing(ada) == (100, 0, 100)


# Whose


def test_nobody_sees_or_touches_the_hold_of_another(user: User, service: Caller) -> None:
    ada, eve = user(100), user(100)
    name = hold(ada)["hold_id"]
    with refused("not_yours"):
        hold(eve, user_id=ada.user_id)
    for function in ("capture_hold", "release_hold", "extend_hold"):
        with refused("unknown_hold"):
            eve.call(function, hold_id=name)
        with refused("not_yours"):
            eve.call(function, hold_id=name, user_id=ada.user_id)
        with refused("unknown_hold"):  # a service names the wrong user
            service.call(function, hold_id=name, user_id=eve.user_id)
    own = hold(eve)["hold_id"]
    mixed = own.split(":")[0] + ":" + name.split(":")[1]
    with refused("unknown_hold"):
        eve.call("capture_hold", hold_id=mixed)
    assert [row["hold_id"] for row in eve.rows("select hold_id from api.holds")] == [own]
    assert standing(ada) == (100, 25, 75)


def test_service_ends_the_holds_of_a_forgotten_user(user: User, service: Caller, admin: Connection) -> None:
    ada = user(100)
    kept, freed = hold(service, user_id=ada.user_id), hold(service, user_id=ada.user_id)
    admin.execute("delete from credits.identities where subject = %s", (ada.user_id,))
    captured = service.call("capture_hold", hold_id=kept["hold_id"])
    assert (captured["user_id"], captured["paid"], captured["balance"]) == (None, 25, 75)
    assert service.call("extend_hold", hold_id=freed["hold_id"])["held"] == 25
    assert service.call("release_hold", hold_id=freed["hold_id"])["released"] == 25
    with refused("unknown_hold"):
        service.call("release_hold", hold_id=freed["hold_id"], user_id=ada.user_id)
    with refused("unknown_hold"):
        ada.call("release_hold", hold_id=freed["hold_id"])


@pytest.mark.parametrize(
    "hold_id",
    [
        None,
        "",
        "nothing",
        ":",
        "'; drop table credits.holds; --",
        f"{UUID(int=7)}:{UUID(int=8)}",
        str(UUID(int=7)),
        "é" * 9999,
    ],
)
@pytest.mark.parametrize("function", ["capture_hold", "release_hold", "extend_hold"])
def test_malformed_hold_id_is_an_unknown_hold(
    user: User, service: Caller, function: str, hold_id: str | None
) -> None:
    for caller in (user(100), service):
        with refused("unknown_hold"):
            caller.call(function, hold_id=hold_id)


def test_service_acts_on_any_hold_with_or_without_its_user(user: User, service: Caller) -> None:
    ada = user(100)
    first = hold(service, user_id=ada.user_id)
    assert first["user_id"] == ada.user_id
    assert service.call("capture_hold", hold_id=first["hold_id"])["user_id"] == ada.user_id
    second = hold(ada)
    released = service.call("release_hold", hold_id=second["hold_id"], user_id=ada.user_id)
    assert released["user_id"] == ada.user_id
    with refused("bad_user"):
        hold(service)
    with refused("unknown_user"):
        hold(service, user_id="nobody of that name")


def test_user_cannot_call_off_what_a_service_holds_for_its_work(user: User, service: Caller) -> None:
    ada = user(100)
    name = hold(service, user_id=ada.user_id)["hold_id"]
    for function, arguments in (
        ("capture_hold", {"usage": {"calls": 0}}),
        ("release_hold", {}),
        ("extend_hold", {"ttl": "1 microsecond"}),
    ):
        with refused("not_yours"):
            ada.call(function, hold_id=name, **arguments)
    assert ada.row("select state, held from api.holds") == {"state": "open", "held": 25}
    assert service.call("capture_hold", hold_id=name)["paid"] == 25


def test_users_and_services_do_not_share_keys_of_holds(user: User, service: Caller) -> None:
    ada = user(100)
    hold(ada, 2, idempotency_key="job 7")
    with refused("key_reused"):  # it would be ada's hold, and she could release it while the service works
        hold(service, 2, idempotency_key="job 7", user_id=ada.user_id)
    held = hold(service, 2, idempotency_key="job 8", user_id=ada.user_id)
    with refused("key_reused"):
        hold(ada, 2, idempotency_key="job 8")
    again = hold(service, 2, idempotency_key="job 8", user_id=ada.user_id)
    assert again == held | {"replayed": True}


def test_anonymous_caller_cannot_hold(api_login: Connection) -> None:
    nobody = Caller(api_login, "authenticated")
    with refused("not_signed_in"):
        hold(nobody)
    with refused("not_signed_in"):
        nobody.call("release_hold", hold_id="nothing")


# Releasing


def test_release_gives_everything_back_and_charges_nothing(
    user: User, findings: Callable[[], list[Any]]
) -> None:
    ada = user(100)
    name = hold(ada, 3)["hold_id"]
    released = ada.call("release_hold", hold_id=name, reason="failed: out of memory")
    assert released == {
        "hold_id": name,
        "user_id": ada.user_id,
        "module_id": "whisper",
        "state": "released",
        "released": 75,
        "captured": 0,
        "replayed": False,
    }
    assert standing(ada) == (100, 0, 100)
    row = ada.row("select * from api.holds")
    assert (row["state"], row["held"], row["reason"]) == ("released", 0, "failed: out of memory")
    assert row["duration_ms"] > 0
    assert ada.row("select count(*) from api.entries")["count"] == 1
    assert ada.call("consume_tokens", module_id="whisper", usage={"calls": 4})["balance"] == 0
    assert findings() == []


def test_releasing_again_gives_the_same_answer_and_nothing_back(user: User) -> None:
    ada = user(100)
    name = hold(ada, 3)["hold_id"]
    hold(ada)
    first = ada.call("release_hold", hold_id=name, idempotency_key="k")
    assert ada.call("release_hold", hold_id=name) == first | {"replayed": True}
    assert ada.call("release_hold", hold_id=name, idempotency_key="k") == first | {"replayed": True}
    with refused("key_reused"):
        ada.call("release_hold", hold_id=name, reason="another", idempotency_key="k")
    assert standing(ada) == (100, 25, 75)


def test_release_after_capture_and_capture_after_release_are_refused(user: User) -> None:
    ada = user(100)
    captured, released = hold(ada)["hold_id"], hold(ada)["hold_id"]
    ada.call("capture_hold", hold_id=captured)
    ada.call("release_hold", hold_id=released)
    with refused("hold_closed") as facts:
        ada.call("release_hold", hold_id=captured)
    assert facts["state"] == "captured"
    with refused("hold_closed") as facts:
        ada.call("capture_hold", hold_id=released)
    assert facts["state"] == "released"
    for name in (captured, released):
        with refused("hold_closed"):
            ada.call("extend_hold", hold_id=name)
    assert standing(ada) == (75, 0, 75)


def test_release_refuses_a_long_reason(user: User) -> None:
    ada = user(100)
    name = hold(ada)["hold_id"]
    with refused("bad_reason"):
        ada.call("release_hold", hold_id=name, reason="x" * 201)
    assert ada.call("release_hold", hold_id=name, reason="x" * 200)["state"] == "released"


def test_released_tokens_are_next_again_in_burn_order(user: User, service: Caller) -> None:
    """By then the second lot is the head lot. It must not stay the head lot."""
    ada = user(50, priority=1)
    service.call("add_tokens", user_id=ada.user_id, tokens=100, priority=2)
    name = hold(ada, 2)["hold_id"]
    assert ada.call("consume_tokens", module_id="metube")["draws"] == [{"lot_id": 2, "tokens": 10}]
    ada.call("release_hold", hold_id=name)
    assert ada.call("consume_tokens", module_id="metube")["draws"] == [{"lot_id": 1, "tokens": 10}]


# Extending


def test_extension_counts_from_now(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    name = clock_hold(bank)["hold_id"]
    bank.at("2098-06-01 12:14:59Z")
    extended = bank.call("extend_hold", hold_id=name, ttl="24 hours")
    assert extended["expires_at"].isoformat() == "2098-06-02T12:14:59+00:00"
    assert (extended["held"], extended["balance"], extended["available"]) == (25, 100, 75)
    assert extended["draws"] == [{"lot_id": 1, "tokens": 25}]
    bank.at("2098-06-02 12:14:58Z")
    assert bank.standing() == (100, 25, 75)
    bank.call("extend_hold", hold_id=name, ttl="1 second")
    bank.at("2098-06-02 12:14:59Z")
    assert bank.standing() == (100, 0, 100)
    with refused("hold_closed") as facts:
        bank.call("extend_hold", hold_id=name)
    assert facts["state"] == "expired"


def test_hold_made_shorter_expires_sooner_and_is_booked_then(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    name = clock_hold(bank, ttl="1 hour")["hold_id"]
    bank.call("extend_hold", hold_id=name, ttl="1 minute")
    bank.at("2098-06-01 12:01Z")
    assert bank.standing() == (100, 0, 100)
    assert bank.call("maintain")["accounts"] == 1
    assert bank.row("select state, held from credits.holds") == {"state": "expired", "held": 0}


# Expiry


@pytest.mark.parametrize("head", [False, True], ids=["", "after a spend"])
def test_hold_counts_until_it_expires_booked_or_not(bank: Bank, head: bool) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100 + METUBE * head)
    if head:
        bank.call("consume_tokens", module_id="metube", user_id="clock")
    name = clock_hold(bank, 3)["hold_id"]
    bank.at("2098-06-01 12:14:59.999999Z")
    assert bank.standing() == (100, 75, 25)
    bank.at("2098-06-01 12:15Z")
    assert bank.standing() == (100, 0, 100)
    assert bank.row("select remaining, held from api.lots where user_id = 'clock'") == {
        "remaining": 100,
        "held": 0,
    }
    shown = bank.row("select state, held, finished_at, duration_ms from api.holds where user_id = 'clock'")
    assert (shown["state"], shown["held"], shown["duration_ms"]) == ("expired", 0, 900_000)
    assert shown["finished_at"].isoformat() == "2098-06-01T12:15:00+00:00"
    quote = bank.call("quote_tokens", module_id="whisper", usage={"calls": 4}, user_id="clock")
    assert (quote["available"], quote["sufficient"]) == (100, True)
    assert bank.row("select state from credits.holds")["state"] == "open"  # nobody has booked it
    bank.sound()
    with refused("hold_closed"):
        bank.call("release_hold", hold_id=name)
    whole = bank.call("consume_tokens", module_id="whisper", usage={"calls": 4}, user_id="clock")
    assert whole["balance"] == 0
    assert bank.row("select state from credits.holds")["state"] == "expired"


def test_hold_that_expires_during_its_release_frees_tokens_once(bank: Bank) -> None:
    bank.connection.execute("create sequence ticks; grant usage on sequence ticks to public")
    ends = set()
    for seconds in range(1, 13):
        name = f"ada {seconds}"
        bank.call("add_tokens", user_id=name, tokens=1000, expires_at="2098-07-01Z")
        other = hold(bank, 4, user_id=name, ttl="1 hour")
        held = hold(bank, 3, user_id=name, ttl=f"{seconds} seconds")
        # Each look at the clock is a second after the one before: the moment comes between any two of them.
        bank.connection.execute(
            "alter sequence ticks restart; create or replace function credits.clock() returns timestamptz"
            " language sql volatile parallel safe"
            " return timestamptz '2098-06-01 12:00Z' + interval '1 second' * nextval('ticks')"
        )
        try:
            ends.add(bank.call("release_hold", hold_id=held["hold_id"])["state"])
        except psycopg.errors.DatabaseError as error:
            assert error.sqlstate == "PT409"
            ends.add("expired")
        bank.at("2098-06-01 12:00Z")
        bank.sound()
        assert bank.call("capture_hold", hold_id=other["hold_id"])["paid"] == 100
    assert ends == {"released", "expired"}


def test_expired_hold_makes_room_for_a_hold(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    clock_hold(bank, 4, ttl="1 minute")
    with refused("insufficient_tokens"):
        clock_hold(bank)
    bank.at("2098-06-01 12:01Z")
    assert clock_hold(bank, 4)["available"] == 0


def test_maintenance_books_all_expired_holds(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100)
    for _ in range(3):
        clock_hold(bank, ttl="1 minute")
    longer = clock_hold(bank, ttl="2 hours")["hold_id"]
    bank.at("2098-06-01 13:00:59Z")
    assert bank.rows("select * from audit.stuck_holds") == []
    bank.at("2098-06-01 13:01Z")
    assert bank.row("select count(*) from audit.stuck_holds")["count"] == 3
    assert bank.call("maintain")["accounts"] == 1
    assert bank.call("maintain")["accounts"] == 0
    assert bank.rows("select * from audit.stuck_holds") == []
    assert bank.standing() == (100, 25, 75)
    (left,) = bank.rows("select hold_id from api.holds where state = 'open'")
    assert left["hold_id"] == longer


def test_lot_that_expires_while_it_is_held_expires_when_the_hold_does(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100, expires_at="2098-06-01 12:10Z")
    clock_hold(bank, 3)
    bank.at("2098-06-01 12:10Z")
    assert bank.standing() == (75, 75, 0)
    assert bank.row("select remaining, held, expired from api.lots where user_id = 'clock'") == {
        "remaining": 75,
        "held": 75,
        "expired": True,
    }
    bank.call("maintain")
    bank.sound()
    bank.at("2098-06-01 12:15Z")
    assert bank.standing() == (0, 0, 0)
    assert bank.row("select remaining, held from api.lots where user_id = 'clock'") == {
        "remaining": 0,
        "held": 0,
    }
    assert bank.call("quote_tokens", module_id="whisper", user_id="clock")["balance"] == 0
    bank.call("maintain")
    entries = bank.rows(
        "select kind, tokens, effective_at from api.entries where user_id = 'clock' order by seq"
    )
    assert [(row["kind"], row["tokens"]) for row in entries] == [
        ("grant", 100),
        ("expire", -25),
        ("expire", -75),
    ]
    assert entries[2]["effective_at"] == entries[1]["effective_at"]  # the lot's own moment
    assert bank.standing() == (0, 0, 0)


def test_hold_and_lot_may_expire_at_one_moment(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100, expires_at="2098-06-01 12:15Z")
    clock_hold(bank, 4)
    bank.at("2098-06-01 12:15Z")
    assert bank.standing() == (0, 0, 0)
    bank.call("maintain")
    assert bank.standing() == (0, 0, 0)


def test_tokens_released_into_an_expired_lot_expire_at_once(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=100, expires_at="2098-06-01 12:10Z")
    name = clock_hold(bank, 3)["hold_id"]
    bank.at("2098-06-01 12:12Z")
    assert bank.call("release_hold", hold_id=name)["released"] == 75
    assert bank.standing() == (0, 0, 0)
    last = bank.row("select kind, tokens from api.entries where user_id = 'clock' order by seq desc limit 1")
    assert last == {"kind": "expire", "tokens": -75}


# Limits and notices


def test_held_tokens_count_against_a_spend_limit(user: User) -> None:
    ada = user(1000)
    ada.call("set_spend_limit", period="day", tokens=100)
    name = hold(ada, 3)["hold_id"]
    assert ada.row("select spent, remaining from api.spend_limits") == {"spent": 0, "remaining": 25}
    assert ada.call("quote_tokens", module_id="whisper")["available"] == 25
    with refused("spend_limit") as facts:
        hold(ada, 2)
    assert (facts["limit"], facts["spent"], facts["held"], facts["cost"]) == (100, 0, 75, 50)
    with refused("spend_limit"):
        ada.call("consume_tokens", module_id="whisper", usage={"calls": 2})
    ada.call("consume_tokens", module_id="whisper")
    with refused("spend_limit"):
        ada.call("consume_tokens", module_id="metube")
    ada.call("release_hold", hold_id=name)
    assert ada.row("select spent, remaining from api.spend_limits") == {"spent": 25, "remaining": 75}
    hold(ada, 3)


def test_expired_hold_no_longer_counts_against_a_limit(bank: Bank) -> None:
    bank.call("add_tokens", user_id="clock", tokens=1000)
    bank.call("set_spend_limit", user_id="clock", period="day", tokens=100)
    clock_hold(bank, 4)
    bank.at("2098-06-01 12:15Z")
    shown = bank.row("select remaining from api.spend_limits where user_id = 'clock'")
    assert shown["remaining"] == 100
    assert bank.call("quote_tokens", module_id="whisper", user_id="clock")["available"] == 100
    clock_hold(bank, 4)


def test_hold_past_a_threshold_notifies_and_its_release_rearms(user: User) -> None:
    ada = user(200)
    ada.call("set_low_balance", below=50)
    notices = "select kind, facts from api.notices where kind = 'low_balance' order by created_at"
    for times in (1, 2):
        assert len(ada.rows(notices)) == times - 1
        first, second = hold(ada, 5)["hold_id"], hold(ada, 2)["hold_id"]
        told = ada.rows(notices)
        assert len(told) == times
        assert told[-1]["facts"] == {"balance": 25, "threshold": 50}
        ada.call("release_hold", hold_id=second)
        ada.call("release_hold", hold_id=first)
    assert standing(ada) == (200, 0, 200)


def test_capture_of_held_tokens_writes_no_notice(user: User) -> None:
    ada = user(100)
    ada.call("set_low_balance", below=50)
    name = hold(ada, 3)["hold_id"]
    assert ada.row("select count(*) from api.notices where kind = 'low_balance'")["count"] == 1
    ada.call("capture_hold", hold_id=name)
    assert ada.row("select count(*) from api.notices where kind = 'low_balance'")["count"] == 1


def test_wholly_held_lot_is_not_announced_and_never_due(bank: Bank) -> None:
    bank.rows("select credits.define_notice('expiring_soon', p_ahead => '7 days')")
    bank.call("add_tokens", user_id="clock", tokens=75, expires_at="2098-06-08 12:05Z")
    bank.call("add_tokens", user_id="clock", tokens=100)
    name = clock_hold(bank, 3, ttl="1 hour")["hold_id"]
    bank.at("2098-06-01 12:10Z")
    bank.call("maintain")
    assert bank.call("maintain")["accounts"] == 0
    bank.call("consume_tokens", module_id="metube", user_id="clock")
    announced = "select facts from api.notices where user_id = 'clock' and kind = 'expiring_soon'"
    assert bank.rows(announced) == []
    bank.call("capture_hold", hold_id=name, usage={"calls": 1})
    assert [row["facts"]["tokens"] for row in bank.rows(announced)] == [50]
