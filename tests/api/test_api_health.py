from __future__ import annotations

from dataclasses import replace

import httpx
from knocking import serving, slug

from pgcredits.app import create_app
from pgcredits.settings import Settings


def test_alive_and_ready(client: httpx.Client) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    ready = client.get("/health/ready").json()
    assert ready == {"status": "ready", "payments": "STRIPE_SECRET_KEY is not set: nothing can be bought."}


def test_ready_says_whether_anything_is_sold(settings: Settings) -> None:
    for secrets, said in (((), "STRIPE_WEBHOOK_SECRET is not set"), (("whsec_x",), "open")):
        configured = replace(settings, stripe_secret_key="sk_test_x", stripe_webhook_secrets=secrets)
        with serving(create_app(configured)) as url:
            assert httpx.get(f"{url}/health/ready").json()["payments"].startswith(said)


def test_a_door_without_a_database_says_so(settings: Settings) -> None:
    nowhere = "postgresql://x@127.0.0.1:1/nowhere"
    for half in ({"api_database_url": nowhere}, {"service_database_url": nowhere}):
        with serving(create_app(replace(settings, pool_timeout=0.3, **half))) as url:
            assert httpx.get(f"{url}/health/live").status_code == 200
            response = httpx.get(f"{url}/health/ready")
            assert (response.status_code, slug(response)) == (503, "unavailable")
            assert response.headers["retry-after"] == "1"


def test_calls_without_a_database(settings: Settings) -> None:
    nowhere = "postgresql://x@127.0.0.1:1/nowhere"
    with serving(create_app(replace(settings, pool_timeout=0.3, api_database_url=nowhere))) as url:
        for response in (
            httpx.get(f"{url}/rest/v1/packs"),
            httpx.post(f"{url}/rest/v1/rpc/consume_tokens", json={}),
        ):
            assert (response.status_code, slug(response)) == (503, "unavailable")
            assert response.headers["retry-after"] == "1"
