"""`pgcredits forget`, as somebody types it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from pgcredits.cli import main

pytestmark = pytest.mark.one_version
Command = Callable[..., Result]


@pytest.fixture
def forget(service_url: str) -> Command:
    """forget(*arguments): what the command answers."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["forget", *arguments], env={"PGCREDITS_DATABASE_URL": service_url})

    return run


def grant(url: str, user_id: str, reason: str = "grant") -> str:
    """A user with 50 tokens; the account."""
    with psycopg.connect(url) as connection:
        connection.execute("set local role service_role")
        row = connection.execute(
            "select entry_id from api.add_tokens(user_id => %s, tokens => 50, reason => %s,"
            ' metadata => \'{"note": "a person"}\')',
            (user_id, reason),
        ).fetchone()
    assert row is not None
    return str(row[0]).partition(":")[0]


def test_user_is_forgotten_listed_and_forgotten_again(
    forget: Command, service_url: str, admin_url: str, tmp_path: Path
) -> None:
    account, other = grant(service_url, "leaver", "purchase"), grant(service_url, "stayer")
    refused = forget("leaver")
    assert (refused.exit_code, "balance" in refused.stderr) == (1, True)
    gone = forget("leaver", "--give-up-balance")
    assert (gone.exit_code, gone.stdout) == (0, f"{account}  forgotten, 50 tokens expired\n"), gone.output
    for nobody in ("leaver", "never-was-here"):
        unknown_user = forget(nobody)
        assert unknown_user.exit_code == 1
        assert "it never had one, or its user was forgotten already" in unknown_user.stderr
    listed = forget("--list").stdout
    assert [line.split()[0] for line in listed.splitlines()] == [account]
    assert "unknown" not in listed and "a person" not in listed

    # As if an older backup had been restored, in which the user `back` is still known.
    back = grant(service_url, "back", "purchase")
    unknown = "00000000-0000-4000-8000-000000000000"
    kept = tmp_path / "forgotten"
    since = "2026-01-01 00:00:00"
    kept.write_text(f"{listed}\n{back}  {since}  forgotten\n{unknown}  {since}  under way\n")
    asked = forget("--again", str(kept))
    assert asked.exit_code == 1
    assert f"{back}  refused: this user cannot be forgotten yet: balance" in asked.stdout
    again = forget("--again", str(kept), "--give-up-balance")
    assert again.exit_code == 0, again.output
    assert again.stdout.splitlines() == [f"{account}  forgotten", f"{back}  forgotten", f"{unknown}  unknown"]
    with psycopg.connect(admin_url) as connection:
        left = connection.execute("select subject from credits.identities order by subject").fetchall()
        said = connection.execute(
            "select account_id::text from credits.entries where metadata ? 'note'"
        ).fetchall()
    assert ("stayer",) in left and not {("back",), ("leaver",)} & set(left)
    assert said == [(other,)]


def test_user_whom_the_bank_keeps_fails_the_repetition(
    forget: Command, service_url: str, tmp_path: Path
) -> None:
    account = grant(service_url, "worker")
    with psycopg.connect(service_url) as connection:
        connection.execute("set local role service_role")
        connection.execute("select api.hold_tokens('whisper', user_id => 'worker')")
    kept = tmp_path / "forgotten"
    kept.write_text(f"{account}  2026-01-01 00:00:00  forgotten")
    again = forget("--again", str(kept))
    assert (again.exit_code, again.stdout) == (
        1,
        f"{account}  refused: this user cannot be forgotten yet: hold\n",
    )


@pytest.mark.parametrize("arguments", [(), ("ada", "--list"), ("--account", "nobody")])
def test_command_names_one_thing(arguments: tuple[str, ...], forget: Command) -> None:
    assert forget(*arguments).exit_code == 2


def test_list_with_a_strange_line_forgets_nobody(forget: Command, service_url: str, tmp_path: Path) -> None:
    account = grant(service_url, "careful")
    kept = tmp_path / "forgotten"
    good = f"{account}  2026-01-01 00:00:00  forgotten\n".encode()
    for strange in (b"ada@example.org\n", account.encode(), b"\x80\xff\x00\x1f", good.upper()):
        kept.write_bytes(good + strange)
        answer = forget("--again", str(kept))
        assert (answer.exit_code, "line 2" in answer.stderr) == (1, True), (strange, answer.output)
    assert account not in forget("--list").stdout
