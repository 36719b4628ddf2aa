"""Calls that wait for one wallet leave the connections to others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from callers import Connection
from http_calls import User, bearer, grant, serving, sign, slug
from http_orders import event, order, session

from pgcredits.http.app import create_app
from pgcredits.http.database import lanes
from pgcredits.http.database.lanes import LaneFullError, Lanes
from pgcredits.http.database.pools import Database, Statement
from pgcredits.settings import Settings
from pgcredits.tokens import ANONYMOUS, SERVICE, Caller

pytestmark = pytest.mark.one_version


@asynccontextmanager
async def through(all_lanes: Lanes, name: str | None) -> AsyncIterator[None]:
    await all_lanes.enter(name)
    try:
        yield
    finally:
        all_lanes.leave(name)


def run_in_lanes(names: list[str | None], seconds: float, work: float) -> tuple[list[str], int]:
    """How calls about these subjects ended, and how many ran at once at most."""
    running, most = 0, 0

    async def call(all_lanes: Lanes, name: str | None) -> str:
        nonlocal running, most
        try:
            async with through(all_lanes, name):
                running += 1
                most = max(most, running)
                await asyncio.sleep(work)
                running -= 1
        except LaneFullError:
            return "full"
        return "done"

    async def main() -> list[str]:
        all_lanes = Lanes(seconds)
        outcomes = await asyncio.gather(*(call(all_lanes, name) for name in names))
        assert not all_lanes._lanes, "a subject without calls keeps nothing"
        return list(outcomes)

    return asyncio.run(main()), most


def test_two_calls_of_a_subject_run_and_the_rest_wait() -> None:
    assert run_in_lanes(["ada"] * 7, 5, 0.01) == (["done"] * 7, 2)


def test_only_calls_of_one_subject_wait_for_each_other() -> None:
    assert run_in_lanes(["ada", "bob", "eve"] * 2 + [None] * 5, 5, 0.05) == (["done"] * 11, 11)


@pytest.mark.parametrize("caller", [SERVICE, ANONYMOUS], ids=["a service", "callers without a token"])
def test_reads_about_one_user_or_nobody_leave_a_part_of_the_pool(
    settings: Settings, admin: psycopg.Connection[Any], caller: Caller
) -> None:
    slow = Statement("select pg_advisory_xact_lock(4711)", about="ada" if caller.backend else None)
    bob = Caller("authenticated", "bob", '{"role":"authenticated","sub":"bob"}')

    async def main() -> None:
        database = Database(replace(settings, pool_size=4))
        async with database.opened():
            reads = [asyncio.create_task(database.call(caller, slow, read_only=True)) for _ in range(20)]
            await asyncio.sleep(0)
            one = Statement("select '1'", about="bob")
            assert await database.call(SERVICE, one, read_only=True) == ("1",)
            assert await database.call(bob, one, read_only=True) == ("1",)
            # The schema is read, and a load balancer answered, however many callers there are.
            assert await database.call(ANONYMOUS, one, read_only=True, ours=True) == ("1",)
            assert not any(read.done() for read in reads)
            admin.execute("select pg_advisory_unlock(4711)")
            await asyncio.gather(*reads)

    admin.execute("select pg_advisory_lock(4711)")
    try:
        asyncio.run(main())
    finally:
        admin.execute("select pg_advisory_unlock_all()")


def test_a_wait_has_a_bound() -> None:
    assert run_in_lanes(["ada"] * 4, 0.05, 0.3) == (["done", "done", "full", "full"], 2)


def test_a_queue_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "QUEUE", 3)
    outcomes, most = run_in_lanes(["ada"] * 6, 5, 0.01)
    assert (sorted(outcomes), most) == (["done"] * 5 + ["full"], 2)


def test_a_cancelled_call_gives_its_place_away() -> None:
    async def main() -> None:
        all_lanes = Lanes(5)
        entered: list[int] = []

        async def call(number: int) -> None:
            async with through(all_lanes, "ada"):
                entered.append(number)
                await asyncio.sleep(0.05)

        tasks = [asyncio.create_task(call(number)) for number in range(5)]
        await asyncio.sleep(0.01)
        tasks[0].cancel()  # one that runs
        tasks[2].cancel()  # one that waits
        await asyncio.gather(*tasks, return_exceptions=True)
        assert entered == [0, 1, 3, 4]
        assert not all_lanes._lanes

    asyncio.run(main())


def test_a_place_that_comes_free_at_the_moment_of_giving_up_is_not_lost() -> None:
    async def main() -> None:
        all_lanes = Lanes(5, width=1)

        async def call() -> None:
            async with through(all_lanes, "ada"):
                pass

        async with through(all_lanes, "ada"):
            late, next_one = (asyncio.create_task(call()) for _ in range(2))
            await asyncio.sleep(0)
            late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
        await next_one
        assert not all_lanes._lanes

    asyncio.run(main())


def test_calls_that_anyone_may_cause_take_a_part_of_the_strong_pool(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a flood of guests, or of wrong passwords, would keep the spends of services waiting."""
    made: list[tuple[Caller, Statement, bool]] = []
    call = Database.call

    async def noted(self: Database, caller: Caller, statement: Statement, **named: Any) -> Any:
        made.append((caller, statement, named.get("ours", False)))
        return await call(self, caller, statement, **named)

    monkeypatch.setattr(Database, "call", noted)
    person = {"email": f"anyone{time.time_ns()}@example.org", "password": "a long password"}
    guest = {"module_id": "whisper"}
    with serving(create_app(settings)) as url, httpx.Client(base_url=url, timeout=20) as client:
        for name in ("guest_consume", "guest_allowance"):
            client.post(f"/rest/v1/rpc/{name}", json=guest)
            client.get(f"/rest/v1/rpc/{name}", params=guest)
        session = client.post("/auth/signup", json=person).json()
        client.post("/auth/token", json=person)
        client.post("/auth/token", json=person | {"password": "a wrong password"})
        refresh = {"grant_type": "refresh_token", "refresh_token": session["refresh_token"]}
        client.post("/auth/token", json=refresh)
        client.post("/auth/password", json=person | {"new_password": "another password"})
        client.post("/auth/logout", json=refresh)
        client.get("/rest/v1/packs", headers={"apikey": f"pgc_test_{'0' * 16}_{'0' * 72}"})
        client.get("/health/ready")
    by_services = [(statement, ours) for caller, statement, ours in made if caller.backend]
    assert len(by_services) >= 12
    assert [statement.sql for statement, ours in by_services if not (statement.kind or ours)] == []


