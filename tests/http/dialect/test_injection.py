"""Hostile texts in every place of a query: what is answered is one SELECT that reads one view."""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from hostile_texts import ATTACKS, queries
from pglast.parser import parse_sql_json

from pgcredits.http.database.pools import Statement
from pgcredits.http.database.schema_cache import Column
from pgcredits.http.dialect import media_types, query
from pgcredits.http.dialect.fields import Source
from pgcredits.http.errors import ApiError

pytestmark = pytest.mark.one_version

CANARY = "the canary"


@pytest.fixture(scope="module")
def source(things: str) -> Source:
    with psycopg.connect(things) as admin:
        found = admin.execute(
            "select attname, format_type(atttypid, null) from pg_attribute"
            " where attrelid = 'api.things'::regclass and attnum > 0 order by attnum"
        ).fetchall()
    return Source.of("things", [Column(name, kind, None) for name, kind in found])


def relations(plan: Any) -> Iterator[str]:
    """The tables that a plan reads."""
    if isinstance(plan, dict):
        if "Relation Name" in plan:
            yield plan["Relation Name"]
        for part in plan.values():
            yield from relations(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from relations(part)


def read_by(admin: psycopg.Connection[Any], statement: Statement) -> set[str] | None:
    """The tables that PostgreSQL would read. None if it refuses the statement."""
    try:
        # psycopg sends it as a prepared statement, which can only be one.
        cursor = admin.execute(f"explain (format json) {statement.sql}".encode(), statement.values)
    except psycopg.Error as error:
        # These refuse a value, an operator or a cast. A syntax error (42601) would be a part of the SQL.
        assert error.sqlstate, error
        assert error.sqlstate[:2] == "22" or error.sqlstate in ("42883", "42804", "42704"), error
        return None
    row = cursor.fetchone()
    assert row
    return set(relations(row[0]))


def test_hostile_texts_read_the_one_view(things_admin: psycopg.Connection[Any], source: Source) -> None:
    understood = 0
    for pairs in queries():
        for media_type in (media_types.JSON, media_types.accepted("text/csv")):
            try:
                asked = query.parse(source, pairs)
            except ApiError as error:
                assert error.status in (400, 416, 422)
                break
            statement = asked.of_view("things", media_type, 10, counted=True)
            assert read_by(things_admin, statement) in (None, {"things"}), pairs
            understood += 1
    assert understood > 500  # or the corpus would ask nothing of PostgreSQL


# All that a generated statement is made of, beside columns, operators and parameters.
MADE_OF = {
    "statement": {"SelectStmt"},
    "table": {("api", "things")},
    "function": {
        *("chr", "count", "current_setting", "json_agg", "length", "replace", "string_agg", "substring"),
        *("to_tsvector", "websearch_to_tsquery"),
    },
    "type": {"text", "pg_catalog.int4"},  # one cast is asked for; the other is NULL's
    "word": {"", "[]", "\\", "\\\\", "response.headers", "response.status"},
}


def parts(tree: Any, inside: str = "") -> Iterator[tuple[str, Any]]:
    """The kinds of nodes in a parse tree, and for some what they name."""
    if isinstance(tree, list):
        for one in tree:
            yield from parts(one, inside)
    elif isinstance(tree, dict):
        for kind, node in tree.items():
            if kind.endswith("Stmt"):
                yield "statement", kind
            elif kind in ("lockingClause", "intoClause", "withClause"):
                yield "clause", kind
            elif kind == "RangeVar":
                yield "table", (node.get("schemaname", ""), node["relname"])
            elif kind == "FuncCall":
                yield "function", ".".join(part["String"]["sval"] for part in node["funcname"])
            elif kind == "A_Const" and "sval" in node:
                yield "word", node["sval"].get("sval", "")
            elif kind in ("typeName", "TypeName"):
                yield "type", ".".join(part["String"]["sval"] for part in node["names"])
            yield from parts(node, kind)


def parse_tree(statement: Statement) -> dict[str, set[Any]]:
    """What a statement is made of, by kinds. It must be one statement."""
    numbers = itertools.count(1)
    text = re.sub("%[s%]", lambda m: f"${next(numbers)}" if m[0] == "%s" else "%", statement.sql)
    (tree,) = json.loads(parse_sql_json(text))["stmts"]
    found: dict[str, set[Any]] = defaultdict(set)
    for kind, name in parts(tree):
        found[kind].add(name)
    return found


def test_parse_trees_have_nothing_of_a_hostile_text(source: Source) -> None:
    seen: dict[str, set[Any]] = defaultdict(set)
    for pairs in queries():
        for media_type in (media_types.JSON, media_types.accepted("text/csv")):
            try:
                asked = query.parse(source, pairs)
            except ApiError:
                break
            for kind, names in parse_tree(asked.of_view("things", media_type, 10, counted=True)).items():
                seen[kind] |= names
    assert seen == MADE_OF


def test_a_statement_that_reads_more_is_seen() -> None:
    more = 'select id from api."things" where id = %s union select secret from dialect_test.canary'
    assert parse_tree(Statement(more))["table"] == {("api", "things"), ("dialect_test", "canary")}
    assert parse_tree(Statement("select pg_sleep(9), 'a word'"))["function"] == {"pg_sleep"}
    with pytest.raises(ValueError, match="too many values"):
        parse_tree(Statement("select 1; commit"))


def test_hostile_texts_change_no_call(things_admin: psycopg.Connection[Any], source: Source) -> None:
    call = Statement("select _result.* from api.things_from(%s) as _result", ("1",))
    for pairs in queries():
        try:
            asked = query.parse(source, pairs)
        except ApiError:
            continue
        shaped = asked.of_call(call, media_types.JSON, 10, counted=True, scalar=False, one=False)
        assert read_by(things_admin, shaped) in (None, set(), {"things"}), pairs


def test_hostile_texts_bring_no_canary_and_break_nothing(ada: httpx.Client) -> None:
    for attack in ATTACKS:
        for params in (
            {"select": attack},
            {"name": f"eq.{attack}"},
            {"facts->>" + attack: f"in.({attack})"},
            {"or": f"(name.eq.{attack})"},
            {"order": attack},
        ):
            response = ada.get("/rest/v1/things", params=params)
            assert response.status_code < 500, (params, response.text)
            assert CANARY not in response.text
    for place in ("Range", "Prefer", "Accept", "Accept-Profile"):
        for attack in ATTACKS:
            plain = attack.encode("ascii", "ignore").decode().replace("\r", "").replace("\n", "")
            response = ada.get("/rest/v1/things", headers={place: plain.strip()})
            assert response.status_code < 500
            assert "x-injected" not in response.headers


def test_hostile_arguments_of_functions_are_values_and_no_more(ada: httpx.Client) -> None:
    for attack in ATTACKS:
        given = {"a": 1, "word": attack}
        for response in (
            ada.post("/rest/v1/rpc/thing_pair", json=given),
            ada.get("/rest/v1/rpc/thing_pair", params=given),
        ):
            assert (response.status_code, response.json()["b"]) == (200, attack)


def test_hostile_names_of_functions_and_arguments_are_unknown(ada: httpx.Client) -> None:
    for attack in ATTACKS:
        for response in (
            ada.post(f"/rest/v1/rpc/{quote(attack, safe='')}", json={"a": 1}),
            ada.post("/rest/v1/rpc/thing_pair", json={"a": 1, attack: "x"}),
            ada.get("/rest/v1/rpc/thing_pair", params={"a": 1, attack: "x"}),
            ada.post("/rest/v1/rpc/thing_pair", json={"a": f"1{attack}x"}),
        ):
            assert 400 <= response.status_code < 500, (attack, response.text)
            assert CANARY not in response.text


def test_nobody_reads_the_canary(ada: httpx.Client, things_admin: psycopg.Connection[Any]) -> None:
    for path in ("canary", "dialect_test.canary", '"dialect_test"."canary"', "things,canary"):
        response = ada.get(f"/rest/v1/{path}")
        assert (response.status_code, response.json()["code"]) == (404, "PGRST205")
    assert things_admin.execute("select secret from dialect_test.canary").fetchone() == (CANARY,)
    assert json.dumps(CANARY) not in ada.get("/rest/v1/things").text
