"""Concurrent calls on one account never oversell holds, and each hold ends once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from callers import BOOKS, Caller, Connection, at_once, slugs, wait_until_blocked
from holding import hold, standing

pytestmark = pytest.mark.slow

User = Callable[..., Caller]
Crowd = Callable[[int], list[Caller]]
MANY = 50


@pytest.fixture(autouse=True)
def sound(admin: Connection) -> Iterator[None]:
    """The books close after every test."""
    yield
    assert admin.execute(BOOKS).fetchall() == []


def answers(results: list[Any]) -> list[dict[str, Any]]:
    return [result for result in results if isinstance(result, dict)]


def test_fifty_concurrent_holds_get_what_ten_can_pay(user: User, crowd: Crowd) -> None:
    ada = user(250)
    results = at_once([partial(hold, service, user_id=ada.user_id) for service in crowd(MANY)])
    assert Counter(slugs(results)) == {"insufficient_tokens": MANY - 10}
    assert sorted(answer["available"] for answer in answers(results)) == [25 * left for left in range(10)]
    assert standing(ada) == (250, 250, 0)
    assert ada.row("select count(*) from api.holds")["count"] == 10


def test_fifty_holds_with_one_key_are_one(user: User, crowd: Crowd) -> None:
    ada = user(250)
    results = at_once(
        [partial(hold, service, user_id=ada.user_id, idempotency_key="k") for service in crowd(MANY)]
    )
    assert slugs(results) == []
    assert Counter(result.pop("replayed") for result in results) == {True: MANY - 1, False: 1}
    assert all(result == results[0] for result in results)
    assert standing(ada) == (250, 25, 225)


def test_fifty_captures_and_releases_of_one_hold_are_one_transition(user: User, crowd: Crowd) -> None:
    ada = user(250)
    name = hold(ada, 4)["hold_id"]
    ends = ("capture_hold", "release_hold")
    results = at_once(
        [
            partial(service.call, ends[place % 2], hold_id=name, idempotency_key=f"k{place}")
            for place, service in enumerate(crowd(MANY))
        ]
    )
    done = answers(results)
    # A release that finds the hold released says so; nothing else does.
    transitions = [answer for answer in done if not answer["replayed"]]
    assert len(transitions) == 1
    state = transitions[0]["state"]
    assert {answer["state"] for answer in done} == {state}
    assert Counter(slugs(results)) == {"hold_closed": MANY - len(done)}
    assert len(done) == (1 if state == "captured" else MANY // 2)
    assert standing(ada) == ((150, 0, 150) if state == "captured" else (250, 0, 250))
    assert ada.row("select count(*) from api.usage")["count"] == (1 if state == "captured" else 0)


def test_fifty_captures_of_one_hold_charge_once(user: User, crowd: Crowd) -> None:
    ada = user(250)
    name = hold(ada, 4)["hold_id"]
    results = at_once([partial(service.call, "capture_hold", hold_id=name) for service in crowd(MANY)])
    assert Counter(slugs(results)) == {"hold_closed": MANY - 1}
    assert standing(ada) == (150, 0, 150)


def test_fifty_captures_with_one_key_are_one_answer(user: User, crowd: Crowd) -> None:
    ada = user(250)
    name = hold(ada, 4)["hold_id"]
    results = at_once(
        [
            partial(service.call, "capture_hold", hold_id=name, usage={"calls": 1}, idempotency_key="k")
            for service in crowd(MANY)
        ]
    )
    assert slugs(results) == []
    assert Counter(result.pop("replayed") for result in results) == {True: MANY - 1, False: 1}
    assert all(result == results[0] for result in results)
    assert standing(ada) == (225, 0, 225)


def test_fifty_parts_at_once_charge_each_once(user: User, crowd: Crowd) -> None:
    ada = user(1000)
    name = hold(ada, 40)["hold_id"]
    results = at_once(
        [
            partial(
                service.call, "capture_hold", hold_id=name, usage={"calls": 1}, final=False, over="available"
            )
            for service in crowd(MANY)
        ]
    )
    assert slugs(results) == []
    assert Counter(result["shortfall"] for result in results) == {0: 40, 25: 10}
    assert standing(ada) == (0, 0, 0)
    assert ada.row("select captured from api.holds")["captured"] == 1000


def test_everything_at_once_loses_and_makes_nothing(user: User, crowd: Crowd) -> None:
    """Holds captured and released, spends and grants, on three lots of which one is bound."""
    ada = user(1000)
    services = crowd(32)
    for tokens, scope in ((1000, "any"), (1000, "module:whisper")):
        services[0].call("add_tokens", user_id=ada.user_id, tokens=tokens, scope=scope)

    def work(place: int, service: Caller) -> int:
        spent = 0
        for step in range(4):
            kind = (place + step) % 4
            if kind == 0:
                spent += service.call("consume_tokens", module_id="metube", user_id=ada.user_id)["cost"]
            elif kind == 1:
                name = hold(service, 2, user_id=ada.user_id)["hold_id"]
                spent += service.call("capture_hold", hold_id=name, usage={"calls": 1})["paid"]
            elif kind == 2:
                name = hold(service, user_id=ada.user_id)["hold_id"]
                service.call("release_hold", hold_id=name)
            else:
                service.call("add_tokens", user_id=ada.user_id, tokens=60)
        return spent

    results = at_once([partial(work, place, service) for place, service in enumerate(services)])
    assert slugs(results) == []
    assert sum(results) == 32 * 35
    left = 3000 + 32 * (60 - 35)
    assert standing(ada) == (left, 0, left)


def test_capture_waits_for_a_release_and_then_finds_it(user: User, crowd: Crowd, admin: Connection) -> None:
    ada = user(100)
    name = hold(ada)["hold_id"]
    first, second = crowd(2)
    first.connection.execute("begin")
    first.call("release_hold", hold_id=name)

    def commit() -> None:
        wait_until_blocked(admin, second.connection.info.backend_pid)
        first.connection.execute("commit")

    results = at_once([partial(second.call, "capture_hold", hold_id=name), commit])
    assert slugs(results) == ["hold_closed"]
    assert standing(ada) == (100, 0, 100)
