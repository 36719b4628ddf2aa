"""Behind a pooler that lends server connections for a transaction, no call becomes another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from typing import Any

import httpx
import pytest
from http_calls import grant, serving
from pgbouncer import MISSING, PROGRAM, PgBouncer
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgcredits.http.app import create_app
from pgcredits.http.database.pools import Database, Statement, UnavailableError
from pgcredits.settings import Prepare, Settings
from pgcredits.tokens import SERVICE

pytestmark = [pytest.mark.slow, pytest.mark.one_version]

LOGINS = ("pgcredits_api", "pgcredits_service")
PREPARED = Statement("select count(*) from pg_prepared_statements")


Change = Callable[[bytes, bytes], tuple[bytes, bool]]  # of a message; True if it is the last one


@asynccontextmanager
async def proxy(url: str, change: Change) -> AsyncIterator[str]:
    """Changes what PostgreSQL says, as poolers do. `change` is given the type and the body of a message."""
    to = conninfo_to_dict(url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = str(to.get("host", "127.0.0.1")), int(str(to.get("port", 5432)))
        if host.startswith("/"):
            there, back = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            there, back = await asyncio.open_connection(host, port)

        async def answers() -> None:
            try:
                while True:
                    header = await there.readexactly(5)
                    body = await there.readexactly(int.from_bytes(header[1:]) - 4)
                    message, last = change(header[:1], body)
                    writer.write(message)
                    if last:
                        break
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            writer.close()

        async def questions() -> None:
            while data := await reader.read(65536):
                back.write(data)
            back.close()

        await asyncio.gather(answers(), questions(), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        options = {**to, "host": "127.0.0.1", "port": port, "hostaddr": None, "sslmode": "disable"}
        yield make_conninfo("", **options)


def message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4) + body


def another_process_id(kind: bytes, body: bytes) -> tuple[bytes, bool]:
    if kind == b"K":  # BackendKeyData: process id and secret key
        body = (int.from_bytes(body[:4]) ^ 1).to_bytes(4) + body[4:]
    return message(kind, body), False


@pytest.mark.parametrize(
    ("pooled", "prepare", "prepared"),
    [
        (False, "auto", True),
        (True, "auto", False),
        (True, "on", True),
        (False, "off", False),
    ],
)
def test_prepared_statements_are_for_connections_of_our_own(
    settings: Settings, pooled: bool, prepare: Prepare, prepared: bool
) -> None:
    async def main() -> None:
        async with proxy(settings.service_database_url, another_process_id) as through_pooler:
            url = through_pooler if pooled else settings.service_database_url
            database = Database(replace(settings, service_database_url=url, pool_size=1, prepare=prepare))
            async with database.opened():
                for _ in range(8):  # psycopg prepares what it has seen five times
                    row = await database.call(SERVICE, PREPARED, read_only=True)
            assert row is not None
            assert (row[0] > 0) is prepared

    asyncio.run(main())


CRASHED = b"SFATAL\0C08P01\0Mserver conn crashed?\0\0"  # PgBouncer's words


@pytest.mark.parametrize("after", [b"BEGIN\0", b"COMMIT\0"])
def test_a_server_that_is_gone_by_the_word_of_a_pooler_leaves_the_outcome_unknown(
    settings: Settings, after: bytes
) -> None:
    """PostgreSQL may have committed. The pooler speaks instead of its first answer, or of its last one."""
    withheld = False

    def crashed(kind: bytes, body: bytes) -> tuple[bytes, bool]:
        nonlocal withheld
        withheld = withheld or (kind == b"C" and body == after)
        if kind == b"C" and body == b"COMMIT\0":
            return message(b"E", CRASHED), True
        return b"" if withheld else message(kind, body), False

    async def main() -> None:
        async with proxy(settings.service_database_url, crashed) as url:
            database = Database(replace(settings, service_database_url=url, pool_size=1))
            async with database.opened():
                with pytest.raises(UnavailableError) as caught:
                    await database.call(SERVICE, PREPARED, read_only=False)
        assert caught.value.unsure

    asyncio.run(main())


@pytest.fixture
def pgbouncer(settings: Settings) -> Iterator[Settings]:
    """The settings of an API behind a real PgBouncer in transaction mode."""
    with closing(PgBouncer(settings.service_database_url, LOGINS, pool_size=1)) as pooler:
        yield replace(
            settings,
            pool_size=1,
            api_database_url=pooler.through(settings.api_database_url),
            service_database_url=pooler.through(settings.service_database_url),
        )


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
def test_a_hold_stays_a_hold_behind_pgbouncer(
    pgbouncer: Settings, client: httpx.Client, service: dict[str, str], user: Any
) -> None:
    grant(client, service, user, 10_000)
    with serving(create_app(pgbouncer)) as one, serving(create_app(pgbouncer)) as two:
        arguments = {"module_id": "whisper", "user_id": user.user_id}
        answers = []
        with httpx.Client(headers=service, timeout=20) as http:
            for _ in range(12):
                for base, name, member in (
                    (one, "hold_tokens", "hold_id"),
                    (two, "consume_tokens", "entry_id"),
                ):
                    answer = http.post(f"{base}/rest/v1/rpc/{name}", json=arguments)
                    answers.append((name, answer.status_code, member in answer.json()))
    assert answers == [("hold_tokens", 200, True), ("consume_tokens", 200, True)] * 12
