"""`up` leaves a bank alone that belongs to another folder, or that has real money."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from callers import Connection
from support import PASSWORD, free_port

from pgcredits.database_urls import as_login
from pgcredits.local import logins, ownership
from pgcredits.local.instance import LOGINS

pytestmark = pytest.mark.one_version

LIVE = (
    "insert into credits.stripe_events (event_id, bucket, type, object_id, livemode, payload)"
    " values ('evt_live', 0, 'charge.succeeded', 'ch_1', true, '{}')"
)

TEST_PURCHASE = (
    "insert into credits.stripe_events (event_id, bucket, type, object_id, livemode, outcome, payload)"
    " values ('evt_test', 0, 'checkout.session.completed', 'cs_1', false, 'granted', '{}')"
)


def up(folder: Path, url: str, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`pgcredits up` on a database, expected to refuse."""
    ours = ("STRIPE_", "PGCREDITS_", "DATABASE_URL")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    ports = ["--port", str(free_port()), "--simulator-port", str(free_port())]
    return subprocess.run(
        [sys.executable, "-m", "pgcredits.cli", "up", "--data-dir", str(folder), *ports, *words],
        env=environment | {"PGCREDITS_DATABASE_URL": url} | environ,
        capture_output=True,
        text=True,
        timeout=90,
    )


def state_of(db: Connection) -> list[tuple[object, ...]]:
    """Everything that a refused start could have changed."""
    return db.execute(
        "select s.test_clocks, s.instance_id, (select string_agg(a.rolpassword, ',' order by a.rolname)"
        " from pg_authid as a where a.rolname like 'pgcredits%') from credits.settings as s"
    ).fetchall()


def test_another_folder_is_refused_and_nothing_has_changed(db: Connection, url: str, tmp_path: Path) -> None:
    before = state_of(db)
    done = up(tmp_path / "other", url)
    assert done.returncode == 1
    assert f"database {db.info.dbname}" in done.stdout, "it says which server and database it uses"
    assert "--adopt" in done.stderr
    assert state_of(db) == before


def test_the_simulator_does_not_start_where_real_money_is(db: Connection, url: str, tmp_path: Path) -> None:
    db.execute(LIVE)
    before = state_of(db)
    for words in ((), ("--adopt",)):
        done = up(tmp_path / "other", url, *words)
        assert done.returncode == 1
        assert "STRIPE_SECRET_KEY" in done.stderr
    assert state_of(db) == before


def test_a_test_key_does_not_start_where_real_money_is(db: Connection, url: str, tmp_path: Path) -> None:
    db.execute("select credits.accept_stripe_livemode(true)")
    db.execute(LIVE)
    ownership.record(db, tmp_path)
    before = state_of(db)
    for key in ("sk_test_x", "rk_test_x"):
        for words in ((), ("--adopt",)):
            done = up(tmp_path, url, *words, STRIPE_SECRET_KEY=key)
            assert done.returncode == 1
            assert "real money" in done.stderr and "live key" in done.stderr
    assert state_of(db) == before
    assert db.execute("select s.stripe_livemode from credits.settings as s").fetchone() == (True,)
    bank = ownership.look(db)
    ownership.check(bank, tmp_path, adopt=False, embedded=False, simulated=False, live=True)
    with pytest.raises(ownership.OwnershipError, match="live key"):
        ownership.check(bank, tmp_path, adopt=True, embedded=True, simulated=False, live=False)


def test_a_live_key_does_not_start_where_tokens_of_test_mode_are(
    db: Connection, url: str, tmp_path: Path
) -> None:
    db.execute(TEST_PURCHASE)
    ownership.record(db, tmp_path)
    before = state_of(db)
    for words in ((), ("--adopt",)):
        done = up(tmp_path, url, *words, STRIPE_SECRET_KEY="sk_live_x")
        assert done.returncode == 1
        assert "test mode" in done.stderr and "another data folder" in done.stderr
    assert state_of(db) == before
    how = {"adopt": False, "embedded": False}
    ownership.check(ownership.look(db), tmp_path, **how, simulated=True)
    ownership.check(ownership.look(db), tmp_path, **how, simulated=False, live=False)
    db.execute(LIVE)  # a bank that is in use already
    ownership.check(ownership.look(db), tmp_path, **how, simulated=False, live=True)


def test_a_live_key_starts_where_test_events_have_granted_nothing(db: Connection, tmp_path: Path) -> None:
    db.execute(TEST_PURCHASE)
    db.execute("update credits.stripe_events set outcome = 'expired'")
    ownership.record(db, tmp_path)
    bank = ownership.look(db)
    ownership.check(bank, tmp_path, adopt=False, embedded=False, simulated=False, live=True)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("STRIPE_SECRET_KEY", " "), ("STRIPE_SECRET_KEY", "pk_live_x"), ("STRIPE_WEBHOOK_SECRET", "x")],
)
def test_bad_stripe_key_is_refused_before_the_bank_is_touched(
    variable: str, value: str, empty_url: str, tmp_path: Path
) -> None:
    done = up(tmp_path, empty_url, **{"STRIPE_SECRET_KEY": "sk_test_x", variable: value})
    assert done.returncode == 1
    assert variable in done.stderr and "Traceback" not in done.stderr
    with psycopg.connect(empty_url) as connection:
        assert not ownership.look(connection).exists


