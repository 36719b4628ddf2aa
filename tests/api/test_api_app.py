"""What holds for every answer."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from knocking import User, serving, slug

from pgcredits import rpc
from pgcredits.app import create_app
from pgcredits.settings import Settings

PREFLIGHT = {
    "Origin": "https://shop.example",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,idempotency-key",
}


def test_no_other_origin_by_default(client: httpx.Client) -> None:
    for response in (
        client.options("/rest/v1/rpc/consume_tokens", headers=PREFLIGHT),
        client.get("/rest/v1/packs", headers={"Origin": "https://shop.example"}),
    ):
        assert not [name for name in response.headers if name.startswith("access-control")]


def test_origins_that_are_allowed(settings: Settings) -> None:
    with serving(create_app(replace(settings, cors_origins=("https://shop.example",)))) as url:
        response = httpx.options(f"{url}/rest/v1/rpc/consume_tokens", headers=PREFLIGHT)
        assert response.headers["access-control-allow-origin"] == "https://shop.example"
        assert "idempotency-key" in response.headers["access-control-allow-headers"].lower()
        response = httpx.get(f"{url}/rest/v1/nonsense", headers={"Origin": "https://shop.example"})
        assert response.headers["access-control-allow-origin"] == "https://shop.example"
        assert "content-range" in response.headers["access-control-expose-headers"]
        refused = httpx.get(f"{url}/rest/v1/packs", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in refused.headers


def test_our_own_bugs_stay_in_the_log(
    client: httpx.Client, user: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret of the bug")

    monkeypatch.setattr(rpc, "call_with_object", broken)
    response = client.post("/rest/v1/rpc/quote_tokens", json={"module_id": "x"}, headers=user.headers)
    assert (response.status_code, slug(response)) == (500, "internal")
    assert "secret" not in response.text
    assert "the secret of the bug" in caplog.text


def test_no_answer_is_sniffed(client: httpx.Client) -> None:
    for path in ("/rest/v1/packs", "/rest/v1/balance", "/nonsense", "/checkout/done", "/schema"):
        assert client.get(path).headers["x-content-type-options"] == "nosniff"
