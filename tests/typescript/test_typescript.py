"""The tests of api/typescript/test, which Node's own test runner runs, and the package that is published."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from typescript.conftest import MISSING, Node

pytestmark = [pytest.mark.one_version, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "api" / "typescript"
EXAMPLE = ROOT / "docs" / "examples" / "nextjs"
FILES = sorted(path.name for path in (SOURCES / "test").glob("*.test.ts"))


def passes(node: Node, package: Path, file: str, **env: str) -> None:
    """All tests of a file have run and passed."""
    ran = node("--test", "--test-reporter=tap", package / "tested" / file.replace(".ts", ".js"), **env)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    written = len(re.findall(r"^ *test\(", (SOURCES / "test" / file).read_text(), re.M))
    counted = {name: int(number) for name, number in re.findall(r"^# (\w+) (\d+)$", ran.stdout, re.M)}
    assert counted["pass"] >= written > 2
    assert counted["fail"] + counted["skipped"] + counted["todo"] + counted["cancelled"] == 0


@pytest.mark.parametrize("file", FILES)
def test_tests_in_node_pass(node: Node, package: Path, file: str) -> None:
    passes(node, package, file)


def test_example_runs_in_a_real_next(node: Node, package: Path, next_app: Path) -> None:
    passes(node, package, "example.test.ts", NEXT_APP=str(next_app), NEXT_TELEMETRY_DISABLED="1")


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
    nodes = re.compile(r"""from "node:|require\(|process\.|\bBuffer""")  # the edge does not have them
    for path in (SOURCES / "src").glob("*.ts"):
        code = path.read_text()
        assert not nodes.search(code), path
        assert path.name == "ai.ts" or set(re.findall(r'from "([^"]+)"', code)) <= {
            f"./{module}.js" for module in modules
        }, path
    assert (SOURCES / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_page_shows_the_example_as_it_is() -> None:
    page = (ROOT / "docs" / "typescript.md").read_text()
    (shown,) = (code for code in re.findall(r"^```ts\n(.*?)^```$", page, re.M | re.S) if "POST" in code)
    route = (EXAMPLE / "app" / "api" / "images" / "route.ts").read_text()
    assert shown == route.split("*/\n", 1)[1]
    charging = re.findall(r"^.*(?:pgcredits|bank|charge|hold).*$", shown, re.M)
    assert 4 <= len(charging) <= 8, charging


def test_missing_node_is_a_failure_in_ci_alone() -> None:
    for ci, code in (("", 0), ("true", 2)):
        words = ["make", "--no-print-directory", "typescript", "NODE="]
        made = subprocess.run(
            words, cwd=ROOT, env=os.environ | {"CI": ci}, capture_output=True, text=True, timeout=60
        )
        assert made.returncode == code
        assert MISSING in made.stdout


def test_lock_file_names_no_registry() -> None:
    for lock in [SOURCES / "package-lock.json", *(ROOT / "docs" / "examples").rglob("package-lock.json")]:
        packages = json.loads(lock.read_text())["packages"]
        assert len(packages) > 3
        del packages[""]
        ours = packages.pop("node_modules/pgcredits", {"resolved": "file:../../../api/typescript"})
        assert ours["resolved"] == "file:../../../api/typescript"
        assert not [path for path, package in packages.items() if "resolved" in package], lock
        assert all(package["integrity"] for package in packages.values()), lock


def test_example_and_package_pin_the_same_versions() -> None:
    read = [json.loads((folder / "package.json").read_text()) for folder in (SOURCES, EXAMPLE)]
    package, example = ((it.get("dependencies") or {}) | it["devDependencies"] for it in read)
    assert example.pop("pgcredits") == "file:../../../api/typescript"
    assert len(package) > 2
    assert package.items() <= example.items()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in example.values())
