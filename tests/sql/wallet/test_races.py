"""Concurrent calls: the wallet's lock decides. Each call counts exactly once, and none stays half done."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from threading import Thread
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import Caller, Connection, at_once, refused, slugs, wait_until_blocked
from stripe_events import COMPLETED, EXPIRED, FAILED, SAYS, SUCCEEDED, attached, event, session

pytestmark = pytest.mark.slow

User = Callable[..., Caller]
Crowd = Callable[[int], list[Caller]]
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
MANY = 50


def answers(results: list[Any]) -> list[dict[str, Any]]:
    return [result for result in results if isinstance(result, dict)]


# Exactly once


def test_balance_that_pays_ten_is_spent_ten_times(user: User, crowd: Crowd) -> None:
    ada = user(250)
    results = at_once(
        [
            lambda service=service: service.call("consume_tokens", module_id="whisper", user_id=ada.user_id)
            for service in crowd(MANY)
        ]
    )
    assert Counter(slugs(results)) == {"insufficient_tokens": MANY - 10}
    assert sorted(answer["balance"] for answer in answers(results)) == [25 * left for left in range(10)]
    assert ada.balance() == 0
    assert ada.row("select count(*) from api.usage")["count"] == 10


def test_same_key_at_once_is_one_spend_and_one_answer(user: User, crowd: Crowd) -> None:
    ada = user(10_000)
    results = at_once(
        [
            lambda service=service: service.call(
                "consume_tokens", module_id="whisper", user_id=ada.user_id, idempotency_key="k"
            )
            for service in crowd(MANY)
        ]
    )
    assert slugs(results) == []
    assert Counter(result.pop("replayed") for result in results) == {True: MANY - 1, False: 1}
    assert all(result == results[0] for result in results)
    assert ada.row("select count(*) from api.usage")["count"] == 1
    assert ada.balance() == 9_975


def test_same_key_with_two_calls_at_once_is_one_of_them(user: User, crowd: Crowd) -> None:
    ada = user(10_000)
    modules = itertools.cycle(["whisper", "metube"])
    results = at_once(
        [
            lambda service=service, module=module: service.call(
                "consume_tokens", module_id=module, user_id=ada.user_id, idempotency_key="k"
            )
            for service, module in zip(crowd(20), modules, strict=False)
        ]
    )
    assert Counter(slugs(results)) == {"key_reused": 10}
    assert len({answer["module_id"] for answer in answers(results)}) == 1
    assert ada.row("select count(*) from api.usage")["count"] == 1


def test_same_grant_and_same_order_at_once_are_one(user: User, crowd: Crowd) -> None:
    ada = user()
    services = crowd(40)
    grants = [
        lambda service=service: service.call("add_tokens", user_id=ada.user_id, tokens=5, idempotency_key="k")
        for service in services[:20]
    ]
    orders = [
        lambda service=service: service.call(
            "create_order", user_id=ada.user_id, pack_id="standard", idempotency_key="k"
        )
        for service in services[20:]
    ]
    results = at_once([work for pair in zip(grants, orders, strict=True) for work in pair])
    assert slugs(results) == []
    assert Counter(result["replayed"] for result in results) == {True: 38, False: 2}
    assert ada.balance() == 5
    assert ada.row("select count(*) from api.orders")["count"] == 1


def test_same_webhook_at_once_grants_once(user: User, service: Caller, crowd: Crowd) -> None:
    ada = user()
    paid = event(COMPLETED, session(attached(service, ada.call("create_order", pack_id="standard"))))
    results = at_once(
        [lambda service=service: service.call("apply_stripe_event", event=paid) for service in crowd(MANY)]
    )
    assert slugs(results) == []
    assert Counter(result["outcome"] for result in results) == {"granted": 1, "duplicate": MANY - 1}
    assert ada.balance() == 500


def test_different_events_of_one_session_at_once_grant_once(
    user: User, service: Caller, crowd: Crowd
) -> None:
    ada = user()
    told = session(attached(service, ada.call("create_order", pack_id="standard")))
    news = itertools.cycle([COMPLETED, SUCCEEDED, EXPIRED, FAILED])
    results = at_once(
        [
            lambda service=service, kind=kind: service.call(
                "apply_stripe_event",
                event=event(kind, told | SAYS[kind]),
            )
            for service, kind in zip(crowd(MANY), news, strict=False)
        ]
    )
    assert slugs(results) == []
    outcomes = Counter(result["outcome"] for result in results)
    assert outcomes["granted"] == 1
    assert set(outcomes) <= {"granted", "duplicate", "expired", "failed"}
    assert ada.balance() == 500
    assert ada.row("select state from api.orders")["state"] == "paid"


def test_two_orders_paid_by_one_payment_intent_at_once_grant_once(user: User, crowd: Crowd) -> None:
    """Two accounts share no wallet: the second waits and fails, and Stripe sends the event again."""
    services, name = crowd(2), uuid4().hex
    people = [user(), user()]
    paid = [
        event(
            COMPLETED,
            session(
                attached(services[0], each.call("create_order", pack_id="standard")),
                payment_intent=f"pi_{name}",
            ),
        )
        for each in people
    ]
    results = at_once(
        [
            lambda service=service, told=told: service.call("apply_stripe_event", event=told)
            for service, told in zip(services, paid, strict=True)
        ]
    )
    outcomes = []
    for result, told in zip(results, paid, strict=True):
        if isinstance(result, psycopg.errors.UniqueViolation):
            result = services[0].call("apply_stripe_event", event=told)
        outcomes.append(result["outcome"])
    assert sorted(outcomes) == ["granted", "parked"]
    assert sum(each.balance() for each in people) == 500


def test_sign_ups_with_one_email_at_once_are_one(crowd: Crowd) -> None:
    email = f"{uuid4().hex}@example.com"
    results = at_once(
        [
            lambda service=service: [
                _outcome(lambda: service.call("sign_up", email=email, password_hash=HASH)) for _ in range(2)
            ]
            for service in crowd(MANY)
        ]
    )
    outcomes = [outcome for pair in results for outcome in pair]
    assert len(outcomes) == 100
    assert Counter(slugs(outcomes)) == {"email_taken": 99}
    assert len(answers(outcomes)) == 1


def _outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except psycopg.Error as error:
        return error


# No deadlock


def test_spends_grants_orders_and_events_at_once_do_not_deadlock(
    user: User, crowd: Crowd, admin: Connection
) -> None:
    """Three accounts, everything that locks, and every answer is a success."""
    people = [user(10_000) for _ in range(3)]
    services = crowd(24)

    def work(place: int, service: Caller) -> list[str]:
        done = []
        for turn in range(12):
            somebody = people[(place + turn) % 3]
            kind = (place + turn) % 4
            if kind == 0:
                service.call("consume_tokens", module_id="whisper", user_id=somebody.user_id)
            elif kind == 1:
                service.call("add_tokens", user_id=somebody.user_id, tokens=10)
            elif kind == 2:
                order = service.call("create_order", user_id=somebody.user_id, pack_id="basique")
                name = uuid4().hex
                service.call(
                    "attach_checkout",
                    account_id=order["account_id"],
                    order_id=order["order_id"],
                    session_id=f"cs_{name}",
                    customer_id=f"cus_{somebody.user_id}",
                )
                paid = event(COMPLETED, session(order, id=f"cs_{name}"))
                done.append(service.call("apply_stripe_event", event=paid)["outcome"])
            else:
                service.call("quote_tokens", module_id="whisper", user_id=somebody.user_id)
        return done

    results = at_once(
        [lambda place=place, service=service: work(place, service) for place, service in enumerate(services)]
    )
    assert slugs(results) == []
    assert {outcome for result in results for outcome in result} == {"granted"}
    expected = 30_000 + 72 * 10 + 72 * 100 - 72 * 25
    assert sum(each.balance() for each in people) == expected
    accounts = admin.execute(
        "select account_id from credits.identities where subject = any (%s)",
        ([each.user_id for each in people],),
    ).fetchall()
    found = admin.execute(
        "select * from audit.findings where account_id = any (%s)", ([account for (account,) in accounts],)
    )
    assert found.fetchall() == []


def test_replay_of_the_ledger_gives_every_balance(user: User, crowd: Crowd) -> None:
    """After a mixed crowd, by seq: each balance is the one before plus the tokens, and time rises."""
    ada = user(500)

    def work(place: int, service: Caller) -> None:
        for _ in range(5):
            if place % 2:
                service.call("add_tokens", user_id=ada.user_id, tokens=7)
            else:
                service.call("consume_tokens", module_id="metube", user_id=ada.user_id)

    results = at_once(
        [lambda place=place, service=service: work(place, service) for place, service in enumerate(crowd(10))]
    )
    assert slugs(results) == []
    entries = ada.rows("select seq, tokens, balance_after, posted_at from api.entries order by seq")
    balance = 0
    for place, entry in enumerate(entries, start=1):
        balance += entry["tokens"]
        assert (entry["seq"], entry["balance_after"]) == (place, balance)
    times = [entry["posted_at"] for entry in entries]
    assert times == sorted(set(times))
    assert ada.balance() == balance == 500 + 25 * 7 - 25 * 10


# Waiting


class Rival(Thread):
    """A call on a connection of its own, in the background."""

    def __init__(self, service: Caller, function: str, **arguments: Any) -> None:
        super().__init__(daemon=True)
        self.service = service
        self.pid = service.connection.info.backend_pid
        self.answer: Any = None
        self._work = lambda: service.call(function, **arguments)
        self.start()

    def run(self) -> None:
        self.answer = _outcome(self._work)


def holding(service: Caller, call: str, *params: Any) -> None:
    """Make a call and leave its transaction open."""
    service.connection.execute("begin")
    service.connection.execute("set local role service_role")
    service.connection.execute(f"select api.{call}", params)


@pytest.mark.parametrize(
    ("end", "verdict"), [("commit", "insufficient_tokens"), ("rollback", None)], ids=["commit", "rollback"]
)
def test_rival_waits_for_the_wallet_and_then_decides(
    end: str, verdict: str | None, user: User, crowd: Crowd, admin: Connection
) -> None:
    ada = user(25)
    first, second = crowd(2)
    holding(first, "consume_tokens('whisper', user_id => %s)", ada.user_id)
    rival = Rival(second, "consume_tokens", module_id="whisper", user_id=ada.user_id)
    wait_until_blocked(admin, rival.pid)
    assert ada.balance() == 25  # readers do not wait
    first.connection.execute(end)
    rival.join(10)
    if verdict:
        assert slugs([rival.answer]) == [verdict]
    else:
        assert rival.answer["balance"] == 0
    assert ada.balance() == 0


def test_rival_with_the_same_key_waits_and_gets_the_first_answer(
    user: User, crowd: Crowd, admin: Connection
) -> None:
    ada = user(100)
    first, second = crowd(2)
    holding(first, "consume_tokens('whisper', idempotency_key => 'k', user_id => %s)", ada.user_id)
    rival = Rival(second, "consume_tokens", module_id="whisper", user_id=ada.user_id, idempotency_key="k")
    wait_until_blocked(admin, rival.pid)
    first.connection.execute("commit")
    rival.join(10)
    assert (rival.answer["replayed"], rival.answer["balance"]) == (True, 75)


def test_rival_with_the_key_of_a_failed_call_takes_its_place(
    user: User, crowd: Crowd, admin: Connection
) -> None:
    ada = user(100)
    first, second = crowd(2)
    holding(first, "consume_tokens('whisper', idempotency_key => 'k', user_id => %s)", ada.user_id)
    rival = Rival(second, "consume_tokens", module_id="whisper", user_id=ada.user_id, idempotency_key="k")
    wait_until_blocked(admin, rival.pid)
    first.connection.execute("rollback")
    rival.join(10)
    assert (rival.answer["replayed"], rival.answer["balance"]) == (False, 75)


def test_second_copy_of_an_event_waits_for_the_first(user: User, crowd: Crowd, admin: Connection) -> None:
    ada = user()
    first, second = crowd(2)
    paid = event(COMPLETED, session(attached(first, ada.call("create_order", pack_id="standard"))))
    first.connection.execute("begin")
    first.connection.execute("set local role service_role")
    first.connection.execute("select api.apply_stripe_event(%s)", (psycopg.types.json.Jsonb(paid),))
    rival = Rival(second, "apply_stripe_event", event=paid)
    wait_until_blocked(admin, rival.pid)
    first.connection.execute("rollback")
    rival.join(10)
    assert rival.answer["outcome"] == "granted"
    assert ada.balance() == 500


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_tokens_that_expire_while_a_spend_waits_are_not_spent(
    end: str, user: User, service: Caller, crowd: Crowd, admin: Connection
) -> None:
    """Time is read after the lock, even when the row has not changed meanwhile."""
    ada = user()
    first, second = crowd(2)
    moment = service.row("select clock_timestamp() + interval '0.3 s' as moment")["moment"]
    service.call("add_tokens", user_id=ada.user_id, tokens=100, expires_at=moment)
    ada.call("consume_tokens", module_id="metube")
    holding(first, "consume_tokens('metube', user_id => %s)", ada.user_id)
    rival = Rival(second, "consume_tokens", module_id="whisper", user_id=ada.user_id)
    wait_until_blocked(admin, rival.pid)
    admin.execute("select pg_sleep_until(%s)", (moment,))
    first.connection.execute(end)
    rival.join(10)
    assert slugs([rival.answer]) == ["insufficient_tokens"]
    assert ada.balance() == 0


def test_other_accounts_do_not_wait(user: User, crowd: Crowd) -> None:
    ada, bob = user(100), user(100)
    first, second = crowd(2)
    holding(first, "consume_tokens('whisper', idempotency_key => 'k', user_id => %s)", ada.user_id)
    second.connection.execute("set lock_timeout = '50ms'")
    answer = second.call("consume_tokens", module_id="whisper", user_id=bob.user_id, idempotency_key="k")
    assert answer["balance"] == 75
    first.connection.execute("rollback")


# Giving up


@pytest.mark.parametrize(
    ("setting", "sqlstate"),
    [("lock_timeout", "PT503"), ("statement_timeout", "57014")],
)
@pytest.mark.parametrize("function", ["consume_tokens", "add_tokens", "create_order"])
def test_timeout_leaves_nothing_half_done(
    setting: str, sqlstate: str, function: str, user: User, crowd: Crowd, admin: Connection
) -> None:
    arguments: dict[str, Any] = {
        "consume_tokens": {"module_id": "whisper"},
        "add_tokens": {"tokens": 5},
        "create_order": {"pack_id": "standard"},
    }[function]
    ada = user(100)
    first, second = crowd(2)
    holding(first, "consume_tokens('whisper', user_id => %s)", ada.user_id)
    second.connection.execute(f"set {setting} = '100ms'")
    with pytest.raises(psycopg.Error) as caught:
        second.call(function, user_id=ada.user_id, idempotency_key="k", **arguments)
    assert caught.value.sqlstate == sqlstate
    first.connection.execute("rollback")
    assert ada.balance() == 100
    query = (
        "select (select count(*) from credits.entries as e where e.account_id = i.account_id),"
        " (select count(*) from credits.idempotency_keys as k where k.account_id = i.account_id),"
        " (select count(*) from credits.orders as o where o.account_id = i.account_id)"
        " from credits.identities as i where i.subject = %s"
    )
    assert admin.execute(query, (ada.user_id,)).fetchone() == (1, 0, 0)
    second.connection.execute(f"reset {setting}")
    answer = second.call(function, user_id=ada.user_id, idempotency_key="k", **arguments)
    assert answer["replayed"] is False


def test_event_that_timed_out_is_applied_when_repeated(user: User, crowd: Crowd) -> None:
    ada = user()
    first, second = crowd(2)
    paid = event(COMPLETED, session(attached(second, ada.call("create_order", pack_id="standard"))))
    holding(first, "add_tokens(%s, 1::numeric)", ada.user_id)
    second.connection.execute("set lock_timeout = '100ms'")
    with refused("busy"):
        second.call("apply_stripe_event", event=paid)
    first.connection.execute("rollback")
    assert second.call("apply_stripe_event", event=paid)["outcome"] == "granted"
    assert ada.balance() == 500


def test_connection_that_dies_leaves_nothing(user: User, crowd: Crowd, admin: Connection) -> None:
    ada = user(100)
    first, second = crowd(2)
    holding(first, "consume_tokens('whisper', idempotency_key => 'k', user_id => %s)", ada.user_id)
    rival = Rival(second, "consume_tokens", module_id="metube", user_id=ada.user_id)
    wait_until_blocked(admin, rival.pid)
    admin.execute("select pg_terminate_backend(%s)", (first.connection.info.backend_pid,))
    rival.join(10)
    assert rival.answer["balance"] == 90
    assert ada.call("consume_tokens", module_id="whisper", idempotency_key="k")["replayed"] is False
    assert ada.balance() == 65


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_stricter_isolation_spends_no_more_than_there_is(
    level: str, user: User, crowd: Crowd, admin: Connection
) -> None:
    """In a stricter transaction PostgreSQL itself may refuse and ask for a repeat. Nothing is lost."""
    ada = user(25)
    first, second = crowd(2)
    second.connection.execute(f"set default_transaction_isolation = '{level}'")
    holding(first, "consume_tokens('whisper', user_id => %s)", ada.user_id)
    rival = Rival(second, "consume_tokens", module_id="whisper", user_id=ada.user_id)
    wait_until_blocked(admin, rival.pid)
    first.connection.execute("commit")
    rival.join(10)
    assert isinstance(rival.answer, psycopg.errors.SerializationFailure)
    assert ada.balance() == 0
    with refused("insufficient_tokens"):
        second.call("consume_tokens", module_id="whisper", user_id=ada.user_id)
