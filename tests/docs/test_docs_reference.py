"""The first half of docs/reference.md, which people write, names every route and every command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import click
import pytest
from docs.reference import MARK, PAGE

from pgcredits import cli
from pgcredits.bank.migrate.files import HOME

pytestmark = pytest.mark.one_version

HALF = PAGE.read_text().partition(MARK)[0]
DESCRIBED = HOME / "api/pgcredits/http/static/openapi.json"


def table(heading: str) -> set[str]:
    """What stands between backticks in the first column of a table."""
    rows = re.findall(r"^\| (`.+?`) \|", HALF.partition(f"## {heading}\n")[2].partition("\n## ")[0], re.M)
    return {told for row in rows for told in re.findall(r"`([^`]+)`", row)}


def commands(group: click.Group, before: str = "") -> Iterable[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield before + name


def test_page_lists_every_route_besides_functions_and_views() -> None:
    paths = json.loads(DESCRIBED.read_text())["paths"]
    there = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}
    told = {route.partition("?")[0] for route in table("Routes of the HTTP API")}
    assert told - there == {"/rest/v1/rpc/NAME", "/rest/v1/NAME"}
    assert there - told == set()


def test_page_lists_every_command() -> None:
    told = {re.split(r" [A-Z]| --", command)[0] for command in table("Commands")}
    assert told == set(commands(cli.main))
