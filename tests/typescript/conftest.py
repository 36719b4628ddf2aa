"""The compiled TypeScript client, a bank behind a real HTTP API, and Node to call it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import httpx
import psycopg
import pytest
from callers import Caller, findings
from http_calls import SECRET, bearer, serving
from support import PASSWORD

from pgcredits.database_urls import as_login
from pgcredits.http.app import create_app
from pgcredits.settings import Settings

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / ".venv" / "typescript"
NEXT = ROOT / ".venv" / "next"
MODELS = {
    "gpt-5": {"input_tokens": 0.5, "output_tokens": 1},
    "gpt-5-cached": {"input_tokens": 0.5, "output_tokens": 1, "cached_input_tokens": 0.05},
}
MISSING = "Node 20 and npm are not here"  # as the Makefile says it; in CI it fails
_SECONDS = 300


class Node(Protocol):
    def __call__(
        self, *words: str | Path, cwd: Path = PACKAGE, **env: str
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture(scope="session")
def package() -> Path:
    """The folder with the compiled client and its tests. Skips without Node, but not in CI."""
    words = ["make", "--no-print-directory", "typescript"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    if MISSING in done.stdout:
        pytest.skip(done.stdout.strip())
    return PACKAGE


@pytest.fixture(scope="session")
def next_app(request: pytest.FixtureRequest, package: Path) -> Path:
    """The example, built by Next.js for production, without its settings: those are for the server."""
    if not request.config.getoption("--next"):
        pytest.skip("runs a real Next.js: pytest tests/typescript --next")
    client, app = NEXT / "api" / "typescript", NEXT / "docs" / "examples" / "nextjs"
    shutil.rmtree(client, ignore_errors=True)
    shutil.copytree(package, client, ignore=shutil.ignore_patterns("node_modules", "test", "tested"))
    shutil.copytree(ROOT / "docs" / "examples" / "nextjs", app, dirs_exist_ok=True)
    shutil.rmtree(app / ".next", ignore_errors=True)
    env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "NEXT_TELEMETRY_DISABLED": "1"}
    for words in (
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        ["node_modules/.bin/next", "build"],
    ):
        done = subprocess.run(words, cwd=app, env=env, capture_output=True, text=True, timeout=_SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
    return app


@pytest.fixture(scope="module")
def base_url(own_url: str) -> Iterator[str]:
    """A bank of its own, with two language models. Cached input has a price of its own in one of them."""
    with psycopg.connect(own_url, autocommit=True) as admin:
        admin.execute("select credits.define_category('llm', 'Language models')")
        for module, rates in MODELS.items():
            admin.execute("select credits.define_module(%s, %s, 'llm')", (module, module))
            parts = [{"dimension": name, "price_per_unit": rate} for name, rate in rates.items()]
            admin.execute("select credits.define_price(%s, p_module_id => %s)", (json.dumps(parts), module))
    settings = Settings(
        api_database_url=as_login(own_url, "pgcredits_api", PASSWORD),
        service_database_url=as_login(own_url, "pgcredits_service", PASSWORD),
        jwt_secret=SECRET,
    )
    with serving(create_app(settings)) as url:
        yield url


@pytest.fixture(scope="module")
def node(package: Path, base_url: str) -> Node:
    """Runs a program that finds the bank in its environment."""
    service = bearer("service_role")["Authorization"].removeprefix("Bearer ")
    answer = httpx.post(
        f"{base_url}/rest/v1/rpc/create_api_key",
        json={"name": "the application", "role": "spender"},
        headers=bearer("service_role"),
        timeout=20,
    )
    known = {
        "PATH": os.environ["PATH"],
        "PGCREDITS_URL": base_url,
        "PGCREDITS_API_KEY": str(answer.raise_for_status().json()["api_key"]),
        "PGCREDITS_SERVICE_TOKEN": service,
    }

    def run(*words: str | Path, cwd: Path = PACKAGE, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["node", *words], cwd=cwd, env=known | env, capture_output=True, text=True, timeout=120
        )

    return run


@pytest.fixture(autouse=True)
def sound(request: pytest.FixtureRequest) -> Iterator[None]:
    """The audit finds nothing after any test."""
    yield
    if "node" in request.fixturenames:
        url = request.getfixturevalue("own_url")
        with psycopg.connect(url, autocommit=True) as connection:
            assert findings(Caller(connection, "none")) == []
