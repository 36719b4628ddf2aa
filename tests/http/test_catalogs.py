"""Each price list alone in a bank of its own, as `make up CATALOG=name` has it, seen over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from http_calls import User, grant, serving, slug
from support import PASSWORD

from pgcredits.bank.catalogs import apply_catalog, list_catalogs
from pgcredits.bank.migrate import migrate
from pgcredits.database_urls import as_login
from pgcredits.http.app import create_app
from pgcredits.settings import Settings

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

# Packs, and the one of best value; currencies of top-ups; modules with what one use costs.
SHOPS: dict[str, tuple[list[str], list[str], list[str], dict[str, Any]]] = {
    "iahome": (
        ["basique", "standard", "premium", "entreprise"],
        ["entreprise"],
        [],
        {"stablediffusion": 50, "photoportfolio": 50, "whisper": 25, "metube": 10},
    ),
    "luneo": (
        ["credits-100", "credits-500", "credits-1000"],
        ["credits-1000"],
        [],
        {"/api/ai/generate": 5, "/api/3d/render-highres": 8},
    ),
    "appforge": ([], [], ["eur"], {"claude-sonnet-4": 3.0625, "gpt-4o": 2.065973}),
    "aurisvoice": (["credits-15", "credits-60", "credits-150"], ["credits-150"], [], {"dubbing": 4}),
    "imagegen": (
        ["credits-25", "credits-110", "credits-300", "credits-650"],
        ["credits-650"],
        [],
        {
            "nano-banana": 0.5,
            "flux-dev": 1,
            "lora-normal": 1,
            "lora-context": 1,
            "gemini-flash": 1,
            "nano-banana-pro": 2,
        },
    ),
}
USAGE = {"appforge": {"input_tokens": 500, "output_tokens": 2000}, "aurisvoice": {"seconds": 34}}


def test_every_catalog_is_tested_over_http() -> None:
    assert sorted(SHOPS) == list_catalogs()


@pytest.mark.parametrize("name", SHOPS)
def test_bank_with_one_catalog_answers(
    name: str, empty_url: str, settings: Settings, user: User, service: dict[str, str]
) -> None:
    packs, best, topups, modules = SHOPS[name]
    migrate(empty_url)
    for _ in range(2):  # `up` applies it at each start
        apply_catalog(empty_url, name)
    configured = replace(
        settings,
        api_database_url=as_login(empty_url, "pgcredits_api", PASSWORD),
        service_database_url=as_login(empty_url, "pgcredits_service", PASSWORD),
    )
    with serving(create_app(configured)) as url, httpx.Client(base_url=url, timeout=20) as client:

        def get(path: str, **query: str) -> Any:
            response = client.get(f"/rest/v1/{path}", params=query)
            assert response.status_code == 200, response.text
            return response.json()

        def spend(module_id: str) -> httpx.Response:
            body = {"module_id": module_id, "usage": USAGE.get(name, {})}
            return client.post("/rest/v1/rpc/consume_tokens", json=body, headers=user.headers)

        assert [pack["pack_id"] for pack in get("packs")] == packs
        assert [pack["pack_id"] for pack in get("packs", best_value="eq.true")] == best
        assert [topup["currency"] for topup in get("topups")] == topups
        assert {module["module_id"] for module in get("modules")} == set(modules)

        grant(client, service, user, 1000)
        for module_id, cost in modules.items():
            (module,) = get("modules", module_id=f"eq.{module_id}")
            assert module["price"]["components"]
            receipt = spend(module_id)
            assert (receipt.status_code, receipt.json()["cost"]) == (200, cost), receipt.text
            query = {"module_id": f"eq.{module_id}", "select": "module_id,tokens"}
            entries = client.get("/rest/v1/entries", params=query, headers=user.headers).json()
            assert entries == [{"module_id": module_id, "tokens": -cost}]
        unlisted = spend("unheard of")
        if name == "iahome":
            assert unlisted.json()["cost"] == 30
        else:
            assert (unlisted.status_code, slug(unlisted)) == (404, "unknown_module")
