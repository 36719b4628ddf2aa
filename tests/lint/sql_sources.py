"""The statements of sql/ as parse trees, and those of PL/pgSQL bodies with the structure around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pglast import ast, parse_plpgsql, parse_sql
from pglast.stream import RawStream

Tree = dict[str, Any]  # a node of a PL/pgSQL body

# Types that the parser of PL/pgSQL knows without pg_catalog. It takes any other type for a row.
_KNOWN = [
    "text",
    "bigint",
    "int8",
    "int4",
    "integer",
    "smallint",
    "numeric",
    "boolean",
    "bool",
    "bytea",
    "uuid",
    "json",
    "jsonb",
    "timestamptz",
    "date",
    "interval",
    "double",
    "precision",
    "name",
    "oid",
    "void",
    "trigger",
    "record",
    "refcursor",
    "time",
    "timestamp",
    "char",
    "varchar",
    "regclass",
]
_OURS = re.compile(r"^(\s*[vp]_\w+\s+(?:constant\s+)?)(?:credits|api|audit|analytics)\.(\w+)(\[\])?", re.M)


@dataclass(frozen=True)
class Parameter:
    name: str
    type: str
    out: bool
    default: Any = None


@dataclass(frozen=True)
class Function:
    """A function of ours, as its CREATE statement defines it."""

    schema: str
    name: str
    language: str
    strict: bool
    returns: str
    parameters: tuple[Parameter, ...]
    source: str
    body: Any  # of an SQL-standard body, its tree
    place: str
    declared: dict[str, str] = field(default_factory=dict)  # types of locals, as they are written
    tree: Tree = field(default_factory=dict)  # of a PL/pgSQL body, once it was asked for

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Statement:
    """Any other statement."""

    node: Any
    place: str


_SHOWN: dict[int, tuple[Any, str]] = {}  # with the node itself, so that no other one gets its id


def shown(node: Any) -> str:
    """An expression as SQL, in one spelling."""
    known = _SHOWN.get(id(node))
    if known is None or known[0] is not node:
        known = _SHOWN[id(node)] = (node, str(RawStream()(node)))
    return known[1]


@cache
def expression(text: str) -> Any:
    """The tree of one expression."""
    return parse_sql("select " + text)[0].stmt.targetList[0].val


@cache
def parsed(text: str) -> Any:
    """The tree of one statement."""
    return parse_sql(text)[0].stmt


def read(paths: Iterator[Path] | list[Path], root: Path) -> tuple[list[Function], list[Statement]]:
    """Everything that these files create or run."""
    functions: list[Function] = []
    statements: list[Statement] = []
    for path in paths:
        more_functions, more_statements = read_text(path.read_text(), str(path.relative_to(root)))
        functions += more_functions
        statements += more_statements
    return functions, statements


def read_text(text: str, name: str) -> tuple[list[Function], list[Statement]]:
    """Everything that these statements create or run."""
    functions: list[Function] = []
    statements: list[Statement] = []
    for raw in parse_sql(text):
        place = f"{name}:{_line(text, raw.stmt_location)}"
        if isinstance(raw.stmt, ast.CreateFunctionStmt):
            functions.append(_function(raw.stmt, place))
        elif isinstance(raw.stmt, ast.DoStmt):
            functions.append(_block(raw.stmt, place))
        else:
            statements.append(Statement(raw.stmt, place))
    return functions, statements


def plpgsql(function: Function) -> Tree:
    """The parsed body: a PLpgSQL_function."""
    if function.tree:
        return function.tree
    found = dict(re.findall(r"^\s*(v_\w+)\s+(?:constant\s+)?([\w.]+)", function.source, re.M))
    function.declared.update(found)
    body = _OURS.sub(lambda m: m[1] + ("text[]" if m[3] else "record"), function.source)
    named = ", ".join(
        f"{'out' if p.out else 'in'} {p.name or f'unnamed_{i}'} {_plain(p.type)}"
        for i, p in enumerate(function.parameters)
    )
    if function.returns.startswith("setof "):
        returns = "returns setof record"
    else:
        returns = "" if any(p.out for p in function.parameters) else f"returns {_plain(function.returns)}"
    text = f"create function checked({named}) {returns} language plpgsql as $checked${body}$checked$"
    (tree,) = parse_plpgsql(text)
    function.tree.update(tree["PLpgSQL_function"])
    return function.tree


def _plain(name: str) -> str:
    base = name.removeprefix("setof ").removeprefix("pg_catalog.")
    array = "[]" if base.endswith("[]") else ""
    base = base.removesuffix("[]")
    if base in _KNOWN:
        return base + array
    return "text[]" if array else "record"


def type_name(name: Any) -> str:
    """How a type is written, without pg_catalog."""
    if name is None:
        return "void"
    parts = [part.sval for part in name.names]
    written = ".".join(part for part in parts if part != "pg_catalog")
    return ("setof " if name.setof else "") + written + ("[]" if name.arrayBounds else "")


def _function(node: Any, place: str) -> Function:
    options = {option.defname: option.arg for option in node.options or ()}
    outs = {"FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"}
    return Function(
        schema=node.funcname[0].sval if len(node.funcname) > 1 else "",
        name=node.funcname[-1].sval,
        language=options["language"].sval,
        strict=bool(getattr(options.get("strict"), "boolval", False)),
        returns=type_name(node.returnType),
        parameters=tuple(
            Parameter(p.name or "", type_name(p.argType), p.mode.name in outs, p.defexpr)
            for p in node.parameters or ()
        ),
        source=options["as"][0].sval if "as" in options else "",
        body=node.sql_body,
        place=place,
    )


def _block(node: Any, place: str) -> Function:
    source = next(option.arg.sval for option in node.args if option.defname == "as")
    return Function("", "do", "plpgsql", False, "void", (), source, None, place)


def _line(text: str, place: int) -> int:
    while re.match(r"\s|--[^\n]*\n", text[place:]):
        place += re.match(r"\s+|--[^\n]*\n", text[place:]).end()  # type: ignore[union-attr]
    return text.count("\n", 0, place) + 1
