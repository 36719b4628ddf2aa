"""The exceptions agree with the register of slugs in sql/README.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from callers import STATUS, Connection

from pgcredits.client.answers import Answer, facts_of, retry_after, understand
from pgcredits.client.errors import (
    SLUGS,
    BankError,
    HoldClosed,
    HoldExpired,
    NotSignedIn,
    Unavailable,
    refusal,
)

pytestmark = pytest.mark.one_version

ROOT = Path(__file__).parents[2]
REGISTER = (ROOT / "sql" / "README.md").read_text()
FUNCTIONS = (
    *("consume_tokens", "quote_tokens", "add_tokens"),
    *("hold_tokens", "capture_hold", "release_hold", "extend_hold"),
    "refund_usage",
)


def registered() -> dict[str, int]:
    """Each slug of the two tables of the register, with its HTTP status."""
    found: dict[str, int] = {}
    status = 0
    for line in REGISTER.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if (number := re.fullmatch(r"`?(?:PT)?(\d{3})`?", cells[0])) is not None:
            status = int(number[1])
        elif cells[0] or len(cells) < 3:
            continue
        found |= dict.fromkeys(re.findall(r"`([a-z_]+)`", cells[1]), status)
    return found


def test_each_slug_of_the_client_is_in_the_register_with_its_status() -> None:
    register = registered()
    assert set(STATUS) - set(register) == set(), "the register was not read"
    assert {slug: status for slug, (status, _) in SLUGS.items() if register.get(slug) != status} == {}


def test_each_slug_that_a_called_function_raises_has_a_class(admin: Connection) -> None:
    register = set(registered())
    rows = admin.execute(
        "select p.proname, obj_description(p.oid) from pg_proc as p"
        " where p.pronamespace = 'api'::regnamespace and p.proname = any(%s)",
        (list(FUNCTIONS),),
    ).fetchall()
    raised: dict[str, set[str]] = {name: set() for name in FUNCTIONS}
    for name, comment in rows:  # some have two signatures
        raised[name] |= set(re.findall(r"\b[a-z_]+\b", comment.partition("Raises")[2])) & register
    assert all(raised.values()), raised
    assert {name: slugs - set(SLUGS) for name, slugs in raised.items() if slugs - set(SLUGS)} == {}


def test_slug_without_a_class_still_tells_everything() -> None:
    error = refusal("no", 418, {"error": "teapot", "colour": "blue"})
    assert type(error) is BankError
    assert (error.slug, error.status, error.facts, str(error)) == ("teapot", 418, {"colour": "blue"}, "no")


def test_state_of_a_closed_hold_decides_its_class() -> None:
    assert type(refusal("over", 409, {"error": "hold_closed", "state": "expired"})) is HoldExpired
    assert type(refusal("over", 409, {"error": "hold_closed", "state": "captured"})) is HoldClosed


def test_answers_that_are_not_the_banks_are_understood() -> None:
    def read(status: int, body: bytes) -> BankError | None:
        return understand(Answer(status, {}, body))

    assert read(200, b"") is None
    assert isinstance(read(401, b'{"code": "PGRST301", "message": "no", "details": null}'), NotSignedIn)
    proxy = read(502, b"<html>")
    assert isinstance(proxy, Unavailable)
    assert proxy.outcome == "unknown"
    away = read(503, b'{"message": "away", "details": "{\\"error\\": \\"unavailable\\"}"}')
    assert isinstance(away, Unavailable)
    assert away.outcome == "nothing"
    for body in (b"[]", b'{"message": 1, "details": []}', b'{"details": "no json"}', b"\xff"):
        assert type(read(418, body)) is BankError
    assert facts_of(None) == {}
    assert [retry_after(text) for text in (None, "3", "-1", "soon", "")] == [None, 3, 0, None, None]
    assert retry_after("Fri, 01 Jan 1999 00:00:00 GMT") == 0
