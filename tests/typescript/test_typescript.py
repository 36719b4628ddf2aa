"""The tests of api/typescript/test, which Node's own test runner runs, and the package that is published."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from typescript.conftest import Node

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "api" / "typescript"
FILES = sorted(path.name for path in (SOURCES / "test").glob("*.test.ts"))


@pytest.mark.parametrize("file", FILES)
def test_tests_in_node_pass(node: Node, package: Path, file: str) -> None:
    ran = node("--test", "--test-reporter=tap", package / "tested" / file.replace(".ts", ".js"))
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    written = len(re.findall(r"^ *test\(", (SOURCES / "test" / file).read_text(), re.M))
    counted = {name: int(number) for name, number in re.findall(r"^# (\w+) (\d+)$", ran.stdout, re.M)}
    assert counted["pass"] >= written > 2
    assert counted["fail"] + counted["skipped"] + counted["todo"] + counted["cancelled"] == 0


def test_there_are_tests_in_node() -> None:
    assert len(FILES) >= 3


def test_package_has_what_it_needs_and_no_more(package: Path) -> None:
    """Its files are compiled JavaScript and types. It depends on nothing at run time."""
    told = subprocess.run(
        ["npm", "pack", "--dry-run", "--json", "--ignore-scripts"],
        cwd=package,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (packed,) = json.loads(told.stdout)
    files = {file["path"] for file in packed["files"]}
    modules = {path.stem for path in (SOURCES / "src").glob("*.ts")}
    compiled = {f"dist/{module}{end}" for module in modules for end in (".js", ".d.ts")}
    assert files == {"package.json", "README.md", "LICENSE"} | compiled
    assert "dependencies" not in json.loads((SOURCES / "package.json").read_text())
    for path in (SOURCES / "src").glob("*.ts"):
        code = path.read_text()
        assert not re.search(r"""from "node:|require\(|process\.""", code), path  # it runs at the edge, too
        assert path.name == "ai.ts" or set(re.findall(r'from "([^"]+)"', code)) <= {
            f"./{module}.js" for module in modules
        }, path
    assert (SOURCES / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_lock_file_names_no_registry() -> None:
    for lock in [SOURCES / "package-lock.json", *(ROOT / "docs" / "examples").rglob("package-lock.json")]:
        packages = json.loads(lock.read_text())["packages"]
        assert len(packages) > 3
        assert all("resolved" not in package for package in packages.values()), lock
        named = {path: package for path, package in packages.items() if path and not package.get("link")}
        assert all(package.get("integrity") for package in named.values()), lock


def test_examples_and_package_pin_their_packages() -> None:
    pinned = json.loads((SOURCES / "package.json").read_text())["devDependencies"]
    assert pinned
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in pinned.values())
