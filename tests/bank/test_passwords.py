"""`pgcredits logins`: passwords with any characters, from the environment to the server and to a pooler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from pgbouncer import MISSING, PROGRAM, PgBouncer
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from support import PASSWORD

from pgcredits.bank import passwords
from pgcredits.cli import main
from pgcredits.settings import Settings, SettingsError

pytestmark = pytest.mark.one_version

ODD = (
    "p@ss:/?#[]%& '\"\\$",
    "'; drop role pgcredits_service; --",
    '"pgcredits_api" "md5"',
    "%zz%20+${HOME}`id`$(id)",
    "ä€ 密 ½",
    " between spaces ",
    "x" * 300,
)
SECRET = "thirty-two bytes, as long as asked"


@pytest.fixture
def without_password(url: str) -> str:
    """The administrator's URL, as docker-compose.yml gives it: PGPASSWORD has the password."""
    parts = conninfo_to_dict(url)
    del parts["password"]
    return make_conninfo("", **parts)


@pytest.fixture
def set_passwords(without_password: str, url: str) -> Iterator[Callable[..., Result]]:
    """set_passwords(*arguments, **variables): the command's answer. At the end the logins get theirs back."""

    def run(*arguments: str, **variables: str) -> Result:
        cleared: dict[str, str | None] = dict.fromkeys(passwords.VARIABLES)
        env = {"PGCREDITS_DATABASE_URL": without_password, "PGPASSWORD": PASSWORD}
        return CliRunner().invoke(main, ["logins", *arguments], env=cleared | env | variables)

    yield run
    passwords.run(url, dict.fromkeys(passwords.VARIABLES.values(), PASSWORD))


def signs_in(url: str, login: str, password: str) -> bool:
    try:
        psycopg.connect(make_conninfo(url, user=login, password=password)).close()
    except psycopg.OperationalError as error:
        assert "password authentication failed" in str(error)
        return False
    return True


@pytest.mark.parametrize("password", ODD)
def test_password_with_any_characters_lets_in_and_no_other(
    set_passwords: Callable[..., Result], without_password: str, password: str
) -> None:
    done = set_passwords(PGCREDITS_API_PASSWORD=password, PGCREDITS_AUDITOR_PASSWORD=password[::-1])
    assert (done.exit_code, password in done.output) == (0, False), done.output
    assert signs_in(without_password, "pgcredits_auditor", password[::-1])
    assert signs_in(without_password, "pgcredits_service", PASSWORD), (
        "a login without a variable stays as it is"
    )
    for wrong in (password + " ", password.strip(" x'\"") or "y", PASSWORD):
        if wrong != password:
            assert not signs_in(without_password, "pgcredits_api", wrong)
    settings = Settings.from_env(
        {
            "PGCREDITS_API_DATABASE_URL": make_conninfo(without_password, user="pgcredits_api"),
            "PGCREDITS_API_PASSWORD": password,
            "PGCREDITS_SERVICE_DATABASE_URL": "postgresql://pgcredits_service@127.0.0.1/x",
            "PGCREDITS_SERVICE_PASSWORD": password,
            "PGCREDITS_JWT_SECRET": SECRET,
        }
    )
    psycopg.connect(settings.api_database_url).close()
    assert conninfo_to_dict(settings.service_database_url)["password"] == password
    assert password not in repr(settings)


def test_repeated_call_changes_no_hash(set_passwords: Callable[..., Result], url: str) -> None:
    odd = {"PGCREDITS_API_PASSWORD": ODD[0], "PGCREDITS_SERVICE_PASSWORD": ODD[1]}

    def hashes() -> list[tuple[str, str]]:
        with psycopg.connect(url) as connection:
            return connection.execute(
                "select rolname, rolpassword from pg_authid where rolname like 'pgcredits%' order by 1"
            ).fetchall()

    before = hashes()
    assert set_passwords(**odd).output.count("has its new password") == 2
    first = hashes()
    assert first != before
    assert set_passwords(**odd).output.count("has this password already") == 2
    assert hashes() == first


