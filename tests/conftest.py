"""One PostgreSQL for all tests, a migrated template in it, and a clone of that for each test.

`--pg=15` runs on Debian's PostgreSQL 15 instead of the embedded 18.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from pytest_postgresql import factories
from support import PASSWORD, VERIFIER, free_port, harden
from xdist.scheduler import LoadScopeScheduling

from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.migrate import Options, migrate
from pgcredits.database_urls import as_login, database_url
from pgcredits.local import embedded
from pgcredits.tokens import BACKENDS

Connection = psycopg.Connection[Any]
# Tables of tests are small: it takes longer to start a parallel worker than to read them.
ONE_PROCESS = {"max_parallel_workers_per_gather": "0"}
LOGINS = (
    "pgcredits_api",
    "pgcredits_service",
    "pgcredits_analyst",
    "pgcredits_auditor",
    "pgcredits_accountant",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--pg", type=int, default=18, help="major version of PostgreSQL: 18 (embedded) or Debian's"
    )
    parser.addoption("--prove", action="store_true", help="the long form of tests/reliability")
    parser.addoption(
        "--differential",
        action="store_true",
        help="compare with PostgREST and run its JavaScript clients: needs npm, and is not for CI",
    )
    parser.addoption(
        "--next",
        action="store_true",
        help="run the example of Next.js in a real Next.js: installs 400 MB with npm",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Servers and files of the tests are kept in memory where there is room, unless TMPDIR says where.

    On a second version, and in `make quick`, property tests try a quarter of their examples.

    No test uses TLS: each client of httpx, also in programs that tests start, reads one certificate.
    """
    os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "authority.pem")
    os.environ["RELIABILITY_SEED"] = os.environ.get("RELIABILITY_SEED") or str(secrets.randbits(32))
    hypothesis.settings.register_profile("few", max_examples=25)
    if config.getoption("--pg") != 18:
        hypothesis.settings.load_profile("few")
    memory = _in_memory()
    if memory and "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = tempfile.tempdir = str(memory)


def _in_memory() -> Path | None:
    """A folder in memory with room for a few servers, or None."""
    shared = Path("/dev/shm")
    return shared if shared.is_dir() and shutil.disk_usage(shared).free > 4 * 2**30 else None


# These take longest. A worker that began one of them last would be alone at the end.
FIRST = ("reliability", "upgrade", "demo", "local", "bench", "bank", "scenarios")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folders = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(folders).parts[0]
        return FIRST.index(folder) if folder in FIRST else len(FIRST)

    items.sort(key=place)


class Together(LoadScopeScheduling):
    """Tests go to workers one by one. Those of a file with the marker xdist_group stay together.

    pytest-xdist does this itself, but not beside pytest 9.2, which keeps the ids of tests elsewhere.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if _shares(self.config.rootpath / file) else nodeid


@cache
def _shares(file: Path) -> bool:
    return "mark.xdist_group(" in file.read_text()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together | None:
    return Together(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_report_header(config: pytest.Config) -> str:
    return f"PostgreSQL {config.getoption('--pg')}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what workers of pytest-xdist have said, because they have no terminal."""
    reports = [one for some in terminalreporter.stats.values() for one in some if hasattr(one, "when")]
    for report in reports:
        if report.when == "call":
            for name, text in report.user_properties:
                if name == "figures":
                    terminalreporter.write_line(text)


@dataclass(frozen=True)
class Cluster:
    """A running server, in the shape in which pytest-postgresql wants it."""

    port: int
    host: str = "127.0.0.1"
    user: str = "postgres"
    password: str = PASSWORD
    options: str = ""
    maintenance_dbname: str = "postgres"
    template_dbname: str = "template1"

    def url(self, dbname: str = "postgres") -> str:
        return database_url(self.host, self.port, dbname, self.user, self.password)


@pytest.fixture(scope="session")
def bin_dir(request: pytest.FixtureRequest) -> Path:
    """PostgreSQL's programs, of the version under test."""
    major = request.config.getoption("--pg")
    return embedded.find_binaries() if major == 18 else Path(f"/usr/lib/postgresql/{major}/bin")


