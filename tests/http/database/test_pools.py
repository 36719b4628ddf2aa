"""A call is one round trip and leaves nothing behind, and a short outage does not become a long one."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgcredits.http.database.connection import _numbered
from pgcredits.http.database.pools import Database, Statement, UnavailableError
from pgcredits.settings import Settings
from pgcredits.tokens import ANONYMOUS, SERVICE, Caller

pytestmark = pytest.mark.one_version

ME = Caller("authenticated", "me", '{"role":"authenticated","sub":"me"}')
WHO = Statement(
    "select current_user::text, current_setting('request.jwt.claims'), current_setting('request.method'),"
    " current_setting('request.path'), current_setting('transaction_read_only'), pg_backend_pid()"
)
SLEEP = Statement("select pg_sleep(20)")
NAP = Statement("select pg_sleep(0.3)")


class Wire:
    """A proxy in front of PostgreSQL. Counts round trips: how often the client speaks after the server."""

    def __init__(self, url: str) -> None:
        self._to = conninfo_to_dict(url)
        self.round_trips = 0
        self.said = b""  # by the client
        self.silent = False  # nothing comes back any more, and nothing breaks
        self._client_spoke = False
        self._links: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def through(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            here = {"host": "127.0.0.1", "port": port, "hostaddr": None}
            yield make_conninfo("", **{**self._to, **here, "sslmode": "disable", "gssencmode": "disable"})
            self.cut()

    def cut(self) -> None:
        """Every connection breaks, as if the server had died."""
        for link in self._links:
            link.transport.abort()
        self._links.clear()

    def messages(self) -> str:
        """The types of the messages that one connection has sent, a letter each, after its first one."""
        rest, types = self.said[int.from_bytes(self.said[:4]) :], ""
        while rest:
            types += chr(rest[0])
            rest = rest[1 + int.from_bytes(rest[1:5]) :]
        return types

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = str(self._to.get("host", "127.0.0.1")), self._to.get("port", 5432)
        if host.startswith("/"):
            there, back = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            there, back = await asyncio.open_connection(host, int(str(port)))
        self._links += [writer, back]
        await asyncio.gather(self._copy(reader, back, True), self._copy(there, writer, False))

    async def _copy(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, from_client: bool) -> None:
        try:
            while data := await source.read(65536):
                if from_client and not self._client_spoke:
                    self.round_trips += 1
                self._client_spoke = from_client
                if from_client:
                    self.said += data
                elif self.silent:
                    continue
                to.write(data)
                await to.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            to.close()


def run(settings: Settings, work: Callable[[Database], Awaitable[None]]) -> None:
    async def main() -> None:
        database = Database(settings)
        async with database.opened():
            await work(database)

    asyncio.run(main())


@pytest.mark.parametrize("read_only", [True, False])
def test_a_call_is_one_round_trip(settings: Settings, read_only: bool) -> None:
    async def main() -> None:
        wire = Wire(settings.api_database_url)
        async with wire.through() as url:
            database = Database(replace(settings, api_database_url=url, pool_size=1))
            async with database.opened():
                for _ in range(10):  # past the point where psycopg begins to prepare
                    await database.call(ME, WHO, read_only=read_only)
                before = wire.round_trips
                for _ in range(20):
                    await database.call(ME, WHO, read_only=read_only)
                assert wire.round_trips - before == 20

    asyncio.run(main())


def test_role_and_claims_belong_to_one_call(settings: Settings) -> None:
    async def work(database: Database) -> None:
        for _ in range(8):
            row = await database.call(ME, WHO, read_only=True, method="GET", path="/rest/v1/x")
            assert row is not None
            assert row[:5] == ("authenticated", ME.claims, "GET", "/rest/v1/x", "on")
            row = await database.call(ANONYMOUS, WHO, read_only=False)
            assert row is not None
            assert row[:5] == ("anon", '{"role":"anon"}', "POST", "", "off")
        row = await database.call(SERVICE, WHO, read_only=True)
        assert row is not None
        assert row[0] == "service_role"

    run(replace(settings, pool_size=1), work)


@pytest.mark.parametrize("read_only", [True, False])
def test_isolation_is_read_committed_whatever_the_server_defaults_to(
    settings: Settings, read_only: bool
) -> None:
    level = Statement("select current_setting('transaction_isolation')")
    strict = "-c default_transaction_isolation=serializable"

    async def work(database: Database) -> None:
        assert await database.call(ME, level, read_only=read_only) == ("read committed",)

    run(replace(settings, api_database_url=make_conninfo(settings.api_database_url, options=strict)), work)


def test_connection_has_no_role_outside_a_call(settings: Settings) -> None:
    async def work(database: Database) -> None:
        await database.call(ME, WHO, read_only=True)
        with pytest.raises(psycopg.errors.DivisionByZero):
            await database.call(ME, Statement("select 1 / 0"), read_only=True)
        conn = await database._api.getconn()
        outside = ("select current_user::text, current_setting('request.jwt.claims', true)", ())
        (result,) = await conn.transact([outside], 5)
        assert conn.row(result) == ("pgcredits_api", "")
        await database._api.putconn(conn)

    run(replace(settings, pool_size=1), work)


@pytest.mark.parametrize("caller", [ME, SERVICE], ids=lambda caller: caller.role)
def test_times_are_read_and_written_in_utc_whatever_the_login_is_set_to(
    caller: Caller, settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    async def work(database: Database) -> None:
        statement = Statement(
            "select to_json(%s::timestamptz)::text, %s::timestamptz::text, %s::interval::text",
            ("2027-01-02 00:00", "2027-01-02", "-1 2:03"),
        )
        assert await database.call(caller, statement, read_only=True) == (
            '"2027-01-02T00:00:00+00:00"',
            "2027-01-02 00:00:00+00",
            "-1 days +02:03:00",
        )

    login = "pgcredits_service" if caller is SERVICE else "pgcredits_api"
    hostile = {"timezone": "Pacific/Apia", "datestyle": "SQL, DMY", "intervalstyle": "sql_standard"}
    try:
        for name, value in hostile.items():
            admin.execute(f"alter role {login} set {name} = '{value}'")
        run(settings, work)
    finally:
        for name in hostile:
            admin.execute(f"alter role {login} reset {name}")


def test_the_weak_login_cannot_become_a_service(settings: Settings) -> None:
    async def work(database: Database) -> None:
        for role in ("service_role", "credits_owner", "pgcredits_service"):
            statement = Statement("select set_config('role', %s, true)", (role,))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await database.call(ME, statement, read_only=False)

    run(settings, work)


def test_an_error_at_commit_is_an_error(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    admin.execute("drop schema if exists commit_test cascade")
    admin.execute("create schema commit_test")
    admin.execute("create table commit_test.t (n integer)")
    admin.execute(
        "create function commit_test.refuse() returns trigger language plpgsql as"
        " $$begin raise exception using errcode = 'PT409', message = 'too late'; end$$"
    )
    admin.execute(
        "create constraint trigger refuse after insert on commit_test.t deferrable initially deferred"
        " for each row execute function commit_test.refuse()"
    )
    admin.execute(
        "grant usage on schema commit_test to authenticated;"
        " grant select, insert on commit_test.t to authenticated"
    )

    async def work(database: Database) -> None:
        for _ in range(3):
            with pytest.raises(psycopg.Error) as caught:
                await database.call(
                    ME, Statement("insert into commit_test.t values (1) returning n"), read_only=False
                )
            assert caught.value.sqlstate == "PT409"
        assert await database.call(ME, WHO, read_only=True) is not None

    try:
        run(replace(settings, pool_size=1), work)
        assert admin.execute("select count(*) from commit_test.t").fetchone() == (0,)
    finally:
        admin.execute("drop schema commit_test cascade")


def test_a_read_cannot_write(settings: Settings) -> None:
    async def work(database: Database) -> None:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await database.call(ME, Statement("create table api.x ()"), read_only=True)

    run(settings, work)


def test_cancelled_calls_leave_nothing_behind(settings: Settings) -> None:
    async def work(database: Database) -> None:
        for delay in (0.0, 0.001, 0.01, 0.05, 0.1, 0.2):
            task = asyncio.create_task(database.call(ME, SLEEP, read_only=False))  # type: ignore[arg-type]
            await asyncio.sleep(delay)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            row = await asyncio.wait_for(database.call(ANONYMOUS, WHO, read_only=True), 5)
            assert row is not None
            assert row[:2] == ("anon", '{"role":"anon"}')

    run(replace(settings, pool_size=1), work)


def test_an_exhausted_pool_says_so(settings: Settings) -> None:
    async def work(database: Database) -> None:
        task = asyncio.create_task(database.call(ME, SLEEP, read_only=True))  # type: ignore[arg-type]
        await asyncio.sleep(0.2)
        with pytest.raises(UnavailableError) as caught:
            await database.call(ME, WHO, read_only=True)
        assert not caught.value.unsure
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(replace(settings, pool_size=1, pool_timeout=0.3), work)


def test_after_all_connections_died_the_next_calls_work(settings: Settings) -> None:
    async def main() -> None:
        wire = Wire(settings.api_database_url)
        async with wire.through() as url:
            database = Database(replace(settings, api_database_url=url))
            async with database.opened():
                nap = Statement("select pg_sleep(0.1)")
                await asyncio.gather(*(database.call(ME, nap, read_only=True) for _ in range(4)))
                for read_only in (True, False):
                    wire.cut()
                    await asyncio.sleep(0.05)
                    for _ in range(6):
                        row = await asyncio.wait_for(database.call(ME, WHO, read_only=read_only), 2)
                        assert row is not None

    asyncio.run(main())


def test_call_on_a_dying_connection_is_unavailable(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    async def killed(database: Database, read_only: bool) -> Any:
        """A call whose backend is terminated while it runs."""
        statement = Statement("select pg_backend_pid(), pg_sleep(0.5)")
        task = asyncio.create_task(database.call(ME, statement, read_only=read_only))  # type: ignore[arg-type]
        await asyncio.sleep(0.2)
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where query like 'select pg_backend_pid(), pg_sleep%' and usename = 'pgcredits_api'"
        )
        return await task

    async def work(database: Database) -> None:
        assert await killed(database, True) is not None
        with pytest.raises(UnavailableError) as caught:
            await killed(database, False)
        assert caught.value.unsure

    run(settings, work)


def test_missing_database_is_unavailable(settings: Settings) -> None:
    async def work(database: Database) -> None:
        with pytest.raises(UnavailableError) as caught:
            await database.call(ME, WHO, read_only=True)
        assert not caught.value.unsure

    nowhere = "postgresql://pgcredits_api@127.0.0.1:1/nowhere"
    run(replace(settings, api_database_url=nowhere, pool_timeout=0.3), work)


def test_claims_are_json_for_the_database(settings: Settings) -> None:
    async def work(database: Database) -> None:
        claims = {"role": "authenticated", "sub": "ü'\"\\%s"}
        caller = Caller("authenticated", "x", json.dumps(claims))
        statement = Statement("select current_setting('request.jwt.claims')::jsonb ->> 'sub'")
        assert await database.call(caller, statement, read_only=True) == (claims["sub"],)

    run(settings, work)


def test_no_text_is_cut_off_at_a_nul(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    async def work(database: Database) -> None:
        for text in ("a\0b", "\0"):
            with pytest.raises(psycopg.DataError):
                await database.call(ME, Statement("select %s::text", (text,)), read_only=True)
        assert await database.call(ME, Statement("select %s::text", ("",)), read_only=True) == ("",)

    run(replace(settings, pool_size=1), work)
    gc.collect()
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not warnings  # nobody waited for the answer, and nobody is told that it was not read


def test_long_statements_are_not_kept(settings: Settings) -> None:
    async def work(database: Database) -> None:
        kept = _numbered.cache_info().currsize
        for number in range(8):  # as often as a statement that would be prepared
            text = f"select {number}, '{'a' * 20_000}'"
            assert await database.call(ME, Statement(text), read_only=True) is not None
        assert _numbered.cache_info().currsize <= kept + 4  # begin, identity, commit
        prepared = Statement("select count(*) from pg_prepared_statements where length(statement) > 10000")
        assert await database.call(ME, prepared, read_only=True) == (0,)

    run(replace(settings, pool_size=1), work)


def test_nothing_is_sent_after_the_end_of_a_call(settings: Settings) -> None:
    """After the end of a transaction, a pooler takes anything that comes for the next transaction."""

    async def main() -> None:
        wire = Wire(settings.api_database_url)
        async with wire.through() as url:
            database = Database(replace(settings, api_database_url=url, pool_size=1))
            async with database.opened():
                for _ in range(8):  # before and after psycopg begins to prepare
                    await database.call(ME, WHO, read_only=False)
                with pytest.raises(psycopg.errors.DivisionByZero):
                    await database.call(ME, Statement("select 1 / 0"), read_only=False)
        calls = re.findall("(?:P?BDE){4}S|PBDES|[^PBDES]", wire.messages())
        assert "".join(calls) == wire.messages()
        assert sum(call.endswith("S") for call in calls) == 9 + 1  # the refused call was rolled back
        assert "H" not in calls  # a Flush

    asyncio.run(main())


def test_calls_one_after_the_other_use_one_connection(settings: Settings) -> None:
    """The server process that worked last has its plans at hand. Taking turns would cost more."""

    async def work(database: Database) -> None:
        several = [database.call(replace(ME, subject=str(n)), NAP, read_only=True) for n in range(4)]
        await asyncio.gather(*several)
        rows = [await database.call(ME, WHO, read_only=True) for _ in range(8)]
        assert len({row[-1] for row in rows if row is not None}) == 1

    run(replace(settings, pool_size=4), work)


@pytest.mark.slow
def test_each_call_has_the_whole_time_for_its_answer(settings: Settings) -> None:
    """The timer of a connection was set for an earlier call, and rings in the middle of a later one."""

    async def work(database: Database) -> None:
        for _ in range(2):
            await database.call(ME, replace(SLEEP, sql="select pg_sleep(1.6)"), read_only=False)

    run(replace(settings, pool_size=1, answer_timeout=3), work)


@pytest.mark.slow
@pytest.mark.parametrize("read_only", [True, False])
def test_a_database_that_falls_silent_is_given_up(settings: Settings, read_only: bool) -> None:
    async def main() -> None:
        wire = Wire(settings.api_database_url)
        async with wire.through() as url:
            silent = replace(settings, api_database_url=url, pool_size=1, answer_timeout=0.5)
            database = Database(silent)
            async with database.opened():
                await database.call(ME, WHO, read_only=read_only)
                wire.silent = True
                with pytest.raises(UnavailableError) as caught:
                    await asyncio.wait_for(database.call(ME, WHO, read_only=read_only), 15)
                assert caught.value.unsure is not read_only
                wire.silent = False
                for _ in range(100):
                    try:
                        row = await database.call(ME, WHO, read_only=read_only)
                        break
                    except UnavailableError:
                        await asyncio.sleep(0.1)
                assert row is not None

    asyncio.run(main())
