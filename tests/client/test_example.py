"""The example of docs/python.md: docs/examples/charged_fastapi.py."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from client_calls import Books, run

pytestmark = pytest.mark.one_version

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "charged_fastapi.py"


@pytest.fixture
def example(base_url: str, api_key: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("PGCREDITS_URL", base_url)
    monkeypatch.setenv("PGCREDITS_API_KEY", api_key)
    spec = importlib.util.spec_from_file_location("charged_fastapi", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # FastAPI reads its annotations there
    spec.loader.exec_module(module)
    return module


def test_example_charges_what_it_used_and_is_free_when_it_fails(
    example: ModuleType, user: str, books: Books
) -> None:
    async def ask() -> list[int]:
        transport = httpx.ASGITransport(example.app, raise_app_exceptions=False)
        async with (
            example.bank,
            httpx.AsyncClient(transport=transport, base_url="http://app", headers={"x-user": user}) as client,
        ):
            return [(await client.post(f"/transcriptions?minutes={n}")).status_code for n in (0, 3, 1)]

    assert run(ask()) == [
        500,
        200,
        402,
    ]  # at last there are tokens for one call, and four are held
    assert (books.charges(user), books.holds(user)) == ([75], ["released", "captured"])


def test_charging_takes_at_most_eight_lines() -> None:
    code = EXAMPLE.read_text().split('"""', 2)[2]
    lines = [line for line in code.splitlines() if re.search(r"pgcredits|bank|charg|hold|Hold|environ", line)]
    assert 5 <= len(lines) <= 8, lines
