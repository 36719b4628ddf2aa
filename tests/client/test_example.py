"""The examples of docs/python.md: charged_fastapi.py and charged_litestar.py follow the same rules."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from client_calls import Books, run
from support import free_port
from unsteady import unsteady

pytestmark = pytest.mark.one_version

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
# The provider says that it has begun, and never answers.
HANGING = """
import asyncio, pathlib, sys
import uvicorn, {name} as example
async def recognise(minutes):
    pathlib.Path(sys.argv[2]).touch()
    await asyncio.sleep(600)
example.recognise = recognise
uvicorn.run(example.app, port=int(sys.argv[1]), log_level="error")
"""


@pytest.fixture(params=["charged_fastapi", "charged_litestar"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def load(name: str, url: str, api_key: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("PGCREDITS_URL", url)
    monkeypatch.setenv("PGCREDITS_API_KEY", api_key)
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # FastAPI reads its annotations there
    spec.loader.exec_module(module)
    return module


def ask(example: ModuleType, user: str, *minutes: int) -> list[int]:
    """The status of a request for each number of minutes."""

    async def work() -> list[int]:
        transport = httpx.ASGITransport(example.app, raise_app_exceptions=False)
        async with (
            example.bank,
            httpx.AsyncClient(transport=transport, base_url="http://app", headers={"x-user": user}) as client,
        ):
            return [(await client.post(f"/transcriptions?minutes={n}")).status_code for n in minutes]

    statuses: list[int] = run(work())
    return statuses


def test_example_charges_what_it_used_and_is_free_when_it_fails(
    name: str, base_url: str, api_key: str, user: str, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = load(name, base_url, api_key, monkeypatch)
    # At last there are tokens for one call, and four are held.
    assert ask(example, user, 0, 3, 1) == [500, 200, 402]
    assert (books.charges(user), books.holds(user)) == ([75], ["released", "captured"])


def test_example_charges_once_if_answers_of_the_bank_are_lost(
    name: str, base_url: str, api_key: str, user: str, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unsteady(base_url) as url:
        example = load(name, url, api_key, monkeypatch)
        assert ask(example, user, 3) == [200]
    assert (books.charges(user), books.holds(user)) == ([75], ["captured"])


def test_example_that_is_killed_has_charged_nothing(
    name: str, base_url: str, api_key: str, user: str, books: Books, tmp_path: Path
) -> None:
    """Its hold is open until its time is over."""
    port, begun = free_port(), tmp_path / "begun"
    environment = {**os.environ, "PGCREDITS_URL": base_url, "PGCREDITS_API_KEY": api_key}
    environment["PYTHONPATH"] = str(EXAMPLES)
    words = (sys.executable, "-c", HANGING.format(name=name), str(port), str(begun))
    with subprocess.Popen(words, env=environment) as process:
        try:
            _ask_until_it_works(process, port, user, begun)
        finally:
            process.kill()
    assert (books.charges(user), books.holds(user), books.held(user)) == ([], ["open"], 100)


def _ask_until_it_works(process: subprocess.Popen[bytes], port: int, user: str, begun: Path) -> None:
    """Send requests until one of them is with the provider. It gets no answer."""
    deadline = time.monotonic() + 60
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"x-user": user}, timeout=0.5) as client:
        while not begun.exists():
            assert process.poll() is None, "the application ended"
            assert time.monotonic() < deadline, "the application did not begin"
            with suppress(httpx.ConnectError, httpx.ReadTimeout):
                client.post("/transcriptions?minutes=3")
            time.sleep(0.05)


def test_charging_takes_at_most_eight_lines() -> None:
    code = (EXAMPLES / "charged_fastapi.py").read_text().split('"""', 2)[2]
    lines = [line for line in code.splitlines() if re.search(r"pgcredits|bank|charg|hold|Hold|environ", line)]
    assert 5 <= len(lines) <= 8, lines
