"""A bank for one run: a PostgreSQL 18 in a temporary folder, migrated, with accounts that have tokens."""

from __future__ import annotations

import secrets
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.migrate import migrate
from pgcredits.local import embedded

HERE = Path(__file__).parent
DATABASE = "pgcredits"
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Login:
    """Who connects, and the role that the session takes."""

    user: str
    password: str
    role: str


@dataclass(frozen=True, slots=True)
class Bank:
    url: str  # of the superuser
    port: int
    programs: Path  # pgbench and its like
    service: Login  # as the product's API connects for a service
    client: Login  # may write the tables, for the peers that do without functions
    accounts: int

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A session of the superuser, in autocommit."""
        return psycopg.connect(self.url, autocommit=True)

    def serve(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A session of the API's login for services, in autocommit."""
        login = self.service
        return psycopg.connect(
            host=HOST, port=self.port, dbname=DATABASE, user=login.user, password=login.password,
            options=f"-c role={login.role}", autocommit=True,
        )  # fmt: skip


@contextmanager
def opened(accounts: int, say: Callable[[str], None]) -> Iterator[Bank]:
    """A bank with users user-1 … user-N, gone afterwards. PostgreSQL has the settings it comes with."""
    with tempfile.TemporaryDirectory(prefix="pgcredits-bench-") as folder:
        say("starting PostgreSQL")
        server = embedded.start(Path(folder), _free_port(), secrets.token_urlsafe(), say=lambda text: None)
        try:
            with psycopg.connect(server.url(), autocommit=True) as admin:
                admin.execute(f"create database {DATABASE}".encode())
            say(f"opening {accounts} accounts")
            url = server.url(DATABASE)
            migrate(url)
            apply_catalog(url, "iahome")
            service = Login("pgcredits_service", secrets.token_urlsafe(), "service_role")
            client = Login("bench_client", secrets.token_urlsafe(), "credits_owner")
            bank = Bank(url, server.port, embedded.find_binaries(), service, client, accounts)
            _furnish(bank)
            yield bank
        finally:
            embedded.stop(server)


def _furnish(bank: Bank) -> None:
    with bank.connect() as admin:
        admin.execute((HERE / "setup.sql").read_bytes())
        for login in (bank.service, bank.client):
            admin.execute(f"alter role {login.user} password '{login.password}'".encode())
        admin.execute("call bare.open_accounts(%s)", (bank.accounts,))
        admin.execute("vacuum (analyze)")
        admin.execute("checkpoint")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
