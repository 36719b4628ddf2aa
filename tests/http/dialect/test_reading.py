"""Views over HTTP, in the dialect of PostgREST 16."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.one_version

THINGS = "/rest/v1/things"


def ids(client: httpx.Client, query: str) -> list[int]:
    response = client.get(f"{THINGS}?select=id&order=id&{query}")
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.json()]


# Every operator of the grammar: test_grammar.py. What PostgREST answers: test_differential.py.
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("id=gt.3&id=lte.5", [4, 5]),
        ("id=not.in.(1,2,3,4,5,6,7,8,9)", [10, 11, 12]),
        ("id=eq(any).{1,5,99}", [1, 5]),
        ("amount=isdistinct.1.5&id=lt.4", [2, 3]),
        ("amount=is.null", [5, 10]),
        ("active=not.is.true&id=lt.4", [1, 2]),
        ("name=like.*a", [1, 2, 3]),
        ("name=ilike(any).{B*,X*}", [2, 5, 9]),
        ("name=match.^[a-b]", [1, 4, 5]),
        ("name=in.(%22gamma,delta%22,null,%22a%20%5C%22quoted%5C%22%20name%22)", [3, 4, 12]),
        ("name=eq.back%5Cslash", [5]),
        ("name=eq.per%25cent", [6]),
        ("tags=cs.{t1}", [1, 7, 10]),
        ("span=cs.[3,5)", [1, 2, 3]),
        ("span=adj.[1,3)", [3]),
        ('facts=cs.{"deep":{"list":[6]}}', [3, 6]),
        ("facts->>word=eq.b", [2]),
        ("facts->n=gt.9&facts->>%22odd%20key%22=like.v1*", [10, 11, 12]),
        ("facts->deep->list->0=eq.4", [4]),
        ("body=fts(english).fox&id=lt.7", [2, 4, 6]),
        ("made=lt.2026-01-03T00:00:00Z", [1]),
        ("big=gte.9007199254741003", [11, 12]),
        ("%22we%5C%22ird%25s%22=eq.weird%201&id=lt.4", [1, 3]),
        ("or=(id.eq.1,and(id.gt.3,id.lt.6,name.not.is.null),tags.cs.{t2,all})", [1, 2, 4, 5, 11]),
        ("not.or=(id.lt.9,facts->>word.in.(i,k))", [10, 12]),
    ],
)
def test_conditions_find_their_rows(ada: httpx.Client, query: str, expected: list[int]) -> None:
    assert ids(ada, query) == expected


def test_columns_are_selected_renamed_cast_and_looked_into(ada: httpx.Client) -> None:
    select = 'n:name,big::text,facts->>word,last:facts->deep->list->-1,"odd name",k:plain->1->>k,tags->0'
    (row,) = ada.get(THINGS, params={"select": select, "id": "eq.1"}).json()
    assert row == {
        "n": "alpha",
        "big": "9007199254740993",  # exact, where JavaScript would round the number
        "word": "a",
        "last": "end",
        "odd name": "odd 1",
        "k": "1",
        "tags": "t1",
    }


def test_rows_are_ordered_by_paths_and_nulls(ada: httpx.Client) -> None:
    def ordered(order: str) -> list[int]:
        rows = ada.get(THINGS, params={"select": "id", "order": order, "limit": "3"}).json()
        return [row["id"] for row in rows]

    assert ordered("facts->n.desc.nullslast") == [12, 11, 10]
    assert ordered("facts->>word.desc,id") == [7, 12, 11]
    assert ordered("active.asc.nullsfirst,id.desc") == [11, 8, 5]


@pytest.mark.parametrize("count", ["exact", "planned", "estimated"])
def test_all_rows_are_counted_exactly(ada: httpx.Client, count: str) -> None:
    prefer = {"Prefer": f"count={count}"}
    response = ada.get(f"{THINGS}?limit=5&order=id&offset=2&id=gt.1", headers=prefer)
    assert (response.status_code, response.headers["content-range"]) == (206, "2-6/11")
    assert response.headers["preference-applied"] == "count=exact"
    head = ada.head(f"{THINGS}?id=gt.1", headers=prefer)
    assert (head.status_code, head.headers["content-range"], head.content) == (200, "0-10/11", b"")
    none = ada.get(f"{THINGS}?id=gt.100", headers=prefer)
    assert (none.status_code, none.headers["content-range"], none.json()) == (200, "*/0", [])


@pytest.mark.parametrize(
    ("query", "header", "found"),
    [
        ("", "2-4", "2-4/*"),
        ("", "9-", "9-11/*"),
        ("limit=2", "0-4", "0-1/*"),
        ("limit=5&offset=2", "0-3", "2-3/*"),
        ("", "50-60", "*/*"),
        ("", "bytes=0-4", "0-11/*"),
    ],
)
def test_range_is_the_part_that_limit_and_offset_leave(
    ada: httpx.Client, query: str, header: str, found: str
) -> None:
    response = ada.get(f"{THINGS}?{query}", headers={"Range": header})
    assert (response.status_code, response.headers["content-range"]) == (200, found)
    head = ada.head(f"{THINGS}?limit=1", headers={"Range": header})
    assert head.headers["content-range"] == "0-0/*"  # it counts for GET alone


@pytest.mark.parametrize(
    ("query", "headers", "content_range"),
    [
        ("offset=50", {"Prefer": "count=exact"}, "*/12"),
        ("", {"Range": "20-30", "Prefer": "count=exact"}, "*/12"),
        ("", {"Range": "5-1"}, None),
        ("limit=2", {"Range": "5-9"}, None),
        ("limit=-1", {}, None),
    ],
)
def test_pages_that_cannot_be_are_refused(
    ada: httpx.Client, query: str, headers: dict[str, str], content_range: str | None
) -> None:
    for method in ("GET", "HEAD"):
        if method == "HEAD" and "Range" in headers:
            continue
        response = ada.request(method, f"{THINGS}?{query}", headers=headers)
        assert (response.status_code, response.headers.get("content-range")) == (416, content_range)
        assert "PGRST103" in response.headers["proxy-status"]


def test_rows_are_capped_and_the_count_is_not(bob: httpx.Client, ada: httpx.Client, service: Any) -> None:
    response = ada.get(THINGS, headers=service | {"Prefer": "count=exact"})
    assert (response.status_code, response.headers["content-range"]) == (206, "0-14/20")


def test_one_object_is_answered_or_refused(ada: httpx.Client) -> None:
    single = {"Accept": "application/vnd.pgrst.object+json"}
    response = ada.get(f"{THINGS}?id=eq.2&select=id,name", headers=single)
    assert (response.json(), response.headers["content-type"]) == (
        {"id": 2, "name": "Beta"},
        single["Accept"],
    )
    for query, number in (("id=lt.4", 3), ("id=eq.99", 0)):
        response = ada.get(f"{THINGS}?{query}", headers=single)
        assert (response.status_code, response.json()["code"]) == (406, "PGRST116")
        assert response.json()["details"] == f"The result contains {number} rows"


def test_nulls_are_stripped(ada: httpx.Client) -> None:
    for form, rows in (("array", [{"id": 7}]), ("object", {"id": 7})):
        accept = {"Accept": f"application/vnd.pgrst.{form}+json;nulls=stripped"}
        response = ada.get(f"{THINGS}?id=eq.7&select=id,name,facts", headers=accept)
        assert (response.json(), response.headers["content-type"]) == (rows, accept["Accept"])


def test_csv_is_exact(ada: httpx.Client) -> None:
    """Commas, quotes, backslashes and nulls arrive as they are. The header is there without rows as well."""
    accept = {"Accept": "text/csv"}
    response = ada.get(f"{THINGS}?select=id,name,%22a,b%22:facts->>quote&order=id", headers=accept)
    assert response.headers["content-type"].startswith("text/csv")
    table = list(csv.reader(io.StringIO(response.text)))
    assert table[0] == ["id", "name", "a,b"]
    assert table[3:8] == [
        ["3", "gamma,delta", 'a"b\\c'],
        ["4", 'a "quoted" name', 'a"b\\c'],
        ["5", "back\\slash", 'a"b\\c'],
        ["6", "per%cent", 'a"b\\c'],
        ["7", "", ""],
    ]
    assert ada.get(f"{THINGS}?select=id,name&id=eq.99", headers=accept).text == "id,name\n"


def test_the_client_says_what_it_prefers(ada: httpx.Client) -> None:
    for accept, answered in (
        ("text/html, application/json;q=0.4, text/csv;q=0.9", "text/csv"),
        ("text/csv;q=0.1, */*", "application/json"),
        ("application/vnd.pgrst.array+json", "application/json"),
    ):
        response = ada.get(f"{THINGS}?select=id", headers={"Accept": accept})
        assert response.headers["content-type"].partition(";")[0] == answered
    strict = ada.get(THINGS, headers={"Prefer": "handling=strict, foo=bar, count=exact"})
    assert (strict.status_code, strict.json()["code"]) == (400, "PGRST122")
    assert strict.json()["details"] == "Invalid preferences: foo=bar"
    applied = ada.get(THINGS, headers={"Prefer": "return=minimal, handling=strict, count=exact"})
    assert applied.headers["preference-applied"] == "count=exact, handling=strict"
    ignored = ada.get(THINGS, headers={"Prefer": "handling=lenient, foo=bar"})
    assert ignored.headers["preference-applied"] == "handling=lenient"


def test_a_head_says_why_it_is_refused(ada: httpx.Client) -> None:
    head = ada.head(f"{THINGS}?nonsense=eq.1", headers={"Prefer": "count=exact"})
    assert (head.status_code, head.content) == (400, b"")
    assert 'details="column things.nonsense does not exist"' in head.headers["proxy-status"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "owner=eq.bob",
        "or=(owner.eq.bob,owner.neq.bob)",
        "or=(owner.eq.ada,not.and(owner.eq.ada))",
        "not.and=(owner.eq.ada,id.lt.0)",
        "id=in.(1,13,14)",
        "id=gte(any).{0}",
        "owner=isdistinct.ada&or=(id.gt.0,id.is.null)",
        "facts->>n=not.is.null",
        "owner=like(any).{*}",
        "order=owner.desc&limit=100",
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_no_condition_shows_rows_of_others(
    ada: httpx.Client, bob: httpx.Client, query: str, accept: str
) -> None:
    """Each sees their own rows, in the rows and in the count, whatever the other asks."""
    headers = {"Accept": accept, "Prefer": "count=exact"}
    for client, own, foreign, number in ((ada, "ada", "bob", 12), (bob, "bob", "ada", 8)):
        for path in (f"{THINGS}?select=id,owner&{query}", f"/rest/v1/rpc/things_from?first=0&{query}"):
            response = client.get(path, headers=headers)
            assert response.status_code in (200, 206), response.text
            assert foreign not in response.text.replace(f"eq.{foreign}", "")
            assert int(response.headers["content-range"].partition("/")[2]) <= number
            assert query or own in response.text