def test_nothing_is_set_when_one_login_is_missing(
    set_passwords: Callable[..., Result], without_password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(passwords.VARIABLES, "PGCREDITS_NOBODYS_PASSWORD", "pgcredits_nobody")
    done = set_passwords(PGCREDITS_API_PASSWORD=ODD[0], PGCREDITS_NOBODYS_PASSWORD="x")
    monkeypatch.undo()
    assert (done.exit_code, "no login pgcredits_nobody" in done.output) == (1, True)
    assert signs_in(without_password, "pgcredits_api", PASSWORD)


def test_two_calls_at_once_end_with_the_passwords_of_one(url: str, without_password: str) -> None:
    """Each is one transaction. The other one has waited, or says that it has to be run again."""
    pairs = [dict.fromkeys(("pgcredits_api", "pgcredits_auditor"), f"of call {n}") for n in range(4)]

    def call(given: dict[str, str]) -> bool:
        try:
            return bool(passwords.run(url, given))
        except passwords.PasswordError as refused:
            assert "run it again" in str(refused)
            return False

    try:
        with ThreadPoolExecutor(len(pairs)) as threads:
            assert any(threads.map(call, pairs))
        (won,) = (
            pair for pair in pairs if signs_in(without_password, "pgcredits_api", pair["pgcredits_api"])
        )
        assert signs_in(without_password, "pgcredits_auditor", won["pgcredits_auditor"])
    finally:
        passwords.run(url, dict.fromkeys(passwords.VARIABLES.values(), PASSWORD))


def test_environment_without_a_password_is_refused() -> None:
    with pytest.raises(SettingsError, match="None of PGCREDITS_API_PASSWORD, "):
        passwords.from_env({"PGCREDITS_API_PASSWORD": ""})
    with pytest.raises(SettingsError, match="PGCREDITS_API_PASSWORD is not text in UTF-8"):
        passwords.from_env({"PGCREDITS_API_PASSWORD": "\udcff"})


def test_url_with_another_password_is_refused() -> None:
    env = {
        "PGCREDITS_API_DATABASE_URL": "postgresql://a:one@h/x",
        "PGCREDITS_SERVICE_DATABASE_URL": "postgresql://b@h/x",
        "PGCREDITS_JWT_SECRET": SECRET,
    }
    assert Settings.from_env(env | {"PGCREDITS_API_PASSWORD": "one"}).api_database_url.endswith("host=h")
    with pytest.raises(
        SettingsError, match="PGCREDITS_API_PASSWORD: the URL has another password"
    ) as refused:
        Settings.from_env(env | {"PGCREDITS_API_PASSWORD": "other"})
    assert "other" not in str(refused.value).replace("another", "")


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
@pytest.mark.slow
def test_pooler_lets_in_by_the_hashes_that_were_written(
    set_passwords: Callable[..., Result], url: str, without_password: str, tmp_path: Path
) -> None:
    file = tmp_path / "users.txt"
    odd = {"PGCREDITS_API_PASSWORD": ODD[0], "PGCREDITS_SERVICE_PASSWORD": ODD[2]}
    assert set_passwords("--pooler-users", str(file), **odd).exit_code == 0
    text = file.read_text()
    assert text.count("SCRAM-SHA-256$") == 2
    assert not any(password in text for password in odd.values())
    login = make_conninfo(without_password, user="pgcredits_api", password=ODD[0])
    pooler = PgBouncer(login, (), 2, users=text)
    try:
        assert signs_in(pooler.through(without_password), "pgcredits_service", ODD[2])
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(
                make_conninfo(pooler.through(without_password), user="pgcredits_api", password="x")
            )
    finally:
        pooler.close()


def test_file_for_the_pooler_that_cannot_be_written_is_named(
    set_passwords: Callable[..., Result], tmp_path: Path
) -> None:
    done = set_passwords("--pooler-users", str(tmp_path / "no folder/x"), PGCREDITS_SERVICE_PASSWORD=PASSWORD)
    assert (done.exit_code, "cannot be written: No such file" in done.output) == (1, True)
