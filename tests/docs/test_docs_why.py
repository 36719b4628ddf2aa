"""The transcripts of docs/why-this-balance.md are what support and an application really see."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from callers import Caller
from http_calls import SECRET, bearer, serving
from support import PASSWORD

from pgcredits.database_urls import as_login
from pgcredits.http.app import create_app
from pgcredits.settings import Settings

pytestmark = pytest.mark.one_version

PAGE = (Path(__file__).parents[2] / "docs" / "why-this-balance.md").read_text()
NARRATOR = """[{"dimension": "seconds", "unit_size": 10, "price_per_unit": 2.5, "free_quantity": 10,
    "whole_units": true}]"""


@pytest.fixture
def story(db: psycopg.Connection[Any], url: str) -> Iterator[str]:
    """Ada's account, on a clock of its own. The URL of a login of support."""
    bank = Caller(db, "none")
    bank.rows("select credits.allow_test_clocks(true)")
    bank.rows("select credits.define_module('narrator', 'Narrator', 'audio')")
    bank.rows("select credits.define_price(%s::jsonb, 'narrator')", (NARRATOR,))
    ada = {"user_id": "ada"}

    def on(day: int) -> None:
        bank.call("set_test_clock", **ada, frozen_time=f"2030-01-{day:02} 09:00Z")

    bank.call("open_account", **ada)
    on(1)
    bank.call("add_tokens", **ada, tokens=30, package_name="Welcome week", expires_at="2030-01-08 00:00Z")
    bank.call("add_tokens", **ada, tokens=500, reason="purchase", package_name="Standard")
    on(3)
    bank.call("consume_tokens", **ada, module_id="whisper")
    on(10)
    bank.call("consume_tokens", **ada, module_id="whisper", usage={"calls": 2})
    on(15)
    charge = bank.call("consume_tokens", **ada, module_id="stablediffusion", usage={"calls": 3})
    on(16)
    bank.call("consume_tokens", **ada, module_id="narrator", usage={"seconds": 130})
    on(17)
    bank.call("refund_usage", entry_id=charge["entry_id"], tokens=10, reason="one of them was spoiled")
    on(20)
    bank.call("hold_tokens", **ada, module_id="whisper")
    db.execute(f"create role desk login password '{PASSWORD}' in role support".encode())
    db.execute(f"grant connect on database {db.info.dbname} to desk".encode())
    yield as_login(url, "desk", PASSWORD)
    db.execute("drop owned by desk")
    db.execute("drop role desk")


def trimmed(table: str) -> str:
    """psql fills the names of columns up with spaces."""
    return "\n".join(line.rstrip() for line in table.strip("\n").splitlines())


def test_sql_of_the_page_prints_what_the_page_shows(story: str, bin_dir: Path) -> None:
    examples = re.findall(r"^```sql\n(.*?)^```\n```text\n(.*?)^```$", PAGE, re.M | re.S)
    assert len(examples) == PAGE.count("```sql") == 5
    for statement, shown in examples:
        ran = subprocess.run(
            [bin_dir / "psql", "-X", story, "-c", statement],
            capture_output=True, text=True, timeout=60, check=True,
            env=os.environ | {"PGTZ": "UTC"},
        )  # fmt: skip
        assert trimmed(ran.stdout) == trimmed(shown), statement


def test_calls_of_the_page_get_the_answers_that_it_shows(story: str, url: str) -> None:
    settings = Settings(
        api_database_url=as_login(url, "pgcredits_api", PASSWORD),
        service_database_url=as_login(url, "pgcredits_service", PASSWORD),
        jwt_secret=SECRET,
    )
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE, re.M | re.S)
    calls = [call for block in blocks for call in re.findall(r"^\$ (curl .*)\n((?:[^$].*\n)+)", block, re.M)]
    assert len(calls) == PAGE.count("$ curl") == 3
    with serving(create_app(replace(settings, pool_size=2))) as base, httpx.Client(base_url=base) as client:
        for command, shown in calls:
            (path,) = re.findall(r'"\$PGCREDITS_URL([^"]+)"', command)
            accept = re.findall(r'"(Accept): ([^"]+)"', command)
            response = client.get(path, headers=bearer("authenticated", "ada") | dict(accept))
            assert response.text.strip() == shown.strip(), command
