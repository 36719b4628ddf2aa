"""Packages of the program import in one direction, and no modules import each other in a circle."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import pgcredits

pytestmark = pytest.mark.one_version

API = Path(pgcredits.__file__).parents[1]
# Each may import those before it. "" is for the modules directly in pgcredits, which all others may use.
LAYERS = ("", "bank", "supabase", "http", "work", "local", "demo", "cli")
# What the HTTP API needs of the bank's administration, and the local machine of the HTTP API.
NARROW = {
    ("bank", "http"): {"pgcredits.bank.migrate.files"},  # the number of the newest migration
    ("http", "local"): {"pgcredits.http.origins"},
}


def imports(text: str, modules: set[str]) -> set[str]:
    """The modules of `modules` that a module imports, wherever in its text."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), names=names):
                for alias in names:
                    whole = f"{module}.{alias.name}"
                    found.add(whole if whole in modules else module)
    return found & modules


@cache
def graph() -> dict[str, set[str]]:
    """Every module of the program and of the simulator, with what it imports of them."""
    paths = {
        ".".join(path.relative_to(API).with_suffix("").parts).removesuffix(".__init__"): path
        for path in API.rglob("*.py")
    }
    return {module: imports(path.read_text(), set(paths)) for module, path in paths.items()}


def layer(module: str) -> str | None:
    """The layer that a module is in. None for the simulator, which is not a part of pgcredits."""
    package, _, rest = module.partition(".")
    room = rest.partition(".")[0]
    return None if package != "pgcredits" else room if room in LAYERS else ""


def upward(found: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    """Imports of a higher layer by a lower one, and those that pass by a narrow way."""
    wrong = set()
    for module, others in found.items():
        for other in others:
            here, there = layer(module), layer(other)
            if here is None or there is None:
                continue
            allowed = NARROW.get((there, here))
            if LAYERS.index(there) > LAYERS.index(here) or (allowed is not None and other not in allowed):
                wrong.add((module, other))
    return wrong


def circle(found: Mapping[str, set[str]]) -> list[str]:
    """The modules of a circle, if there is one."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_packages_import_in_one_direction() -> None:
    ours = {module: others for module, others in graph().items() if layer(module) is not None}
    assert len(ours) > 60
    assert upward(ours) == set()


def test_the_client_and_the_program_do_not_import_each_other() -> None:
    """An application takes the client alone."""
    client = "pgcredits.client"
    mixed = {
        (module, other)
        for module, others in graph().items()
        for other in others
        if module.startswith(client) != other.startswith(client)
    }
    assert mixed == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(graph()) == []


def test_pgcredits_uses_the_simulator_in_its_command_only() -> None:
    users = {module for module, others in graph().items() if any("stripe_simulator" in o for o in others)}
    assert {user for user in users if layer(user) is not None} == {"pgcredits.cli"}


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("pgcredits.settings", "from pgcredits.http.database.pools import Database"),
        ("pgcredits.bank.admin", "def f():\n    from pgcredits.http import db"),
        ("pgcredits.http.app", "import pgcredits.local.up"),
        ("pgcredits.http.app", "from pgcredits.bank.admin import connect"),
        ("pgcredits.demo.job", "from pgcredits import cli"),
    ],
)
def test_an_import_of_a_higher_layer_is_seen(module: str, text: str) -> None:
    assert upward({module: imports(text, set(graph()))}) != set()


def test_a_circle_is_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != []
