"""A dump on another server: with the roles made first, and without them (docs/restoring.md)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from callers import Caller, refused
from support import PASSWORD, free_port

from pgcredits.bank import audit
from pgcredits.bank.catalogs import apply_catalog
from pgcredits.bank.migrate import MigrationError, Options, migrate, roles
from pgcredits.database_urls import as_login, database_url
from pgcredits.local import embedded

pytestmark = pytest.mark.one_version

Connection = psycopg.Connection[Any]
LOGINS = ("pgcredits_api", "pgcredits_service")
WITH_FORCE = Options(force=True)


@pytest.fixture
def elsewhere(bin_dir: Path) -> Iterator[embedded.Server]:
    """A server on which nobody has heard of pgcredits."""
    folder = Path(tempfile.mkdtemp(prefix="pgcredits-elsewhere-"))
    server = embedded.start(folder, free_port(), PASSWORD, bin_dir, say=lambda text: None)
    try:
        yield server
    finally:
        embedded.stop(server)
        shutil.rmtree(folder)


@pytest.fixture
def dump(db: Connection, url: str, bin_dir: Path, tmp_path: Path) -> Path:
    """A dump of a bank in which Ada has 100 tokens and Bob 200."""
    bank = Caller(db, "none")
    bank.call("add_tokens", user_id="ada", tokens=100)
    bank.call("add_tokens", user_id="bob", tokens=200)
    file = tmp_path / "bank.sql"
    subprocess.run([bin_dir / "pg_dump", f"--dbname={url}", f"--file={file}"], check=True)
    return file


def restore(server: embedded.Server, bin_dir: Path, dump: Path) -> tuple[str, list[str]]:
    """The URL of a new database with the dump in it, and the errors of restoring it."""
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute("create database bank")
    url = server.url("bank")
    ran = subprocess.run(
        [bin_dir / "psql", "-X", "-q", f"--dbname={url}", f"--file={dump}"], capture_output=True, text=True
    )
    return url, [line for line in ran.stderr.splitlines() if "ERROR" in line]


def findings(url: str) -> dict[str, list[str]]:
    """What the audit finds, by check, as an auditor if the role exists."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select check_name, expected || ': ' || found from audit.findings"
        ).fetchall()
    found: dict[str, list[str]] = {}
    for check, text in rows:
        found.setdefault(check, []).append(text)
    return found


