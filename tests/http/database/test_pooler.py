"""Behind a pooler that lends server connections for a transaction, no call becomes another one."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import grant, serving
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from support import free_port

from pgcredits.http.app import create_app
from pgcredits.http.database.pools import Database, Statement
from pgcredits.settings import Prepare, Settings
from pgcredits.tokens import SERVICE

pytestmark = pytest.mark.slow

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
PREPARED = Statement("select count(*) from pg_prepared_statements")


@asynccontextmanager
async def another_process_id(url: str) -> AsyncIterator[str]:
    """A proxy that says, as poolers do, a process id of its own."""
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
                    if header[:1] == b"K":  # BackendKeyData: process id and secret key
                        body = (int.from_bytes(body[:4]) ^ 1).to_bytes(4) + body[4:]
                    writer.write(header + body)
            except (asyncio.IncompleteReadError, ConnectionError):
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
        async with another_process_id(settings.service_database_url) as through_pooler:
            url = through_pooler if pooled else settings.service_database_url
            database = Database(replace(settings, service_database_url=url, pool_size=1, prepare=prepare))
            async with database.opened():
                for _ in range(8):  # psycopg prepares what it has seen five times
                    row = await database.call(SERVICE, PREPARED, read_only=True)
            assert row is not None
            assert (row[0] > 0) is prepared

    asyncio.run(main())


@pytest.fixture
def pgbouncer(settings: Settings) -> Iterator[Settings]:
    """The settings of an API behind a real PgBouncer in transaction mode."""
    assert PGBOUNCER is not None
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pgcredits-pooler-") as name:
        folder = Path(name)
        configuration = _configure(folder, settings.service_database_url, port)
        command = [PGBOUNCER, str(configuration)]
        if os.geteuid() == 0:  # it refuses to run as root
            command[1:1] = ["-u", "nobody"]
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, "nobody")
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            urls = {
                name: make_conninfo(getattr(settings, name), host="127.0.0.1", port=port)
                for name in ("api_database_url", "service_database_url")
            }
            _wait_for(urls["service_database_url"], process, folder / "pgbouncer.log")
            yield replace(settings, pool_size=1, **urls)
        finally:
            process.terminate()
            process.wait(10)


def _configure(folder: Path, url: str, port: int) -> Path:
    to = conninfo_to_dict(url)
    users = [f'"{login}" "{to["password"]}"' for login in ("pgcredits_api", "pgcredits_service")]
    (folder / "users.txt").write_text("\n".join(users))
    lines = [
        "[databases]",
        f"{to['dbname']} = host={to['host']} port={to['port']} password='{to['password']}'",
        "[pgbouncer]",
        "listen_addr = 127.0.0.1",
        f"listen_port = {port}",
        "unix_socket_dir =",
        "auth_type = plain",
        f"auth_file = {folder}/users.txt",
        f"logfile = {folder}/pgbouncer.log",
        "pool_mode = transaction",
        "default_pool_size = 1",
    ]
    (folder / "pgbouncer.ini").write_text("\n".join(lines))
    return folder / "pgbouncer.ini"


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError as error:
            said = log.read_text() if log.exists() else ""
            assert process.poll() is None and time.monotonic() < deadline, f"{error}\n{said}"
            time.sleep(0.05)


@pytest.mark.skipif(PGBOUNCER is None, reason="PgBouncer is not installed")
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
