"""Charged endpoints of FastAPI, Starlette and Litestar: the same rules in each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import httpx
import litestar
import litestar.response
import pytest
from client_calls import Books, run
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import JSONResponse, StreamingResponse
from litestar.di import NamedDependency
from litestar.params import FromPath
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pgcredits.client import AsyncBank, AsyncHold, Bank, Retries
from pgcredits.client import fastapi as for_fastapi
from pgcredits.client import litestar as for_litestar
from pgcredits.client import starlette as for_starlette

pytestmark = pytest.mark.one_version

THREE = {"calls": 3}  # whisper costs 25 a call
Make = Callable[[AsyncBank], Any]


async def stream(hold: AsyncHold, way: str) -> AsyncIterator[bytes]:
    """Two chunks, and what goes wrong between them."""
    if way != "silent":
        hold.delivered({"calls": 1})
    yield b"one"
    if way == "broken":
        raise ValueError("the provider failed")
    if way in ("hangs", "silent"):
        await asyncio.sleep(60)
    hold.delivered({"calls": 1})
    yield b"two"


def answer(hold: AsyncHold, way: str) -> int:
    """The status of an endpoint that does its work in some way."""
    if way == "raise":
        raise ValueError("the provider failed")
    hold.used({"calls": 2})
    return {"ok": 200, "fails": 503, "refuses": 404}[way]


def fastapi_app(bank: AsyncBank) -> Any:
    async def signed_in(x_user: Annotated[str, Header()]) -> str:
        return x_user

    app = FastAPI()
    charge = for_fastapi.charging(app, bank, user=signed_in)
    hold_of_three = Depends(charge("whisper", usage=THREE))

    @app.get("/jobs/{way}")
    async def work(way: str, hold: AsyncHold = hold_of_three) -> JSONResponse:
        if way == "http_error":
            raise HTTPException(404)
        return JSONResponse({}, answer(hold, way))

    @app.get("/sync/{way}")
    def sync_work(way: str, hold: AsyncHold = hold_of_three) -> JSONResponse:
        return JSONResponse({}, answer(hold, way))

    @app.get("/stream/{way}")
    async def streaming(way: str, hold: AsyncHold = hold_of_three) -> StreamingResponse:
        return StreamingResponse(stream(hold, way))

    @app.get("/free")
    async def free() -> dict[str, str]:
        return {}

    return app


def starlette_app(bank: AsyncBank) -> Any:
    charge = for_starlette.charging(bank, user=lambda request: request.headers["x-user"])

    @charge("whisper", usage=THREE)
    async def work(request: Request) -> Response:
        return JSONResponse({}, answer(request.state.hold, request.path_params["way"]))

    @charge("whisper", usage=THREE)
    async def streaming(request: Request) -> Response:
        return StreamingResponse(stream(request.state.hold, request.path_params["way"]))

    async def free(request: Request) -> Response:
        return JSONResponse({})

    routes = [
        Route("/jobs/{way}", work),
        Route("/stream/{way}", streaming),
        Route("/free", free),
    ]
    return Starlette(routes=routes, middleware=[Middleware(for_starlette.Charges)])


def litestar_app(bank: AsyncBank) -> Any:
    async def signed_in(request: litestar.Request[Any, Any, Any]) -> str:
        return request.headers["x-user"]

    charge = for_litestar.Charging(bank, user=signed_in)

    @litestar.get("/jobs/{way:str}", dependencies={"hold": charge("whisper", usage=THREE)})
    async def work(way: FromPath[str], hold: NamedDependency[AsyncHold]) -> litestar.Response[dict[str, str]]:
        return litestar.Response({}, status_code=answer(hold, way))

    @litestar.get("/stream/{way:str}", dependencies={"hold": charge("whisper", usage=THREE)})
    async def streaming(way: FromPath[str], hold: NamedDependency[AsyncHold]) -> litestar.response.Stream:
        return litestar.response.Stream(stream(hold, way))

    @litestar.get("/free")
    async def free() -> dict[str, str]:
        return {}

    return litestar.Litestar([work, streaming, free], plugins=[charge])


@pytest.fixture(params=[fastapi_app, starlette_app, litestar_app], ids=["fastapi", "starlette", "litestar"])
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


def asked(make: Make, bank: AsyncBank, user: str, path: str) -> httpx.Response:
    """The answer of the application, without a server."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(make(bank), raise_app_exceptions=False)
        async with bank, httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            return await client.get(path, headers={"x-user": user})

    response: httpx.Response = run(ask())
    return response


@pytest.fixture
def bank(base_url: str, api_key: str) -> AsyncBank:
    return AsyncBank(base_url, api_key, retries=Retries(attempts=1))


