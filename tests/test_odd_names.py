"""Logins, databases and folders with names that mean something to SQL, to URLs, to shells or to format()."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from callers import Connection
from psycopg import sql
from support import PASSWORD

from pgcredits.bank import audit
from pgcredits.bank.admin import connect
from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.maintenance import end_idle, maintain
from pgcredits.bank.migrate import LockedError, Options, roles, run
from pgcredits.database_urls import as_login, as_user, database_url
from pgcredits.local import logins, welcome
from pgcredits.local.instance import LOGINS, Instance, Running, shell_line

pytestmark = pytest.mark.one_version

ODD = "bänk \"50%\" of 'x' \\ $(id) `id` {0} %s;-- & #1"
SUPERUSER = "ädmin \"50%\" 'y' \\ $(id) %s;-- @home"


@pytest.fixture(scope="module")
def odd_url(admin_url: str) -> Iterator[str]:
    """An empty database of an odd name, by a superuser of an odd name and password."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        name, login = sql.Identifier(ODD), sql.Identifier(SUPERUSER)
        admin.execute(sql.SQL("create role {} superuser login password {}").format(login, sql.Literal(ODD)))
        admin.execute(sql.SQL("create database {} owner {}").format(name, login))
        yield database_url(admin.info.host, admin.info.port, ODD, SUPERUSER, ODD)
        admin.execute(sql.SQL("drop database {} with (force)").format(name))
        admin.execute(sql.SQL("reassign owned by {} to postgres").format(login))
        admin.execute(sql.SQL("drop owned by {}").format(login))
        admin.execute(sql.SQL("drop role {}").format(login))


@pytest.fixture(scope="module")
def odd(odd_url: str) -> Iterator[Connection]:
    roles.run(odd_url, False)
    run(odd_url, Options(harden=True))
    with psycopg.connect(odd_url, autocommit=True) as connection:
        yield connection


def test_every_command_takes_odd_names(odd: Connection, odd_url: str) -> None:
    run(odd_url, Options(harden=True, force=True))
    apply_catalog(odd_url, "iahome")
    roles.run(odd_url, True)
    with connect(odd_url, "test", autocommit=True) as connection:
        given = {
            f"PGCREDITS_{name.upper()}": as_login(odd_url, login, PASSWORD) for name, login in LOGINS.items()
        }
        urls = logins.urls(connection, odd_url, dict.fromkeys(LOGINS.values(), PASSWORD), given, frozenset())
    assert maintain(odd_url) == 0
    assert end_idle(odd_url, 60) == []
    # The cluster is that of all tests, whose logins keep their passwords.
    assert audit.sound(audit.run(odd_url)), [c for c in audit.run(odd_url) if c.rows]
    for url in urls.values():
        with psycopg.connect(url) as connection:
            assert connection.info.dbname == ODD


def test_lock_holder_is_named_exactly(odd: Connection, odd_url: str) -> None:
    with psycopg.connect(odd_url) as holder:
        holder.execute("lock table yoyo.migrating in access exclusive mode")
        with pytest.raises(LockedError) as caught:
            run(odd_url, Options(force=True, wait_seconds=3))
    assert f"login {SUPERUSER}" in str(caught.value)


@pytest.mark.parametrize("subject", ["ada", ODD, "tab\tand\nline", "日本 'x'"])
def test_a_shell_reads_what_is_printed(odd_url: str, subject: str, tmp_path: Path) -> None:
    """Lines for a person to copy, and lines for eval: a shell hands on each value as it is."""
    folder = tmp_path / "da ta '$(id)' \"x\""
    folder.mkdir()
    urls = {name: as_login(odd_url, login, ODD) for name, login in LOGINS.items()}
    running = Running(
        pid=1,
        api_url="http://127.0.0.1:8000/a'b;id&$(id)",
        simulator_url=None,
        jwt_secret="s" * 20 + "0123456789abcdef",
        database_url=odd_url,
        **urls,
    )
    instance = Instance(folder)
    instance.running = lambda: running  # type: ignore[method-assign]
    known = instance.environment(subject) | {"ODD": subject}
    lines = "\n".join(shell_line(name, value) for name, value in known.items())
    said = printed_by(f'eval "$1"\n{python_of(*known)}', lines)
    assert said == repr(list(known.values()))

    text = welcome.text(instance, running, folder, subject, secrets=True)
    commands = [line.strip() for line in text.splitlines() if line.startswith("  ")]
    (psql,) = [line for line in commands if line.endswith('"table api.balance"')]
    (curl,) = [line for line in commands if line.startswith("curl")]
    (eval_line,) = [line for line in commands if line.startswith("eval")]
    arguments = f"{sys.executable} -c 'import sys; print(sys.argv[1:])'"
    assert printed_by(f"{arguments} {psql.split(' ', 1)[1]}") == repr(
        [as_user(urls["api_database_url"], subject), "-c", "table api.balance"]
    )
    curl = curl.replace("$TOKEN", "TOKEN").split(" ", 1)[1]
    assert printed_by(f"{arguments} {curl}") == repr(
        ["-H", "Authorization: Bearer TOKEN", f"{running.api_url}/rest/v1/balance"]
    )
    inside = eval_line.removeprefix('eval "$(').removesuffix(')"').split(" env ", 1)[1]
    assert printed_by(f"{arguments} {inside}") == repr(["--data-dir", str(folder)])


def python_of(*names: str) -> str:
    """A shell line that prints the values of variables."""
    program = f'import os; print([os.environ[name] for name in "{" ".join(names)}".split()])'
    return f"export {' '.join(names)}\n{sys.executable} -c '{program}'"


def printed_by(script: str, *arguments: str) -> str:
    done = subprocess.run(
        ["bash", "-euc", script, "bash", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_another_encoding_of_the_environment_changes_no_text(
    odd: Connection, odd_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are UTF-8, whatever PGCLIENTENCODING says."""
    digest = "select md5(string_agg(definition, '' order by kind, name)) from credits.standing_objects()"
    before = odd.execute(digest).fetchone()
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    run(odd_url, Options(force=True))
    apply_catalog(odd_url, "iahome")
    monkeypatch.delenv("PGCLIENTENCODING")
    assert odd.execute(digest).fetchone() == before
    comments = "select description from pg_description where description ~ 'Ã|â€'"
    assert odd.execute(comments).fetchall() == []
