"""A server with the roles, grants and event triggers of a Supabase project: platform.sql.

It is a server of its own, because roles belong to the server, and postgres is not a superuser there.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from supabase_project import PLATFORM, Server, address, copy_of, platform, push
from support import PASSWORD, free_port

from pgcredits.database_urls import as_login, database_url
from pgcredits.local import embedded
from pgcredits.supabase import Options, write_files

LOGINS = ("postgres", "authenticator", "supabase_auth_admin", "supabase_storage_admin")
EMPTY, BANK = "supabase_empty", "supabase_bank"  # templates: a project without a bank, and one with it
# What a project may have said about every new object of its own, in all schemas.
GENEROUS = "alter default privileges for role postgres grant all on {} to anon, authenticated, service_role"


@pytest.fixture(scope="session")
def supabase(bin_dir: Path) -> Iterator[Server]:
    """The server, and in it the template of a project."""
    folder = Path(tempfile.mkdtemp(prefix="pgcredits-supabase-"))
    running = embedded.start(folder, free_port(), PASSWORD, bin_dir, say=lambda text: None)
    try:
        _rename_the_superuser(running.port)
        with psycopg.connect(address(running.port, "supabase_admin", "template1"), autocommit=True) as admin:
            admin.execute(f"create database {EMPTY}")
        with psycopg.connect(address(running.port, "supabase_admin", EMPTY), autocommit=True) as admin:
            admin.execute(PLATFORM.read_bytes())
            for login in LOGINS:
                admin.execute(f"alter role {login} password '{PASSWORD}'")
            # The login that the Supabase CLI gets for a push.
            admin.execute(f"create role cli_login_postgres login noinherit password '{PASSWORD}'")
            admin.execute("grant postgres to cli_login_postgres")
        with psycopg.connect(address(running.port, "postgres", EMPTY), autocommit=True) as postgres:
            for kind in ("tables", "sequences", "functions", "types", "schemas"):
                postgres.execute(GENEROUS.format(kind).encode())
        with copy_of(running.port, EMPTY, "supabase_before") as url:
            before = platform(running.port, url)
        yield Server(running.port, before)
    finally:
        embedded.stop(running)
        shutil.rmtree(folder)


def _rename_the_superuser(port: int) -> None:
    """The first superuser is called supabase_admin there. Nobody can rename the role of an open session."""
    first = database_url("127.0.0.1", port, "template1", "postgres", PASSWORD)
    with psycopg.connect(first, autocommit=True) as admin:
        admin.execute(f"create role renaming superuser login password '{PASSWORD}'")
    with psycopg.connect(as_login(first, "renaming", PASSWORD), autocommit=True) as admin:
        admin.execute("alter role postgres rename to supabase_admin")
    with psycopg.connect(as_login(first, "supabase_admin", PASSWORD), autocommit=True) as admin:
        admin.execute("drop role renaming")


@pytest.fixture
def empty_project(supabase: Server) -> Iterator[str]:
    """The database of a project without a bank, as postgres."""
    with copy_of(supabase.port, EMPTY, "supabase_empty_project") as url:
        yield url


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project in which `pgcredits supabase init` has written its files."""
    folder = tmp_path_factory.mktemp("project") / "supabase"
    folder.mkdir()
    (folder / "config.toml").write_text('project_id = "shop"\n\n[api]\nschemas = ["public"]\n')
    write_files(Options(folder, "imagegen"), say=lambda text: None)
    return folder


@pytest.fixture(scope="session")
def files(folder: Path) -> list[Path]:
    """The migrations, in the order of their numbers: that of the bank, and that of the price list."""
    return sorted((folder / "migrations").iterdir())


@pytest.fixture(scope="session")
def bank_template(supabase: Server, files: list[Path]) -> Iterator[str]:
    """The name of a database to which the files of a project were pushed."""
    with copy_of(supabase.port, EMPTY, BANK) as url:
        push(url, *files)
        yield BANK


@pytest.fixture
def project(supabase: Server, bank_template: str) -> Iterator[str]:
    """The database of a project with a bank and the price list imagegen, as postgres."""
    with copy_of(supabase.port, bank_template, "supabase_project") as url:
        yield url