def test_good_answer_is_charged_for_what_it_used(
    make: Make, bank: AsyncBank, user: str, books: Books
) -> None:
    assert asked(make, bank, user, "/jobs/ok").status_code == 200
    assert (books.charges(user), books.holds(user)) == ([50], ["captured"])


@pytest.mark.parametrize(("way", "status"), [("raise", 500), ("fails", 503), ("refuses", 404)])
def test_error_of_the_endpoint_is_free(
    make: Make, bank: AsyncBank, user: str, books: Books, way: str, status: int
) -> None:
    assert asked(make, bank, user, f"/jobs/{way}").status_code == status
    assert (books.charges(user), books.holds(user)) == ([], ["released"])


def test_user_without_tokens_gets_a_402_with_its_numbers(
    make: Make, bank: AsyncBank, base_url: str, api_key: str, user: str, books: Books
) -> None:
    asked(make, AsyncBank(base_url, api_key), user, "/jobs/ok")
    response = asked(make, bank, user, "/jobs/ok")
    assert response.status_code == 402
    body = response.json()
    assert {name: body[name] for name in ("error", "balance", "cost", "missing")} == {
        "error": "insufficient_tokens",
        "balance": 70,
        "cost": 75,
        "missing": 5,
    }
    assert books.charges(user) == [50]


def test_first_request_of_a_user_opens_the_account(
    make: Make, base_url: str, api_key: str, user: str, service: Bank
) -> None:
    """A new user is not an error of the application. Without a welcome grant they have no tokens."""
    newcomer = f"{user} in {make.__name__}"
    assert asked(make, AsyncBank(base_url, api_key), newcomer, "/jobs/ok").status_code == 402
    assert not service.open_account(newcomer).opened
    service.grant(newcomer, 75)
    assert asked(make, AsyncBank(base_url, api_key), newcomer, "/jobs/ok").status_code == 200


def test_whole_stream_is_charged_at_its_end(make: Make, bank: AsyncBank, user: str, books: Books) -> None:
    assert asked(make, bank, user, "/stream/whole").text == "onetwo"
    assert books.charges(user) == [50]


def test_stream_that_breaks_is_charged_for_what_was_delivered(
    make: Make, bank: AsyncBank, user: str, books: Books
) -> None:
    asked(make, bank, user, "/stream/broken")
    assert (books.charges(user), books.held(user)) == ([25], 0)


@pytest.mark.parametrize(("way", "charges"), [("hangs", [25]), ("silent", [75])])
def test_stream_that_the_client_leaves_is_charged(
    make: Make, bank: AsyncBank, user: str, books: Books, way: str, charges: list[int]
) -> None:
    """For what was delivered. A stream that does not tell is charged for all that was held."""

    async def leave() -> None:
        app = make(bank)
        first = asyncio.Event()
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await first.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message.get("body"):
                first.set()

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": f"/stream/{way}",
            "raw_path": f"/stream/{way}".encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"x-user", user.encode()), (b"host", b"app")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "state": {},
            "extensions": {},
        }
        async with bank:
            await app(scope, receive, send)

    run(leave())
    assert (books.charges(user), books.held(user)) == (charges, 0)


def test_endpoint_without_a_charge_is_left_alone(
    make: Make, bank: AsyncBank, user: str, books: Books
) -> None:
    assert asked(make, bank, user, "/free").json() == {}
    assert books.holds(user) == []


def test_bank_that_is_away_is_answered_with_503(make: Make, user: str) -> None:
    away = AsyncBank("http://127.0.0.1:1", "key", retries=Retries(attempts=1))
    assert asked(make, away, user, "/jobs/ok").json()["error"] == "unavailable"


def test_key_of_the_application_that_is_wrong_is_not_the_users_fault(
    make: Make, base_url: str, user: str
) -> None:
    assert asked(make, AsyncBank(base_url, "wrong"), user, "/jobs/ok").status_code == 500


def test_errors_of_fastapi_and_sync_endpoints_follow_the_rules(
    base_url: str, api_key: str, user: str, books: Books
) -> None:
    def ask(path: str) -> int:
        return asked(fastapi_app, AsyncBank(base_url, api_key), user, path).status_code

    assert [ask("/jobs/http_error"), ask("/sync/raise"), ask("/sync/ok")] == [404, 500, 200]
    assert (books.charges(user), books.holds(user)) == ([50], ["released", "released", "captured"])


def test_missing_middleware_is_told_before_anything_is_held(bank: AsyncBank, user: str, books: Books) -> None:
    def bare(bank: AsyncBank) -> Any:
        app = starlette_app(bank)
        app.user_middleware.clear()
        return app

    assert asked(bare, bank, user, "/jobs/ok").status_code == 500
    assert books.holds(user) == []
