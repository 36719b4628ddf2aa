"""A transaction that is left open delays nobody for long: every wait of the bank has a bound."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from threading import Thread
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from callers import Caller, Connection, at_once, refused, slugs, wait_until_blocked
from holding import Bank, hold
from psycopg.types.json import Jsonb
from stripe_events import COMPLETED, event, session

pytestmark = pytest.mark.slow

User = Callable[..., Caller]
Crowd = Callable[[int], list[Caller]]
LONGEST = "5500ms"  # two waits of 2 s, and what a busy machine adds


@pytest.fixture
def idle(crowd: Crowd) -> Iterator[Caller]:
    """A session in a transaction that nobody ends."""
    (caller,) = crowd(1)
    caller.connection.execute("begin")
    yield caller
    caller.connection.execute("rollback")


def patient(crowd: Crowd, number: int, lock_timeout: str = "0", longest: str = LONGEST) -> list[Caller]:
    """Sessions without a lock_timeout, or with the given one.

    A call that takes longer than `longest` ends with another SQLSTATE than PT503.
    """
    callers = crowd(number)
    for caller in callers:
        caller.connection.execute("select set_config('lock_timeout', %s, false)", (lock_timeout,))
        caller.connection.execute("select set_config('statement_timeout', %s, false)", (longest,))
    return callers


def bounds(caller: Caller) -> str:
    row = caller.connection.execute("show lock_timeout").fetchone()
    assert row is not None
    return str(row[0])


def calls(ada: Caller, entry_id: str, hold_id: str) -> dict[str, dict[str, Any]]:
    """One call of each kind that locks ada's wallet."""
    ada_is = {"user_id": ada.user_id}
    return {
        "consume_tokens": ada_is | {"module_id": "metube"},
        "consume_tokens of IAHome": ada_is
        | {"module_id": "metube", "module_name": "MeTube", "tokens_to_consume": 10},
        "hold_tokens": ada_is | {"module_id": "metube"},
        "capture_hold": {"hold_id": hold_id},
        "report_refused_capture": {"hold_id": hold_id},
        "release_hold": {"hold_id": hold_id},
        "extend_hold": {"hold_id": hold_id},
        "add_tokens": ada_is | {"tokens": 1},
        "refund_usage": {"entry_id": entry_id},
        "freeze_account": ada_is,
        "set_overdraft_limit": ada_is | {"tokens": 1},
        "set_spend_limit": ada_is | {"period": "day", "tokens": 1},
        "lift_spend_limit": ada_is | {"period": "day"},
        "set_low_balance": ada_is | {"below": 1},
        "reset_low_balance": ada_is,
        "report_failure": ada_is | {"module_id": "metube"},
    }


def test_no_call_waits_endlessly_for_a_wallet(
    user: User, crowd: Crowd, idle: Caller, service: Caller
) -> None:
    ada = user(100)
    entry_id = ada.call("consume_tokens", module_id="metube")["entry_id"]
    hold_id = hold(service, user_id=ada.user_id)["hold_id"]
    idle.call("consume_tokens", module_id="metube", user_id=ada.user_id)
    kinds = calls(ada, entry_id, hold_id)
    callers = patient(crowd, len(kinds))
    results = at_once(
        [
            partial(caller.call, kind.split()[0], **arguments)
            for caller, (kind, arguments) in zip(callers, kinds.items(), strict=True)
        ]
    )
    assert slugs(results) == ["busy"] * len(kinds)
    assert {result.sqlstate for result in results} == {"PT503"}
    assert {bounds(caller) for caller in callers} == {"0"}
    # Nothing was done, and the same calls go through when the transaction has ended.
    idle.connection.execute("rollback")
    assert ada.row("select count(*) from api.entries")["count"] == 2
    assert callers[0].call("consume_tokens", module_id="metube", user_id=ada.user_id)["balance"] == 80
    idle.connection.execute("begin")


