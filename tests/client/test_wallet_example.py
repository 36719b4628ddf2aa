"""The page of docs/into-your-app.md: docs/examples/wallet.py and wallet.html sell a pack to their user."""

from __future__ import annotations

import importlib.util
import re
import time
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import psycopg
import pytest
from client_calls import run
from http_calls import SECRET, WEBHOOK_SECRET, serving
from support import PASSWORD, free_port

from pgcredits.database_urls import as_login
from pgcredits.http.app import create_app
from pgcredits.issuer_settings import read_issuers
from pgcredits.settings import Settings
from stripe_simulator.app import create_app as create_simulator

pytestmark = pytest.mark.one_version

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "wallet.py"
PAGE = EXAMPLE.with_suffix(".html").read_text()
OURS = "http://127.0.0.1:9010"
WALLET_SECRET = "0123456789abcdef" * 4


@pytest.fixture
def wallet(own_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example, beside a bank that trusts its tokens, as the first lines of the example say."""
    port, stripe_port = free_port(), free_port()
    here, stripe_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{stripe_port}"
    monkeypatch.setenv("PGCREDITS_URL", here)
    monkeypatch.setenv("WALLET_SECRET", WALLET_SECRET)
    spec = importlib.util.spec_from_file_location("wallet", EXAMPLE)
    assert spec
    assert spec.loader
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    (issuers,) = re.findall(r"^\[.*\]$", str(example.__doc__), re.M)
    settings = Settings(
        api_database_url=as_login(own_url, "pgcredits_api", PASSWORD),
        service_database_url=as_login(own_url, "pgcredits_service", PASSWORD),
        jwt_secret=SECRET,
        public_url=here,
        stripe_secret_key="sk_test_of_the_wallet",
        stripe_api_base=stripe_url,
        stripe_webhook_secrets=(WEBHOOK_SECRET,),
        issuers=read_issuers(issuers.replace("$WALLET_SECRET", WALLET_SECRET)),
        cors_origins=(OURS,),
        return_origins=(OURS,),
    )
    store = tmp_path / "simulator.sqlite3"
    simulator = create_simulator(store, f"{here}/webhooks/stripe", WEBHOOK_SECRET, stripe_url)
    with serving(simulator, stripe_port), serving(create_app(settings), port):
        yield example
    with psycopg.connect(own_url) as admin:
        assert admin.execute("select * from audit.findings").fetchall() == []


def asked(example: ModuleType, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(example.app)
        async with httpx.AsyncClient(transport=transport, base_url=OURS) as client:
            return await client.get(path)

    response: httpx.Response = run(ask())
    return response


def test_page_shows_the_balance_and_sells_a_pack(wallet: ModuleType) -> None:
    assert asked(wallet, "/").text == PAGE
    access = asked(wallet, "/access")
    assert access.headers["Cache-Control"] == "no-store"
    url, token = access.json().values()
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=20) as client:
        # The calls are those of the page.
        balance, checkout, packs = re.findall(r"bank\('([^']+)'", PAGE)
        (before,) = client.get(balance).json()
        pack = client.get(packs).json()[0]
        assert set(re.findall(r"pack\.(\w+)", PAGE)) <= set(pack)
        order = client.post(
            checkout,
            json={"pack_id": pack["pack_id"], "success_url": f"{OURS}/#bought", "cancel_url": f"{OURS}/"},
            headers={"Idempotency-Key": "click-1"},
        )
        paid = httpx.post(order.raise_for_status().json()["url"], data={"action": "pay"})
        assert paid.headers["Location"] == f"{OURS}/#bought"
        deadline = time.monotonic() + 30
        there = Decimal(before["available"]) + pack["tokens"] + pack["bonus_tokens"]
        while client.get(balance).json() != [{"available": str(there)}]:
            assert time.monotonic() < deadline, "the purchase is not granted"
            time.sleep(0.05)


def test_browsers_may_send_what_the_page_sends(wallet: ModuleType) -> None:
    """And the token of a user makes nobody more than a user."""
    url, token = asked(wallet, "/access").json().values()
    for method, path in (("GET", "/rest/v1/packs"), ("POST", "/checkout")):
        wishes = {
            "Origin": OURS,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
        }
        answer = httpx.options(url + path, headers=wishes)
        allowed = answer.headers["Access-Control-Allow-Headers"].lower()
        assert answer.headers["Access-Control-Allow-Origin"] == OURS
        assert all(name in allowed for name in ("authorization", "content-type", "idempotency-key"))
    gift = {"user_id": "ada", "tokens": 1}
    refused = httpx.post(
        f"{url}/rest/v1/rpc/add_tokens", json=gift, headers={"Authorization": f"Bearer {token}"}
    )
    assert refused.status_code == 403
