"""The simulator is a package of its own: it needs nothing of pgcredits, and runs where pgcredits is not."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

import stripe_simulator

PACKAGE = Path(stripe_simulator.__file__).parent
WITHOUT_PGCREDITS = """
import importlib, pkgutil, sys
sys.modules["pgcredits"] = None  # an import of it fails
import stripe_simulator
for module in pkgutil.walk_packages(stripe_simulator.__path__, "stripe_simulator."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from stripe_simulator.cli import main
main(["--help"], prog_name="stripe-simulator")
"""


def imported(text: str) -> set[str]:
    """The packages that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.add((node.module or "").partition(".")[0])
    return found


def test_simulator_imports_only_what_its_readme_names() -> None:
    readme = (PACKAGE / "README.md").read_text()
    match = re.search(r"needs only ([\w,\s]+)\.", readme)
    assert match, "the README says what the package needs"
    needed = set(re.split(r",\s+|\s+and\s+", match[1].strip()))
    found = {name for path in PACKAGE.rglob("*.py") for name in imported(path.read_text())}
    assert found - set(sys.stdlib_module_names) - {"stripe_simulator"} == needed
    assert "pgcredits" not in found


@pytest.mark.parametrize("line", ["import pgcredits.tokens", "def f():\n    from pgcredits import cli"])
def test_an_import_of_pgcredits_would_be_seen(line: str) -> None:
    assert imported(line) == {"pgcredits"}


def test_simulator_runs_without_pgcredits() -> None:
    command = [sys.executable, "-P", "-c", WITHOUT_PGCREDITS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "--webhook-url" in done.stdout


def test_simulator_ends_with_its_parent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["--port", str(port), "--webhook-url", "http://127.0.0.1:1/", "--webhook-secret", "whsec_x"]
    command = [
        sys.executable,
        "-P",
        "-m",
        "stripe_simulator",
        "--end-with-stdin",
        "--data-dir",
        str(tmp_path),
    ]
    environment = {name: value for name, value in os.environ.items() if name != "STRIPE_SECRET_KEY"}
    process = subprocess.Popen([*command, *words], env=environment, stdin=subprocess.PIPE)
    try:
        for _ in range(300):
            assert process.poll() is None, "it runs while its standard input is open"
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            time.sleep(0.1)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
    finally:
        process.kill()
