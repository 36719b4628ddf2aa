"""Refusals: one shape, one register."""

from __future__ import annotations

import json
import re

import psycopg
import pytest
from callers import STATUS, Caller, Connection

from pgcredits.bank.migrate import SQL


def raised() -> dict[str, set[int]]:
    """The slugs that the SQL files raise, with their statuses."""
    found: dict[str, set[int]] = {}
    for path in SQL.rglob("*/*.sql"):
        for status, slug in re.findall(r"credits\.fail\(\s*(\d+),\s*'(\w+)'", path.read_text()):
            found.setdefault(slug, set()).add(int(status))
        for slug in re.findall(r"sign_in_window, '(\w+)'", path.read_text()):  # told by credits.count_attempt
            found.setdefault(slug, set()).add(429)
    return found


def test_every_slug_has_one_status_and_a_test() -> None:
    assert raised() == {slug: {status} for slug, status in STATUS.items()}


def test_register_lists_every_slug_under_its_status() -> None:
    registered: dict[str, int] = {}
    status = 0
    for line in (SQL / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[1].startswith("`"):
            status = int(cells[0].strip("`PT")) if cells[0] else status
            registered.update(dict.fromkeys(re.findall(r"`(\w+)`", cells[1]), status))
    assert registered == STATUS


def test_comments_promise_slugs_under_their_status(admin: Connection) -> None:
    comments = admin.execute(
        "select p.oid::regprocedure::text, obj_description(p.oid, 'pg_proc') from pg_proc as p"
        " where p.pronamespace = 'api'::regnamespace"
    ).fetchall()
    for function, comment in comments:
        status = None
        raises = re.sub(r"\([^)]*\)", "", comment.split("Raises", 1)[1])  # without the facts of a refusal
        for digits, word in re.findall(r"PT(\d{3})|([a-z]+_[a-z_]+)", raises):
            status = int(digits) if digits else status
            if word and word != "tokens_to_consume":
                assert STATUS.get(word) == status, (function, word)


@pytest.mark.parametrize("facts", ["{}", '{"a": 1}', '{"b": [1, "}"]}', '{ "c" : "é" }'])
def test_detail_is_json_that_begins_with_the_slug(facts: str, admin: Connection) -> None:
    with pytest.raises(psycopg.Error) as caught:
        admin.execute("select credits.fail(402, 'slug', 'for people', %s::json)", (facts,))
    assert caught.value.sqlstate == "PT402"
    assert caught.value.diag.message_primary == "for people"
    detail = json.loads(caught.value.diag.message_detail or "", object_pairs_hook=list)
    assert detail[0] == ("error", "slug")
    assert dict(detail[1:]) == json.loads(facts)


def test_refusal_names_no_tables_or_rows(service: Caller) -> None:
    with pytest.raises(psycopg.Error) as caught:
        service.call("consume_tokens", module_id="whisper", user_id="nobody of that name")
    diagnosis = caught.value.diag
    assert (diagnosis.table_name, diagnosis.constraint_name, diagnosis.column_name) == (None, None, None)
