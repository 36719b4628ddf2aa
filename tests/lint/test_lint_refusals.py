"""The register of errors has every slug that the HTTP API itself uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from callers import STATUS

import pgcredits
from pgcredits.bank.migrate import SQL

pytestmark = pytest.mark.one_version

PACKAGE = Path(pgcredits.__file__).parent
OTHER_PROGRAMS = {"demo"}
_SLUG = re.compile(r"[a-z]+(_[a-z]+)*\Z")
_WRITTEN = re.compile(r'\{"error": "(\w+)"')  # a body that stands there as text


def _assigned(nodes: Sequence[ast.AST]) -> dict[str, list[ast.AST | None]]:
    """What the names there are set to."""
    found: dict[str, list[ast.AST | None]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                found.setdefault(ast.unparse(target), []).append(node.value)
    return found


class Module(ast.NodeVisitor):
    """The slugs that one file refuses with, and their statuses. 0 if the file has no number."""

    def __init__(self, text: str) -> None:
        self.told: set[tuple[str, int]] = {(slug, 0) for slug in _WRITTEN.findall(text)}
        tree = ast.parse(text)
        self._functions = {
            node.name: node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        self._scopes = [_assigned(tree.body)]
        self.visit(tree)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._scopes.append(_assigned(list(ast.walk(node))))
        self.generic_visit(node)
        self._scopes.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Call(self, node: ast.Call) -> None:
        if ast.unparse(node.func).endswith("refuse") and len(node.args) > 1:
            status = node.args[0].value if isinstance(node.args[0], ast.Constant) else 0
            if isinstance(status, int):
                self.told |= {(slug, status) for slug in self._texts(node.args[1], ())}
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "error":
                self.told |= {(slug, 0) for slug in self._texts(value, ())}
        self.generic_visit(node)

    def _texts(self, node: ast.AST | None, seen: tuple[str, ...]) -> set[str]:
        """The slugs that an expression can be, through names and functions of the same file."""
        match node:
            case ast.Constant(value=str(text)):
                return {text} if _SLUG.match(text) else set()
            case ast.Name(id=name) if name not in seen:
                values = next((scope[name] for scope in reversed(self._scopes) if name in scope), [])
                return {text for value in values for text in self._texts(value, (*seen, name))}
            case ast.IfExp(body=body, orelse=other):
                return self._texts(body, seen) | self._texts(other, seen)
            case ast.Dict(values=values):
                return {text for value in values for text in self._texts(value, seen)}
            case ast.BoolOp(values=values):
                return {text for value in values for text in self._texts(value, seen)}
            case ast.Call(func=ast.Attribute(value=mapping, attr="get"), args=[_, *default]):
                found = self._texts(mapping, seen)
                return found.union(*(self._texts(value, seen) for value in default))
            case ast.Call(func=ast.Name(id=name)) if name in self._functions and name not in seen:
                returns = [one for one in ast.walk(self._functions[name]) if isinstance(one, ast.Return)]
                return {text for one in returns for text in self._texts(one.value, (*seen, name))}
        return set()


def refused(package: Path) -> set[tuple[str, int]]:
    return {
        pair
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] not in OTHER_PROGRAMS
        for pair in Module(path.read_text()).told
    }


def register() -> dict[str, int]:
    """The table of the HTTP API's own refusals in sql/README.md."""
    found: dict[str, int] = {}
    for line in (SQL / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"[45]\d\d", cells[0]):
            found.update(dict.fromkeys(re.findall(r"`(\w+)`", cells[1]), int(cells[0])))
    return found


def test_the_register_has_every_refusal_of_the_http_api() -> None:
    told, registered = refused(PACKAGE), register()
    assert registered.keys() == {slug for slug, _ in told} - STATUS.keys()
    known = STATUS | registered
    assert {(slug, status, known[slug]) for slug, status in told if status not in (0, known[slug])} == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("refuse(400, 'bad_thing', 'Text.')", {("bad_thing", 400)}),
        ("errors.refuse(400, seen.slug or 'bad_thing', 'Text.')", {("bad_thing", 400)}),
        ("slug = 'bad_a' if x else 'bad_b'\nrefuse(422, slug, '.')", {("bad_a", 422), ("bad_b", 422)}),
        ("S = {'a': 'bad_a'}\nrefuse(422, S.get(x, 'bad_b'), '.')", {("bad_a", 422), ("bad_b", 422)}),
        ("def f():\n    return 'bad_a'\nrefuse(422, f(), '.')", {("bad_a", 422)}),
        ('ApiError(500, details=\'{"error": "internal"}\')', {("internal", 0)}),
        ("S = {413: 'too_large'}\njson.dumps({'error': S.get(status)})", {("too_large", 0)}),
    ],
)
def test_a_refusal_is_seen_however_it_is_written(text: str, found: set[tuple[str, int]]) -> None:
    assert Module(text).told == found