@pytest.mark.parametrize("bound", ["100ms", "0", "1h", "2s"])
def test_callers_shorter_lock_timeout_is_kept_and_restored(
    user: User, crowd: Crowd, idle: Caller, bound: str
) -> None:
    ada = user(100)
    held = hold(ada)
    idle.call("consume_tokens", module_id="metube", user_id=ada.user_id)
    for call in (
        (
            {"function": "consume_tokens", "module_id": "metube", "user_id": ada.user_id},
            {"function": "release_hold", "hold_id": held["hold_id"]},
            {
                "function": "consume_tokens_batch",
                "items": Jsonb([{"user_id": ada.user_id, "module_id": "metube"}]),
            },
        )
        if bound in ("100ms", "0")
        else ()
    ):
        (caller,) = patient(crowd, 1, bound, "1500ms" if bound == "100ms" else LONGEST)
        try:
            answer = caller.call(call.pop("function"), **call)
        except psycopg.Error as error:
            assert error.sqlstate == "PT503"
        else:
            assert answer["verdicts"][0]["error"] == "busy"
        assert bounds(caller) == bound
    idle.connection.execute("rollback")
    idle.connection.execute("begin")
    (caller,) = patient(crowd, 1, bound)
    with caller.connection.transaction():
        caller.call("consume_tokens", module_id="metube", user_id=ada.user_id)
        caller.call("add_tokens", tokens=1, user_id=ada.user_id)
        name = hold(caller, user_id=ada.user_id)["hold_id"]
        caller.call("capture_hold", hold_id=name)
        assert bounds(caller) == bound


def test_busy_wallets_and_unknown_users_are_told_apart(user: User, crowd: Crowd, idle: Caller) -> None:
    ada = user(100)
    hold_id = hold(ada)["hold_id"]
    idle.call("consume_tokens", module_id="metube", user_id=ada.user_id)
    nobody = str(uuid4())
    calls = [
        ("busy", {"function": "consume_tokens", "module_id": "metube", "user_id": ada.user_id}),
        ("busy", {"function": "hold_tokens", "module_id": "metube", "user_id": ada.user_id}),
        ("busy", {"function": "capture_hold", "hold_id": hold_id}),
        ("unknown_user", {"function": "consume_tokens", "module_id": "metube", "user_id": nobody}),
        ("unknown_user", {"function": "hold_tokens", "module_id": "metube", "user_id": nobody}),
        ("unknown_hold", {"function": "capture_hold", "hold_id": f"{nobody}:{nobody}"}),
    ]
    callers = patient(crowd, len(calls))
    results = at_once(
        [partial(caller.call, **arguments) for caller, (_, arguments) in zip(callers, calls, strict=True)]
    )
    assert slugs(results) == [slug for slug, _ in calls]
    assert {bounds(caller) for caller in callers} == {"0"}


def test_lock_timeout_is_as_before_when_a_call_has_waited(
    user: User, crowd: Crowd, idle: Caller, admin: Connection
) -> None:
    ada = user(100)
    (caller,) = patient(crowd, 1, "1h")
    hold_id = hold(caller, user_id=ada.user_id)["hold_id"]
    ada_is = {"user_id": ada.user_id}
    for end, arguments in (
        (None, ada_is | {"function": "consume_tokens", "module_id": "metube"}),
        (None, ada_is | {"function": "hold_tokens", "module_id": "metube"}),
        (None, {"function": "capture_hold", "hold_id": hold_id}),
        (None, {"function": "consume_tokens_batch", "items": items(ada)}),
        ("bad_usage", ada_is | {"function": "consume_tokens", "module_id": "metube", "usage": {"x": 1}}),
        ("bad_usage", ada_is | {"function": "hold_tokens", "module_id": "metube", "usage": {"x": 1}}),
        ("hold_closed", {"function": "capture_hold", "hold_id": hold_id}),
    ):
        idle.call("report_failure", module_id="metube", user_id=ada.user_id)
        results: list[Any] = []
        with caller.connection.transaction():
            waiter = Thread(target=_guarded, args=(caller, arguments, results))
            waiter.start()
            wait_until_blocked(admin, caller.connection.info.backend_pid)
            idle.connection.execute("rollback")
            waiter.join()
            assert slugs(results) == ([] if end is None else [end])
            assert bounds(caller) == "1h"
        idle.connection.execute("begin")


