"""`pgcredits key`, as somebody types it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import psycopg
import pytest
from click.testing import CliRunner, Result

from pgcredits import api_key
from pgcredits.cli import main

pytestmark = pytest.mark.one_version


@pytest.fixture
def key(service_url: str) -> Callable[..., Result]:
    """key(*arguments): what the command answers."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["key", *arguments], env={"PGCREDITS_DATABASE_URL": service_url})

    return run


def state(url: str, text: str) -> str | None:
    digest = sha256(text.encode()).hexdigest()
    with psycopg.connect(url) as connection:
        connection.execute("set role service_role")
        row = connection.execute(
            "select state from api.resolve_api_key(%s, %s)", (api_key.key_id(text), digest)
        ).fetchone()
    assert row is not None
    return None if row[0] is None else str(row[0])


def test_key_is_made_listed_rotated_and_revoked(key: Callable[..., Result], service_url: str) -> None:
    made = key("create", "image shop", "--role", "support", "--expires-in", "30")
    assert made.exit_code == 0, made.output
    text = made.stdout.strip()
    key_id = api_key.key_id(text)
    assert key_id is not None
    assert state(service_url, text) == "active"
    listed = key("list").stdout
    (line,) = [line for line in listed.splitlines() if line.startswith(key_id)]
    assert "support" in line
    assert "image shop" in line
    assert text not in listed
    rotated = key("rotate", key_id, "--overlap", "0", "--reason", "a test").stdout.strip()
    assert (state(service_url, text), state(service_url, rotated)) == ("replaced", "active")
    revoked = key("revoke", key_id)
    assert (revoked.exit_code, revoked.stdout) == (0, "")
    assert state(service_url, rotated) == "revoked"


def test_repeated_create_shows_no_key(key: Callable[..., Result]) -> None:
    first = key("create", "n", "--idempotency-key", "a cli test")
    again = key("create", "n", "--idempotency-key", "a cli test")
    assert api_key.key_id(first.stdout.strip()) is not None
    assert (again.exit_code, again.stdout) == (0, "")
    assert "rotate it" in again.stderr


def test_refusal_is_one_line(key: Callable[..., Result]) -> None:
    refused = key("revoke", "nothing")
    assert (refused.exit_code, refused.output) == (1, "Error: no such API key\n")
