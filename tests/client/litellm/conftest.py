"""A bank with prices for models, a provider of models, and LiteLLM proxies with our callback between them."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml
from callers import Caller
from client_calls import Books
from faulty_bank import Faults
from http_calls import SECRET, bearer, serving
from litellm_proxy import PACKAGES, Proxy, proxying
from model_provider import Provider, providing
from support import PASSWORD
from unsteady import unsteady

from pgcredits.client import Bank
from pgcredits.database_urls import as_login
from pgcredits.http.app import create_app
from pgcredits.settings import Settings

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples" / "litellm"

# Tokens for a thousand: 1 for input, 0.1 for cached input, 2 for cache writes, 4 for output, 8 for reasoning.
_ALL = {"input": 1, "cached_input": 0.1, "cache_write": 2, "output": 4, "reasoning": 8}
_PRICES: dict[str, dict[str, float]] = {
    "gpt-4o": {"input": 1, "output": 4},
    "detailed": _ALL,
    "o3": {"input": 1, "output": 4},
    "embedder": {"input": 1},
    "claude": {"input": 1, "cached_input": 0.1, "cache_write": 2, "output": 4},
    "mocked": {"input": 1, "output": 4},
    "limited": {"input": 1, "output": 6},
    "unheard-of": {"input": 1, "output": 4},
}
_OPTIONS = """
import asyncio
import os

from litellm.integrations.custom_logger import CustomLogger

from pgcredits.client.litellm import Charging, charging

charging._GRACE = 0.5


class Losing(CustomLogger):
    async def async_post_call_success_hook(self, data, user_api_key_dict, response):
        if "be lost" in str(data["messages"]):
            asyncio.current_task().cancel()
            await asyncio.sleep(1)


losing = Losing()
proxy_handler_instance = Charging(
    os.environ["UNSTEADY_URL"], os.environ["PGCREDITS_API_KEY"],
    user="end_user", modules={"house-model": "gpt-4o"}, free={"moderation"}, most_output=7,
    charge_cached=True, ttl=3, tags=("model", "key_alias", "request"),
)
"""
_names = itertools.count(1)


@pytest.fixture(scope="module")
def admin(own_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(own_url, autocommit=True) as connection:
        _price(connection)
        yield connection


def _price(connection: psycopg.Connection[Any]) -> None:
    for module, rates in _PRICES.items():
        components = [
            {"dimension": f"{name}_tokens", "unit_size": 1000, "price_per_unit": rate}
            for name, rate in rates.items()
        ]
        _sell(connection, module, components)
    _sell(connection, "painter", [{"dimension": "images", "price_per_unit": 30}])
    _sell(connection, "transcriber", [{"dimension": "seconds", "price_per_unit": 1}])


def _sell(connection: psycopg.Connection[Any], module: str, components: list[dict[str, Any]]) -> None:
    connection.execute("select credits.define_module(%s, %s)", (module, module))
    connection.execute(
        "select credits.define_price(%s, p_module_id => %s)",
        (psycopg.types.json.Jsonb(components), module),
    )


@pytest.fixture(scope="module")
def faults(own_url: str, admin: psycopg.Connection[Any]) -> Faults:
    settings = Settings(
        api_database_url=as_login(own_url, "pgcredits_api", PASSWORD),
        service_database_url=as_login(own_url, "pgcredits_service", PASSWORD),
        jwt_secret=SECRET,
    )
    return Faults(create_app(settings))


@pytest.fixture(scope="module")
def base_url(faults: Faults) -> Iterator[str]:
    with serving(faults) as url:  # type: ignore[arg-type]
        yield url


@pytest.fixture(scope="module")
def api_key(base_url: str) -> str:
    answer = httpx.post(
        f"{base_url}/rest/v1/rpc/create_api_key",
        json={"name": "the LiteLLM proxy", "role": "spender"},
        headers=bearer("service_role"),
        timeout=20,
    )
    return str(answer.raise_for_status().json()["api_key"])


@pytest.fixture(scope="module")
def service(base_url: str) -> Iterator[Bank]:
    with Bank(base_url, bearer("service_role")["Authorization"].removeprefix("Bearer ")) as bank:
        yield bank


@pytest.fixture
def user(service: Bank) -> str:
    """A user with 120 tokens."""
    user = f"litellm_{next(_names)}"
    service.grant(user, 120)
    return user


@pytest.fixture(scope="module")
def books(admin: psycopg.Connection[Any]) -> Books:
    return Books(admin)


@pytest.fixture(scope="module")
def auditor(own_url: str) -> Iterator[Caller]:
    with psycopg.connect(own_url, autocommit=True) as connection:
        yield Caller(connection, "none")


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing() as provider:
        yield provider


@pytest.fixture(scope="module")
def proxies(
    tmp_path_factory: pytest.TempPathFactory, base_url: str, api_key: str, provider: Provider
) -> Iterator[list[Proxy]]:
    """The one of docs/examples/litellm, with more models. The other has options, and a way to the bank that
    loses answers."""
    if not (PACKAGES / "litellm").is_dir():
        pytest.skip("LiteLLM is not installed: make install")
    folder = tmp_path_factory.mktemp("litellm")
    folder.joinpath("options_of_tests.py").write_text(_OPTIONS)
    shutil.copy(EXAMPLES / "keys.py", folder)
    example, mock = (yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text()) for name in ("config", "mock"))
    models = example["model_list"]
    models += [{**mocked, "model_name": "mocked"} for mocked in mock["model_list"]]
    for name, model in (
        *(("detailed", "openai/gpt-4o"), ("o3", "openai/o3"), ("embedder", "openai/text-embedding-3-small")),
        *(("painter", "openai/dall-e-3"), ("transcriber", "openai/gpt-4o"), ("unpriced", "openai/gpt-4o")),
        *(("house-model", "openai/gpt-4o"), ("unheard-of", "openai/unheard-of")),
    ):
        models.append({"model_name": name, "litellm_params": {"model": model, "api_key": "none"}})
    claude = {"model": "anthropic/claude-sonnet-4-5", "api_key": "none", "api_base": provider.url}
    models.append({"model_name": "claude", "litellm_params": claude})
    limited = {"model": "openai/gpt-4o", "api_key": "none", "mock_response": "litellm.RateLimitError"}
    models.append({"model_name": "limited", "litellm_params": limited})
    settings = {
        "general_settings": mock["general_settings"],
        "litellm_settings": {
            **example["litellm_settings"],
            "cache": True,
            "cache_params": {"type": "local", "mode": "default_off"},
        },
        "router_settings": {"num_retries": 1, "retry_after": 0, "fallbacks": [{"limited": ["gpt-4o"]}]},
    }
    configs = [
        {**example, **settings},
        {
            "model_list": models,
            **settings,
            "general_settings": {**mock["general_settings"], "cancel_on_disconnect": True},
            "litellm_settings": {
                **settings["litellm_settings"],
                "callbacks": ["options_of_tests.losing", "options_of_tests.proxy_handler_instance"],
            },
        },
    ]
    environment = {
        "PGCREDITS_URL": base_url,
        "PGCREDITS_API_KEY": api_key,
        "OPENAI_API_KEY": "none",
        "OPENAI_API_BASE": f"{provider.url}/v1",
        "OPENAI_BASE_URL": f"{provider.url}/v1",
    }
    with (
        unsteady(base_url) as url,
        proxying(folder, configs, {**environment, "UNSTEADY_URL": url}, provider) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def proxy(proxies: list[Proxy]) -> Proxy:
    return proxies[0]


@pytest.fixture(scope="module")
def optioned(proxies: list[Proxy]) -> Proxy:
    return proxies[1]