def _guarded(caller: Caller, arguments: dict[str, Any], results: list[Any]) -> None:
    try:
        with caller.connection.transaction():
            results.append(caller.call(**arguments))
    except psycopg.Error as error:
        results.append(error)


def test_transaction_goes_on_after_a_guarded_busy_call(user: User, crowd: Crowd, idle: Caller) -> None:
    ada, bob = user(100), user(100)
    idle.call("consume_tokens", module_id="metube", user_id=ada.user_id)
    (caller,) = patient(crowd, 1)
    with caller.connection.transaction():
        with refused("busy"), caller.connection.transaction():
            caller.call("consume_tokens", module_id="metube", user_id=ada.user_id)
        assert bounds(caller) == "0"
        caller.call("consume_tokens", module_id="metube", user_id=bob.user_id)
    assert (ada.balance(), bob.balance()) == (100, 90)


# Batches


def items(*users: Caller) -> Jsonb:
    return Jsonb([{"user_id": one.user_id, "module_id": "metube", "idempotency_key": "k"} for one in users])


def test_batch_serves_everyone_whose_wallet_is_free(user: User, crowd: Crowd, idle: Caller) -> None:
    people = [user(100) for _ in range(12)]
    busy = people[3], people[7]
    for one in busy:
        idle.call("consume_tokens", module_id="metube", user_id=one.user_id)
    (caller,) = patient(crowd, 1)
    answer = caller.call("consume_tokens_batch", items=items(*people, people[3], people[0]))
    assert (answer["accepted"], answer["refused"]) == (11, 3)
    for one, verdict in zip([*people, people[3], people[0]], answer["verdicts"], strict=True):
        if one in busy:
            assert {name: verdict[name] for name in ("ok", "code", "error")} == {
                "ok": False,
                "code": "PT503",
                "error": "busy",
            }
        else:
            assert verdict["ok"] is True
            assert verdict["balance"] == 90
    assert answer["verdicts"][-1]["replayed"] is True
    # The same again: users who were served are not charged twice, and the others are served now.
    idle.connection.execute("rollback")
    again = caller.call("consume_tokens_batch", items=items(*people))
    assert [verdict["replayed"] for verdict in again["verdicts"]] == [one not in busy for one in people]
    assert {one.balance() for one in people} == {90}
    assert bounds(caller) == "0"
    idle.connection.execute("begin")


def test_batch_waits_for_no_account_that_was_opened_after_it_began(
    user: User, crowd: Crowd, idle: Caller, service: Caller, admin: Connection
) -> None:
    ada = user(100)
    newcomer = Caller(ada.connection, "authenticated", f"new {uuid4()}")
    batcher, other = patient(crowd, 2)
    idle.call("consume_tokens", module_id="metube", user_id=ada.user_id)
    results: list[Any] = []
    work = Thread(
        target=lambda: results.append(batcher.call("consume_tokens_batch", items=items(ada, newcomer)))
    )
    work.start()
    wait_until_blocked(admin, batcher.connection.info.backend_pid)
    service.call("add_tokens", user_id=newcomer.user_id, tokens=100)
    other.connection.execute("begin")
    other.call("consume_tokens", module_id="metube", user_id=newcomer.user_id)
    idle.connection.execute("rollback")
    work.join(1.5)
    in_time = not work.is_alive()
    other.connection.execute("rollback")
    work.join()
    assert in_time, "the batch has locked a wallet, and waits for one that it has not locked in order"
    assert [verdict.get("error") for verdict in results[0]["verdicts"]] == [None, "busy"]
    again = batcher.call("consume_tokens_batch", items=items(ada, newcomer))["verdicts"]
    assert [verdict["replayed"] for verdict in again] == [True, False]
    idle.connection.execute("begin")


