"""Whatever somebody makes in the schema api, what was there keeps working."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from callers import Connection
from http_calls import User, serving
from psycopg.conninfo import make_conninfo

from pgcredits.http.app import create_app
from pgcredits.http.database.pools import Statement, UnavailableError
from pgcredits.http.database.schema_cache import Argument, Function, SchemaCache, _named
from pgcredits.settings import Settings
from pgcredits.tokens import ANONYMOUS, Caller

# name, definition, and is it something that can be called or read?
STRANGE = [
    ("unnamed", "create function api.unnamed(json) returns int language sql as 'select 1'", False),
    ("half", "create function api.half(a int, int) returns int language sql as 'select 1'", False),
    (
        "out_only",
        "create function api.out_only(out a int, out b text) language sql as $$select 1, 'x'$$",
        True,
    ),
    ("in_out", "create function api.in_out(inout a int, out b int) language sql as 'select 1, 2'", True),
    ("unnamed_out", "create function api.unnamed_out(a int, out int) language sql as 'select 1'", True),
    ("any_type", "create function api.any_type(a anyelement) returns int language sql as 'select 1'", False),
    ("many", "create function api.many(variadic a int[]) returns int language sql as 'select 1'", False),
    ("loose", "create function api.loose() returns record language sql as 'select 1, 2'", True),
    (
        "fires",
        "create function api.fires() returns trigger language plpgsql as 'begin return null; end'",
        False,
    ),
    (
        "watches",
        "create function api.watches() returns event_trigger language plpgsql as 'begin end'",
        False,
    ),
    ("does", "create procedure api.does(a int) language sql as 'select 1'", False),
    ("totals", "create aggregate api.totals(int) (sfunc = int4pl, stype = int)", False),
    (
        'odd "name"%',
        'create function api."odd ""name""%"("an arg%s" int) returns int language sql as \'select 1\'',
        True,
    ),
    ("no_columns", "create view api.no_columns as select", True),
    ("odd_column", 'create view api.odd_column as select 1 as "a ""b""%s", null::int[] as c', True),
]


@pytest.fixture
def client_of_the_zoo(db: Connection, settings: Settings) -> Iterator[httpx.Client]:
    """An API whose schema cache is read from a database full of strange things."""
    for _, definition, _ in STRANGE:
        db.execute(definition.encode())
    urls = {
        name: make_conninfo(getattr(settings, name), dbname=db.info.dbname)
        for name in ("api_database_url", "service_database_url")
    }
    with (
        serving(create_app(replace(settings, **urls))) as base,
        httpx.Client(base_url=base, timeout=20) as client,
    ):
        yield client


def test_strange_objects_break_nothing(client_of_the_zoo: httpx.Client, user: User) -> None:
    quote = client_of_the_zoo.post(
        "/rest/v1/rpc/quote_tokens", json={"module_id": "whisper"}, headers=user.headers
    )
    assert (quote.status_code, quote.json()["cost"]) == (200, 25)
    assert client_of_the_zoo.get("/rest/v1/packs").status_code == 200
    assert client_of_the_zoo.get("/rest/v1/no_columns", headers=user.headers).status_code < 500
    described = client_of_the_zoo.get("/schema")
    assert described.status_code == 200
    paths = described.json()["paths"]
    shown = {name for name, _, _ in STRANGE if f"/rest/v1/rpc/{name}" in paths or f"/rest/v1/{name}" in paths}
    assert shown == {name for name, _, usable in STRANGE if usable}


@pytest.mark.parametrize(("state", "readings"), [("PT402", 1), ("42501", 1), ("22P02", 1), ("42883", 2)])
def test_only_an_unknown_name_makes_it_read_again(state: str, readings: int) -> None:
    class Refusing:
        reads = 0

        async def call(self, _: Caller, statement: Statement, **__: Any) -> tuple[str] | None:
            if statement.sql == "refused":
                raise psycopg.errors.lookup(state) if state[:2] != "PT" else Refusal
            self.reads += 1
            return ('{"functions":[],"views":[]}',)

    class Refusal(psycopg.ProgrammingError):
        sqlstate = state

    async def main() -> None:
        database = Refusing()
        cache = SchemaCache(database)  # type: ignore[arg-type]
        cache.cool_down = 0.0
        await cache.schema()
        with pytest.raises(psycopg.Error):
            await cache.ask(ANONYMOUS, Statement("refused"), read_only=False, path="")
        await cache.schema()
        assert database.reads == readings

    asyncio.run(main())


def test_calls_without_a_database_learn_of_it_together() -> None:
    """One after the other, the last of them would wait fifty times as long as the first."""

    class Away:
        calls = 0

        def __init__(self) -> None:
            self.given_up = asyncio.Event()

        async def call(self, *_: object, **__: object) -> None:
            self.calls += 1
            await self.given_up.wait()
            raise UnavailableError("nobody is there")

    async def main() -> None:
        database = Away()
        cache = SchemaCache(database)  # type: ignore[arg-type]
        asking = [asyncio.create_task(cache.view("balance")) for _ in range(50)]
        await asyncio.sleep(0)
        asking[0].cancel()  # takes the answer away from nobody
        await asyncio.sleep(0)
        database.given_up.set()
        answers = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(answer) for answer in answers[1:]] == [UnavailableError] * 49
        assert database.calls == 1

    asyncio.run(main())


@pytest.mark.parametrize(
    "names",
    [{"module_id"}, {"module_id", "a" * 1_000_000}, {f"a{number}" for number in range(5)}],
)
def test_names_that_clients_write_are_not_kept(names: set[str]) -> None:
    argument = Argument("module_id", "text", None, required=True)
    function = Function("f", [argument], True, "text", False, [], None, None, [])
    before = _named.cache_info().currsize
    for _ in range(3):
        assert function.takes(frozenset(names)) == (names == {"module_id"})
    assert _named.cache_info().currsize - before == 1


def test_a_function_that_cannot_be_called_is_not_found(client_of_the_zoo: httpx.Client, user: User) -> None:
    for name, definition, usable in STRANGE:
        if "function" in definition and not usable:
            answer = client_of_the_zoo.post(f"/rest/v1/rpc/{name}", json={}, headers=user.headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "PGRST202"), name
