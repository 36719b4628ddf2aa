from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import WEBHOOK_SECRET, serving, slug
from support import PASSWORD

from pgcredits.database_urls import as_login
from pgcredits.http.app import create_app
from pgcredits.http.database.pools import Database
from pgcredits.http.operations import readiness
from pgcredits.settings import Settings

pytestmark = pytest.mark.one_version


def test_healthy_api_is_alive_and_ready(client: httpx.Client) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    ready = client.get("/health/ready").json()
    assert ready == {"status": "ready", "payments": "STRIPE_SECRET_KEY is not set: nothing can be bought."}


def test_ready_says_whether_anything_is_sold(settings: Settings) -> None:
    for secrets, said in (((), "STRIPE_WEBHOOK_SECRET is not set"), ((WEBHOOK_SECRET,), "open")):
        configured = replace(settings, stripe_secret_key="sk_test_x", stripe_webhook_secrets=secrets)
        with serving(create_app(configured)) as url:
            assert httpx.get(f"{url}/health/ready").json()["payments"].startswith(said)


@pytest.mark.slow
def test_api_without_a_database_says_so(settings: Settings) -> None:
    nowhere = "postgresql://x@127.0.0.1:1/nowhere"
    for half in ({"api_database_url": nowhere}, {"service_database_url": nowhere}):
        with serving(create_app(replace(settings, pool_timeout=0.3, **half))) as url:
            assert httpx.get(f"{url}/health/live").status_code == 200
            response = httpx.get(f"{url}/health/ready")
            assert (response.status_code, slug(response)) == (503, "unavailable")
            assert response.headers["retry-after"] == "1"


@pytest.mark.slow
def test_calls_without_a_database_are_unavailable(settings: Settings) -> None:
    nowhere = "postgresql://x@127.0.0.1:1/nowhere"
    with serving(create_app(replace(settings, pool_timeout=0.3, api_database_url=nowhere))) as url:
        for response in (
            httpx.get(f"{url}/rest/v1/packs"),
            httpx.post(f"{url}/rest/v1/rpc/consume_tokens", json={}),
        ):
            assert (response.status_code, slug(response)) == (503, "unavailable")
            assert response.headers["retry-after"] == "1"


def test_the_database_is_not_asked_for_each_request(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anyone may ask, and the answer costs the database more than a spend."""
    asked = 0
    call = Database.call

    async def counted(self: Database, *arguments: Any, **named: Any) -> Any:
        nonlocal asked
        asked += 1
        return await call(self, *arguments, **named)

    monkeypatch.setattr(Database, "call", counted)
    monkeypatch.setattr(readiness, "KEPT", 60.0)

    async def main() -> None:
        database = Database(settings)
        look = readiness.Readiness(database)
        async with database.opened():
            assert await asyncio.gather(*(look.newer() for _ in range(50))) == [False] * 50
            assert not await look.newer()
        assert asked == 2  # one question for each login

    asyncio.run(main())


@pytest.fixture
def own_bank(
    own_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, psycopg.Connection[Any]]]:
    """An API on a bank of its own, and the superuser of that bank."""
    monkeypatch.setattr(readiness, "KEPT", 0.0)
    half = {
        "api_database_url": as_login(own_url, "pgcredits_api", PASSWORD),
        "service_database_url": as_login(own_url, "pgcredits_service", PASSWORD),
    }
    with (
        serving(create_app(replace(settings, **half))) as url,
        psycopg.connect(own_url, autocommit=True) as admin,
    ):
        yield f"{url}/health/ready", admin


@pytest.mark.slow
def test_ready_says_what_is_wrong_with_the_database(own_bank: tuple[str, psycopg.Connection[Any]]) -> None:
    url, admin = own_bank
    assert httpx.get(url).json()["status"] == "ready"
    for change, undo, words in (
        (
            "update credits.releases set migration = '0002-accounts'",
            "update credits.releases set migration = (select max(migration_id) from yoyo._yoyo_migration)",
            "older than this program: it is at 0002-accounts",
        ),
        (
            "create function api.extra() returns integer language sql return 1",
            "drop function api.extra()",
            "do not belong together",
        ),
        (
            "alter table credits.settings add column extra integer",
            "alter table credits.settings drop column extra",
            "do not belong together",
        ),
        (
            "alter function credits.me() security invoker",
            "alter function credits.me() security definer",
            "do not belong together",
        ),
        ("alter view api.release rename to gone", "alter view api.gone rename to release", "not migrated"),
    ):
        admin.execute(change.encode())
        response = httpx.get(url)
        assert (response.status_code, slug(response)) == (503, "unavailable"), change
        assert words in response.json()["message"], change
        admin.execute(undo.encode())
        assert httpx.get(url).json()["status"] == "ready", undo
    admin.execute("update credits.releases set migration = '9999-later'")
    assert httpx.get(url).json()["database"] == "newer"