def trust_analyst(url: str) -> None:
    """A role has another oid on another server, so the analyst is named again there."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("select credits.trust_login('pgcredits_analyst')")


def serve_ada(url: str) -> None:
    """The restored bank works: a user spends her own tokens and sees her own rows, and nothing else."""
    with psycopg.connect(url, autocommit=True) as admin:
        for login in LOGINS:
            admin.execute(f"alter role {login} password '{PASSWORD}'")
    with psycopg.connect(as_login(url, "pgcredits_api", PASSWORD), autocommit=True) as api_login:
        ada = Caller(api_login, "authenticated", "ada")
        assert ada.call("consume_tokens", module_id="whisper")["balance"] == 75
        assert [row["user_id"] for row in ada.rows("select * from api.balance")] == ["ada"]
        with refused("not_yours"):
            ada.call("consume_tokens", module_id="whisper", user_id="bob")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ada.call("add_tokens", user_id="ada", tokens=5)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            api_login.execute("select * from credits.wallets")


def test_restored_after_the_roles_were_made_nothing_is_missing(
    elsewhere: embedded.Server, dump: Path, bin_dir: Path
) -> None:
    roles.run(elsewhere.url(), take_ownership=False)
    url, errors = restore(elsewhere, bin_dir, dump)
    assert errors == []
    # What no dump has: who may do what with the database itself.
    found = findings(url)
    assert set(found) - {"check_logins"} == {"check_access"}  # oids differ, or not
    assert {text.split(": ")[1] for text in found["check_access"]} == {
        "PUBLIC may CONNECT",
        "PUBLIC may TEMPORARY",
    }
    migrate(url)
    trust_analyst(url)
    assert findings(url) == {}
    assert audit.sound(audit.run(url))
    serve_ada(url)
    assert findings(url) == {}


def test_restored_without_the_roles_is_found_and_can_be_put_right(
    elsewhere: embedded.Server, dump: Path, bin_dir: Path
) -> None:
    url, errors = restore(elsewhere, bin_dir, dump)
    assert len(errors) > 500
    found = findings(url)
    access = found["check_access"]
    for text in (
        "schema api belongs to credits_owner: to postgres",
        "table credits.wallets belongs to credits_owner: to postgres",
        "function api.maintain(bigint,bigint) belongs to credits_owner: to postgres",
        "policy owner on credits.wallets: none, or another one",
        "a policy on credits.wallets for auditor, who may read it: none",
        "relation credits.credentials is for nobody but the roles that access.sql names",
    ):
        assert any(line.startswith(text) for line in access) or "credentials" in text, text
    assert "role credits_owner: no such role" in found["check_roles"]
    assert "role pgcredits_api: no such role" in found["check_roles"]
    assert not audit.sound(audit.run(url))
    # Nothing is built on it.
    with pytest.raises(MigrationError, match=r"belongs to postgres.*docs/restoring\.md"):
        migrate(url)

    roles.run(url, take_ownership=True)
    assert "check_roles" not in findings(url)
    migrate(url, options=WITH_FORCE)
    trust_analyst(url)
    assert findings(url) == {}
    serve_ada(url)
    assert findings(url) == {}


def test_roles_are_made_once_and_keep_what_an_operator_sets(elsewhere: embedded.Server) -> None:
    roles.run(elsewhere.url(), take_ownership=False)
    query = (
        "select r.rolname, r.rolcanlogin, r.rolinherit, r.rolconnlimit, s.setconfig from pg_roles as r"
        " left join pg_db_role_setting as s on s.setrole = r.oid where r.rolname !~ '^pg_' order by 1"
    )
    with psycopg.connect(elsewhere.url(), autocommit=True) as admin:
        made = admin.execute(query).fetchall()
        assert len(made) == 16
        roles.run(elsewhere.url(), take_ownership=False)
        assert admin.execute(query).fetchall() == made
        admin.execute("alter role pgcredits_analyst set statement_timeout = '1min'")
        admin.execute("alter role pgcredits_api reset lock_timeout")
        admin.execute("drop role pgcredits_auditor, support")
        roles.run(elsewhere.url(), take_ownership=False)
        again = {row[0]: row[4] for row in admin.execute(query).fetchall()}
        assert len(again) == 16
        assert "statement_timeout=1min" in again["pgcredits_analyst"]
        assert "lock_timeout=2s" in again["pgcredits_api"]


def test_a_prepared_transaction_is_found(elsewhere: embedded.Server, bin_dir: Path) -> None:
    """It keeps its locks although its session is gone. By default PostgreSQL allows none."""
    with psycopg.connect(elsewhere.url(), autocommit=True) as admin:
        admin.execute("alter system set max_prepared_transactions = 2")
    embedded.stop(elsewhere)
    server = embedded.start(elsewhere.pgdata.parent, elsewhere.port, PASSWORD, bin_dir, say=lambda text: None)
    try:
        url = database_url("127.0.0.1", server.port, "postgres", "postgres", PASSWORD)
        migrate(url)
        apply_catalog(url, "iahome")
        assert findings(url) == {}
        with psycopg.connect(url, autocommit=True) as admin:
            Caller(admin, "none").call("add_tokens", user_id="ada", tokens=100)
            admin.execute("begin")
            admin.execute("select api.consume_tokens('whisper', user_id => 'ada')")
            admin.execute("prepare transaction 'forgotten'")
        (text,) = findings(url)["check_settings"]
        assert "forgotten of postgres" in text
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("rollback prepared 'forgotten'")
        assert findings(url) == {}
    finally:
        embedded.stop(server)