def test_batch_on_a_slow_machine_is_served_all_the_same(bank: Bank) -> None:
    # Reading the clock takes longer than a batch waits for locks.
    bank.connection.execute(
        "create or replace function credits.clock() returns timestamptz language sql volatile"
        " return (select clock_timestamp() from pg_sleep(0.3))"
    )
    bank.call("add_tokens", user_id="ada", tokens=100)
    answer = bank.call("consume_tokens_batch", items=Jsonb([{"user_id": "ada", "module_id": "metube"}]))
    assert [verdict["balance"] for verdict in answer["verdicts"]] == [90]
    bank.at("2098-06-01 12:00Z")


def test_atomic_batch_is_refused_whole_when_a_wallet_is_busy(user: User, crowd: Crowd, idle: Caller) -> None:
    people = [user(100) for _ in range(3)]
    idle.call("consume_tokens", module_id="metube", user_id=people[1].user_id)
    (caller,) = patient(crowd, 1)
    with refused("busy") as facts:
        caller.call("consume_tokens_batch", items=items(*people), atomic=True)
    assert facts == {"error": "busy", "index": 1}
    assert [one.balance() for one in people] == [100] * 3


def test_batches_of_the_same_users_do_not_deadlock(user: User, crowd: Crowd) -> None:
    people = [user(1000) for _ in range(10)]
    callers = patient(crowd, 8)
    for number in range(4):
        results = at_once(
            [
                partial(
                    caller.call,
                    "consume_tokens_batch",
                    items=Jsonb(
                        [
                            {"user_id": one.user_id, "module_id": "metube"}
                            for one in (people if (place + number) % 2 else people[::-1])
                        ]
                    ),
                )
                for place, caller in enumerate(callers)
            ]
        )
        assert slugs(results) == []
        assert [(answer["accepted"], answer["refused"]) for answer in results] == [(10, 0)] * 8
    assert {one.balance() for one in people} == {1000 - 4 * 8 * 10}


# Other rows that a transaction may have locked


def test_no_call_waits_endlessly_for_any_other_row(crowd: Crowd, town: Any) -> None:
    town.bank.rows("select credits.define_guest_limits('iahome', 3, 10, 100)")
    town.campaign("bring", "referral", 10, referee_tokens=5)
    code = town.code(10)
    owner = town.service.call("open_account", user_id=f"owner {uuid4()}")["user_id"]
    theirs = town.service.call("referral_code", user_id=owner)["code"]
    order = town.service.call("create_order", user_id=owner, pack_id="basique")
    paid = Jsonb(event(COMPLETED, session(order)))
    device, network = ["a" * 64], ["b" * 64]
    use = town.service.call("guest_consume", module_id="metube", device_keys=device, network_keys=network)
    email, newcomer = f"{uuid4().hex}@example.org", f"new {uuid4()}"
    hashed = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"
    one, other, third, fourth = (f"{number} {uuid4()}" for number in range(4))
    for name in (one, other, third, fourth):
        town.service.call("open_account", user_id=name)
    same: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "redeem_code": ({"code": code, "user_id": one}, {"code": code, "user_id": other}),
        "redeem_code of a person": ({"code": theirs, "user_id": third}, {"code": theirs, "user_id": fourth}),
        "open_account": ({"user_id": newcomer}, {"user_id": newcomer}),
        "sign_up": ({"email": email, "password_hash": hashed}, {"email": email, "password_hash": hashed}),
        "apply_stripe_event": ({"event": paid}, {"event": paid}),
        "guest_consume": (
            {"module_id": "metube", "device_keys": device, "network_keys": network},
            {"module_id": "metube", "device_keys": ["c" * 64], "network_keys": network},
        ),
        "confirm_guest_use": ({"use_id": use["use_id"]}, {"use_id": use["use_id"]}),
    }
    holders, waiters = ([town.someone("service_role") for _ in same] for _ in range(2))
    for holder, (kind, (first, _)) in zip(holders, same.items(), strict=True):
        holder.connection.execute("begin")
        holder.call(kind.split()[0], **first)
        holder.connection.execute("savepoint here")
    for waiter in waiters:
        waiter.connection.execute("set lock_timeout = 0")
        waiter.connection.execute(f"set statement_timeout = '{LONGEST}'")
    results = at_once(
        [
            partial(waiter.call, kind.split()[0], **second)
            for waiter, (kind, (_, second)) in zip(waiters, same.items(), strict=True)
        ]
    )
    assert slugs(results) == ["busy"] * len(same), results
    assert {bounds(waiter) for waiter in waiters} == {"0"}
    for holder in holders:
        holder.connection.execute("rollback")


