"""The JavaScript clients as they are published, against us and against PostgREST.

Only with the option --differential, and never in CI: tests/postgrest_server.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from http_calls import SECRET, bearer
from postgrest_server import postgrest
from support import PASSWORD

from pgcredits.database_urls import as_login

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

MAX_ROWS = 15

# (status of ours, code of ours), (status of PostgREST 12.0.2, its code), and why.
KNOWN: dict[str, tuple[tuple[int, str | None], tuple[int, str | None], str]] = {
    "select from an unknown view": ((404, "PGRST205"), (404, "42P01"), "PGRST205 since 13"),
    "a value of another type": ((422, "PT422"), (400, "22P02"), "a bad value is 422, with a slug"),
    "count planned": ((206, None), (200, None), "all rows are counted exactly"),
    "geojson": ((406, "PGRST107"), (404, "42883"), "refused by name; PostGIS is not there"),
    "explain": ((406, "PGRST107"), (415, "PGRST107"), "406 since 12.0.3"),
    "explain json": ((406, "PGRST107"), (415, "PGRST107"), "406 since 12.0.3"),
    "embedding": ((400, "PGRST100"), (400, "PGRST200"), "views have no foreign keys"),
    "aggregates": ((400, "PGRST100"), (400, "PGRST123"), "off by default in PostgREST"),
    "insert": ((405, "PGRST101"), (403, "42501"), "views are not written"),
    "update": ((405, "PGRST101"), (403, "42501"), "views are not written"),
    "upsert": ((405, "PGRST101"), (403, "42501"), "views are not written"),
    "delete": ((405, "PGRST101"), (403, "42501"), "views are not written"),
    "rpc rollback": ((400, "PGRST100"), (200, None), "PostgREST ignores it, and commits"),
    "rpc maxAffected": ((400, "PGRST100"), (400, "PGRST122"), "refused by its name"),
}


@pytest.fixture(scope="module")
def theirs(modules: Path, things: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    login = as_login(things, "pgcredits_api", PASSWORD)
    with postgrest(modules, tmp_path_factory.mktemp("postgrest"), login, SECRET, MAX_ROWS) as url:
        yield url


def outcomes(program: str, modules: Path, url: str) -> dict[str, Any]:
    """What a program of ours prints."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not here")
    token = bearer("authenticated", "ada")["Authorization"].removeprefix("Bearer ")
    command = [node, Path(__file__).parent / program, modules, url, token]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_postgrest_js_gets_what_postgrest_gives_it(
    modules: Path, things_api: str, theirs: str, record_property: Callable[[str, object], None]
) -> None:
    ours = outcomes("calls.mjs", modules, f"{things_api}/rest/v1")
    their = outcomes("calls.mjs", modules, theirs)
    assert ours.keys() == their.keys()
    differ = {name for name in ours if ours[name] != their[name]}
    record_property(
        "figures", f"{len(ours) - len(differ)} of {len(ours)} kinds of call of postgrest-js agree"
    )
    told = {name: (ours[name], their[name]) for name in differ - KNOWN.keys()}
    assert not told, json.dumps(told, indent=1)[:4000]
    seen = {name: tuple((one["status"], one["code"]) for one in (ours[name], their[name])) for name in differ}
    assert seen == {name: (we, they) for name, (we, they, _) in KNOWN.items()}
    assert len(ours) > 138 and len(ours) - len(differ) > 120


def test_react_admin_gets_what_postgrest_gives_it(modules: Path, things_api: str, theirs: str) -> None:
    ours = outcomes("admin.mjs", modules, f"{things_api}/rest/v1")
    their = outcomes("admin.mjs", modules, theirs)
    assert ours == their
    refused = {name: told["refused"] for name, told in ours.items() if "refused" in told}
    assert refused == {"getOne, unknown": "406 PGRST116"}
    assert ours["getList"]["total"] == 12
