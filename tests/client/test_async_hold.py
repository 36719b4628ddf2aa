"""Async holds: wherever a task is cancelled, nothing stays held or is charged twice."""

from __future__ import annotations

import asyncio

import anyio
import httpx
import pytest
from client_calls import QUICK, Books, Watched, run

from pgcredits.client import AsyncBank, HoldClosed, InsufficientTokens

pytestmark = pytest.mark.one_version


class ProviderFailed(Exception):
    pass


@pytest.mark.parametrize(
    ("place", "states", "charges"),
    [
        ("hold_tokens sent", ["released"], []),
        ("hold_tokens answered", ["released"], []),
        ("work", ["released"], []),
        ("capture_hold sent", ["captured"], [50]),
        ("capture_hold answered", ["captured"], [50]),
    ],
)
@pytest.mark.parametrize("by", ["task", "scope"])
def test_task_cancelled_at_any_await_ends_its_hold(
    base_url: str,
    api_key: str,
    user: str,
    books: Books,
    place: str,
    states: list[str],
    charges: list[int],
    by: str,
) -> None:
    """By asyncio, which cancels once, and by a scope of anyio, which cancels at every await."""

    async def job(reached: asyncio.Event) -> None:
        async def tell(where: str) -> None:
            if where == place:
                reached.set()
                await asyncio.sleep(0.01)

        async with AsyncBank(base_url, api_key, transport=Watched(tell)) as bank:
            async with bank.hold("whisper", user, usage={"calls": 3}) as hold:
                await tell("work")
                hold.used({"calls": 2})
            if place == "work":
                raise AssertionError("the work went on")

    async def cancelled() -> None:
        reached = asyncio.Event()
        if by == "task":
            task = asyncio.create_task(job(reached))
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(job, reached)
                await reached.wait()
                scope.cancel()
        assert scope.cancelled_caught

    run(cancelled())
    assert (books.holds(user), books.charges(user), books.held(user)) == (states, charges, 0)


def test_task_cancelled_while_its_hold_is_released_releases_it(
    base_url: str, api_key: str, user: str, books: Books
) -> None:
    async def work() -> None:
        reached = asyncio.Event()

        async def tell(where: str) -> None:
            if where == "release_hold sent":
                reached.set()
                await asyncio.sleep(0.01)

        async def job() -> None:
            async with (
                AsyncBank(base_url, api_key, transport=Watched(tell)) as bank,
                bank.hold("whisper", user),
            ):
                raise ProviderFailed

        task = asyncio.create_task(job())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(work())
    assert (books.holds(user), books.charges(user)) == (["released"], [])


def test_async_work_is_charged_or_free(base_url: str, api_key: str, user: str, books: Books) -> None:
    async def work() -> None:
        async with AsyncBank(base_url, api_key) as bank:
            async with bank.hold("whisper", user, usage={"calls": 4}, key="job") as hold:
                assert (await hold.capture({"calls": 1}, key="part")).held == 75
                assert (await hold.extend(60)).state == "open"
                hold.delivered({"calls": 1})
                hold.used({"calls": 1})
            with pytest.raises(ProviderFailed):
                async with bank.hold("whisper", user):
                    raise ProviderFailed
            with pytest.raises(InsufficientTokens):
                async with bank.hold("whisper", user, usage={"calls": 9}):
                    raise AssertionError("the work began")
            with pytest.raises(HoldClosed):
                async with bank.hold("whisper", user, usage={"calls": 4}, key="job"):
                    raise AssertionError("the finished job began again")
            async with bank.hold("whisper", user) as hold:
                assert (await hold.release()).state == "released"
            async with bank.hold("whisper", user) as hold:
                hold.keep_open()
            assert (await bank.extend(hold.hold_id)).state == "open"
            assert (await bank.release(hold.hold_id, "failed: no report")).captured == 0

    run(work())
    assert (books.charges(user), books.held(user)) == ([25, 50], 0)


def test_long_async_work_keeps_its_hold(
    base_url: str, api_key: str, user: str, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgcredits.client.extender._SHARE", 0.01)  # every tenth of a second
    twice = asyncio.Event()
    asked: list[str] = []

    async def tell(where: str) -> None:
        asked.append(where)
        if asked.count("extend_hold answered") == 2:
            twice.set()

    async def work() -> None:
        bank = AsyncBank(base_url, api_key, transport=Watched(tell))
        async with bank, bank.hold("whisper", user, ttl=10) as hold:
            await twice.wait()
            assert books.expires_at(user) > hold.receipt.expires_at

    run(work())
    assert (books.charges(user), books.holds(user)) == ([25], ["captured"])


def test_lost_answers_of_async_steps_charge_once(
    base_url: str, api_key: str, user: str, books: Books
) -> None:
    answered: list[str] = []

    async def tell(where: str) -> None:
        if where.endswith("answered"):
            answered.append(where)
            if len(answered) % 2:
                raise httpx.ReadError("lost")

    async def work() -> None:
        async with (
            AsyncBank(base_url, api_key, transport=Watched(tell), retries=QUICK) as bank,
            bank.hold("whisper", user, usage={"calls": 2}) as hold,
        ):
            await hold.capture({"calls": 1})

    run(work())
    assert len(answered) == 6
    assert (books.charges(user), books.held(user)) == ([25], 0)


def test_program_that_ends_in_the_middle_of_a_hold_releases_it(
    base_url: str, api_key: str, user: str, books: Books
) -> None:
    """asyncio.run cancels the tasks that are left."""

    async def job() -> None:
        async with AsyncBank(base_url, api_key) as bank, bank.hold("whisper", user):
            await asyncio.sleep(60)

    async def program() -> None:
        task = asyncio.create_task(job())
        while not books.holds(user):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert not task.done()

    run(program())
    assert (books.holds(user), books.charges(user)) == (["released"], [])
