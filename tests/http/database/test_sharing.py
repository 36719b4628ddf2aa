"""A spend that shares a transaction with others gets, byte for byte, what it would get alone."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

import httpx
import hypothesis
import psycopg
import pytest
from http_calls import bearer, slug
from hypothesis import Phase, given
from hypothesis import strategies as st

from pgcredits.http import app as app_module
from pgcredits.http.database import sharing
from pgcredits.http.database.connection import Row
from pgcredits.http.database.pools import BusyError, Database, Statement, UnavailableError
from pgcredits.http.operations import logs
from pgcredits.settings import Settings
from pgcredits.tokens import Caller

SPEND = "/rest/v1/rpc/consume_tokens"
Result = TypeVar("Result")
_numbers = itertools.count(1)


class Observed(Database):
    """Notes how many spends each transaction has, and can fail a batch or keep calls waiting."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.sizes: list[int] = []
        self.names: list[str] = []  # what PostgreSQL shows of the transactions of spends
        self.before: BaseException | None = None  # the next batch fails with it, and does nothing
        self.after: BaseException | None = None  # … when it has been committed
        self.then: BaseException | None = None  # … and spends that go alone fail with this from then on
        self.alone: BaseException | None = None  # spends that go alone fail with it, and do nothing
        self.gate: asyncio.Event | None = None  # spends wait until it opens

    async def call(
        self,
        caller: Caller,
        statement: Statement,
        *,
        read_only: bool,
        method: str = "POST",
        path: str = "",
        ours: bool = False,
    ) -> Row | None:
        batch = "consume_tokens_batch" in statement.sql
        if batch or '"consume_tokens"' in statement.sql:
            self.sizes.append(len(json.loads(str(statement.values[0]))) if batch else 1)
            self.names.append(logs.named_for_database())
            if self.gate is not None:
                await self.gate.wait()
        if batch and (fault := self.before):
            self.before = None
            raise fault
        if self.alone and '"consume_tokens"' in statement.sql:
            raise self.alone
        row = await super().call(caller, statement, read_only=read_only, method=method, path=path, ours=ours)
        if batch and (fault := self.after):
            self.after, self.alone = None, self.then
            raise fault
        return row


class Api:
    """The HTTP API in this event loop, without a server."""

    def __init__(self, client: httpx.AsyncClient, database: Observed) -> None:
        self.client = client
        self.database = database
        self._bearer = cache(bearer)  # tokens of two seconds are two callers, who share nothing

    async def spend(
        self,
        key: str | None = None,
        role: str = "service_role",
        request_id: str | None = None,
        **body: Any,
    ) -> httpx.Response:
        headers = self._bearer(role) | ({} if key is None else {"Idempotency-Key": key})
        headers |= {} if request_id is None else {"X-Request-Id": request_id}
        return await self.client.post(SPEND, json={"module_id": "whisper", **body}, headers=headers)

    async def spends(self, users: Sequence[str], **body: Any) -> list[httpx.Response]:
        """Spends that come at the same time: the transaction of the first lasts until all have come."""
        gate = self.database.gate = self.database.gate or asyncio.Event()
        spends = asyncio.gather(*(self.spend(user_id=user, **body) for user in users))
        for _ in range(100):  # turns of the event loop, of which a call needs a few until it waits
            await asyncio.sleep(0)
        gate.set()
        return await spends


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Api]:
    databases: list[Observed] = []

    def observed(given: Settings) -> Observed:
        databases.append(Observed(given))
        return databases[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app_module, "Database", observed)
        app = app_module.create_app(settings)
    transport = httpx.ASGITransport(app=app)
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        api = Api(client, databases[0])
        await api.spend(user_id="nobody")  # the API knows the bank's functions now
        api.database.sizes.clear()
        yield api


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(asyncio.wait_for(work, 60))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a transaction takes long, and none may begin beside it where a test counts them."""
    monkeypatch.setattr(sharing, "PATIENCE", 60)


@pytest.fixture(scope="module")
def new_users(admin_url: str) -> Iterator[Callable[..., list[str]]]:
    """Makes users, each with so many tokens."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("set role service_role")

        def make(*tokens: int) -> list[str]:
            users = [f"sharing_{os.getpid()}_{next(_numbers):06}" for _ in tokens]
            given = (users, list(tokens))
            admin.execute("select api.add_tokens(u, t) from unnest(%s::text[], %s::int[]) as x (u, t)", given)
            return users

        yield make


