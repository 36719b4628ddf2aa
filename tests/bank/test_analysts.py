"""`pgcredits analyst`: a login for each person who counts, made, listed and removed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest
from callers import Caller, Connection
from click.testing import CliRunner, Result
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgcredits.bank import analysts
from pgcredits.cli import main

pytestmark = pytest.mark.one_version

FIGURE = "select sum(accounts) from analytics.purchase_conversion"
ODD = ('o\'hara "the q"', "Zoë; drop role analyst", "%s %(a)s {}", "--remove", "carla smith", "x" * 63)


@pytest.fixture(scope="module")
def bank(own_url: str) -> Iterator[Connection]:
    """Three accounts: two of schools, one of shops. Ada signs in here, so her address is known."""
    with psycopg.connect(own_url, autocommit=True) as connection:
        desk = Caller(connection, "none")
        desk.call("sign_up", email="ada@example.com", password_hash="$argon2id$of-a-test")
        for user_id in ("bob", "eve"):
            desk.call("open_account", user_id=user_id)
        connection.execute("update credits.accounts set segment = 'schools'")
        connection.execute(
            "update credits.accounts set segment = 'shops' where account_id ="
            " (select account_id from credits.identities where subject = 'eve')"
        )
        yield connection


@pytest.fixture
def analyst(own_url: str, bank: Connection) -> Iterator[Callable[..., Result]]:
    """analyst(*arguments, **variables): what the command answers. Its logins are gone after the test."""

    def run(*arguments: str, input: str | None = None, **variables: str) -> Result:
        env = {"PGCREDITS_DATABASE_URL": own_url, "PGCREDITS_LOGIN_PASSWORD": ""} | variables
        return CliRunner().invoke(main, ["analyst", *arguments], env=env, input=input)

    yield run
    for row in analysts.listed(own_url):
        if row.login != "pgcredits_analyst":
            assert analysts.remove(own_url, row.login).left == []


def signed_in(url: str, login: str, password: str) -> Connection:
    return psycopg.connect(make_conninfo(url, user=login, password=password), autocommit=True)


def one(connection: Connection, query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def findings(bank: Connection) -> list[tuple[object, ...]]:
    return bank.execute("select * from audit.findings").fetchall()


def test_analyst_counts_its_segments_within_bounds_until_removed(
    analyst: Callable[..., Result], own_url: str, bank: Connection
) -> None:
    made = analyst("add", "carla", "--segment", "schools", "--connections", "2")
    assert made.exit_code == 0, made.output
    password = made.stdout.strip()
    assert "segments schools: 2 account(s) now, without persons" in made.stderr
    assert "warning" not in made.stderr
    address = made.stderr.rpartition("connect to ")[2].split()[0]
    assert (conninfo_to_dict(address)["user"], "password" in conninfo_to_dict(address)) == ("carla", False)
    assert password not in made.stderr
    with ExitStack() as stack:
        carla = stack.enter_context(signed_in(own_url, "carla", password))
        assert one(carla, FIGURE) == 2
        assert one(carla, "select count(*) from analytics.people") == 0
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            carla.execute("create table public.mine (a int)")
        assert one(carla, "show statement_timeout") == "5min"
        assert one(carla, "show lock_timeout") == "5s"
        assert one(carla, "show idle_in_transaction_session_timeout") == "1min"
        assert one(carla, "show transaction_timeout") == "10min"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            carla.execute("set temp_file_limit = -1")
        stack.enter_context(signed_in(own_url, "carla", password))
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            signed_in(own_url, "carla", password)
        assert findings(bank) == []

        # An analyst may change its own settings, which the audit finds and `add` puts right.
        carla.execute("set default_transaction_read_only = off")
        carla.execute("alter role carla set statement_timeout = 0")
        carla.execute(f"alter role carla in database {carla.info.dbname} set lock_timeout = 0")
        assert {name for name, *_ in findings(bank)} == {"check_settings"}
        again = analyst("add", "carla", "--all", "--personal-data")
        assert (again.exit_code, again.stdout) == (0, ""), again.output
        assert "every account: 3 account(s) now, and reads which users they are" in again.stderr
        assert "its password is as before" in again.stderr
        assert findings(bank) == []
        assert one(carla, FIGURE) == 3
        listed = analyst("list").stdout
        assert "carla  all, with persons  active, 2 session(s), since " in listed
        assert re.search(rf"^carla .* by {re.escape(str(one(bank, 'select session_user')))}$", listed, re.M)
        assert "pgcredits_analyst  all, without persons" in listed
        assert password not in listed

        gone = analyst("remove", "carla")
        assert (gone.exit_code, gone.stdout) == (0, "carla counts nothing any more; 2 session(s) ended\n")
        with pytest.raises(psycopg.OperationalError):
            carla.execute("select 1")
    assert one(bank, "select count(*) from pg_roles where rolname = 'carla'") == 0
    assert one(bank, "select count(*) from credits.analyst_grants where login = 'carla'") == 0
    again = analyst("remove", "carla")
    assert (again.exit_code, again.stdout) == (0, "carla was no analyst of this bank\n")
    assert findings(bank) == []


def test_segment_without_accounts_is_added_with_a_warning(
    analyst: Callable[..., Result], bank: Connection
) -> None:
    made = analyst("add", "carla", "--segment", "school", "--segment", "schools", "--segment", "School")
    assert made.exit_code == 0, made.output
    warned = re.findall(r"^warning: no account has the segment (\S+) now", made.stderr, re.M)
    assert sorted(warned) == ["School", "school"]
    assert one(bank, "select count(*) from credits.analyst_grants where login = 'carla'") == 3


def test_analyst_knows_only_persons_of_its_own_grant(
    analyst: Callable[..., Result], own_url: str, bank: Connection
) -> None:
    password = analyst("add", "carla", "--segment", "schools", "--personal-data").stdout.strip()
    people = 'select user_id, email from analytics.people order by user_id collate "C"'
    with signed_in(own_url, "carla", password) as carla:
        rows = carla.execute(people.encode()).fetchall()
        assert ("bob", None) in rows
        assert [email for _, email in rows if email] == ["ada@example.com"]
        assert len(rows) == 2
        for reading in ("subject from credits.identities", "credits.analyst_email('eve')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                carla.execute(f"select {reading}".encode())
        # A claim changes nothing, and neither does a role.
        carla.execute("select set_config('request.jwt.claims', '{\"sub\": \"eve\"}', false)")
        carla.execute("set role analyst")
        assert carla.execute(people.encode()).fetchall() == rows
    for role in ("anon", "authenticated", "spender", "support", "service_role", "auditor"):
        with bank.transaction(force_rollback=True), pytest.raises(psycopg.errors.InsufficientPrivilege):
            bank.execute(f"set local role {role}".encode())
            bank.execute(people.encode())
    # The function checks its caller itself: who may call it reads no other address.
    bank.execute("grant usage on schema credits to analyst")
    bank.execute(
        "update credits.accounts set segment = 'shops' where account_id in"
        " (select account_id from credits.identities join credits.credentials using (subject))"
    )
    with signed_in(own_url, "carla", password) as carla:
        addresses = "select count(credits.analyst_email(subject)) from credits.identities"
        assert one(carla, addresses) == 0
        subject = one(bank, "select subject from credits.credentials")
        assert one(carla, f"select credits.analyst_email('{subject}')") is None
    bank.execute("revoke usage on schema credits from analyst")
    bank.execute("update credits.accounts set segment = 'schools' where segment = 'shops'")
    bank.execute(
        "update credits.accounts set segment = 'shops' where account_id ="
        " (select account_id from credits.identities where subject = 'eve')"
    )


@pytest.mark.parametrize("name", ODD)
def test_login_may_have_any_name(analyst: Callable[..., Result], own_url: str, name: str) -> None:
    password = "p@ss:/?#[]%& '\"\\$ ä"
    made = analyst("add", "--all", "--", name, PGCREDITS_LOGIN_PASSWORD=password)
    assert (made.exit_code, made.stdout) == (0, ""), made.output
    assert password not in made.output
    with signed_in(own_url, name, password) as connection:
        assert one(connection, FIGURE) == 3
    assert analyst("remove", "--", name).exit_code == 0


def test_password_may_be_asked_for(analyst: Callable[..., Result], own_url: str) -> None:
    made = analyst("add", "carla", "--all", "--ask-password", input="of carla\nof carla\n")
    assert made.exit_code == 0, made.output
    assert "of carla" not in made.output
    signed_in(own_url, "carla", "of carla").close()
    changed = analyst("add", "carla", "--all", PGCREDITS_LOGIN_PASSWORD="another")
    assert changed.exit_code == 0, changed.output
    signed_in(own_url, "carla", "another").close()


def test_login_of_somebody_else_is_refused_and_left_alone(
    analyst: Callable[..., Result], own_url: str, bank: Connection
) -> None:
    bank.execute("create role stranger login connection limit 7 in role analyst")
    bank.execute("create role clerk login")
    eve = "(select account_id from credits.identities where subject = 'eve')"
    bank.execute(f"insert into credits.sql_logins (login, account_id) values ('clerk', {eve})".encode())
    attributes = "select array_agg(r order by rolname)::text from pg_roles as r"
    before = one(bank, attributes)
    for name, why in (
        ("stranger", "somebody else made a role of this name"),
        ("clerk", "this login is a user's"),
        ("postgres", "somebody else"),
        ("analyst", "somebody else"),
        ("pgcredits_analyst", "are those of the bank"),
        ("PG_read_all_data", "and of PostgreSQL"),
        ("x" * 64, "1 to 63 bytes"),
        ("ä" * 32, "1 to 63 bytes"),
        ("two\nlines", "no control characters"),
        ("", "1 to 63 bytes"),
        ("carla\u202e", "characters that nobody can see"),
        ("car\u200bla", "characters that nobody can see"),
        (" carla", "characters that nobody can see"),
        *(
            (name, "a meaning of its own")
            for name in ("public", "session_user", "Current_User", "all", "none")
        ),
    ):
        for command in (("add", "--all"), ("remove",)):
            refused = analyst(*command, "--", name)
            assert (refused.exit_code, refused.stdout) == (1, ""), (name, refused.output)
            assert why in refused.stderr
            assert "Traceback" not in refused.output
    assert one(bank, attributes) == before
    for arguments in (
        ("--all", "--segment", "a"),
        (),
        ("--segment", ""),
        ("--segment", "*", "--segment", "a"),
    ):
        assert analyst("add", "carla", *arguments).exit_code != 0
    for connections, password in ((-1, None), (0, None), (11, None), (5, ""), (5, "a\0b")):
        with pytest.raises(analysts.AnalystError):
            analysts.add(own_url, "carla", ["*"], connections=connections, password=password)
    assert one(bank, attributes) == before
    # A role that came later under the name of an analyst who left is somebody else.
    bank.execute("insert into credits.analyst_grants (login, segment) values ('stranger', '*')")
    bank.execute("drop role stranger")
    bank.execute("create role stranger login in role analyst")
    assert "somebody else" in analyst("add", "stranger", "--all").stderr
    # An analyst who has got more is not repaired in silence.
    bank.execute("select credits.trust_login('stranger')")
    bank.execute("grant pg_read_all_stats to stranger")
    assert "other rights than an analyst's" in analyst("add", "stranger", "--all").stderr
    bank.execute("delete from credits.sql_logins where login = 'clerk'")
    bank.execute("delete from credits.analyst_grants where login = 'stranger'")
    bank.execute("drop role clerk")
    bank.execute("drop role stranger")


def test_remove_says_what_it_could_not_do(
    analyst: Callable[..., Result], own_url: str, bank: Connection
) -> None:
    password = analyst("add", "carla", "--all").stdout.strip()
    bank.execute("create schema of_carla authorization carla")
    refused = analyst("remove", "carla")
    assert refused.exit_code == 1
    assert "carla counts nothing any more" in refused.stdout
    assert "owner of schema of_carla" in refused.stderr
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        signed_in(own_url, "carla", password)
    bank.execute("drop schema of_carla")
    bank.execute("drop role carla")


def test_only_who_may_create_roles_adds_analysts(analyst: Callable[..., Result], own_url: str) -> None:
    password = analyst("add", "carla", "--all").stdout.strip()
    url = make_conninfo(own_url, user="carla", password=password)
    for command in (("add", "dora", "--all"), ("list",), ("remove", "carla")):
        refused = analyst(*command, PGCREDITS_DATABASE_URL=url)
        assert refused.exit_code == 1, refused.output
        assert "this takes an administrator" in refused.stderr


def test_login_whose_role_is_gone_is_made_anew(
    analyst: Callable[..., Result], own_url: str, bank: Connection
) -> None:
    """As after a restore into another cluster."""
    old = analyst("add", "carla", "--segment", "schools").stdout.strip()
    bank.execute("drop role carla")
    assert "no such login" in analyst("list").stdout
    assert {name for name, *_ in findings(bank)} == {"check_logins"}
    new = analyst("add", "carla", "--segment", "shops").stdout.strip()
    assert new != old
    with signed_in(own_url, "carla", new) as carla:
        assert one(carla, FIGURE) == 1
    assert findings(bank) == []


def test_two_administrators_make_one_login(analyst: Callable[..., Result], own_url: str) -> None:
    def add(number: int) -> bool | None:
        try:
            return analysts.add(own_url, "carla", [f"segment {number}"]).new
        except analysts.AnalystError as error:
            assert "run it again" in str(error)
            return None

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(add, range(4)))
    assert answers.count(True) == 1
    (row,) = [row for row in analysts.listed(own_url) if row.login == "carla"]
    assert len(row.segments) == 1
