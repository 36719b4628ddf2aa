"""Nothing in the program is defined and then used nowhere: no constant, function, class, method or field."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import pgcredits

pytestmark = pytest.mark.one_version

PACKAGE = Path(pgcredits.__file__).parent.parent
# They replace methods of a library's class, which calls them.
OVERRIDES = {
    *("list_commands", "ensure_internal_schema_updated", "on_app_init"),
    *("send_400_response", "_unsupported_upgrade_warning"),
    *("async_pre_call_hook", "async_post_call_success_hook", "async_post_call_failure_hook"),
    "async_post_call_streaming_iterator_hook",
}
# Applications use the client: its tests and the examples count as uses of what it defines.
CLIENT = "pgcredits/client/"
_PLAIN = {"property", "classmethod", "staticmethod", "contextmanager", "dataclass"}


def defined(tree: ast.Module) -> Iterator[str]:
    """Names that a file defines for others. The code that a decorator registers a function with uses it."""
    bodies: list[list[ast.stmt]] = [tree.body]
    while bodies:
        for node in bodies.pop():
            match node:
                case ast.Assign(targets=targets):
                    yield from (one.id for one in targets if isinstance(one, ast.Name))
                case ast.AnnAssign(target=ast.Name(id=name)):
                    yield name
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    if isinstance(node, ast.ClassDef):
                        bodies.append(node.body)
                    decorators = {ast.unparse(one).split("(")[0] for one in node.decorator_list}
                    if decorators <= _PLAIN:
                        yield node.name


def used(tree: ast.Module) -> Iterator[str]:
    """Each mention of a name, in code or in text that programs read."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name):
                yield name
            case ast.keyword(arg=str(name)):
                yield name
            case ast.alias(name=name):
                yield name
            case ast.Constant(value=str(text)) if text.isidentifier():
                yield text


def unused(texts: dict[str, str], applications: Sequence[str] = ()) -> set[tuple[str, str]]:
    """What is defined in the texts and used nowhere; `applications` use the client."""
    trees = {name: ast.parse(text) for name, text in texts.items()}
    mentioned = Counter(name for tree in trees.values() for name in used(tree))
    outside = {name for text in applications for name in used(ast.parse(text))}
    return {
        (file, name)
        for file, tree in trees.items()
        for name in defined(tree)
        if not mentioned[name]
        and not (file.startswith(CLIENT) and name in outside)
        and not (name.startswith("__") and name.endswith("__"))
    }


def test_everything_that_is_defined_is_used() -> None:
    texts = {path.relative_to(PACKAGE).as_posix(): path.read_text() for path in PACKAGE.rglob("*.py")}
    root = Path(__file__).parents[2]
    applications = [*(root / "tests" / "client").glob("*.py"), *(root / "docs" / "examples").glob("*.py")]
    found = unused(texts, [path.read_text() for path in applications])
    assert {(file, name) for file, name in found if name not in OVERRIDES} == set()
    assert {name for _, name in found} >= OVERRIDES, "an exemption that nothing needs any more"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("LIMIT = 5", {"LIMIT"}),
        ("LIMIT: int = 5", {"LIMIT"}),
        ("LIMIT = 5\nprint(LIMIT)", set()),
        ("def f(): ...", {"f"}),
        ("@app.command()\ndef f(): ...", set()),
        ("class C: ...", {"C"}),
        ("@dataclass(frozen=True)\nclass C:\n    x: int", {"C", "x"}),
        ("class C:\n    def f(self): ...\nprint(C)", {"f"}),
        ("class C:\n    @property\n    def f(self): ...\nprint(C().f)", set()),
        ("class C:\n    def __init__(self): ...\nC()", set()),
    ],
)
def test_unused_definition_is_found(text: str, names: set[str]) -> None:
    assert {name for _, name in unused({"a.py": text})} == names