@pytest.fixture(scope="module")
def charges(admin_url: str) -> Iterator[Callable[[Sequence[str]], list[int]]]:
    """How often each user was charged."""
    with psycopg.connect(admin_url, autocommit=True) as admin:

        def count(users: Sequence[str]) -> list[int]:
            rows = admin.execute(
                "select count(e.seq) from unnest(%s::text[]) with ordinality as u (user_id, place)"
                " left join api.entries as e on u.user_id = e.user_id and e.kind in ('spend', 'byok')"
                " group by u.place order by u.place",
                (list(users),),
            ).fetchall()
            return [row[0] for row in rows]

        yield count


bodies = st.fixed_dictionaries(
    {},
    optional={
        "module_id": st.sampled_from(["whisper", "stablediffusion", "no such module", "", 5, None]),
        "usage": st.sampled_from(
            [{}, {"calls": 2}, {"calls": 1.50}, {"calls": -1}, {"tokens": 1}, [], None, "x", {"calls": "1e3"}]
        ),
        "metadata": st.sampled_from(
            [
                {},
                {"job": "é\u2028"},
                {"n": 1.10, "a": [1, {"b": None}]},
                "text",
                None,
                {"big": "x" * 17000},
            ]
        ),
        "byok": st.sampled_from([True, False, None]),
        "tags": st.sampled_from([{}, {"job": "é"}, {"job": 1}, [], None, "text"]),
        "idempotency_key": st.sampled_from(["k", "", "ä", "x" * 201, None, 7]),
        "more": st.just(1),
    },
)
calls = st.tuples(st.sampled_from([1, 30, 1000]), st.sampled_from([None, "k", "header"]), bodies)


@pytest.mark.slow
@pytest.mark.one_version
@given(st.lists(calls, min_size=8, max_size=24))
@hypothesis.settings(max_examples=12, deadline=None, phases=[Phase.generate])
def test_a_shared_transaction_answers_as_one_of_its_own(
    settings: Settings,
    new_users: Callable[..., list[str]],
    some: list[tuple[int, str | None, dict[str, Any]]],
) -> None:
    async def answers(shared: bool) -> list[tuple[int, str, dict[str, str]]]:
        async with running(replace(settings, shared_transactions=shared)) as api:
            users = new_users(*(tokens for tokens, _, _ in some))
            asked = [
                api.spend(key, user_id=user, **body) for user, (_, key, body) in zip(users, some, strict=True)
            ]
            return [
                (answer.status_code, anonymous(answer.text, user), {**answer.headers, "x-request-id": ""})
                for answer, user in zip(await asyncio.gather(*asked), users, strict=True)
            ]

    assert run(answers(True)) == run(answers(False))