def test_callers_without_a_token_do_not_take_the_lane_of_the_user_they_name(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    ada = Caller("authenticated", "ada", '{"role":"authenticated","sub":"ada"}')
    slow = Statement("select pg_advisory_xact_lock(4711)", about="ada")

    async def main() -> None:
        database = Database(replace(settings, pool_size=4))
        async with database.opened():
            for read_only in (True, False):
                calls = [
                    asyncio.create_task(database.call(ANONYMOUS, slow, read_only=read_only)) for _ in range(9)
                ]
                await asyncio.sleep(0)
                answer = await database.call(ada, Statement("select '1'"), read_only=read_only)
                assert answer == ("1",)
                assert not any(call.done() for call in calls)
                for call in calls:
                    call.cancel()
                await asyncio.gather(*calls, return_exceptions=True)

    admin.execute("select pg_advisory_lock(4711)")
    try:
        asyncio.run(main())
    finally:
        admin.execute("select pg_advisory_unlock_all()")


PROMPT = 1.5  # seconds that others wait at most: less than a call waits for the locked wallet


@pytest.mark.slow
@pytest.mark.parametrize("who", ["the user", "a service"])
def test_a_locked_wallet_leaves_the_pool_to_others(
    settings: Settings, db_lock: Callable[[str], Connection], service: dict[str, str], who: str
) -> None:
    victim, other = (User(f"{name}_{time.time_ns()}", {}) for name in ("victim", "other"))
    with serving(create_app(replace(settings, pool_size=4, pool_timeout=2))) as url:
        with httpx.Client(base_url=url, timeout=20) as client:
            for user in (victim, other):
                grant(client, service, user, 100)
        lock = db_lock(victim.user_id)

        def spend(user: User, timeout: float = 20) -> httpx.Response:
            headers = service if who == "a service" else bearer("authenticated", user.user_id)
            arguments = {"module_id": "whisper"} | ({"user_id": user.user_id} if who == "a service" else {})
            address = f"{url}/rest/v1/rpc/consume_tokens"
            return httpx.post(address, json=arguments, headers=headers, timeout=timeout, verify=False)

        with ThreadPoolExecutor(12) as pool:
            stuck = [pool.submit(spend, victim) for _ in range(10)]
            time.sleep(0.5)  # the first two are on connections now
            assert spend(other, PROMPT).status_code == 200  # the pool is not full of calls about the wallet
            lock.rollback()
            outcomes = [future.result() for future in stuck]
        told = {(answer.status_code, slug(answer) if answer.is_error else None) for answer in outcomes}
        assert told <= {(200, None), (503, "busy"), (503, "unavailable"), (402, "insufficient_tokens")}
        paid = sum(response.status_code == 200 for response in outcomes)
        balance = httpx.get(f"{url}/rest/v1/balance", headers=bearer("authenticated", victim.user_id)).json()[
            0
        ]["balance"]
        assert balance == 100 - 25 * paid


def _batch(victim: User, number: int) -> tuple[str, dict[str, Any]]:
    """A batch of one item, and a batch with many users before the one whose wallet is locked."""
    names = [victim.user_id] if number % 2 else [f"nobody_{number}", victim.user_id]
    items = [{"user_id": name, "module_id": "whisper"} for name in names]
    return "consume_tokens_batch", {"items": items}


@pytest.mark.slow
@pytest.mark.parametrize("what", ["events", "orders", "batches"])
def test_calls_that_name_no_user_leave_the_pool_to_others(
    settings: Settings, db_lock: Callable[[str], Connection], service: dict[str, str], what: str
) -> None:
    victim, other = (
        User(name, bearer("authenticated", name))
        for name in (f"{part}_{time.time_ns()}" for part in ("victim", "other"))
    )
    with (
        serving(create_app(replace(settings, pool_size=4, pool_timeout=2))) as url,
        httpx.Client(base_url=url, timeout=20) as client,
    ):
        for user in (victim, other):
            grant(client, service, user, 100)
        bought = order(client, victim)
        lock = db_lock(victim.user_id)

        def send(number: int) -> httpx.Response:
            if what == "events":
                payload = event("checkout.session.completed", session(bought))
                return httpx.post(
                    f"{url}/webhooks/stripe", content=payload, headers=sign(payload), timeout=20
                )
            named = {"account_id": str(bought["account_id"]), "order_id": bought["order_id"]}
            if number % 2:
                named["account_id"] = named["account_id"].upper()
            name, arguments = ("cancel_order", named) if what == "orders" else _batch(victim, number)
            return httpx.post(
                f"{url}/rest/v1/rpc/{name}", json=arguments, headers=service, timeout=20, verify=False
            )

        with ThreadPoolExecutor(40) as pool:
            stuck = [pool.submit(send, number) for number in range(40)]
            time.sleep(0.5)  # those that may be are on connections now
            for _ in range(3):
                spend = {"user_id": other.user_id, "module_id": "whisper"}
                path = "/rest/v1/rpc/consume_tokens"
                assert client.post(path, json=spend, headers=service, timeout=PROMPT).is_success
            attempt = {"email": f"{other.user_id}@example.com", "password": "wrong, but long enough"}
            assert client.post("/auth/token", json=attempt).status_code == 400
            lock.rollback()
            outcomes = [future.result() for future in stuck]
        told = {(answer.status_code, slug(answer) if answer.is_error else None) for answer in outcomes}
        assert told <= {(200, None), (503, "busy")}
        assert (200, None) in told, "a call that waited here, or was on a connection, is served"


def test_a_kind_of_calls_has_a_part_of_the_pool() -> None:
    assert [lanes.width_of_a_kind(size) for size in (1, 2, 3, 4, 10)] == [1, 1, 1, 1, 3]


@pytest.fixture
def db_lock(admin_url: str) -> Callable[[str], Connection]:
    """db_lock(user_id): a connection that holds this user's wallet until it is rolled back."""

    def lock(user_id: str) -> Connection:
        connection = psycopg.connect(admin_url)
        connection.execute(
            "select from credits.wallets as w join credits.identities as i using (account_id)"
            " where i.subject = %s for update of w",
            (user_id,),
        )
        return connection

    return lock
