"""/api/user-tokens, with IAHome's JSON."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import User, balance, bearer, slug

pytestmark = pytest.mark.one_version

PATH = "/api/user-tokens"


def spend(user: User, **more: Any) -> dict[str, Any]:
    named = {"moduleId": "stablediffusion", "moduleName": "Stable Diffusion", "tokensToConsume": 50}
    return {"userId": user.user_id, **named, **more}


def refused(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    assert {"code", "message", "details", "hint"} < set(body)
    assert (response.status_code, body["success"], body["error"]) == (status, False, slug)
    return body


def test_balance_is_read_in_iahomes_words(client: httpx.Client, user: User, service: dict[str, str]) -> None:
    nothing = {"tokens": 0, "packageName": None, "purchaseDate": None, "isActive": True}
    assert client.get(PATH, headers=user.headers).json() == nothing
    grant = {"userId": user.user_id, "tokensToAdd": 500, "packageName": "Standard"}
    client.put(PATH, json=grant, headers=service).raise_for_status()
    for headers in (user.headers, service):
        response = client.get(PATH, params={"userId": user.user_id}, headers=headers)
        assert response.headers["content-type"] == "application/json"
        shown = response.json()
        assert (shown["tokens"], shown["packageName"], shown["isActive"]) == (500, "Standard", True)
        assert shown["purchaseDate"].startswith("20")


def test_only_a_service_reads_other_balances(
    client: httpx.Client, rich: User, service: dict[str, str]
) -> None:
    stranger = bearer("authenticated", "stranger")
    refused(client.get(PATH, params={"userId": rich.user_id}, headers=stranger), 403, "not_yours")
    refused(client.get(PATH, params={"userId": rich.user_id}), 401, "not_signed_in")
    refused(client.get(PATH, params={"userId": "nobody"}, headers=service), 404, "unknown_user")
    refused(client.get(PATH, headers=service), 422, "bad_user")


def test_tokens_are_consumed_in_iahomes_words(client: httpx.Client, rich: User) -> None:
    response = client.post(PATH, json=spend(rich), headers=rich.headers)
    assert response.status_code == 200
    receipt = response.json()
    assert (receipt["success"], receipt["tokens"], receipt["tokensConsumed"]) == (True, 950, 50)
    named = {"moduleId": "whisper"}  # no price named: the database's
    assert client.post(PATH, json=named, headers=rich.headers).json()["tokensConsumed"] == 25
    assert balance(client, rich) == 925


def test_client_cannot_name_price_or_user(client: httpx.Client, rich: User) -> None:
    for price in (1, 0.5, 49.999999):
        refused(
            client.post(PATH, json=spend(rich, tokensToConsume=price), headers=rich.headers),
            422,
            "price_mismatch",
        )
    for price in (0, -50, "NaN", "Infinity", None):
        refused(
            client.post(PATH, json=spend(rich, tokensToConsume=price), headers=rich.headers),
            422,
            "bad_amount",
        )
    refused(client.post(PATH, json=spend(rich, userId="victim"), headers=rich.headers), 403, "not_yours")
    refused(client.post(PATH, json=spend(rich)), 401, "not_signed_in")
    assert balance(client, rich) == 1000


def test_insufficient_tokens_are_refused(client: httpx.Client, user: User) -> None:
    body = refused(client.post(PATH, json=spend(user), headers=user.headers), 402, "insufficient_tokens")
    assert json.loads(body["details"])["missing"] == 50


def test_only_a_service_adds_tokens(client: httpx.Client, user: User, service: dict[str, str]) -> None:
    grant = {"userId": user.user_id, "tokensToAdd": 100.5, "packageName": "Basique"}
    refused(client.put(PATH, json=grant, headers=user.headers), 403, "not_allowed")
    refused(client.put(PATH, json=grant), 401, "not_signed_in")
    added = client.put(PATH, json=grant, headers=service).json()
    assert (added["success"], added["tokens"], added["tokensAdded"]) == (True, 100.5, 100.5)
    for tokens in (-1, 0, "NaN", None):
        refused(client.put(PATH, json=grant | {"tokensToAdd": tokens}, headers=service), 422, "bad_amount")
    assert balance(client, user) == 100.5


def test_other_errors_have_the_same_shape(client: httpx.Client, user: User) -> None:
    refused(client.post(PATH, content=b"[]", headers=user.headers), 400, "PGRST102")
    refused(client.get(PATH, headers={"Authorization": "Bearer x"}), 401, "PGRST301")


def test_a_plus_in_a_user_id_is_a_plus(client: httpx.Client, service: dict[str, str]) -> None:
    """As people write addresses; encodeURIComponent writes %2B, and %20 for a space."""
    name = f"ada+{time.time_ns()}@example.com"
    for user_id, tokens in ((name, 7), (name.replace("+", " "), 3)):
        client.put(
            PATH, json={"userId": user_id, "tokensToAdd": tokens, "packageName": "Standard"}, headers=service
        ).raise_for_status()
    user = bearer("authenticated", name)
    for written in (name, name.replace("+", "%2B"), name.replace("@", "%40")):
        for headers in (service, user):
            assert client.get(f"{PATH}?userId={written}", headers=headers).json()["tokens"] == 7
    spaced = name.replace("+", "%20")
    assert client.get(f"{PATH}?userId={spaced}", headers=service).json()["tokens"] == 3
    refused(client.get(f"{PATH}?userId={spaced}", headers=user), 403, "not_yours")


def test_a_charge_of_an_unknown_user_names_what_opens_an_account(
    client: httpx.Client, service: dict[str, str]
) -> None:
    for answer in (
        client.get(PATH, params={"userId": "nobody"}, headers=service),
        client.post(PATH, json={"moduleId": "whisper", "userId": "nobody"}, headers=service),
        *(
            client.post(
                f"/rest/v1/rpc/{name}", json={"module_id": "whisper", "user_id": "nobody"}, headers=service
            )
            for name in ("consume_tokens", "hold_tokens", "quote_tokens")
        ),
    ):
        assert (answer.status_code, slug(answer)) == (404, "unknown_user")
        assert "open_account" in answer.json()["message"]
    batch = {"items": [{"module_id": "whisper", "user_id": "nobody", "idempotency_key": "k"}]}
    told = client.post("/rest/v1/rpc/consume_tokens_batch", json=batch, headers=service).text
    assert "unknown_user" in told
    assert "open_account" in told


def test_a_repeat_with_a_key_is_the_same_charge_and_the_same_grant(
    client: httpx.Client, rich: User, service: dict[str, str]
) -> None:
    key = {"Idempotency-Key": "picture-1"}
    first = client.post(PATH, json=spend(rich), headers=rich.headers | key).json()
    assert (first["tokens"], first["replayed"], first["priceSource"]) == (950, False, "category")
    again = client.post(PATH, json=spend(rich, tokensToConsume=50.0), headers=rich.headers | key).json()
    assert again == first | {"replayed": True}
    other = spend(rich, moduleId="whisper", tokensToConsume=25)
    refused(client.post(PATH, json=other, headers=rich.headers | key), 409, "key_reused")
    unnamed = {"moduleId": "whisper"}
    told = [
        client.post(PATH, json=unnamed, headers=rich.headers | {"Idempotency-Key": "song-1"}).json()
        for _ in range(2)
    ]
    assert [answer["replayed"] for answer in told] == [False, True]

    package = {"userId": rich.user_id, "tokensToAdd": 100, "packageName": "Basique"}
    added = client.put(PATH, json=package, headers=service | key).json()
    again = client.put(PATH, json=package | {"tokensToAdd": 100.0}, headers=service | key).json()
    assert again == added | {"replayed": True}
    assert balance(client, rich) == 1000 - 50 - 25 + 100


def test_a_repeat_without_a_key_is_another_charge(client: httpx.Client, rich: User) -> None:
    for _ in range(2):
        client.post(PATH, json=spend(rich), headers=rich.headers).raise_for_status()
    assert balance(client, rich) == 900


def test_another_spelling_of_a_module_is_refused_with_the_right_name(
    client: httpx.Client, rich: User
) -> None:
    for named in (spend(rich, moduleId="StableDiffusion"), {"moduleId": "stable-diffusion "}):
        body = refused(client.post(PATH, json=named, headers=rich.headers), 404, "unknown_module")
        assert json.loads(body["details"])["did_you_mean"] == "stablediffusion"
    assert (
        client.post(PATH, json={"moduleId": "new"}, headers=rich.headers).json()["priceSource"] == "default"
    )


def test_refused_call_tells_depleted_once(
    client: httpx.Client, user: User, service: dict[str, str], admin: psycopg.Connection[Any]
) -> None:
    admin.execute("select credits.define_notice('depleted')")
    try:
        package = {"userId": user.user_id, "tokensToAdd": 40, "packageName": "Small"}
        client.put(PATH, json=package, headers=service).raise_for_status()
        for _ in range(2):
            refused(client.post(PATH, json=spend(user), headers=user.headers), 402, "insufficient_tokens")
        notices = client.get("/rest/v1/notices?select=kind,facts", headers=user.headers).json()
        assert notices == [{"kind": "depleted", "facts": {"balance": 40}}]
    finally:
        admin.execute("delete from credits.notice_rules")
