"""What holds for every answer."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from http_calls import User, serving, slug

from pgcredits.http.app import create_app
from pgcredits.http.functions import rpc
from pgcredits.settings import Settings

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

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


def test_listed_origins_are_allowed(settings: Settings) -> None:
    with serving(create_app(replace(settings, cors_origins=("https://shop.example",)))) as url:
        response = httpx.options(f"{url}/rest/v1/rpc/consume_tokens", headers=PREFLIGHT)
        assert response.headers["access-control-allow-origin"] == "https://shop.example"
        assert "idempotency-key" in response.headers["access-control-allow-headers"].lower()
        response = httpx.get(f"{url}/rest/v1/nonsense", headers={"Origin": "https://shop.example"})
        assert response.headers["access-control-allow-origin"] == "https://shop.example"
        assert "content-range" in response.headers["access-control-expose-headers"]
        refused = httpx.get(f"{url}/rest/v1/packs", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in refused.headers


def test_a_refused_page_is_told_the_setting(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    for listed in ((), ("https://another.example",)):
        caplog.clear()
        with serving(create_app(replace(settings, cors_origins=listed))) as url:
            for _ in range(2):
                response = httpx.options(f"{url}/rest/v1/rpc/consume_tokens", headers=PREFLIGHT)
                assert (response.status_code, slug(response)) == (403, "origin_not_allowed")
                assert "PGCREDITS_CORS_ORIGINS" in response.json()["message"]
                assert "access-control-allow-origin" not in response.headers
        assert caplog.text.count("PGCREDITS_CORS_ORIGINS") == 1, "each origin is logged once"


def test_pages_of_our_own_site_are_not_refused(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with serving(create_app(replace(settings, public_url="https://bank.example"))) as url:
        own = {"Origin": "https://bank.example"}
        assert httpx.get(f"{url}/rest/v1/packs", headers=own).status_code == 200
    assert "PGCREDITS_CORS_ORIGINS" not in caplog.text


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:5173", True),
        ("http://127.0.0.1:3000", True),
        ("https://[::1]:8443", True),
        ("http://localhost", True),
        ("http://localhost.evil.example", False),
        ("http://localhost:5173.evil.example", False),
        ("http://evil.example", False),
        ("null", False),
    ],
)
def test_local_means_pages_of_this_machine(settings: Settings, origin: str, allowed: bool) -> None:
    with serving(create_app(replace(settings, cors_origins=("local",)))) as url:
        response = httpx.options(f"{url}/rest/v1/rpc/consume_tokens", headers={**PREFLIGHT, "Origin": origin})
        assert (response.headers.get("access-control-allow-origin") == origin) is allowed
        assert (response.status_code == 204) is allowed


@pytest.mark.parametrize(
    ("method", "path", "details"),
    [
        ("HEAD", "/rest/v1/balance?seq=gt.1", 'pgcredits; error=42703; details="'),
        ("HEAD", "/rest/v1/entries?seq=near.1", 'pgcredits; error=PGRST100; details="failed to parse'),
        ("HEAD", "/rest/v1/rpc/quote_tokens?module_id=", 'pgcredits; error=PT404; details="unknown_module: '),
        ("GET", "/rest/v1/nothing", "pgcredits; error=PGRST205; details="),
    ],
)
def test_a_refusal_says_why_in_a_header(
    client: httpx.Client, user: User, method: str, path: str, details: str
) -> None:
    response = client.request(method, path, headers=user.headers)
    assert response.status_code >= 400
    assert response.headers["proxy-status"].startswith(details)


def test_a_refusal_in_a_header_is_one_line_of_ascii(client: httpx.Client, user: User) -> None:
    path = "/rest/v1/" + "%0d%0aX-Evil:%201%22%5c%c3%a9" * 40
    response = client.head(path, headers=user.headers)
    assert response.status_code == 404
    status = response.headers["proxy-status"]
    assert status.isascii() and status.isprintable() and len(status) < 1000
    assert "x-evil" not in response.headers


def test_our_own_bugs_stay_in_the_log(
    client: httpx.Client, user: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of the bug")

    monkeypatch.setattr(rpc, "call_with_object", broken)
    response = client.post("/rest/v1/rpc/quote_tokens", json={"module_id": "x"}, headers=user.headers)
    assert (response.status_code, slug(response)) == (500, "internal")
    assert "secret" not in response.text
    assert "the secret of the bug" in caplog.text


def test_no_answer_is_sniffed(client: httpx.Client) -> None:
    for path in ("/rest/v1/packs", "/rest/v1/balance", "/nonsense", "/checkout/done", "/schema"):
        assert client.get(path).headers["x-content-type-options"] == "nosniff"
