"""Live balances: a stream shows each change of the caller's own balance, and nothing of anybody else."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import SECRET, User, bearer, grant, serving, slug
from served import serve

from pgcredits.http.app import create_app
from pgcredits.http.operations import live
from pgcredits.http.routes import events
from pgcredits.settings import Settings
from pgcredits.tokens import mint

pytestmark = [pytest.mark.one_version, pytest.mark.slow]


class Stream:
    """What a client gets. Each read has the bound of its connection."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()

    def event(self) -> dict[str, str]:
        """The next block of lines: fields by name, a comment as "": text."""
        found: dict[str, str] = {}
        for line in self._lines:
            if not line and set(found) - {"retry"}:
                return found
            name, _, value = line.partition(":")
            if line:
                found[name] = value.strip()
        found["ended"] = "by the server"
        return found

    def balance(self) -> dict[str, Any]:
        """The balance in the next event that has one."""
        while (event := self.event()).get("event") != "balance":
            assert "" in event, event
        body: dict[str, Any] = json.loads(event["data"])
        return body


@contextmanager
def stream(base_url: str, headers: dict[str, str], seconds: float = 10) -> Iterator[Stream]:
    with (
        httpx.Client(base_url=base_url, timeout=seconds) as client,
        client.stream("GET", "/balance/events", headers=headers) as answer,
    ):
        opened = Stream(answer)  # httpx closes the answer when nobody holds its lines any more
        yield opened


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_INTERVAL", 0.1)


def spend(client: httpx.Client, user: User, module: str = "whisper") -> Any:
    return client.post("/rest/v1/rpc/consume_tokens", json={"module_id": module}, headers=user.headers).json()


def test_each_change_is_an_event(
    client: httpx.Client, base_url: str, user: User, service: dict[str, str]
) -> None:
    grant(client, service, user, 1000)
    with stream(base_url, user.headers) as mine:
        assert mine.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert mine.answer.headers["cache-control"] == "no-store"
        first = mine.balance()
        assert (first["user_id"], first["balance"]) == (user.user_id, 1000)
        assert first == client.get("/rest/v1/balance", headers=user.headers).json()[0]
        receipt = spend(client, user)
        assert mine.balance()["balance"] == receipt["balance"]
        hold = client.post(
            "/rest/v1/rpc/hold_tokens", json={"module_id": "whisper"}, headers=user.headers
        ).json()
        assert mine.balance()["held"] == hold["held"]
        client.post("/rest/v1/rpc/release_hold", json={"hold_id": hold["hold_id"]}, headers=user.headers)
        assert mine.balance()["held"] == 0
        grant(client, service, user, 5)
        assert mine.balance()["balance"] == receipt["balance"] + 5


