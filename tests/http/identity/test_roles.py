"""Tokens of the two roles for backends with fewer rights than a service."""

from __future__ import annotations

import httpx
import pytest
from http_calls import User, bearer, grant, slug

HOLD = {"module_id": "whisper"}


@pytest.fixture
def ada(client: httpx.Client, user: User, service: dict[str, str]) -> User:
    grant(client, service, user, 100)
    return user


def test_a_spenders_token_charges_and_grants_nothing(client: httpx.Client, ada: User) -> None:
    spender = bearer("spender")

    def call(function: str, **arguments: object) -> httpx.Response:
        return client.post(f"/rest/v1/rpc/{function}", json=arguments, headers=spender)

    assert call("consume_tokens", module_id="whisper", user_id=ada.user_id).json()["balance"] == 75
    held = call("hold_tokens", module_id="whisper", user_id=ada.user_id).json()
    assert call("capture_hold", hold_id=held["hold_id"]).json()["balance"] == 50
    assert call("open_account", user_id=f"new of {ada.user_id}").status_code == 200
    for function, arguments in (
        ("add_tokens", {"user_id": ada.user_id, "tokens": 5}),
        ("refund_usage", {"entry_id": "x"}),
        ("create_order", {"pack_id": "standard", "user_id": ada.user_id}),
        ("apply_stripe_event", {"event": {}}),
        ("maintain", {}),
    ):
        refused = call(function, **arguments)
        assert (refused.status_code, slug(refused)) == (403, "not_allowed"), function
    put = {"userId": ada.user_id, "tokensToAdd": 5, "packageName": "Standard"}
    assert client.put("/api/user-tokens", json=put, headers=spender).status_code == 403

    read = client.get("/rest/v1/balance", params={"user_id": f"eq.{ada.user_id}"}, headers=spender)
    assert [row["balance"] for row in read.json()] == [50]
    old = client.get("/api/user-tokens", params={"userId": ada.user_id}, headers=spender)
    assert old.json()["tokens"] == 50
    assert client.get("/rest/v1/entries", headers=spender).status_code == 403


def test_a_token_of_support_reads_and_calls_nothing(client: httpx.Client, ada: User) -> None:
    support = bearer("support")
    for view in ("balance", "entries", "lots"):
        rows = client.get(f"/rest/v1/{view}", params={"user_id": f"eq.{ada.user_id}"}, headers=support).json()
        assert len(rows) == 1, view
    for function, arguments in (
        ("consume_tokens", {"module_id": "whisper", "user_id": ada.user_id}),
        ("add_tokens", {"user_id": ada.user_id, "tokens": 5}),
        ("open_account", {"user_id": ada.user_id}),
    ):
        refused = client.post(f"/rest/v1/rpc/{function}", json=arguments, headers=support)
        assert (refused.status_code, slug(refused)) == (403, "not_allowed"), function