def test_test_clocks_are_not_allowed_where_real_money_is(db: Connection) -> None:
    db.execute("select credits.allow_test_clocks(true)")
    assert db.execute("select * from audit.check_settings").fetchall() == []
    db.execute(LIVE)
    assert "real money" in str(db.execute("select expected from audit.check_settings").fetchall())
    db.execute("select credits.allow_test_clocks(false)")
    with pytest.raises(psycopg.Error) as refusal:
        db.execute("select credits.allow_test_clocks(true)")
    assert refusal.value.sqlstate == "PT403"
    assert db.execute("select test_clocks from credits.settings").fetchone() == (False,)


def test_an_adopted_bank_keeps_the_passwords_that_others_set(
    db: Connection, url: str, tmp_path: Path
) -> None:
    before = state_of(db)
    done = up(tmp_path / "other", url, "--adopt")
    assert done.returncode == 1
    assert "PGCREDITS_API_DATABASE_URL" in done.stderr
    assert state_of(db)[0][1:] == before[0][1:]


def test_a_folder_remembers_its_bank(db: Connection, tmp_path: Path) -> None:
    bank = ownership.look(db)
    (own := tmp_path / "own").mkdir()
    (other := tmp_path / "other").mkdir()

    def check(folder: Path, **how: bool) -> None:
        asked = {"adopt": False, "embedded": False, "simulated": True} | how
        ownership.check(bank, folder, **asked)

    with pytest.raises(ownership.OwnershipError, match="--adopt"):
        check(own)
    ownership.record(db, own)
    check(own)
    (other / "bank.json").write_text(f'{{"instance_id": "{uuid4()}"}}')
    for unreadable in (None, "", "[]", '{"instance_id": 1}'):
        if unreadable is not None:
            (other / "bank.json").write_text(unreadable)
        with pytest.raises(ownership.OwnershipError):
            check(other)
    check(other, adopt=True)
    check(other, embedded=True)


def test_empty_database_may_be_taken(empty_url: str, tmp_path: Path) -> None:
    with psycopg.connect(empty_url, autocommit=True) as connection:
        bank = ownership.look(connection)
        assert (bank.exists, bank.instance_id, bank.live_events) == (False, None, False)
        ownership.check(bank, tmp_path, adopt=False, embedded=False, simulated=True)
        ownership.record(connection, tmp_path)
        assert ownership.recorded(tmp_path) is None


def test_banks_have_different_names(db: Connection, empty_url: str, migrated: Callable[[str], None]) -> None:
    migrated(empty_url)
    with psycopg.connect(empty_url, autocommit=True) as other:
        assert ownership.instance_id(other) not in (None, ownership.instance_id(db))


@pytest.fixture
def migrated() -> Callable[[str], None]:
    from pgcredits.bank.migrate import migrate

    return lambda url: migrate(url) and None


ALL = frozenset(LOGINS.values())


def passwords_of(value: str) -> dict[str, str]:
    return dict.fromkeys(LOGINS.values(), value)


def test_a_password_of_our_own_is_kept(db: Connection, url: str) -> None:
    before = state_of(db)
    urls = logins.urls(db, url, passwords_of(PASSWORD), {}, ALL)
    assert set(urls) == set(LOGINS)
    for found in urls.values():
        psycopg.connect(found).close()
    assert state_of(db) == before


def test_a_password_of_somebody_else_is_not_changed(db: Connection, url: str) -> None:
    before = state_of(db)
    with pytest.raises(logins.LoginError, match=r"PGCREDITS_API_DATABASE_URL.*password null"):
        logins.urls(db, url, passwords_of("another"), {}, ALL)
    given = {f"PGCREDITS_{name.upper()}": as_login(url, login, PASSWORD) for name, login in LOGINS.items()}
    urls = logins.urls(db, url, passwords_of("another"), given, ALL)
    assert urls["auditor_url"] == given["PGCREDITS_AUDITOR_URL"]
    assert state_of(db) == before


def test_a_login_without_a_password_gets_one(db: Connection, url: str) -> None:
    with db.transaction(force_rollback=True):
        for login in LOGINS.values():
            db.execute(f"alter role {login} password null".encode())
        logins.urls(db, url, passwords_of("fresh"), {}, ALL)
        row = db.execute(
            "select count(*) from pg_authid"
            " where rolname like 'pgcredits%' and rolpassword like 'SCRAM-SHA-256$%'"
        ).fetchone()
        assert row == (len(LOGINS),)