@pytest.fixture(scope="session")
def cluster(bin_dir: Path) -> Iterator[Cluster]:
    """The server of this run; its folder is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pgcredits-tests-"))
    server = embedded.start(folder, free_port(), PASSWORD, bin_dir, ONE_PROCESS, say=lambda text: None)
    try:
        yield Cluster(server.port)
    finally:
        embedded.stop(server)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def maintainer(cluster: Cluster) -> Iterator[Connection]:
    """The superuser in a database of its own, from where it makes and drops the others."""
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute(f"alter role postgres password '{VERIFIER}'")
        yield connection


def _load(host: str, port: int, user: str, dbname: str, password: str, **_: Any) -> None:
    url = database_url(host, port, dbname, user, password)
    migrate(url, options=Options(harden=True))
    apply_catalog(url, "iahome")
    with psycopg.connect(url) as connection:
        for login in LOGINS:
            connection.execute(f"alter role {login} password '{VERIFIER}'")


loaded = factories.postgresql_noproc(depends_on="cluster", dbname="pgcredits_template", load=[_load])


@pytest.fixture(scope="session")
def template(loaded: Any) -> str:
    """The name of a migrated database with the prices of iahome. Nobody connects to it any more."""
    return str(loaded.template_dbname)


@contextmanager
def _migrated(maintainer: Connection, template: str, name: str) -> Iterator[None]:
    """A copy of the template. Copying its files takes half as long as writing each page into the log."""
    maintainer.execute(f"create database {name} template {template} strategy file_copy")
    try:
        harden(maintainer, name)
        yield
    finally:
        maintainer.execute(f"drop database if exists {name} with (force)")


@pytest.fixture
def db(cluster: Cluster, maintainer: Connection, template: str) -> Iterator[Connection]:
    """The superuser, in autocommit, on a new migrated database of this test, with the prices of iahome."""
    name = "pgcredits_tests"
    with (
        _migrated(maintainer, template, name),
        psycopg.connect(cluster.url(name), autocommit=True) as connection,
    ):
        yield connection


@pytest.fixture
def url(db: Connection, cluster: Cluster) -> str:
    """The superuser's URL of this test's own database."""
    return cluster.url(db.info.dbname)


@pytest.fixture
def empty_url(cluster: Cluster, maintainer: Connection) -> Iterator[str]:
    """A database with nothing in it."""
    maintainer.execute("create database pgcredits_empty")
    yield cluster.url("pgcredits_empty")
    maintainer.execute("drop database pgcredits_empty with (force)")


@pytest.fixture
def connect_as(url: str) -> Iterator[Callable[..., Connection]]:
    """connect_as(role, sub=None): a connection that acts as the HTTP API does, by the login of that role.

    A role that is a login (pgcredits_analyst) connects as itself. All in autocommit, closed after the test.
    """
    with ExitStack() as stack:

        def connect(role: str, sub: str | None = None) -> Connection:
            if role in LOGINS:
                return stack.enter_context(psycopg.connect(as_login(url, role, PASSWORD), autocommit=True))
            login = "pgcredits_service" if role in BACKENDS else "pgcredits_api"
            connection = psycopg.connect(as_login(url, login, PASSWORD), autocommit=True)
            claims = {"role": role} | ({"sub": sub} if sub is not None else {})
            for name, value in (("role", role), ("request.jwt.claims", json.dumps(claims))):
                connection.execute("select set_config(%s, %s, false)", (name, value))
            return stack.enter_context(connection)

        yield connect


@pytest.fixture(scope="session")
def admin_url(cluster: Cluster, maintainer: Connection, template: str) -> Iterator[str]:
    """A migrated database that all tests of the session share, as the superuser."""
    with _migrated(maintainer, template, "pgcredits_shared"):
        yield cluster.url("pgcredits_shared")


@pytest.fixture(scope="session")
def still_url(cluster: Cluster, maintainer: Connection, template: str) -> Iterator[str]:
    """A migrated database that stays empty: the tests that share it roll back what they do."""
    with _migrated(maintainer, template, "pgcredits_still"):
        yield cluster.url("pgcredits_still")


@pytest.fixture(scope="session")
def things_url(cluster: Cluster, maintainer: Connection, template: str) -> Iterator[str]:
    """A migrated database with views and functions of its own in `api`, for tests of the HTTP dialect."""
    with _migrated(maintainer, template, "pgcredits_things"):
        yield cluster.url("pgcredits_things")


@pytest.fixture(scope="module")
def own_url(cluster: Cluster, maintainer: Connection, template: str) -> Iterator[str]:
    """A migrated database that the tests of one module share, as the superuser."""
    with _migrated(maintainer, template, "pgcredits_own"):
        yield cluster.url("pgcredits_own")


@pytest.fixture(scope="session")
def api_url(admin_url: str) -> str:
    """The shared database as the API's login."""
    return as_login(admin_url, "pgcredits_api", PASSWORD)


@pytest.fixture(scope="session")
def service_url(admin_url: str) -> str:
    """The shared database as the service's login."""
    return as_login(admin_url, "pgcredits_service", PASSWORD)