def test_many_changes_are_few_events(
    client: httpx.Client, base_url: str, rich: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_INTERVAL", 1.0)  # as it is outside of tests
    with stream(base_url, rich.headers) as mine:
        mine.balance()
        for _ in range(20):
            last = spend(client, rich)
        seen = [mine.balance()["balance"]]
        while seen[-1] != last["balance"]:
            seen.append(mine.balance()["balance"])
    assert len(seen) < 20
    assert seen == sorted(seen, reverse=True)


def test_nobody_sees_the_balance_of_another(
    client: httpx.Client, base_url: str, user: User, service: dict[str, str]
) -> None:
    other = User(f"{user.user_id}_other", bearer("authenticated", f"{user.user_id}_other"))
    with stream(base_url, user.headers) as mine, stream(base_url, other.headers) as theirs:
        assert mine.balance()["user_id"] == user.user_id
        assert theirs.balance()["user_id"] == other.user_id
        for tokens in (5, 7):
            grant(client, service, other, tokens)
            found = theirs.balance()
            assert found["user_id"] == other.user_id
        assert found["balance"] == 12
        grant(client, service, user, 3)
        found = mine.balance()  # the first event since: none of the other's reached this stream
        assert (found["user_id"], found["balance"]) == (user.user_id, 3)


@pytest.mark.parametrize(
    ("headers", "status", "word"),
    [
        ({}, 401, "not_signed_in"),
        ({"Authorization": "Bearer nonsense"}, 401, None),
        (bearer("service_role"), 403, "not_yours"),
        (bearer("service_role", "somebody"), 403, "not_yours"),
        (bearer("support"), 403, "not_yours"),
        (bearer("authenticated", "late", -60), 401, None),
    ],
)
def test_streams_are_for_users(
    client: httpx.Client, headers: dict[str, str], status: int, word: str | None
) -> None:
    answer = client.get("/balance/events", headers=headers)
    assert (answer.status_code, slug(answer)) == (status, word)


def test_a_client_that_comes_back_gets_no_event_twice(
    base_url: str, client: httpx.Client, rich: User
) -> None:
    with stream(base_url, rich.headers) as mine:
        known = mine.event()
    back = {**rich.headers, "Last-Event-ID": known["id"]}
    with stream(base_url, back) as mine:
        receipt = spend(client, rich)
        assert mine.balance()["balance"] == receipt["balance"], "the first event is the change"
    with stream(base_url, back) as mine:
        assert mine.balance()["balance"] == receipt["balance"], "the change happened while it was away"
    with stream(base_url, {**rich.headers, "Last-Event-ID": "nonsense"}) as mine:
        assert mine.balance()["balance"] == receipt["balance"]


def test_a_quiet_stream_has_heartbeats(base_url: str, rich: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_HEARTBEAT", 0.2)
    with stream(base_url, rich.headers) as mine:
        mine.balance()
        assert [mine.event() for _ in range(3)] == [{"": "nothing new"}] * 3


def test_a_change_without_an_entry_comes_with_a_heartbeat(
    base_url: str, rich: User, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dispute freezes a lot, and writes nothing to the wallet."""
    monkeypatch.setattr(events, "_HEARTBEAT", 0.3)
    with stream(base_url, rich.headers) as mine:
        assert mine.balance()["available"] == 1000
        admin.execute(
            "update credits.lots as l set frozen = true from credits.identities as i"
            " where i.account_id = l.account_id and i.subject = %s",
            (rich.user_id,),
        )
        assert mine.balance()["available"] == 0


def test_a_stream_ends_with_its_token(base_url: str, user: User) -> None:
    short = {"Authorization": f"Bearer {mint(SECRET, 'authenticated', user.user_id, 2)}"}
    with stream(base_url, short) as mine:
        mine.balance()
        assert mine.event() == {"event": "end", "data": '{"reason":"token_expired"}'}
        assert "ended" in mine.event()


def test_a_stream_ends_when_it_is_old(base_url: str, rich: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_LONGEST", 0.3)
    with stream(base_url, rich.headers) as mine:
        mine.balance()
        assert mine.event()["data"] == '{"reason":"too_long"}'


def test_streams_of_a_user_and_of_a_process_are_bounded(settings: Settings, user: User) -> None:
    other = bearer("authenticated", f"{user.user_id}_2")
    with serving(create_app(replace(settings, event_streams=6))) as url, ExitStack() as stack:
        for _ in range(5):
            assert stack.enter_context(stream(url, user.headers)).balance()["balance"] == 0
        answer = httpx.get(f"{url}/balance/events", headers=user.headers)
        assert (answer.status_code, slug(answer)) == (429, "too_many_streams")
        with stream(url, other) as sixth:
            sixth.balance()
            answer = httpx.get(f"{url}/balance/events", headers=bearer("authenticated", "seventh"))
            assert (answer.status_code, slug(answer)) == (503, "busy")
            assert answer.headers["retry-after"] == "1"
        deadline = time.monotonic() + 60
        while True:  # a client that has left gives its place to another
            with stream(url, other) as again:
                if again.answer.status_code == 200:
                    again.balance()
                    break
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_nobody_watches_and_nothing_is_asked(
    settings: Settings, rich: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    look = live.LiveBalances._look

    async def noted(self: live.LiveBalances) -> None:
        looks.append(len(self._watches))
        await look(self)

    monkeypatch.setattr(live.LiveBalances, "_look", noted)
    with serving(create_app(settings)) as url:
        time.sleep(0.5)
        assert looks == []
        with ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(stream(url, rich.headers)).balance()
            deadline = time.monotonic() + 60
            while not looks:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert set(looks) == {1}, "one account, however many watch it"


def test_streams_outlive_a_database_that_is_away(
    settings: Settings, client: httpx.Client, rich: User, admin: psycopg.Connection[Any]
) -> None:
    with (
        serving(create_app(replace(settings, pool_timeout=0.5))) as url,
        stream(url, rich.headers, 20) as mine,
    ):
        mine.balance()
        admin.execute(
            "select pg_terminate_backend(a.pid) from pg_stat_activity as a"
            " where a.usename in ('pgcredits_api', 'pgcredits_service')"
        )
        deadline = time.monotonic() + 20
        while "balance" not in (receipt := spend(client, rich)):
            assert time.monotonic() < deadline
        assert mine.balance()["balance"] == receipt["balance"]


def test_streams_are_told_when_the_server_ends(settings: Settings, rich: User, tmp_path: Path) -> None:
    with serve(settings, tmp_path / "log", PGCREDITS_SHUTDOWN_DELAY="1") as served:
        with stream(served.url, rich.headers, 20) as mine:
            mine.balance()
            ending = threading.Timer(0.2, served.process.terminate)
            ending.start()
            assert mine.event() == {"event": "end", "data": '{"reason":"server_ends"}'}
            assert "ended" in mine.event()
        served.process.wait(60)
