"""No client fills a cache with texts of its own: the keys of each are few and short."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pgcredits

pytestmark = pytest.mark.one_version

PACKAGE = Path(pgcredits.__file__).parent / "http"
_CACHES = {"cache", "lru_cache", "functools.cache", "functools.lru_cache"}
# What bounds the number of keys and the length of each.
KEYS = {
    ("database/connection.py", "_numbered"): "1000 statements; longer ones are not kept",
    ("database/schema_cache.py", "_named"): "functions of the schema",
    ("dialect/recent.py", "_made"): "500 queries; longer ones are not kept",
    ("dialect/wish.py", "_read"): "200 headers; longer ones are not kept",
    ("functions/rpc.py", "_sql_with_object"): "functions and the names of their own arguments",
    ("operations/metrics.py", "_answered"): "routes that exist, methods and statuses",
    ("operations/metrics.py", "_known_slugs"): "no argument",
    ("routes/pages.py", "_static"): "files of ours",
    ("routes/pages.py", "_swagger_ui"): "no argument",
    ("routes/pages.py", "_file"): "files of the package",
}


def cached(text: str) -> set[str]:
    """The functions that remember their answers."""
    return {
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for decorator in node.decorator_list
        if ast.unparse(decorator).split("(")[0] in _CACHES
    }


def test_every_cache_says_what_bounds_its_keys() -> None:
    found = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in PACKAGE.rglob("*.py")
        for name in cached(path.read_text())
    }
    assert found == KEYS.keys()


@pytest.mark.parametrize("decorator", ["cache", "lru_cache(maxsize=5)", "functools.lru_cache(5)"])
def test_a_cache_is_seen(decorator: str) -> None:
    assert cached(f"@{decorator}\ndef f(): pass\ndef g(): pass") == {"f"}
