"""What depends on the session's TimeZone, DateStyle or IntervalStyle, where time has to be UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lint.conditions import Finding
from lint.inference import MOMENT, Names, Types, plain
from lint.nullability import children
from lint.sql_sources import Function, Statement, Tree, expression, parsed, plpgsql, shown, type_name
from pglast import ast, parse_sql

_TIMES = frozenset((MOMENT, "timestamp", "date", "interval", "timetz"))  # written in the session's style
_LOCAL = frozenset(("date", "timestamp", "time"))  # without a zone
_CALENDAR = frozenset(("timestamp", "interval"))
_OFFSET = re.compile(
    r"-?infinity|epoch|\d{4,}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|[+-]\d\d(:?\d\d)?)", re.I
)
_ISO = re.compile(r"-?infinity|epoch|\d{4,}-\d\d-\d\d([T ][\d:.]+)?", re.I)
_UNIT = r"(h|hours?|m|mins?|minutes?|s|secs?|seconds?|ms|milliseconds?|us|microseconds?)"
_FIXED = re.compile(
    rf"-?\d+:\d\d(:\d\d(\.\d+)?)?|0|(-?\d+(\.\d+)?\s*{_UNIT})(\s+-?\d+(\.\d+)?\s*{_UNIT})*", re.I
)
_JSON = frozenset(
    f"{kind}_{name}"
    for kind in ("json", "jsonb")
    for name in ("build_object", "build_array", "agg", "object_agg", "agg_strict", "object_agg_unique")
) | frozenset(("to_json", "to_jsonb", "row_to_json", "array_to_json"))
_TEXTS = frozenset(
    ("format", "concat", "concat_ws", "string_agg", "quote_literal", "quote_nullable", "array_to_string")
)
_NEVER = {
    "justify_days": "an interval that counts days",
    "justify_hours": "an interval that counts days",
    "justify_interval": "an interval that counts days",
    "to_date": "reads text by a format",
    "timeofday": "text in the session's zone",
    "date_add": "adds by the session's calendar",
    "date_subtract": "subtracts by the session's calendar",
    "make_timestamptz": "a moment by a zone's clock",
}
# The parser of PL/pgSQL forgets of an array that it is one.
_ARRAYS = re.compile(r"^\s*(v_\w+)\s+(?:constant\s+)?([\w. ]+\[\])", re.M)
_LOCAL_CLOCKS = ("CURRENT_DATE", "LOCALTIME", "CURRENT_TIME")
_COMPARING = frozenset(("=", "<>", "!=", "<", ">", "<=", ">="))
_COMPARING_KINDS = frozenset(
    ("AEXPR_IN", "AEXPR_BETWEEN", "AEXPR_NOT_BETWEEN", "AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT", "AEXPR_NULLIF")
)


def text_of(node: Any) -> str | None:
    """The value, if the node is a string."""
    if isinstance(node, ast.A_Const) and not node.isnull and isinstance(node.val, ast.String):
        return str(node.val.sval)
    return None


def interval_zero(node: Any) -> bool:
    """Is this UTC, written so that no session can change its meaning?"""
    return (
        isinstance(node, ast.TypeCast)
        and plain(type_name(node.typeName)) == "interval"
        and text_of(node.arg) == "0"
    )


@dataclass(frozen=True)
class Found(Finding):
    function: str = ""


@dataclass
class Look:
    """One walk through a function or a statement."""

    names: Names
    place: str
    function: str = ""
    line: str = ""
    findings: list[Found] = field(default_factory=list)

    def report(self, role: str, node: Any) -> None:
        finding = Found(f"{self.place}{self.line}", role, shown(node), self.function)
        if finding not in self.findings:
            self.findings.append(finding)

    def tree(self, node: Any) -> None:
        """Everything within a node."""
        match node:
            case ast.A_Expr():
                self._operation(node)
            case ast.FuncCall():
                self._call(node)
            case ast.TypeCast():
                self.cast(node.arg, plain(type_name(node.typeName)), node)
            case ast.SQLValueFunction() if node.op.name.removeprefix("SVFOP_").startswith(_LOCAL_CLOCKS):
                self.report("the session's day", node)
            case ast.CoalesceExpr() | ast.MinMaxExpr():
                self._alike(list(node.args), node)
            case ast.CaseExpr():
                results = [when.result for when in node.args]
                self._alike([*results, *([node.defresult] if node.defresult else [])], node)
            case ast.WindowDef():
                self._frame(node)
            case ast.InsertStmt() | ast.UpdateStmt():
                self._write(node)
        for child in children(node):
            self.tree(child)

    # Operators

    def fixed(self, node: Any) -> bool:
        """Is this an interval of hours, minutes and seconds alone? A day is not always 24 hours long."""
        match node:
            case ast.TypeCast() if plain(type_name(node.typeName)) == "interval":
                text = text_of(node.arg)
                return text is not None and _FIXED.fullmatch(text.strip()) is not None
            case ast.FuncCall() if node.funcname[-1].sval == "make_interval":
                return all(
                    isinstance(arg, ast.NamedArgExpr) and arg.name in ("hours", "mins", "secs")
                    for arg in node.args or ()
                )
            case ast.A_Expr() if node.kind.name == "AEXPR_OP":
                operator = node.name[-1].sval
                if operator in ("*", "/"):
                    return self.fixed(node.lexpr) or self.fixed(node.rexpr)
                return operator in ("+", "-") and self.fixed(node.lexpr) and self.fixed(node.rexpr)
            case ast.CoalesceExpr() | ast.MinMaxExpr():
                return all(self.fixed(arg) for arg in node.args)
            case ast.CaseExpr():
                results = [when.result for when in node.args] + [node.defresult]
                return all(result is not None and self.fixed(result) for result in results)
            case ast.ColumnRef():
                return ".".join(f.sval for f in node.fields if isinstance(f, ast.String)) in self.names.fixed
        return False

    def _operation(self, node: Any) -> None:
        kind = node.kind.name
        operator = node.name[-1].sval
        if kind in _COMPARING_KINDS or kind.startswith("AEXPR_OP_") or operator in _COMPARING:
            others = node.rexpr if isinstance(node.rexpr, tuple) else (node.rexpr,)
            self._alike([n for n in (node.lexpr, *others) if n is not None], node)
            return
        if kind != "AEXPR_OP" or node.lexpr is None:
            return
        left, right = self.names.kind(node.lexpr), self.names.kind(node.rexpr)
        if operator == "||":
            if not any(k and (k.endswith("[]") or k == "json") for k in (left, right)):
                for side in (left, right):
                    if side in _TIMES:
                        self.report("text", node)
        elif operator in ("+", "-"):
            self._sum(node, left, right)

    def _sum(self, node: Any, left: str | None, right: str | None) -> None:
        """A time plus or minus an interval. A difference of two times has days of 24 hours everywhere."""
        for one, other, other_node in ((left, right, node.rexpr), (right, left, node.lexpr)):
            if one == MOMENT and other in ("date", "timestamp"):
                self.report("a moment and a day", node)
            elif not self.fixed(other_node) and (
                (one == MOMENT and other != MOMENT) or (one is None and other == "interval")
            ):
                self.report("calendar", node)

    def _alike(self, nodes: list[Any], whole: Any) -> None:
        """Values that PostgreSQL converts to one type, to compare them or to take one of them."""
        kinds = [(self.names.kind(node) or "").removesuffix("[]") for node in nodes]
        if MOMENT in kinds:
            for node, kind in zip(nodes, kinds, strict=True):
                if kind in _LOCAL or text_of(node) is not None:
                    self.cast(node, MOMENT, whole)

    # Casts

    def cast(self, node: Any, target: str, whole: Any) -> None:
        """A value that is cast to another type, explicitly or not."""
        if isinstance(node, ast.ParamRef):
            return
        source = self.names.kind(node)
        text = text_of(node)
        if text is not None:
            if target == MOMENT and not _OFFSET.fullmatch(text.strip()):
                self.report("text as a moment", whole)
            elif target in ("date", "timestamp") and not _ISO.fullmatch(text.strip()):
                self.report("text as a day", whole)
            elif target == "interval" and re.match(r"\s*-\S*\s", text):
                self.report("text as an interval", whole)
            return
        if source == target or source in ("null", "unknown"):
            return
        if target == MOMENT and (source is None or source in _LOCAL or source in ("text", "json")):
            self.report("cast to a moment", whole)
        elif source == MOMENT and target in _LOCAL | {"timetz"}:
            self.report("cast of a moment", whole)
        elif source in _TIMES and target in ("text", "char"):
            self.report("text", whole)
        elif source in ("text", "json") and target in ("date", "timestamp", "interval", "tstzrange"):
            self.report("text as a time", whole)

    # Calls

    def _call(self, node: Any) -> None:
        parts = [part.sval for part in node.funcname]
        name, args = parts[-1], list(node.args or ())
        if len(parts) > 1 and parts[0] != "pg_catalog":
            self._arguments(".".join(parts), args)
            return
        kinds = [self.names.kind(arg) for arg in args]
        if name == "timezone":
            if len(args) != 2 or not interval_zero(args[0]):
                self.report("a zone by name", node)
            elif kinds[1] not in (MOMENT, "timestamp"):
                self.report("a zone for what may be a day", node)
        elif name in ("date_trunc", "date_part", "extract"):
            self._field(node, text_of(args[0]), args, kinds)
        elif name in _NEVER:
            self.report(_NEVER[name], node)
        elif name == "age":
            if len(args) != 2 or any(kind != "timestamp" for kind in kinds):
                self.report("age", node)
        elif name == "to_timestamp":
            if len(args) != 1:
                self.report("reads text by a format", node)
        elif name == "to_char":
            if kinds[0] not in (*_CALENDAR, "number"):
                self.report("to_char", node)
        elif name in _JSON:
            self._values(node, kinds, {MOMENT, "interval", "timetz"}, "json")
        elif name in _TEXTS:
            self._values(node, kinds, set(_TIMES), "text")
        elif name == "generate_series":
            if kinds[0] == "date" or (
                len(args) > 2
                and kinds[0] not in ("timestamp", "number")
                and not (kinds[0] == MOMENT and len(args) == 3 and self.fixed(args[2]))
                and ("interval" in kinds or kinds[0] == MOMENT)
            ):
                self.report("a series by the session's calendar", node)
        elif name == "overlaps" and MOMENT in kinds:
            for arg, kind in zip(args, kinds, strict=True):
                if kind != MOMENT and not self.fixed(arg):
                    self.report("calendar", node)

    def _field(self, node: Any, part: str | None, args: list[Any], kinds: list[str | None]) -> None:
        """Truncating a time, and taking a field. Only the seconds since 1970 do not depend on the zone."""
        if node.funcname[-1].sval != "date_trunc":
            if part == "epoch" or kinds[-1] in (*_CALENDAR, "date", "time"):
                return
        elif len(args) == 2 and kinds[1] in _CALENDAR:
            return
        self.report("a field by the session's calendar", node)

    def _values(self, node: Any, kinds: list[str | None], faulty: set[str], role: str) -> None:
        if any(kind and kind.removesuffix("[]") in faulty for kind in kinds):
            self.report(role, node)

    def _arguments(self, name: str, args: list[Any]) -> None:
        """Arguments are converted to the types of the parameters."""
        functions = self.names.types.functions.get(name, [])
        if len(functions) != 1:
            return
        taken = [p for p in functions[0].parameters if not p.out]
        by_name = {p.name: p.type for p in taken}
        for place, arg in enumerate(args):
            if isinstance(arg, ast.NamedArgExpr):
                self.given(arg.arg, by_name.get(arg.name))
            elif place < len(taken):
                self.given(arg, taken[place].type)

    def given(self, node: Any, target: str | None) -> None:
        """A value that is assigned. An unknown type is taken to be the right one, so nothing is cast."""
        if target is not None and self.names.kind(node) is not None:
            self.cast(node, plain(target), node)

    # Statements

    def _frame(self, node: Any) -> None:
        for offset in (node.startOffset, node.endOffset):
            by_moment = any(self.names.kind(s.node) not in _LOCAL for s in node.orderClause or ())
            if by_moment and self.names.kind(offset) == "interval" and not self.fixed(offset):
                self.report("calendar", offset)

    def _write(self, node: Any) -> None:
        columns = self.names.types.relations.get(f"{node.relation.schemaname}.{node.relation.relname}", {})
        if isinstance(node, ast.UpdateStmt):
            for target in node.targetList or ():
                self.given(target.val, columns.get(target.name))
            return
        query = node.selectStmt
        rows = [list(row) for row in getattr(query, "valuesLists", None) or ()]
        if not rows and query is not None and query.op.name == "SETOP_NONE":
            rows = [[target.val for target in query.targetList or ()]]
        for row in rows:
            for column, value in zip(node.cols or (), row, strict=False):
                self.given(value, columns.get(column.name))


# Functions


def _of_function(types: Types, function: Function) -> Look:
    names = Names(types)
    look = Look(names, function.place, function.full_name)
    for parameter in function.parameters:
        names.variables[parameter.name] = plain(parameter.type)
        names.variables[f"{function.name}.{parameter.name}"] = plain(parameter.type)
        if parameter.default is not None:
            look.given(parameter.default, parameter.type)
            look.tree(parameter.default)
    if function.language == "plpgsql":
        _plpgsql(look, function)
    elif isinstance(function.body, ast.ReturnStmt):
        names.learn(function.body.returnval)
        look.given(function.body.returnval, function.returns)
        look.tree(function.body.returnval)
    else:
        queries = (
            [raw.stmt for raw in parse_sql(function.source)]
            if function.body is None
            else _flat(function.body)
        )
        for query in queries:
            names.learn(query)
            look.tree(query)
    return look


def _flat(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        if isinstance(node, tuple):
            yield from _flat(node)
        else:
            yield node


def _node(tree: Tree) -> Any:
    text, mode = tree["query"], tree["parseMode"]
    if mode >= 3:
        text = re.split(r":?=", text, maxsplit=1)[1]
    return expression(text) if mode else parsed(text)


def _expressions(value: Any, line: str) -> Iterator[tuple[Tree, str]]:
    if isinstance(value, dict):
        line = f"+{value['lineno']}" if "lineno" in value else line
        if "PLpgSQL_expr" in value:
            yield value["PLpgSQL_expr"], line
            return
        for inner in value.values():
            yield from _expressions(inner, line)
    elif isinstance(value, list):
        for inner in value:
            yield from _expressions(inner, line)


def _plpgsql(look: Look, function: Function) -> None:
    tree, names = plpgsql(function), look.names
    for datum in tree["datums"]:
        (kind, value), *_ = datum.items()
        if kind == "PLpgSQL_var":
            names.variables.setdefault(
                value["refname"], plain(value["datatype"]["PLpgSQL_type"]["typname"].strip('"'))
            )
        elif kind == "PLpgSQL_rec" and "." in function.declared.get(value["refname"], ""):
            names.variables[value["refname"]] = function.declared[value["refname"]]
    for name, written in _ARRAYS.findall(function.source):
        names.variables[name] = plain(written)
    found = list(_expressions(tree, ""))
    for part, _ in found:
        names.learn(_node(part))
    for datum in tree["datums"]:
        value = datum.get("PLpgSQL_var", {})
        if "default_val" in value:
            node = _node(value["default_val"]["PLpgSQL_expr"])
            if value.get("isconst") and look.fixed(node):
                names.fixed.add(value["refname"])
            look.line = f"+{value['lineno']}"
            look.given(node, names.variables[value["refname"]])
    for part, look.line in found:
        node = _node(part)
        look.tree(node)
        if part["parseMode"] >= 3:
            target = re.split(r":?=", part["query"], maxsplit=1)[0].strip()
            kind = names.kind(expression(target))
            look.given(node, kind)
    _targets(look, tree, function.returns, function.source)


def _returned(source: str, found: Tree) -> Any:
    """The parser of PL/pgSQL keeps no expression of `return variable`."""
    rest = "\n".join(source.split("\n")[found["lineno"] - 1 :])
    written = re.search(r"\breturn\s+(\w+)\s*;", rest)
    return expression(written[1]) if written else None


def _targets(look: Look, value: Any, target: str, source: str) -> None:
    """RETURN converts to the result type of the function, and SELECT INTO to the types of its variables."""
    if isinstance(value, dict):
        found = value.get("PLpgSQL_stmt_return")
        if found and "lineno" in found:
            look.line = f"+{found['lineno']}"
            node = _node(found["expr"]["PLpgSQL_expr"]) if "expr" in found else _returned(source, found)
            if node is not None:
                look.given(node, target)
        raised = value.get("PLpgSQL_stmt_raise", {})
        for param in raised.get("params", []):
            look.line = f"+{raised['lineno']}"
            look.given(_node(param["PLpgSQL_expr"]), "text")
        for kind, query in (("PLpgSQL_stmt_execsql", "sqlstmt"), ("PLpgSQL_stmt_fors", "query")):
            into = value.get(kind, {})
            if target_of := into.get("target", into.get("var")):
                look.line = f"+{into['lineno']}"
                _into(look, target_of, _node(into[query]["PLpgSQL_expr"]))
        for inner in value.values():
            _targets(look, inner, target, source)
    elif isinstance(value, list):
        for inner in value:
            _targets(look, inner, target, source)


def _into(look: Look, target: Tree, query: Any) -> None:
    ((kind, value),) = target.items()
    if kind == "PLpgSQL_rec":
        return
    written = [f["name"] for f in value["fields"]] if kind == "PLpgSQL_row" else [value["refname"]]
    clause = getattr(query, "returningClause", None)
    given = clause.exprs if clause is not None else getattr(query, "targetList", None)
    for name, result in zip(written, given or (), strict=False):
        look.given(result.val, look.names.kind(expression(name)))


def find(
    relations: dict[str, dict[str, str]], functions: list[Function], statements: list[Statement]
) -> list[Found]:
    """Everything that depends on how the session treats time."""
    types = Types(relations)
    for function in functions:
        types.functions.setdefault(function.full_name, []).append(function)
    findings: list[Found] = []
    for function in functions:
        findings += _of_function(types, function).findings
    for other in statements:
        look = Look(Names(types), other.place)
        look.names.learn(other.node)
        look.tree(other.node)
        findings += look.findings
    return findings
