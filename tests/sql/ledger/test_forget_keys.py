"""Idempotency keys live 35 days: maintenance forgets them, and then the same call is a new one."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import psycopg
import pytest
from callers import BOOKS, Caller, Connection, at_once, refused, slugs, wait_until_blocked

User = Callable[..., Caller]
Crowd = Callable[[int], list[Caller]]
LIFE = "35 days"


def spend(service: Caller, ada: Caller, key: str) -> dict[str, Any]:
    return service.call("consume_tokens", module_id="metube", user_id=ada.user_id, idempotency_key=key)


def age(admin: Connection, ada: Caller, *keys: str, seconds: int) -> None:
    """Keys become this many seconds older than the age at which they are forgotten."""
    admin.execute(
        "update credits.idempotency_keys as k"
        " set created_at = clock_timestamp() - %s::interval - make_interval(secs => %s)"
        " from credits.identities as i"
        " where i.account_id = k.account_id and i.subject = %s and k.key = any (%s)",
        (LIFE, seconds, ada.user_id, list(keys)),
    )


def keys_of(admin: Connection, ada: Caller) -> list[str]:
    found = admin.execute(
        "select k.key from credits.idempotency_keys as k join credits.identities as i using (account_id)"
        " where i.subject = %s order by k.key",
        (ada.user_id,),
    )
    return [key for (key,) in found.fetchall()]


def forget(service: Caller, most: int = 1000) -> int:
    return int(service.call("maintain", max_accounts=0, max_keys=most)["keys"])


def test_keys_are_forgotten_after_35_days_and_not_before(
    user: User, service: Caller, admin: Connection
) -> None:
    ada = user(100)
    first = {key: spend(service, ada, key)["entry_id"] for key in ("old", "young")}
    age(admin, ada, "old", seconds=1)
    age(admin, ada, "young", seconds=-60)
    assert forget(service) == 1
    assert forget(service) == 0
    assert keys_of(admin, ada) == ["young"]

    replay = spend(service, ada, "young")
    assert (replay["entry_id"], replay["replayed"]) == (first["young"], True)
    anew = spend(service, ada, "old")
    assert anew["replayed"] is False
    assert anew["entry_id"] not in first.values()
    assert spend(service, ada, "old")["entry_id"] == anew["entry_id"]
    assert ada.balance() == 70
    assert admin.execute(BOOKS).fetchall() == []


def test_maintenance_forgets_at_most_max_keys(user: User, service: Caller, admin: Connection) -> None:
    ada = user(1000)
    names = [f"k{number}" for number in range(7)]
    for name in names:
        spend(service, ada, name)
    age(admin, ada, *names, seconds=1)
    assert [forget(service, most) for most in (0, 3, 3, 3, 3)] == [0, 3, 3, 1, 0]


def test_concurrent_maintenance_takes_different_keys(
    user: User, service: Caller, admin: Connection, crowd: Crowd
) -> None:
    ada = user(1000)
    names = [f"k{number}" for number in range(40)]
    for name in names:
        spend(service, ada, name)
    age(admin, ada, *names, seconds=1)
    results = at_once([lambda one=one: forget(one, 10) for one in crowd(8)])
    assert slugs(results) == []
    assert sum(results) + forget(service) == 40
    assert keys_of(admin, ada) == []


@pytest.mark.parametrize("forgotten", [True, False])
def test_repeat_waits_while_its_key_is_forgotten(
    forgotten: bool, user: User, service: Caller, admin: Connection, admin_url: str
) -> None:
    ada = user(100)
    first = spend(service, ada, "k")
    age(admin, ada, "k", seconds=1)
    answers: list[dict[str, Any]] = []
    with psycopg.connect(admin_url) as other:
        assert other.execute("select credits.forget_keys(1)").fetchone() == (1,)
        repeat = Thread(target=lambda: answers.append(spend(service, ada, "k")))
        repeat.start()
        wait_until_blocked(admin, service.connection.info.backend_pid)
        if forgotten:
            other.commit()
        else:
            other.rollback()
        repeat.join()
    assert answers[0]["replayed"] is not forgotten
    assert (answers[0]["entry_id"] == first["entry_id"]) is not forgotten
    assert keys_of(admin, ada) == ["k"]
    assert ada.balance() == (80 if forgotten else 90)


@pytest.mark.parametrize("arguments", [{"max_accounts": -1}, {"max_keys": -1}, {"max_keys": None}])
def test_negative_max_keys_is_refused(arguments: dict[str, int], service: Caller) -> None:
    with refused("bad_limit"):
        service.call("maintain", **arguments)


def test_oldest_keys_are_found_by_an_index(user: User, service: Caller, admin: Connection) -> None:
    """Without old keys no page of the table is read; otherwise only their pages."""
    ada = user(100)
    spend(service, ada, "k")
    forget(service)
    admin.execute("begin")
    try:
        admin.execute(
            "insert into credits.idempotency_keys (account_id, operation, key, entry_seq, created_at)"
            " select k.account_id, 'consume_tokens', n::text, 1, now() - n * interval '1 minute'"
            " from credits.idempotency_keys as k join credits.identities as i using (account_id)"
            " cross join generate_series(1, 50500) as n where i.subject = %s",  # 35 days: from 50,400 on
            (ada.user_id,),
        )
        admin.execute("analyze credits.idempotency_keys")
        before = _pages_read(admin)
        assert admin.execute("select credits.forget_keys(10)").fetchone() == (10,)
        some = _pages_read(admin) - before
        assert admin.execute("select credits.forget_keys(null)").fetchone() == (91,)
        before = _pages_read(admin)
        assert admin.execute("select credits.forget_keys(10)").fetchone() == (0,)
        pages = admin.execute(
            "select pg_relation_size('credits.idempotency_keys') / current_setting('block_size')::integer"
        ).fetchone()
        assert pages is not None
        assert pages[0] > 400
        assert 0 < some < 50
        assert _pages_read(admin) - before < 50
    finally:
        admin.execute("rollback")


def _pages_read(admin: Connection) -> int:
    """Pages of the table that this transaction has read so far."""
    row = admin.execute(
        "select pg_stat_get_xact_blocks_fetched('credits.idempotency_keys'::regclass)"
    ).fetchone()
    assert row is not None
    return int(row[0])
