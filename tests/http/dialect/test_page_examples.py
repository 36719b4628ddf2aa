"""The programs in docs/http-api.md and docs/live-balances.md run as they are printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from http_calls import bearer

pytestmark = pytest.mark.one_version

DOCS = Path(__file__).parents[3] / "docs"
USER = "reader-of-the-page"
WATCHED = """
const [url, token] = process.argv.slice(2)
await watchBalance(url, token, ({ balance }) => { console.log(balance); process.exit(0) })
"""


def programs(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.M | re.S)


def token(role: str, subject: str | None = None) -> str:
    return bearer(role, subject)["Authorization"].removeprefix("Bearer ")


def run(*command: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={"PATH": os.environ["PATH"], **env}
    )


def in_node(module: Path, program: str, url: str, token: str) -> subprocess.CompletedProcess[str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not here: it runs the JavaScript of the page")
    module.write_text(program)
    return run(node, module, url, token)


@pytest.fixture(scope="module")
def tokens_of_reader(things_api: str) -> int:
    """The reader has tokens for one use of whisper, and not for two."""
    arguments = {"user_id": USER, "tokens": 40}
    added = httpx.post(
        f"{things_api}/rest/v1/rpc/add_tokens", json=arguments, headers=bearer("service_role"), timeout=20
    )
    assert added.status_code == 200, added.text
    return 40


def test_backend_in_python_charges_once_and_learns_why_it_is_refused(
    things_api: str, tokens_of_reader: int
) -> None:
    (program,) = programs("http-api.md", "python")
    program = program.replace('"ada"', f'"{USER}"')
    env = {"PGCREDITS_URL": things_api, "SPENDER_TOKEN": token("spender")}
    told = [
        run(sys.executable, "-c", text, **env)
        for text in (program, program, program.replace('"job-1"', '"job-2"'))
    ]
    assert [(one.returncode, one.stderr) for one in told] == [(0, "")] * 3
    assert [one.stdout for one in told[:2]] == [f"{tokens_of_reader - 25}\n"] * 2
    assert told[2].stdout.startswith('PT402 {"error": "insufficient_tokens"')


def test_page_with_postgrest_js_reads_the_balance(
    modules: Path, things_api: str, tokens_of_reader: int, tmp_path: Path
) -> None:
    (program,) = (text for text in programs("http-api.md", "js") if "new PostgrestClient" in text)
    given = "const [url, token] = process.argv.slice(2)\n"
    (tmp_path / "node_modules").symlink_to(modules)
    told = in_node(
        tmp_path / "page.mjs",
        f"{given}{program}console.log(Object.keys(data).join())",
        things_api,
        token("authenticated", USER),
    )
    assert (told.stdout, told.stderr) == ("balance,available\n", "")


def test_page_watches_the_balance(things_api: str, tokens_of_reader: int, tmp_path: Path) -> None:
    (program,) = programs("live-balances.md", "js")
    told = in_node(tmp_path / "watch.mjs", program + WATCHED, things_api, token("authenticated", USER))
    assert told.stderr == ""
    assert 0 < int(told.stdout) <= tokens_of_reader


def test_page_that_watches_learns_that_its_token_is_wrong(things_api: str, tmp_path: Path) -> None:
    (program,) = programs("live-balances.md", "js")
    told = in_node(tmp_path / "watch.mjs", program + WATCHED, things_api, "nonsense")
    assert told.returncode != 0
    assert "Error: 401 " in told.stderr