# What waits only under the lock of a wallet, which is waited for with a bound, or is bounded by who calls it.
GUARDED = {
    "api.consume_tokens": "the wallet, of which it waits in credits.wait_to_spend",
    "api.hold_tokens": "the wallet, of which it waits in credits.wait_to_hold",
    "api.capture_hold": "the wallet, of which it waits in credits.wait_to_capture",
    "credits.lock_to_spend": "bounded by credits.bound_wait; consume_tokens_batch catches the end",
    "api.set_spend_limit": "the wallet",
    "api.set_low_balance": "the wallet",
    "credits.claim_refund": "the wallet",
    "api.referral_code": "the wallet, and a random code",
    "credits.return_repaid": "the wallet",
    "credits.note_origin": "the account has just been opened by this call",
    "credits.lock_guest_keys": "bounded in credits.lock_guest",
    "credits.add_guest_key": "bounded in credits.lock_guest",
    "credits.claim_key": "the wallet; else only maintenance, which forgets a key of more than 35 days ago",
    "credits.apply_event": "who calls it has locked the event",
    "credits.note_mirror_events": "the place in the list, which credits.lock_cursor has locked",
    "credits.note_mirror_objects": "the place in the list, which credits.lock_cursor has locked",
    "credits.note_reversal": "the wallet",
    "credits.apply_subscription": "the wallet",
    "credits.note_invoice": "the wallet",
    "credits.note_payment": "the wallet",
    "credits.settle_credits": "the wallet",
    "credits.agree_to_topups": "the wallet",
    "credits.settle_event": "the wallet, and the key of a charge that no other account has",
    "credits.note_grant": "the wallet",
    "credits.note_priced": "the lock on credits.prices, taken by define_price, whose wait admin.py bounds",
    "credits.tell_depleted": "the wallet",
    "credits.write_notices": "the wallet",
    "credits.announce_purge": "the wallet",
    "credits.audit_changes": "`pgcredits audit` calls it, whose wait admin.py bounds",
    "credits.note_audit": "`pgcredits audit` calls it, whose wait admin.py bounds",
    "credits.trust_claims": "an operator calls it, whose wait admin.py bounds",
    "credits.make_due": "all wallets, called by define_notice and define_purge, whose wait admin.py bounds",
}
OPERATORS = (
    "credits.allow_",
    "credits.define_",
    "credits.replace_",
    "credits.list_prices",
    "credits.catalog",
)


def test_every_statement_that_may_wait_for_a_row_is_bounded(admin: Connection) -> None:
    """A new statement is bounded too, or is listed here with the reason why it need not be."""
    waits = re.compile(
        r"\bfor (no key )?update\b(?! *(of \w+ )?(skip locked|nowait))|\bon conflict\b", re.IGNORECASE
    )
    unbounded = set()
    for name, body in admin.execute(
        "select n.nspname || '.' || p.proname, p.prosrc"
        " from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('api', 'credits')"
    ).fetchall():
        code = "\n".join(line.split("--")[0] for line in body.splitlines())
        if waits.search(code) and "lock_not_available" not in code:
            unbounded.add(name)
    assert {name for name in unbounded if not name.startswith(OPERATORS)} - GUARDED.keys() == set()