def anonymous(text: str, user: str) -> str:
    """An answer without the names of its user and account."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ACCOUNT", text.replace(user, "USER"))


def test_spends_that_wait_share_a_transaction(
    settings: Settings, new_users: Callable[..., list[str]], charges: Callable[[Sequence[str]], list[int]]
) -> None:
    users = new_users(*[1000] * 70)

    async def main() -> None:
        async with running(settings) as api:
            for answer in await api.spends(users):
                assert answer.status_code == 200
            assert api.database.sizes == [1, 64, 5]

    run(main())
    assert charges(users) == [1] * 70


def test_spends_on_one_account_share_a_transaction_and_leave_the_right_balance(
    settings: Settings, new_users: Callable[..., list[str]]
) -> None:
    (user,) = new_users(1000)

    async def main() -> None:
        async with running(settings) as api:
            answers = await api.spends([user] * 41)
            found = sorted(answer.json()["balance"] for answer in answers[:40])
            assert found == [1000 - 25 * n for n in range(40, 0, -1)]
            assert (answers[40].status_code, slug(answers[40])) == (402, "insufficient_tokens")

    run(main())


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_users_own_spends_have_transactions_of_their_own(
    settings: Settings, new_users: Callable[..., list[str]], role: str
) -> None:
    users = new_users(*[1000] * 5)

    async def main() -> None:
        async with running(settings) as api:

            async def spend(user: str) -> int:
                headers = bearer(role, user)
                answer = await api.client.post(SPEND, json={"module_id": "whisper"}, headers=headers)
                return answer.status_code

            assert set(await asyncio.gather(*map(spend, users))) == {200 if role == "authenticated" else 401}
            assert api.database.sizes == [1] * 5

    run(main())


def test_backends_with_different_tokens_share_nothing(
    settings: Settings, new_users: Callable[..., list[str]], admin: psycopg.Connection[Any]
) -> None:
    users = new_users(*[1000] * 6)

    async def main() -> None:
        async with running(settings) as api:
            roles = ["spender", "service_role"] * 3
            asked = (api.spend(user_id=user, role=role) for user, role in zip(users, roles, strict=True))
            assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
            assert sorted(api.database.sizes) == [1, 1, 2, 2]
            found = admin.execute(
                "select e.actor from unnest(%s::text[]) with ordinality as u (user_id, place)"
                " join credits.identities as i on u.user_id = i.subject"
                " join credits.entries as e on i.account_id = e.account_id and e.kind = 'spend'"
                " order by u.place",
                (users,),
            ).fetchall()
            assert [actor for (actor,) in found] == roles

    run(main())


def test_a_locked_wallet_does_not_hold_up_the_others(
    settings: Settings,
    new_users: Callable[..., list[str]],
    admin_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sharing, "PATIENCE", 0.05)
    stuck, *others = new_users(*[1000] * 12)

    async def main() -> None:
        async with running(settings) as api, await psycopg.AsyncConnection.connect(admin_url) as somebody:
            await api.spend(user_id=others[0])
            await somebody.execute(
                "select from credits.wallets as w join credits.identities as i using (account_id)"
                " where i.subject = %s for update of w",
                (stuck,),
            )
            waiting = []
            for _ in range(2):  # in a batch with the others, and then beside them
                waiting += [asyncio.create_task(api.spend(user_id=stuck)) for _ in range(6)]
                assert {answer.status_code for answer in await api.spends(others)} == {200}
                assert not any(task.done() for task in waiting)
            await somebody.rollback()
            answers = await asyncio.gather(*waiting)
            assert sorted(answer.json()["balance"] for answer in answers) == [
                1000 - 25 * n for n in range(12, 0, -1)
            ]
            assert max(api.database.sizes[-2:]) > 1  # the spends that waited for the first one shared again

    run(main())


def test_after_a_batch_that_failed_each_spend_goes_alone(
    settings: Settings, new_users: Callable[..., list[str]], charges: Callable[[Sequence[str]], list[int]]
) -> None:
    users = new_users(*[1000] * 8)

    async def main() -> None:
        async with running(settings) as api:
            api.database.before = psycopg.errors.DeadlockDetected("of the tests")
            assert {answer.status_code for answer in await api.spends(users)} == {200}
            assert api.database.sizes == [1, 7, *[1] * 7]

    run(main())
    assert charges(users) == [1] * 8


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("done", [True, False])
def test_after_a_broken_connection_only_keyed_spends_are_repeated(
    settings: Settings,
    new_users: Callable[..., list[str]],
    charges: Callable[[Sequence[str]], list[int]],
    keyed: bool,
    done: bool,
) -> None:
    users = new_users(*[1000] * 5)

    async def main() -> None:
        async with running(settings) as api:
            broken = UnavailableError("of the tests", unsure=True)
            api.database.after, api.database.before = (broken, None) if done else (None, broken)
            first, *answers = await api.spends(users, **({"idempotency_key": "k"} if keyed else {}))
            assert first.status_code == 200
            for answer in answers:
                if keyed:
                    assert (answer.status_code, answer.json()["replayed"]) == (200, done)
                else:
                    assert (answer.status_code, slug(answer)) == (503, "unavailable")
                    assert json.loads(answer.json()["details"])["outcome"] == "unknown"

    run(main())
    assert charges(users) == [1, *[1 if keyed or done else 0] * 4]


class Locked(psycopg.OperationalError):
    """The wallet was locked for as long as a spend waits."""

    sqlstate = "PT503"


@pytest.mark.parametrize(
    "fault",
    [UnavailableError("of the tests"), BusyError("of the tests"), Locked(), psycopg.errors.DiskFull()],
)
def test_a_spend_whose_repeat_does_not_get_through_is_told_that_nobody_knows(
    settings: Settings,
    new_users: Callable[..., list[str]],
    charges: Callable[[Sequence[str]], list[int]],
    fault: Exception,
) -> None:
    users = new_users(*[1000] * 5)

    async def main() -> None:
        async with running(settings) as api:
            api.database.after, api.database.then = UnavailableError("of the tests", unsure=True), fault
            _, *answers = await api.spends(users, idempotency_key="k")
            assert {(answer.status_code, slug(answer)) for answer in answers} == {(503, "unavailable")}
            assert {json.loads(answer.json()["details"])["outcome"] for answer in answers} == {"unknown"}

    run(main())
    assert charges(users) == [1] * 5


def test_a_spend_whose_repeat_is_refused_was_not_made(
    settings: Settings, new_users: Callable[..., list[str]], charges: Callable[[Sequence[str]], list[int]]
) -> None:
    users = new_users(1000, *[1] * 4)

    async def main() -> None:
        async with running(settings) as api:
            api.database.after = UnavailableError("of the tests", unsure=True)
            _, *answers = await api.spends(users, idempotency_key="k")
            assert {slug(answer) for answer in answers} == {"insufficient_tokens"}

    run(main())
    assert charges(users) == [1, 0, 0, 0, 0]


def test_a_fault_of_the_api_itself_leaves_nobody_waiting(
    settings: Settings, new_users: Callable[..., list[str]], charges: Callable[[Sequence[str]], list[int]]
) -> None:
    users = new_users(*[1000] * 4)

    async def main() -> None:
        async with running(settings) as api:
            api.database.after = RuntimeError("of the tests")
            _, *answers = await api.spends(users)
            assert {(answer.status_code, slug(answer)) for answer in answers} == {(503, "unavailable")}
            assert {json.loads(answer.json()["details"])["outcome"] for answer in answers} == {"unknown"}

    run(main())
    assert charges(users) == [1] * 4


def test_without_a_connection_every_spend_is_told_that_nothing_was_done(
    settings: Settings, new_users: Callable[..., list[str]]
) -> None:
    users = new_users(*[1000] * 4)

    async def main() -> None:
        async with running(settings) as api:
            api.database.before = UnavailableError("of the tests")
            _, *answers = await api.spends(users)
            assert {(answer.status_code, slug(answer)) for answer in answers} == {(503, "unavailable")}
            assert not any("outcome" in answer.json()["details"] for answer in answers)

    run(main())


def test_a_cancelled_spend_leaves_the_others_their_turn(
    settings: Settings, new_users: Callable[..., list[str]], charges: Callable[[Sequence[str]], list[int]]
) -> None:
    users = new_users(*[1000] * 4)

    async def main() -> None:
        async with running(replace(settings, pool_size=1)) as api:
            api.database.gate = asyncio.Event()
            first, *tasks = [asyncio.create_task(api.spend(user_id=user)) for user in users[:3]]
            await asyncio.sleep(0.05)
            tasks[0].cancel()
            api.database.gate.set()
            assert (await first).status_code == 200
            assert (await tasks[1]).status_code == 200
            with suppress(asyncio.CancelledError):
                await tasks[0]
            assert (await api.spend(user_id=users[3])).status_code == 200

    run(main())
    assert charges(users) == [1, 0, 1, 1]


def test_a_shared_transaction_names_one_of_its_requests_and_how_many_more(
    settings: Settings, new_users: Callable[..., list[str]]
) -> None:
    async def main() -> None:
        async with running(replace(settings, pool_size=1)) as api:
            api.database.names.clear()
            api.database.gate = asyncio.Event()
            spends = [
                asyncio.create_task(api.spend(request_id=f"request-{number}", user_id=user))
                for number, user in enumerate(new_users(*[1000] * 4))
            ]
            await asyncio.sleep(0.05)
            api.database.gate.set()
            assert {(await spend).status_code for spend in spends} == {200}
            assert api.database.names == ["pgcredits request-0", "pgcredits request-1+2"]

    run(main())


def test_a_spend_that_waits_too_long_is_busy_and_was_not_made(
    settings: Settings,
    new_users: Callable[..., list[str]],
    charges: Callable[[Sequence[str]], list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    users = new_users(*[1000] * 4)
    monkeypatch.setattr(sharing, "QUEUE", 2)

    async def main() -> None:
        async with running(replace(settings, pool_size=1, pool_timeout=0.2)) as api:
            api.database.gate = asyncio.Event()
            first, *others = [asyncio.create_task(api.spend(user_id=user)) for user in users]
            for answer in await asyncio.gather(*others):  # two wait too long; the queue is full for the third
                assert (answer.status_code, slug(answer)) == (503, "busy")
            api.database.gate.set()
            assert (await first).status_code == 200

    run(main())
    assert charges(users) == [1, 0, 0, 0]
