"""The rows that functions return, in the same dialect, and what functions say of the response."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg
import pytest

pytestmark = pytest.mark.one_version

RPC = "/rest/v1/rpc/"
SINGLE = {"Accept": "application/vnd.pgrst.object+json"}
COUNTED = {"Prefer": "count=exact"}


def calls(admin: psycopg.Connection[Any], word: str) -> int:
    row = admin.execute("select count(*) from dialect_test.calls where word = %s", (word,)).fetchone()
    assert row
    return int(row[0])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select=id&id=lte.5&order=id.desc", [{"id": 5}, {"id": 4}, {"id": 3}]),
        ("select=n:name&or=(id.eq.3,facts->>word.eq.f)&order=id", [{"n": "gamma,delta"}, {"n": "per%cent"}]),
        ("select=id&order=facts->n.desc.nullslast&limit=2&offset=1", [{"id": 11}, {"id": 10}]),
        ("select=id&id=eq.99", []),
    ],
)
def test_rows_are_shaped_by_get_and_by_post(ada: httpx.Client, query: str, expected: list[Any]) -> None:
    assert ada.get(f"{RPC}things_from?first=3&{query}").json() == expected
    assert ada.post(f"{RPC}things_from?{query}", json={"first": 3}).json() == expected


def test_rows_are_counted_and_paged(ada: httpx.Client) -> None:
    for response in (
        ada.get(f"{RPC}things_from?first=3&limit=4&select=id", headers=COUNTED),
        ada.post(f"{RPC}things_from?limit=4&select=id", json={"first": 3}, headers=COUNTED),
        ada.get(f"{RPC}things_from?first=3&select=id", headers=COUNTED | {"Range": "0-3"}),
    ):
        assert (response.status_code, response.headers["content-range"]) == (206, "0-3/10")
    head = ada.head(f"{RPC}things_from?first=3", headers=COUNTED)
    assert (head.status_code, head.headers["content-range"]) == (200, "0-9/10")
    beyond = ada.get(f"{RPC}things_from?first=3&offset=99", headers=COUNTED)
    assert (beyond.status_code, beyond.json()["code"]) == (416, "PGRST103")


def test_one_row_is_an_object(ada: httpx.Client) -> None:
    assert ada.post(f"{RPC}thing_pair?select=a,k:c->k", json={"a": 4}).json() == {"a": 4, "k": [1, None]}
    response = ada.post(f"{RPC}thing_pair?select=b", json={"a": 4}, headers=SINGLE)
    assert (response.json(), response.headers["content-type"]) == ({"b": "w"}, SINGLE["Accept"])
    assert ada.post(f"{RPC}thing_pair?a=gt.9", json={"a": 4}).json() is None
    assert ada.get(f"{RPC}things_from?first=12", headers=SINGLE).json()["id"] == 12
    response = ada.get(f"{RPC}things_from?first=11", headers=SINGLE)
    assert (response.status_code, response.json()["code"]) == (406, "PGRST116")


def test_tables_and_values_are_shaped(ada: httpx.Client) -> None:
    assert ada.get(f"{RPC}thing_table?up_to=4&word=is.null&select=square").json() == [
        {"square": 1},
        {"square": 9},
    ]
    stripped = {"Accept": "application/vnd.pgrst.array+json;nulls=stripped"}
    told = ada.get(f"{RPC}thing_table?up_to=2&select=n,word", headers=stripped).json()
    assert told == [{"n": 1}, {"n": 2, "word": "w2"}]
    assert ada.get(f"{RPC}thing_numbers?limit=2&offset=1").json() == [2, 3]
    csv = {"Accept": "text/csv"}
    assert ada.get(f"{RPC}thing_numbers?limit=2", headers=csv).text == "pgrst_scalar\n1\n2"
    assert ada.get(f"{RPC}thing_seven", headers=csv).text == "pgrst_scalar\n7"
    response = ada.get(f"{RPC}thing_numbers?n=gt.2")
    assert (response.status_code, response.json()["code"]) == (400, "42703")
    response = ada.get(f"{RPC}thing_void?limit=1")
    assert (response.status_code, response.json()["code"]) == (400, "PGRST100")


def test_letters_and_bits_have_no_length_unless_it_is_said(ada: httpx.Client) -> None:
    """In a list of columns, `character` and `bit` would be one letter, and one bit."""
    letters = {"word": "two words ", "mask": "0110"}
    assert ada.post(f"{RPC}thing_letters", json=letters).json() == "<two words > 0110"
    assert ada.get(f"{RPC}thing_letters", params=letters).json() == "<two words > 0110"
    assert ada.post(f"{RPC}thing_letters", json={"word": "one"}).json() == "<one> 101"


def test_a_filter_is_told_from_an_argument_by_its_text(ada: httpx.Client) -> None:
    """`a` is an argument and a column."""
    assert ada.get(f"{RPC}thing_pair?a=4&a=eq.4&select=a").json() == {"a": 4}
    assert ada.get(f"{RPC}thing_pair?a=4&a=eq.5").json() is None
    assert ada.get(f"{RPC}thing_pair?a=4&word=eq.x&select=b").json() == {"b": "eq.x"}
    response = ada.get(f"{RPC}thing_pair?a=eq.4")
    assert (response.status_code, response.json()["code"]) == (404, "PGRST202")


@pytest.mark.parametrize(
    "query", ["", "select=b", "b=eq.other", "limit=0", "offset=5", "order=a&limit=1&a=lt.0"]
)
def test_a_writing_function_is_called_once_whatever_is_asked_of_its_rows(
    ada: httpx.Client, things_admin: psycopg.Connection[Any], query: str
) -> None:
    word = f"once {query}"
    for number, headers in enumerate(({}, COUNTED), 1):
        response = ada.post(f"{RPC}thing_write?{query}", json={"word": word}, headers=headers)
        assert response.status_code in (200, 206), response.text
        assert calls(things_admin, word) == 2 * number - 1
        body = {"word": word, "times": 3}
        response = ada.post(f"{RPC}thing_writes?{query}", json=body, headers=headers)
        assert response.status_code in (200, 206), response.text
        assert calls(things_admin, word) == 2 * number


def test_a_request_that_is_refused_writes_nothing(
    ada: httpx.Client, things_admin: psycopg.Connection[Any]
) -> None:
    body = {"word": "refused", "times": 2}
    for query, headers in (
        ("", SINGLE),
        ("limit=1", SINGLE),
        ("", {"Prefer": "tx=rollback"}),
        ("nonsense=eq.1", {}),
        ("a=gt.x", {}),
        ("a=like.1*", {}),
        ("limit=-1", {}),
        ("", {"Prefer": "handling=strict, foo=bar"}),
        ("", {"Accept": "text/html"}),
    ):
        response = ada.post(f"{RPC}thing_writes?{query}", json=body, headers=headers)
        assert 400 <= response.status_code < 500, response.text
    assert calls(things_admin, "refused") == 0


def test_sql_says_what_the_response_is(ada: httpx.Client) -> None:
    told = {"headers": '[{"X-Told": "yes"}, {"Cache-Control": "no-store"}]', "status": "202"}
    for response in (
        ada.post(f"{RPC}thing_told", json=told),
        ada.post(f"{RPC}thing_told?limit=1", json=told),
        ada.get(f"{RPC}thing_told", params=told),
    ):
        assert (response.status_code, response.json()) == (202, "told")
        assert (response.headers["x-told"], response.headers["cache-control"]) == ("yes", "no-store")
    after = ada.post(f"{RPC}thing_told", json={})
    assert (after.status_code, "x-told" in after.headers) == (200, False)


@pytest.mark.parametrize(
    "told",
    [
        *({"headers": "nonsense"}, {"headers": '{"a": "b"}'}, {"headers": '[{"a": "b", "c": "d"}]'}),
        *({"headers": '[{"a": 1}]'}, {"headers": '[{"a b": "c"}]'}, {"headers": '[{"a": "b\\r\\nc: d"}]'}),
        *(
            {"headers": '[{"Content-Length": "1"}]'},
            {"status": "nonsense"},
            {"status": "99"},
            {"status": "2000"},
        ),
    ],
)
def test_a_response_that_cannot_be_is_an_error_of_ours(ada: httpx.Client, told: dict[str, str]) -> None:
    response = ada.post(f"{RPC}thing_told", json=told)
    assert (response.status_code, response.json()["code"][:7]) == (500, "PGRST11")
