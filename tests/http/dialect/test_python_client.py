"""postgrest-py as it is published: what it gets from us and, with --differential, from PostgREST."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from http_calls import SECRET, bearer
from postgrest import CountMethod, SyncPostgrestClient
from postgrest.exceptions import APIError
from postgrest_server import postgrest
from support import PASSWORD

from pgcredits.database_urls import as_login

pytestmark = pytest.mark.one_version

MAX_ROWS = 15
Call = Callable[[SyncPostgrestClient], Any]


def ids(*expected: int) -> list[dict[str, int]]:
    return [{"id": number} for number in expected]


def found(narrow: Callable[[Any], Any]) -> Call:
    """The ids of the things that a filter leaves."""
    return lambda client: narrow(client.from_("things").select("id")).order("id")


# Each kind of call, and what it gets: its data, or the code of an error.
CALLS: dict[str, tuple[Call, Any]] = {
    "select": (
        lambda c: c.from_("things").select("n:name", "big::text", "facts->>word").eq("id", 1),
        [{"n": "alpha", "big": "9007199254740993", "word": "a"}],
    ),
    "eq": (found(lambda q: q.eq("name", "gamma,delta")), ids(3)),
    "neq": (found(lambda q: q.neq("id", 1).lt("id", 4)), ids(2, 3)),
    "gt": (found(lambda q: q.gt("id", 10)), ids(11, 12)),
    "gte": (found(lambda q: q.gte("id", 11)), ids(11, 12)),
    "lt": (found(lambda q: q.lt("id", 3)), ids(1, 2)),
    "lte": (found(lambda q: q.lte("amount", 3)), ids(1, 2)),
    "is": (found(lambda q: q.is_("amount", "null")), ids(5, 10)),
    "not": (found(lambda q: q.not_.is_("amount", "null").lt("id", 7)), ids(1, 2, 3, 4, 6)),
    "like": (found(lambda q: q.like("name", "%a").lt("id", 3)), ids(1, 2)),
    "ilike": (found(lambda q: q.ilike("name", "B%")), ids(2, 5)),
    "like_any_of": (found(lambda q: q.like_any_of("name", "x%,%e")), ids(4, 8, 9)),
    "like_all_of": (found(lambda q: q.like_all_of("name", "%a%,%l%")), ids(1, 3, 5)),
    "ilike_any_of": (found(lambda q: q.ilike_any_of("name", "X%,b%")), ids(2, 5, 9)),
    "ilike_all_of": (found(lambda q: q.ilike_all_of("name", "%A%,%L%")), ids(1, 3, 5)),
    "in": (found(lambda q: q.in_("name", ["alpha", "gamma,delta", "(round)"])), ids(1, 3, 11)),
    "in numbers": (found(lambda q: q.in_("id", [1, 3, 99])), ids(1, 3)),
    "contains": (found(lambda q: q.contains("tags", ["t1", "all"])), ids(1, 7, 10)),
    "contains json": (found(lambda q: q.contains("facts", {"n": 2})), ids(2)),
    "contained_by": (found(lambda q: q.contained_by("tags", ["t1", "all", "two words"])), ids(1, 7, 10)),
    "overlaps": (found(lambda q: q.overlaps("tags", ["t0", "x"])), ids(3, 6, 9)),
    "range_lt": (found(lambda q: q.range_lt("span", (10, 12))), ids(1, 2, 3, 4, 5, 7)),
    "range_adjacent": (found(lambda q: q.range_adjacent("span", (1, 3))), ids(3)),
    "fts": (found(lambda q: q.fts("body", "lazy")), ids(1, 5, 9)),
    "text_search": (
        lambda c: (
            c.from_("things").select("id").text_search("body", "lazy", {"config": "english"}).order("id")
        ),
        ids(1, 5, 9),
    ),
    "match": (found(lambda q: q.match({"id": 3, "name": "gamma,delta"})), ids(3)),
    "or": (found(lambda q: q.or_("id.eq.1,and(id.gt.3,id.lt.6)")), ids(1, 4, 5)),
    "order": (lambda c: c.from_("things").select("id").order("id", desc=True).limit(2), ids(12, 11)),
    "order nulls": (
        lambda c: c.from_("things").select("id").order("amount", nullsfirst=True).order("id").limit(3),
        ids(5, 10, 1),
    ),
    "range": (lambda c: c.from_("things").select("id").order("id").range(1, 3), ids(2, 3, 4)),
    "count": (lambda c: c.from_("things").select("id", count=CountMethod.exact).order("id").limit(1), ids(1)),
    "head": (lambda c: c.from_("things").select("id", count=CountMethod.exact, head=True), []),
    "single": (lambda c: c.from_("things").select("id").eq("id", 2).single(), {"id": 2}),
    "single of many": (lambda c: c.from_("things").select("id").single(), "PGRST116"),
    "maybe_single": (lambda c: c.from_("things").select("id").eq("id", 2).maybe_single(), {"id": 2}),
    "csv": (
        lambda c: c.from_("things").select("id,name").lt("id", 3).order("id").csv(),
        "id,name\n1,alpha\n2,Beta",
    ),
    "strip_nulls": (
        lambda c: c.from_("things").select("id,name").gt("id", 5).lt("id", 8).order("id").strip_nulls(),
        [{"id": 6, "name": "per%cent"}, {"id": 7}],
    ),
    "explain": (lambda c: c.from_("things").select("id").explain(), "PGRST107"),
    "unknown view": (lambda c: c.from_("nonsense").select("id"), "PGRST205"),
    "bad value": (lambda c: c.from_("things").select("id").eq("id", "x"), "PT422"),
    "insert": (lambda c: c.from_("things").insert({"id": 99}), "PGRST101"),
    "rpc": (lambda c: c.rpc("thing_pair", {"a": 4}), {"a": 4, "b": "w", "c": {"k": [1, None]}}),
    "rpc select": (lambda c: c.rpc("thing_pair", {"a": 4}).select("b"), {"b": "w"}),
    "rpc filter": (
        lambda c: c.rpc("things_from", {"first": 3}).select("id").lt("id", 5).order("id"),
        ids(3, 4),
    ),
    "rpc get": (
        lambda c: c.rpc("thing_table", {"up_to": 2}, get=True).select("square").limit(1),
        [{"square": 1}],
    ),
    "rpc head": (lambda c: c.rpc("things_from", {"first": 3}, head=True, count=CountMethod.exact), []),
    "rpc single": (lambda c: c.rpc("things_from", {"first": 12}).select("id").single(), {"id": 12}),
    "rpc csv": (lambda c: c.rpc("thing_numbers", {}).limit(2).csv(), "pgrst_scalar\n1\n2"),
    "rpc refused": (lambda c: c.rpc("consume_tokens", {"module_id": "whisper"}), "PT402"),
    "rpc unknown": (lambda c: c.rpc("nonsense", {"a": 1}), "PGRST202"),
}
COUNTS = {"count": 12, "head": 12, "rpc head": 10}
# What PostgREST 12.0.2 answers where it answers otherwise, and why.
KNOWN = {
    "unknown view": ("42P01", "PGRST205 since 13"),
    "bad value": ("22P02", "a bad value is 422, with a slug"),
    "insert": ("42501", "views are not written"),
}


def client(url: str) -> SyncPostgrestClient:
    return SyncPostgrestClient(url, schema="api", headers=bearer("authenticated", "ada"))


def outcome(client: SyncPostgrestClient, call: Call) -> tuple[Any, int | None]:
    """The data and the count, or the code of the error."""
    try:
        answer = call(client).execute()
    except APIError as error:
        return error.code, None
    return (answer, None) if isinstance(answer, str) else (answer.data, answer.count)


@pytest.fixture(scope="module")
def ours(things_api: str) -> Iterator[SyncPostgrestClient]:
    with client(f"{things_api}/rest/v1") as made:
        yield made


@pytest.mark.parametrize("name", CALLS)
def test_python_client_gets_what_it_asks_for(ours: SyncPostgrestClient, name: str) -> None:
    call, expected = CALLS[name]
    assert outcome(ours, call) == (expected, COUNTS.get(name))


def test_python_client_learns_why_a_head_is_refused(ours: SyncPostgrestClient) -> None:
    """A HEAD has no body, so the client has the status alone. The reason is in Proxy-Status."""
    with pytest.raises(APIError) as refused:
        ours.from_("things").select("nonsense", head=True).execute()
    assert refused.value.code in (400, "400")


@pytest.mark.slow
def test_python_client_gets_the_same_from_postgrest(
    modules: Path,
    ours: SyncPostgrestClient,
    things: str,
    tmp_path_factory: pytest.TempPathFactory,
    record_property: Callable[[str, object], None],
) -> None:
    login = as_login(things, "pgcredits_api", PASSWORD)
    folder = tmp_path_factory.mktemp("postgrest")
    with postgrest(modules, folder, login, SECRET, MAX_ROWS) as url, client(url) as theirs:
        both = {name: (outcome(ours, call), outcome(theirs, call)) for name, (call, _) in CALLS.items()}
    differ = {name: they[0] for name, (we, they) in both.items() if we != they}
    record_property(
        "figures", f"{len(both) - len(differ)} of {len(both)} kinds of call of postgrest-py agree"
    )
    assert differ == {name: code for name, (code, _) in KNOWN.items()}
