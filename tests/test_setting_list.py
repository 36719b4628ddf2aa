"""Every setting stands in setting_list.py, docs/settings.md, `serve --help` and docker-compose.yml."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from test_settings import GOOD

import pgcredits
from pgcredits.bank.migrate import HOME
from pgcredits.cli import main
from pgcredits.setting_list import REQUIRED, SETTINGS, described, of
from pgcredits.settings import Settings, SettingsError

pytestmark = pytest.mark.one_version

BY_NAME = {setting.name: setting for setting in SETTINGS}
PACKAGE = Path(pgcredits.__file__).parent
# What `env` prints, and what `up` tells its children, is for no one to set. The key is that of an application
# with the callback for LiteLLM.
NOT_SETTINGS = {
    "PGCREDITS_API_KEY",
    "PGCREDITS_ACCOUNTANT_URL",
    "PGCREDITS_ANALYST_URL",
    "PGCREDITS_AUDITOR_URL",
    "PGCREDITS_SUPERVISED",
    "PGCREDITS_URL",
}


class Noting(Mapping[str, str]):
    """An environment that notes what is read of it."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values_of = values
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return self.values_of[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_of)

    def __len__(self) -> int:
        return len(self.values_of)


def read_by_serve() -> set[str]:
    env = Noting(GOOD)
    Settings.from_env(env)
    return env.read


def named_in_the_code() -> set[str]:
    """Texts of the program that are the name of a variable."""
    return {
        node.value
        for file in PACKAGE.rglob("*.py")
        if file.name != "setting_list.py"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"(PGCREDITS|STRIPE)(_[A-Z0-9]+)+", node.value)
    }


def row(name: str) -> str:
    """The line of docs/settings.md."""
    setting = BY_NAME[name]
    default = {"": "none", REQUIRED: REQUIRED}.get(setting.default, f"`{setting.default}`")
    commands = ", ".join(f"`{command}`" for command in setting.commands)
    return f"| `{name}` | {default} | {setting.meaning} | {commands} |"


def test_every_variable_that_the_code_reads_is_listed() -> None:
    read = read_by_serve()
    assert len(read) >= 20
    missing = (named_in_the_code() | read) - NOT_SETTINGS - set(BY_NAME)
    assert not missing, f"add to api/pgcredits/setting_list.py: {', '.join(sorted(missing))}"
    assert read == {setting.name for setting in of("serve")}, "setting_list.py is wrong about `serve`"


def test_every_listed_variable_is_read() -> None:
    assert set(BY_NAME) - named_in_the_code() == set()
    assert len(BY_NAME) == len(SETTINGS), "a setting is listed twice"


@pytest.mark.parametrize("name", [setting.name for setting in of("serve")])
def test_listed_default_is_the_default(name: str) -> None:
    """Leaving a setting out, leaving it empty and setting it to its default are the same."""
    others = {key: value for key, value in GOOD.items() if key != name}
    if BY_NAME[name].default == REQUIRED:
        for unset in ({}, {name: ""}):
            with pytest.raises(SettingsError, match=f"{name} is not set"):
                Settings.from_env(others | unset)
        return
    unset = Settings.from_env(others)
    assert Settings.from_env(others | {name: ""}) == unset
    assert Settings.from_env(others | {name: BY_NAME[name].default}) == unset


def test_every_setting_is_in_the_docs() -> None:
    page = (HOME / "docs/settings.md").read_text()
    rows = re.findall(r"^\| `[A-Z_0-9]+` \|.*$", page, re.M)
    missing = [row(name) for name in BY_NAME if row(name) not in rows]
    assert not missing, "docs/settings.md has no line:\n" + "\n".join(missing)
    surplus = set(rows) - {row(name) for name in BY_NAME}
    assert not surplus, "docs/settings.md has lines that setting_list.py has not:\n" + "\n".join(surplus)


def test_serve_explains_every_setting_that_it_reads() -> None:
    text = CliRunner().invoke(main, ["serve", "--help"]).output
    paragraphs = {
        words.split()[0]: " ".join(words.split()[1:])
        for words in re.split(r"\n  (?=(?:PGCREDITS|STRIPE)_)", text.partition("Options:")[0])[1:]
    }
    assert paragraphs == {name: described(BY_NAME[name]) for name in read_by_serve()}


def test_compose_passes_every_setting_of_serve() -> None:
    services = yaml.safe_load((HOME / "docker-compose.yml").read_text())["services"]
    passed = services["api"]["environment"]
    missing = read_by_serve() - set(passed)
    assert not missing, f"add to the service api of docker-compose.yml: {', '.join(sorted(missing))}"
    for name, value in passed.items():
        setting = BY_NAME[name]
        if name.endswith("_DATABASE_URL"):
            assert value.startswith("postgresql://pgcredits_"), name
        elif setting.default == REQUIRED or name.endswith("_PASSWORD"):
            assert ":?" in value, f"{name} is required: ${{{name}:?what to do}}"
        elif name == "PGCREDITS_TRUSTED_PROXIES":
            caddy = services["caddy"]["networks"]["default"]["ipv4_address"]
            assert value == f"${{{name}:-{caddy}}}", "the API trusts the proxy that the file brings"
        else:
            assert value in (f"${{{name}:-}}", f"${{{name}:-{setting.default}}}"), name
