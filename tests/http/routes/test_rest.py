"""/rest/v1: functions and views, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import User, balance, bearer, slug
from http_calls import grant as give

from pgcredits.http.database.schema_cache import SchemaCache

pytestmark = pytest.mark.one_version

RPC = "/rest/v1/rpc/"


def consume(client: httpx.Client, who: dict[str, str], **arguments: Any) -> httpx.Response:
    return client.post(
        f"{RPC}consume_tokens", json={"module_id": "stablediffusion", **arguments}, headers=who
    )


def raw_grant(user: User, tokens: str) -> str:
    """The body of add_tokens, with an amount that json.dumps would not write."""
    return f'{{"user_id": {json.dumps(user.user_id)}, "tokens": {tokens}}}'


def test_user_spends_tokens(client: httpx.Client, rich: User) -> None:
    response = consume(client, rich.headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    receipt = response.json()
    assert (receipt["cost"], receipt["balance"], receipt["user_id"]) == (50, 950, rich.user_id)


def test_insufficient_tokens_come_with_numbers(client: httpx.Client, user: User) -> None:
    response = consume(client, user.headers)
    assert response.status_code == 402
    assert response.json()["code"] == "PT402"
    facts = json.loads(response.json()["details"])
    assert facts == {
        "error": "insufficient_tokens",
        "balance": 0,
        "available": 0,
        "cost": 50,
        "missing": 50,
        "affordable": 0,
    }


def test_both_signatures_of_consume_tokens_work(client: httpx.Client, rich: User) -> None:
    named = {"user_id": rich.user_id, "module_name": "Stable Diffusion"}
    assert consume(client, rich.headers, **named, tokens_to_consume=50).json()["cost"] == 50
    response = consume(client, rich.headers, **named, tokens_to_consume=1)
    assert (response.status_code, slug(response)) == (422, "price_mismatch")


def test_mixed_signatures_are_unknown(client: httpx.Client, rich: User) -> None:
    response = consume(client, rich.headers, tokens_to_consume=50)
    assert (response.status_code, response.json()["code"]) == (404, "PGRST202")
    assert (
        "api.consume_tokens(module_id, usage, idempotency_key, user_id, metadata, byok, tags)"
        in response.json()["hint"]
    )


def test_charges_are_found_and_summed_by_tag(
    client: httpx.Client, service: dict[str, str], rich: User
) -> None:
    for tags in ({"job": "42", "feature": "chat"}, {"job": "43", "feature": "chat"}, None):
        assert consume(client, rich.headers, tags=tags).status_code == 200
    assert consume(client, service, user_id=rich.user_id, tags={"job": "42"}).json()["cost"] == 50
    for where, found in (
        ("tags->>job=eq.42", 2),
        ('tags=cs.{"job":"42","feature":"chat"}', 1),
        ("tags->>job=in.(42,43)", 3),
        ("tags=not.is.null", 3),
    ):
        for view in ("entries", "usage"):
            rows = client.get(f"/rest/v1/{view}?select=tags,tags->>job&{where}", headers=rich.headers).json()
            assert len(rows) == found, (view, where)
            assert all(row["job"] == row["tags"]["job"] for row in rows)
    sums = client.get(
        "/rest/v1/usage_by_tag?select=value,uses,tokens&name=eq.job&order=value", headers=rich.headers
    )
    assert sums.json() == [
        {"value": "42", "uses": 2, "tokens": 100},
        {"value": "43", "uses": 1, "tokens": 50},
    ]
    for tags in ({"job": 42}, [], "chat"):
        response = consume(client, rich.headers, tags=tags)
        assert (response.status_code, slug(response)) == (422, "bad_tags")


def test_numbers_stay_exact(client: httpx.Client, service: dict[str, str], user: User) -> None:
    body = raw_grant(user, "123456789012.123456")
    response = client.post(f"{RPC}add_tokens", content=body, headers=service)
    assert '"balance":123456789012.123456' in response.text
    assert '"balance":123456789012.123456' in client.get("/rest/v1/balance", headers=user.headers).text


# Every bad amount: tests/sql/lots/test_add_tokens.py. Here only those that JSON writes in a way of its own.
@pytest.mark.parametrize("tokens", ["-5", '"NaN"', "1e400", "null"])
def test_bad_amounts_are_refused(
    client: httpx.Client, service: dict[str, str], user: User, tokens: str
) -> None:
    body = raw_grant(user, tokens)
    response = client.post(f"{RPC}add_tokens", content=body, headers=service)
    assert (response.status_code, slug(response)) == (422, "bad_amount")
    assert balance(client, user) == 0


@pytest.mark.parametrize("tokens", ["NaN", "Infinity", "-Infinity", "0x10", "1_000", "'1'"])
def test_amounts_that_are_not_json_are_refused(
    client: httpx.Client, service: dict[str, str], user: User, tokens: str
) -> None:
    body = raw_grant(user, tokens)
    response = client.post(f"{RPC}add_tokens", content=body, headers=service)
    assert (response.status_code, response.json()["code"]) == (400, "PGRST102")


@pytest.mark.parametrize("tokens", ["true", "[]", "{}"])
def test_amounts_of_another_type_are_refused(
    client: httpx.Client, service: dict[str, str], user: User, tokens: str
) -> None:
    body = raw_grant(user, tokens)
    response = client.post(f"{RPC}add_tokens", content=body, headers=service)
    assert (response.status_code, slug(response)) == (422, "bad_amount")


# Every usage that makes no sense: tests/sql/spending/test_consume_tokens.py and test_quote_tokens.py.
@pytest.mark.parametrize(
    ("usage", "code"),
    [
        ({"calls": -1}, 422),
        ({"calls": 1e300}, 422),
        ({"calls": None}, 422),
        ({"nonsense": 1}, 422),
        ("x", 422),
        (None, 422),
    ],
)
def test_senseless_usage_is_refused(client: httpx.Client, rich: User, usage: Any, code: int) -> None:
    response = consume(client, rich.headers, usage=usage)
    assert (response.status_code, slug(response)) == (code, "bad_usage")
    assert balance(client, rich) == 1000


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e131071", "1e999999", "0x10", "01"])
def test_huge_or_non_json_quantities_are_refused(client: httpx.Client, rich: User, literal: str) -> None:
    for function in ("consume_tokens", "quote_tokens"):
        body = f'{{"module_id": "stablediffusion", "usage": {{"calls": {literal}}}}}'
        response = client.post(f"{RPC}{function}", content=body, headers=rich.headers)
        assert response.status_code in (400, 422), response.text
        if response.status_code == 422:
            assert slug(response) == "bad_usage"
    assert balance(client, rich) == 1000


def test_order_for_an_unknown_module_is_refused(client: httpx.Client, rich: User) -> None:
    # This price list has a price for modules it does not know, but nobody can buy for one.
    order = {"pack_id": "standard", "module_id": "nonsense"}
    response = client.post(f"{RPC}create_order", json=order, headers=rich.headers)
    assert (response.status_code, slug(response)) == (404, "unknown_module")


def test_user_cannot_name_another_user(client: httpx.Client, rich: User) -> None:
    for arguments in ({"user_id": "victim"}, {"user_id": ""}, {"user_id": rich.user_id + " "}):
        response = consume(client, rich.headers, **arguments)
        assert (response.status_code, slug(response)) == (403, "not_yours")


def test_users_cannot_grant_themselves_tokens(client: httpx.Client, user: User) -> None:
    for function, body in (
        ("add_tokens", {"user_id": user.user_id, "tokens": 1}),
        ("add_tokens", {"user_id": user.user_id, "tokens_to_add": 1, "package_name": "x"}),
        ("apply_stripe_event", {"event": {}}),
        ("find_credential", {"email": "a@b.c"}),
        ("attach_checkout", {"account_id": None, "order_id": None, "session_id": "x"}),
        ("cancel_order", {"account_id": None, "order_id": None}),
        ("sign_up", {"email": "a@b.c", "password_hash": "x"}),
    ):
        response = client.post(f"{RPC}{function}", json=body, headers=user.headers)
        assert (response.status_code, response.json()["code"]) == (403, "42501")
        response = client.post(f"{RPC}{function}", json=body)
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


def test_anonymous_caller_cannot_spend(client: httpx.Client) -> None:
    response = client.post(f"{RPC}consume_tokens", json={"module_id": "whisper"})
    assert (response.status_code, slug(response)) == (401, "not_signed_in")
    assert response.headers["www-authenticate"] == "Bearer"


# Idempotency


def test_key_may_come_as_a_header(client: httpx.Client, rich: User) -> None:
    headers = rich.headers | {"Idempotency-Key": "the-same"}
    first, second = (consume(client, headers).json() for _ in range(2))
    assert second == first | {"replayed": True}
    assert consume(client, rich.headers, idempotency_key="the-same").json() == second
    assert consume(client, headers, idempotency_key="the-same").json() == second
    assert balance(client, rich) == 950
    response = client.post(f"{RPC}consume_tokens", json={"module_id": "whisper"}, headers=headers)
    assert (response.status_code, slug(response)) == (409, "key_reused")


@pytest.mark.parametrize("key", ["other", "", 7, ["the-same"]])
def test_two_different_keys_are_refused(client: httpx.Client, rich: User, key: Any) -> None:
    response = consume(client, rich.headers | {"Idempotency-Key": "the-same"}, idempotency_key=key)
    assert (response.status_code, slug(response)) == (422, "bad_key")


@pytest.mark.parametrize("key", ["", "k" * 201, "k" * 12_000])
def test_keys_of_a_bad_length_are_refused(client: httpx.Client, rich: User, key: str) -> None:
    for response in (
        consume(client, rich.headers, idempotency_key=key),
        consume(client, rich.headers | {"Idempotency-Key": key}),
    ):
        assert (response.status_code, slug(response)) == (422, "bad_key")
    assert balance(client, rich) == 1000


def test_a_key_may_be_any_utf8(client: httpx.Client, rich: User) -> None:
    key = "clé-'\"%s-№"
    header = httpx.Headers({"Idempotency-Key": key}, encoding="utf-8")
    receipt = client.post(
        f"{RPC}consume_tokens",
        json={"module_id": "whisper"},
        headers=[*header.raw, *httpx.Headers(rich.headers).raw],
    ).json()
    body = {"module_id": "whisper", "idempotency_key": key}
    again = client.post(f"{RPC}consume_tokens", json=body, headers=rich.headers).json()
    assert again == receipt | {"replayed": True}


def test_keys_that_are_not_text_are_refused(client: httpx.Client, rich: User) -> None:
    two = [*rich.headers.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    latin = [*httpx.Headers(rich.headers).raw, (b"Idempotency-Key", b"\xff")]
    for headers in (two, latin):
        response = client.post(f"{RPC}consume_tokens", json={"module_id": "whisper"}, headers=headers)  # type: ignore[arg-type]
        assert (response.status_code, slug(response)) == (422, "bad_key")


def test_function_without_keys_refuses_a_key(
    client: httpx.Client, service: dict[str, str], user: User
) -> None:
    body = {"user_id": user.user_id, "tokens_to_add": 5, "package_name": "x"}
    response = client.post(f"{RPC}add_tokens", json=body, headers=service | {"Idempotency-Key": "a"})
    if response.status_code == 200:  # the signature has learned to take a key
        again = client.post(f"{RPC}add_tokens", json=body, headers=service | {"Idempotency-Key": "a"})
        assert again.json()["replayed"]
    else:
        assert (response.status_code, slug(response)) == (422, "bad_key")


def test_a_reader_needs_no_key(client: httpx.Client, user: User) -> None:
    headers = user.headers | {"Idempotency-Key": "a"}
    assert (
        client.post(f"{RPC}quote_tokens", json={"module_id": "whisper"}, headers=headers).status_code == 200
    )


def test_nul_is_refused(client: httpx.Client, rich: User) -> None:
    for body, expected in (
        ({"module_id": "whisper", "idempotency_key": "a\0b"}, "bad_key"),
        ({"module_id": "whisper\0"}, "bad_text"),
        ({"module_id": "whisper", "metadata": {"a": ["\0"]}}, "bad_text"),
        ({"module_id": "whisper", "metadata": {"a\0": 1}}, "bad_text"),
    ):
        response = client.post(f"{RPC}consume_tokens", json=body, headers=rich.headers)
        assert (response.status_code, slug(response)) == (422, expected)
    assert balance(client, rich) == 1000
    backslash = {"module_id": "whisper", "metadata": {"a": "\\u0000"}}
    assert client.post(f"{RPC}consume_tokens", json=backslash, headers=rich.headers).status_code == 200


# Bodies, methods, headers


@pytest.mark.parametrize(
    "body", [b"[]", b"1", b"{", b"\xff", b"x=1", b'{"module_id": "\\ud800"}', b'{"a":' + b"[" * 50_000]
)
def test_bodies_must_be_objects(client: httpx.Client, user: User, body: bytes) -> None:
    response = client.post(f"{RPC}consume_tokens", content=body, headers=user.headers)
    assert response.status_code == 400
    slug(response)


def test_deep_and_large_bodies_are_refused(client: httpx.Client, user: User) -> None:
    for value in (b"[" * 900 + b"]" * 900, b"[" * 200_000 + b"]" * 200_000):
        response = client.post(
            f"{RPC}consume_tokens", content=b'{"metadata":' + value + b"}", headers=user.headers
        )
        assert 400 <= response.status_code < 500
    response = client.post(f"{RPC}consume_tokens", content=b"x" * 1_000_001, headers=user.headers)
    assert (response.status_code, slug(response)) == (413, "too_large")


def test_a_form_is_not_json(client: httpx.Client, user: User) -> None:
    response = client.post(f"{RPC}consume_tokens", data={"module_id": "whisper"}, headers=user.headers)
    assert (response.status_code, response.json()["code"]) == (415, "PGRST102")


def test_reading_functions_may_be_called_by_get(client: httpx.Client, rich: User) -> None:
    query = {"module_id": "whisper", "usage": '{"calls": 2}'}
    response = client.get(f"{RPC}quote_tokens", params=query, headers=rich.headers)
    assert (
        response.json()
        == client.post(
            f"{RPC}quote_tokens", json={"module_id": "whisper", "usage": {"calls": 2}}, headers=rich.headers
        ).json()
    )
    assert (response.json()["cost"], response.headers["content-range"]) == (50, "0-0/*")
    head = client.head(f"{RPC}quote_tokens", params=query, headers=rich.headers)
    assert (head.status_code, head.content) == (200, b"")


def test_writing_functions_refuse_get(client: httpx.Client, rich: User) -> None:
    response = client.get(f"{RPC}consume_tokens", params={"module_id": "whisper"}, headers=rich.headers)
    assert (response.status_code, response.json()["code"]) == (405, "25006")
    assert "POST" in response.headers["allow"]
    assert balance(client, rich) == 1000


@pytest.mark.parametrize(
    ("query", "status", "answer"),
    [
        ("module_id=whisper&select=cost", 200, {"cost": 25}),
        ("module_id=whisper&sufficient=is.false&select=cost", 200, {"cost": 25}),
        ("module_id=whisper&or=(cost.gt.1000,cost.lt.0)", 200, None),
        ("module_id=a&module_id=b", 400, "PGRST100"),
        ("module_id=whisper&no_field=not.in.(1,2)", 400, "42703"),
        ("module_id=whisper&no_argument=1", 404, "PGRST202"),
        ("module_id=eq.whisper", 404, "PGRST202"),
        ("select=cost", 404, "PGRST202"),
    ],
)
def test_results_of_functions_are_shaped(
    client: httpx.Client, user: User, query: str, status: int, answer: Any
) -> None:
    response = client.get(f"{RPC}quote_tokens?{query}", headers=user.headers)
    told = response.json()
    assert (response.status_code, told if status == 200 else told["code"]) == (status, answer)


def test_other_methods_are_refused(client: httpx.Client, user: User) -> None:
    for method, path in (
        ("PUT", f"{RPC}quote_tokens"),
        ("DELETE", "/rest/v1/balance"),
        ("POST", "/rest/v1/balance"),
        ("PATCH", "/rest/v1/packs"),
    ):
        response = client.request(method, path, headers=user.headers)
        assert (response.status_code, response.json()["code"]) == (405, "PGRST101")
        assert "GET" in response.headers["allow"]


@pytest.mark.parametrize(
    "path",
    [
        *("/rest/v1", "/rest/v1/", "/rest/v1/rpc/", "/rest/v1/a/b", "/rest/v1/rpc/a/b"),
        *(
            "/rest/v1balance",
            "/rest/v1rpc/quote_tokens",
            "/rest/v1%62alance",
        ),  # a rule for /rest/v1/ misses them
    ],
)
def test_other_paths_are_not_found(client: httpx.Client, user: User, path: str) -> None:
    response = client.get(path, headers=user.headers)
    assert response.status_code == 404
    assert response.json()["code"] in {"PGRST125", "PGRST205"}  # of a path, and of a view named rpc


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/rest/v1/balance", "GET, HEAD, OPTIONS"), (f"{RPC}quote_tokens", "GET, HEAD, POST, OPTIONS")],
)
def test_options_name_the_methods(client: httpx.Client, path: str, methods: str) -> None:
    response = client.options(path)
    assert (response.status_code, response.headers["allow"], response.content) == (204, methods, b"")


def test_a_body_may_come_in_parts(client: httpx.Client, rich: User) -> None:
    parts = iter([b'{"module_id":', b'"whisper"', b"}"])
    response = client.post(f"{RPC}consume_tokens", content=parts, headers=rich.headers)
    assert (response.status_code, response.json()["cost"]) == (200, 25)
    endless = (b"x" * 100_000 for _ in range(11))
    response = client.post(f"{RPC}consume_tokens", content=endless, headers=rich.headers)
    assert (response.status_code, slug(response)) == (413, "too_large")


def test_only_the_profile_api_is_accepted(client: httpx.Client, rich: User) -> None:
    both = {"Accept-Profile": "api", "Content-Profile": "api"}
    assert client.get("/rest/v1/packs", headers=both).headers["content-profile"] == "api"
    assert consume(client, rich.headers | both).headers["content-profile"] == "api"
    for response in (
        client.get("/rest/v1/packs", headers={"Accept-Profile": "public"}),
        consume(client, rich.headers | {"Content-Profile": "public"}),
    ):
        assert (response.status_code, response.json()["code"]) == (406, "PGRST106")
        assert "api" in response.json()["hint"]


@pytest.mark.parametrize(
    "accept",
    ["application/vnd.pgrst.plan", "application/geo+json", "text/html", "x", "text/csv;q=0"],
)
def test_unsupported_media_types_are_refused(client: httpx.Client, accept: str) -> None:
    response = client.get("/rest/v1/packs", headers={"Accept": accept})
    assert (response.status_code, response.json()["code"]) == (406, "PGRST107")


def test_one_object_may_be_asked_for(client: httpx.Client, rich: User) -> None:
    single = {"Accept": "application/vnd.pgrst.object+json"}
    assert client.get("/rest/v1/balance", headers=rich.headers | single).json()["balance"] == 1000
    response = client.get("/rest/v1/packs", headers=single)
    assert (response.status_code, response.json()["code"]) == (406, "PGRST116")
    assert response.json()["details"] == "The result contains 4 rows"
    assert consume(client, rich.headers | single).json()["cost"] == 50


@pytest.mark.parametrize(
    "header",
    [
        ("Prefer", "params=single-object"),
        ("Prefer", "return=minimal, tx=rollback"),
        ("Prefer", "timezone=Europe/Paris"),
        ("Prefer", "handling=lenient, max-affected=1"),
    ],
)
def test_unsupported_headers_are_refused(client: httpx.Client, rich: User, header: tuple[str, str]) -> None:
    headers = rich.headers | dict([header])
    for response in (client.get("/rest/v1/packs", headers=headers), consume(client, headers)):
        assert (response.status_code, response.json()["code"]) == (400, "PGRST100")
    assert balance(client, rich) == 1000


# Views


def test_packs_are_for_everybody(client: httpx.Client) -> None:
    response = client.get("/rest/v1/packs?select=pack_id,price:amount&order=amount.desc&limit=2&offset=1")
    assert response.json() == [{"pack_id": "premium", "price": 6999}, {"pack_id": "standard", "price": 3999}]
    assert response.headers["content-range"] == "1-2/*"
    assert client.get("/rest/v1/packs?pack_id=eq.standard").json()[0]["tokens"] == 500
    empty = client.get("/rest/v1/packs?pack_id=eq.nonsense")
    assert (empty.json(), empty.headers["content-range"]) == ([], "*/*")
    assert client.head("/rest/v1/packs").headers["content-range"] == "0-3/*"


def test_a_new_user_sees_zeros(client: httpx.Client, user: User) -> None:
    (row,) = client.get("/rest/v1/balance", headers=user.headers).json()
    assert (row["user_id"], row["balance"], row["available"]) == (user.user_id, 0, 0)


def test_users_see_themselves_only(client: httpx.Client, rich: User, service: dict[str, str]) -> None:
    stranger = bearer("authenticated", "stranger")
    for view in ("balance", "entries", "usage", "lots", "orders"):
        for query in ("", f"?user_id=eq.{rich.user_id}"):
            assert rich.user_id not in client.get(f"/rest/v1/{view}{query}", headers=stranger).text
        assert client.get(f"/rest/v1/{view}").status_code == 401
    assert rich.user_id in client.get(f"/rest/v1/balance?user_id=eq.{rich.user_id}", headers=service).text


def test_rows_are_capped(client: httpx.Client, rich: User) -> None:
    for _ in range(60):
        client.post(
            f"{RPC}consume_tokens", json={"module_id": "metube"}, headers=rich.headers
        ).raise_for_status()
    for query in ("", "?limit=1000000"):
        response = client.get(f"/rest/v1/entries{query}", headers=rich.headers)
        assert len(response.json()) == 50
        assert response.headers["content-range"] == "0-49/*"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/rest/v1/nonsense", 404, "PGRST205"),
        ("/rest/v1/pg_authid", 404, "PGRST205"),
        ("/rest/v1/credits.wallets", 404, "PGRST205"),
        ("/rest/v1/rpc/nonsense", 404, "PGRST202"),
        ("/rest/v1/rpc/pg_sleep?seconds=9", 404, "PGRST202"),
        ("/rest/v1/packs?nonsense=eq.1", 400, "42703"),
        ("/rest/v1/packs?tokens=eq.abc", 422, "PT422"),
        ("/rest/v1/packs?tokens=near.5", 400, "PGRST100"),
        ("/rest/v1/packs?tokens=like.5*", 404, "42883"),
        ("/rest/v1/packs?tokens=is.true", 400, "42804"),
        ("/rest/v1/packs?select=tokens::uuid", 400, "42846"),
        ("/rest/v1/packs?pack_id=fts(nonsense).x", 400, "42704"),
        ("/rest/v1/packs?pack_id=match.(", 422, "PT422"),
        ("/rest/v1/packs?offset=-1", 416, "PGRST103"),
        ("/rest/v1/a/b", 404, "PGRST125"),
        ("/nonsense", 404, "PGRST125"),
    ],
)
def test_errors_have_postgrests_codes(client: httpx.Client, path: str, status: int, code: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()["code"]) == (status, code)
    slug(response)


@pytest.mark.parametrize(
    "value",
    [
        "' or '1'='1",
        "x'; drop table credits.wallets; --",
        "\\",
        "%",
        "%s",
        "%(a)s",
        "$1",
        "null",
        "set_config('role','service_role',true)",
        "(select password_hash from credits.credentials limit 1)",
        "\u2019 or 1=1",
        "a,b",
        "{a}",
        "standard\n",
        " standard",
        "ＳＴＡＮＤＡＲＤ",
    ],
)
def test_values_of_filters_are_never_syntax(client: httpx.Client, value: str) -> None:
    response = client.get("/rest/v1/packs", params={"pack_id": f"eq.{value}"})
    assert (response.status_code, response.json()) == (200, [])


def test_raw_database_errors_do_not_leak(client: httpx.Client, new_function: str, user: User) -> None:
    response = client.post(f"{RPC}{new_function}", json={"what": "check"}, headers=user.headers)
    assert (response.status_code, response.json()["code"]) == (400, "23514")
    assert response.json()["details"] is None
    for secret in ("check_is_secret", "secret_table", "987654"):
        assert secret not in response.text
    response = client.post(f"{RPC}{new_function}", json={"what": "deadlock"}, headers=user.headers)
    assert (response.status_code, slug(response)) == (503, "unavailable")
    assert response.headers["retry-after"] == "1"
    response = client.post(f"{RPC}{new_function}", json={"what": "internal"}, headers=user.headers)
    assert (response.status_code, response.json()["message"]) == (500, "Internal error.")


def test_results_have_postgrests_shapes(client: httpx.Client, new_function: str, user: User) -> None:
    for shape, expected in (
        ("scalar", 7),
        ("nothing", None),
        ("set", [1, 2, 3]),
        ("rows", [{"a": 1, "b": "x"}]),
        ("empty", []),
    ):
        response = client.post(f"{RPC}{new_function}_{shape}", headers=user.headers)
        assert (response.status_code, response.json()) == (200, expected)
        assert response.headers["content-range"] == {"set": "0-2/*", "empty": "*/*"}.get(shape, "0-0/*")
    response = client.post(f"{RPC}{new_function}_void", headers=user.headers)
    assert (response.status_code, response.content) == (204, b"")


_NEW = ("(text)", "_scalar()", "_nothing()", "_set()", "_rows()", "_empty()", "_void()")


@pytest.fixture(scope="module")
def new_function(admin_url: str) -> Iterator[str]:
    """The API finds functions that were made after it was started, without a restart."""
    with (
        pytest.MonkeyPatch.context() as patch,
        psycopg.connect(admin_url, autocommit=True) as admin,
    ):
        patch.setattr(SchemaCache, "cool_down", 0.0)  # the API looks at once, not after five seconds
        admin.execute(
            "create schema door_test;"
            " create table door_test.secret_table (n int constraint check_is_secret check (n < 9))"
        )
        admin.execute(
            """
            create function api.door_test(what text) returns text language plpgsql security definer as $$
            begin
                if what = 'check' then insert into door_test.secret_table values (987654); end if;
                if what = 'deadlock' then
                    raise exception using errcode = '40P01', message = 'secret_table';
                end if;
                raise exception using errcode = 'XX000', message = 'secret_table';
            end $$;
            create function api.door_test_scalar() returns int language sql as 'select 7';
            create function api.door_test_nothing() returns text language sql as 'select null::text';
            create function api.door_test_set() returns setof int language sql
            as 'select generate_series(1, 3)';
            create function api.door_test_rows() returns table (a int, b text) language sql
            as $$select 1, 'x'$$;
            create function api.door_test_empty() returns setof int language sql as 'select 1 where false';
            create function api.door_test_void() returns void language sql as '';
            """
        )
        for signature in _NEW:
            admin.execute(f"grant execute on function api.door_test{signature} to authenticated")
        yield "door_test"
        admin.execute("drop schema door_test cascade")
        for signature in _NEW:
            admin.execute(f"drop function api.door_test{signature}")


def test_hold_and_capture_work_over_http(client: httpx.Client, rich: User) -> None:
    """In two phases, with the key in the header, and a lifetime in words or in seconds."""
    for ttl in ("1 hour", "PT1H", 3600):
        body = {"module_id": "stablediffusion", "usage": {"calls": 3}, "ttl": ttl}
        held = client.post(f"{RPC}hold_tokens", json=body, headers=rich.headers).json()
        assert (held["held"], held["state"]) == (150, "open")
        capture = {"hold_id": held["hold_id"], "usage": {"calls": 2}}
        headers = rich.headers | {"Idempotency-Key": held["hold_id"]}
        first, again = (
            client.post(f"{RPC}capture_hold", json=capture, headers=headers).json() for _ in range(2)
        )
        assert (first["paid"], first["released"], first["replayed"]) == (100, 50, False)
        assert again == first | {"replayed": True}
        response = client.post(f"{RPC}release_hold", json={"hold_id": held["hold_id"]}, headers=rich.headers)
        assert (response.status_code, slug(response)) == (409, "hold_closed")
    rows = client.get("/rest/v1/holds?select=state,captured,held", headers=rich.headers).json()
    assert rows == [{"state": "captured", "captured": 100, "held": 0}] * 3
    assert balance(client, rich) == 700


def test_bad_ttls_are_refused(client: httpx.Client, rich: User) -> None:
    for ttl, status in (("2 days", 422), ("soon", 422)):
        body = {"module_id": "stablediffusion", "ttl": ttl}
        response = client.post(f"{RPC}hold_tokens", json=body, headers=rich.headers)
        assert response.status_code == status, response.text


@pytest.mark.parametrize(
    "tokens", ["0x64", "1_000", "0b1", "0o7", " 1 ", "1e5", "+1", "NaN", "Infinity", "", "١", "many"]
)
def test_an_amount_in_text_is_decimal(
    client: httpx.Client, user: User, service: dict[str, str], tokens: str
) -> None:
    """On every version of PostgreSQL alike."""
    body = {"user_id": user.user_id, "tokens": tokens}
    response = client.post(f"{RPC}add_tokens", json=body, headers=service)
    assert (response.status_code, slug(response)) == (422, "bad_amount")


@pytest.mark.parametrize(
    "moment",
    ["Infinity", "-infinity", "now", "today", "tomorrow", "allballs", "epoch", "294276-01-01", "01/02/2098"],
)
def test_a_time_is_written_as_in_iso_8601(
    client: httpx.Client, user: User, service: dict[str, str], moment: str
) -> None:
    body = {"user_id": user.user_id, "tokens": 5, "expires_at": moment}
    response = client.post(f"{RPC}add_tokens", json=body, headers=service)
    assert (response.status_code, slug(response)) == (422, "bad_expiry")


def test_a_number_and_a_time_in_text_are_read(
    client: httpx.Client, user: User, service: dict[str, str]
) -> None:
    body = {"user_id": user.user_id, "tokens": "5.50", "expires_at": "2098-01-02"}
    response = client.post(f"{RPC}add_tokens", json=body, headers=service)
    assert response.status_code == 200, response.text
    lots = client.get("/rest/v1/lots", headers=user.headers).json()
    assert [(lot["granted"], lot["expires_at"]) for lot in lots] == [(5.5, "2098-01-02T00:00:00+00:00")]


def test_infinity_means_never_and_all_that_is_left_as_in_sql(
    client: httpx.Client, user: User, service: dict[str, str]
) -> None:
    def lots() -> list[Any]:
        return [lot["expires_at"] for lot in client.get("/rest/v1/lots", headers=user.headers).json()]

    def rpc(function: str, **arguments: Any) -> dict[str, Any]:
        response = client.post(f"{RPC}{function}", json=arguments, headers=service)
        assert response.status_code == 200, response.text
        told: dict[str, Any] = response.json()
        return told

    granted = rpc("add_tokens", user_id=user.user_id, tokens=100, expires_at="infinity")
    assert lots() == [None]
    rpc("change_expiry", lot_id=granted["entry_id"], expires_at="2098-01-02", reason="shorter")
    rpc("change_expiry", lot_id=granted["entry_id"], expires_at="infinity", reason="longer")
    assert lots() == [None]
    spent = rpc("consume_tokens", user_id=user.user_id, module_id="stablediffusion")
    refunded = rpc("refund_usage", entry_id=spent["entry_id"], tokens="Infinity")
    assert refunded["tokens"] == spent["cost"]
    # An order without a payment: the amount was read.
    order = rpc("create_order", user_id=user.user_id, pack_id="standard")
    body = {"user_id": user.user_id, "order_id": order["order_id"], "tokens": "Infinity"}
    response = client.post(f"{RPC}request_refund", json=body, headers=service)
    assert (response.status_code, slug(response)) == (409, "not_refundable")


@pytest.mark.parametrize(
    ("function", "caller"),
    [("consume_tokens", "user"), ("hold_tokens", "user"), ("consume_tokens", "service")],
)
def test_refused_use_tells_depleted_once(
    function: str,
    caller: str,
    client: httpx.Client,
    user: User,
    service: dict[str, str],
    admin: psycopg.Connection[Any],
) -> None:
    """What is left pays for something, but not for this."""
    admin.execute("select credits.define_notice('depleted')")
    try:
        give(client, service, user, 40)
        headers = user.headers if caller == "user" else service
        use = {"module_id": "stablediffusion"} | ({} if caller == "user" else {"user_id": user.user_id})
        for _ in range(2):
            response = client.post(f"/rest/v1/rpc/{function}", json=use, headers=headers)
            assert response.status_code == 402
            assert json.loads(response.json()["details"])["missing"] == 10
        notices = client.get("/rest/v1/notices?select=kind,facts", headers=user.headers).json()
        assert notices == [{"kind": "depleted", "facts": {"balance": 40}}]
    finally:
        admin.execute("delete from credits.notice_rules")


@pytest.mark.parametrize("what", ["a batch", "a user's capture", "a service's capture"])
def test_refusals_that_name_no_module_tell_depleted_once(
    what: str,
    client: httpx.Client,
    user: User,
    service: dict[str, str],
    admin: psycopg.Connection[Any],
) -> None:
    admin.execute("select credits.define_notice('depleted')")
    try:
        give(client, service, user, 40)
        use = {"user_id": user.user_id, "module_id": "whisper"}
        headers = user.headers if what == "a user's capture" else service
        if what == "a batch":
            bob = f"bob_{user.user_id}"
            give(client, service, User(bob, {}), 100)
            items = [use | {"user_id": bob}, use | {"module_id": "stablediffusion"}]
            name, arguments = "consume_tokens_batch", {"items": items, "atomic": True}
        else:
            held = client.post("/rest/v1/rpc/hold_tokens", json=use, headers=headers).raise_for_status()
            name, arguments = "capture_hold", {"hold_id": held.json()["hold_id"], "usage": {"calls": 20}}
            if headers is service:
                arguments["over"] = "error"
        for _ in range(2):
            assert client.post(f"/rest/v1/rpc/{name}", json=arguments, headers=headers).status_code == 402
        notices = client.get("/rest/v1/notices?select=kind", headers=user.headers).json()
        assert notices == [{"kind": "depleted"}]
    finally:
        admin.execute("delete from credits.notice_rules")


@pytest.mark.parametrize(
    ("function", "lost", "error"),
    [
        ("refund_usage", "tokens", "bad_amount"),
        ("capture_hold", "usage", "bad_usage"),
        ("add_tokens", "expires_at", "bad_expiry"),
        ("set_spend_limit", "tokens", "bad_amount"),
        ("set_low_balance", "below", "bad_threshold"),
        ("maintain", "max_keys", "bad_limit"),
    ],
)
def test_null_from_a_client_is_refused(
    client: httpx.Client, rich: User, service: dict[str, str], function: str, lost: str, error: str
) -> None:
    """JavaScript sends an invalid date, and NaN, as null."""
    whose = {"user_id": rich.user_id}
    use = whose | {"module_id": "stablediffusion"}
    spent = client.post(f"{RPC}consume_tokens", json=use, headers=service).json()
    held = client.post(f"{RPC}hold_tokens", json=use, headers=service).json()
    before = client.get("/rest/v1/balance", headers=rich.headers).json()
    said = {
        "refund_usage": {"entry_id": spent["entry_id"]},
        "capture_hold": {"hold_id": held["hold_id"]},
        "add_tokens": whose | {"tokens": 5},
        "set_spend_limit": whose | {"period": "day"},
        "set_low_balance": whose,
        "maintain": {},
    }[function]
    response = client.post(f"{RPC}{function}", json=said | {lost: None}, headers=service)
    assert (response.status_code, slug(response)) == (422, error)
    assert client.get("/rest/v1/balance", headers=rich.headers).json() == before


@pytest.mark.parametrize(
    "path",
    [
        *(f"{RPC}consume_tokens", f"{RPC}consume_tokens_batch", f"{RPC}capture_hold", "/api/"),
        *("/auth/signup", "/auth/token", "/auth/password", "/auth/logout", "/auth/account"),
        *("/checkout", "/portal"),
    ],
)
def test_a_number_beyond_floats_causes_no_internal_error(
    client: httpx.Client, service: dict[str, str], path: str
) -> None:
    names = (
        *("user_id", "userId", "module_id", "moduleId", "items", "hold_id", "usage", "idempotency_key"),
        *("email", "password", "new_password", "refresh_token", "grant_type", "everywhere", "referral_code"),
        *("pack_id", "amount", "success_url", "cancel_url", "return_url", "receipt_email", "plan_id"),
    )
    keys: tuple[dict[str, str], ...] = ({}, {"Idempotency-Key": "k"}) if path.startswith(RPC) else ({},)
    for name in names:
        for key in keys:
            response = client.post(path, content=f'{{"{name}":1e999}}', headers=service | key)
            assert response.status_code < 500 or slug(response) == "payment_unavailable", name
