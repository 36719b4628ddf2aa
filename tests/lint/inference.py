"""The type of an expression, as far as its text and pg_catalog say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from lint.nullability import children, names
from lint.sql_sources import Function, type_name
from pglast import ast

MOMENT = "timestamptz"
_SPELLINGS = {
    "timestamp with time zone": MOMENT,
    "timestamp without time zone": "timestamp",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "character varying": "text",
    "varchar": "text",
    "bpchar": "text",
    "name": "text",
    "jsonb": "json",
    "boolean": "bool",
    "smallint": "number",
    "integer": "number",
    "bigint": "number",
    "int2": "number",
    "int4": "number",
    "int8": "number",
    "numeric": "number",
    "double precision": "number",
    "float8": "number",
    "oid": "number",
}
# Types that names promise, for values of unknown type.
_MOMENTS = re.compile(r"(^|_)(at|until|since|now|moment|expires|time)$|^clock$")

_RESULTS = {
    **dict.fromkeys(
        ["now", "clock_timestamp", "transaction_timestamp", "statement_timestamp", "to_timestamp"], MOMENT
    ),
    **dict.fromkeys(["make_timestamptz", "pg_postmaster_start_time", "date_add", "date_subtract"], MOMENT),
    **dict.fromkeys(
        ["make_interval", "age", "justify_days", "justify_hours", "justify_interval"], "interval"
    ),
    **dict.fromkeys(
        ["extract", "date_part", "round", "ceil", "floor", "trunc", "count", "length", "trim_scale", "abs"],
        "number",
    ),
    **dict.fromkeys(
        ["format", "concat", "concat_ws", "to_char", "string_agg", "lower", "upper", "btrim", "replace"],
        "text",
    ),
    **dict.fromkeys(["left", "right", "substr", "substring", "regexp_replace", "quote_literal"], "text"),
    **dict.fromkeys(["current_setting", "set_config", "jsonb_extract_path_text", "rtrim", "encode"], "text"),
    **dict.fromkeys(["to_json", "to_jsonb", "json_build_object", "jsonb_build_object", "jsonb_agg"], "json"),
    "make_date": "date",
    "to_date": "date",
    "make_timestamp": "timestamp",
}
# Functions that return one of their arguments, or a value of its type.
_LIKE_FIRST = frozenset(
    ["max", "min", "lag", "lead", "first_value", "last_value", "nth_value", "generate_series", "sum", "avg"]
)
_COMPARING = frozenset(("=", "<>", "!=", "<", ">", "<=", ">=", "~", "!~", "~*", "!~*", "~~", "!~~", "~~*"))
_VALUES = {
    "SVFOP_CURRENT_DATE": "date",
    "SVFOP_LOCALTIMESTAMP": "timestamp",
    "SVFOP_LOCALTIMESTAMP_N": "timestamp",
    "SVFOP_LOCALTIME": "time",
    "SVFOP_LOCALTIME_N": "time",
    "SVFOP_CURRENT_TIME": "timetz",
    "SVFOP_CURRENT_TIME_N": "timetz",
    "SVFOP_CURRENT_TIMESTAMP": MOMENT,
    "SVFOP_CURRENT_TIMESTAMP_N": MOMENT,
}


def plain(written: str) -> str:
    """One name for each type; all numbers are one."""
    base = re.sub(r"\(\d+\)", "", written.removeprefix("setof ").removeprefix("pg_catalog.")).strip()
    if base.endswith("[]"):
        return plain(base.removesuffix("[]")) + "[]"
    return _SPELLINGS.get(base, base)


@dataclass
class Types:
    """What is known of the database."""

    relations: dict[str, dict[str, str]]
    functions: dict[str, list[Function]] = field(default_factory=dict)
    columns: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for relation, columns in self.relations.items():
            if "." not in relation or relation.startswith("pg_catalog."):
                continue
            for column, kind in columns.items():
                self.columns.setdefault(column, set()).add(plain(kind))

    def result(self, name: str) -> str | None:
        """What a function of ours gives."""
        for function in self.functions.get(name, ()):
            outs = [p for p in function.parameters if p.out]
            if len(outs) == 1:
                return plain(outs[0].type)
            return plain(function.returns)
        return None

    def of_column(self, name: str) -> str | None:
        """The type of a column of that name in any relation. A time in one of them counts for all."""
        kinds = self.columns.get(name, set())
        if MOMENT in kinds:
            return MOMENT
        return next(iter(kinds)) if len(kinds) == 1 else None


@dataclass
class Names:
    """What the names of one function or statement stand for."""

    types: Types
    variables: dict[str, str] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)  # constants that are intervals of hours or less
    aliases: dict[str, str] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)  # names that a query gives

    def learn(self, tree: Any, *, outermost: bool = True) -> None:
        """The names that a statement defines, inner queries first, without those of the outermost query."""
        targets = getattr(tree, "targetList", None) if outermost or isinstance(tree, ast.UpdateStmt) else None
        for child in children(tree):
            if targets and child in targets:
                if child.val is not None:
                    self.learn(child.val, outermost=False)
            else:
                self.learn(child, outermost=outermost and isinstance(tree, ast.ViewStmt))
        match tree:
            case ast.RangeVar():
                relation = f"{tree.schemaname}.{tree.relname}" if tree.schemaname else tree.relname
                if relation in self.types.relations:
                    self.aliases[tree.alias.aliasname if tree.alias else tree.relname] = relation
            case ast.ResTarget() if tree.name and tree.val is not None:
                self._derive(tree.name, tree.val)
            case ast.CommonTableExpr() if tree.aliascolnames:
                self._rename(tree.aliascolnames, tree.ctequery)
            case ast.RangeSubselect() if tree.alias and tree.alias.colnames:
                self._rename(tree.alias.colnames, tree.subquery)
            case ast.RangeFunction():
                for column in tree.coldeflist or ():
                    self.derived[column.colname] = plain(type_name(column.typeName))
                call = tree.functions[0][0]
                if tree.alias and isinstance(call, ast.FuncCall):
                    listed = tree.alias.colnames or ()
                    for name in [n.sval for n in listed][:1] or [tree.alias.aliasname]:
                        self._derive(name, call)

    def _rename(self, columns: Any, query: Any) -> None:
        first = query.larg if getattr(query, "larg", None) is not None else query
        values = first.valuesLists[0] if getattr(first, "valuesLists", None) else None
        targets = values or [t.val for t in getattr(first, "targetList", None) or ()]
        for column, value in zip(columns, targets, strict=False):
            self._derive(column.sval, value)

    def _derive(self, name: str, value: Any) -> None:
        kind = self.kind(value)
        # If two queries give one name to different things, the one that depends on the session counts.
        if kind is not None and self.derived.get(name) != MOMENT:
            self.derived[name] = kind

    def kind(self, node: Any) -> str | None:
        """The type, or None if it is not known. A bare string has the type 'unknown', as in PostgreSQL."""
        match node:
            case ast.TypeCast():
                return plain(type_name(node.typeName))
            case ast.A_Const():
                if node.isnull:
                    return "null"
                return "unknown" if isinstance(node.val, ast.String) else "number"
            case ast.ColumnRef():
                return self._column(node)
            case ast.A_Expr():
                return self._operation(node)
            case ast.FuncCall():
                return self._call(node)
            case ast.SQLValueFunction():
                return _VALUES.get(node.op.name, "text")
            case ast.BoolExpr() | ast.NullTest() | ast.BooleanTest():
                return "bool"
            case ast.CoalesceExpr() | ast.MinMaxExpr():
                return self.first(*node.args)
            case ast.CaseExpr():
                return self.first(*(when.result for when in node.args), node.defresult)
            case ast.SubLink():
                return self._sublink(node)
            case ast.A_ArrayExpr():
                element = self.first(*(node.elements or ()))
                return f"{element}[]" if element else None
            case ast.A_Indirection():
                return self._part(node)
            case ast.CollateClause() | ast.NamedArgExpr():
                return self.kind(node.arg)
        return None

    def first(self, *nodes: Any) -> str | None:
        """The type of the first of them that has one."""
        kinds = [self.kind(node) for node in nodes if node is not None]
        known = [kind for kind in kinds if kind not in (None, "null", "unknown")]
        return known[0] if known else next((kind for kind in kinds if kind == "unknown"), None)

    def _column(self, node: Any) -> str | None:
        parts = names(node)
        if parts is None:
            return None
        name, before = parts[-1], parts[:-1]
        if not before and name in self.variables:
            return self.variables[name]
        if ".".join(parts) in self.variables:
            return self.variables[".".join(parts)]
        for owner in before[-1:]:
            relation = self.aliases.get(owner, self.variables.get(owner, ""))
            if name in self.types.relations.get(relation, {}):
                return plain(self.types.relations[relation][name])
        if name in self.derived:
            return self.derived[name]
        return self.types.of_column(name) or (MOMENT if _MOMENTS.search(name) else None)

    def _operation(self, node: Any) -> str | None:
        if node.kind.name == "AEXPR_NULLIF":
            return self.kind(node.lexpr)
        if node.kind.name != "AEXPR_OP" or node.name[-1].sval in _COMPARING:
            return "bool"
        operator, left, right = node.name[-1].sval, self.kind(node.lexpr), self.kind(node.rexpr)
        if operator in ("->>", "#>>"):
            return "text"
        if operator in ("->", "#>"):
            return "json"
        if operator == "||":
            arrays = [kind for kind in (left, right) if kind and (kind.endswith("[]") or kind == "json")]
            return arrays[0] if arrays else "text"
        times = ("timestamp", MOMENT, "date")
        if operator == "-" and left in times and right in times:
            return "number" if left == right == "date" else "interval"
        for kind in times:
            if kind in (left, right):
                return "timestamp" if kind == "date" and "interval" in (left, right) else kind
        return "interval" if "interval" in (left, right) else left or right

    def _call(self, node: Any) -> str | None:
        parts = [part.sval for part in node.funcname]
        name, args = parts[-1], node.args or ()
        if len(parts) > 1 and parts[0] != "pg_catalog":
            return self.types.result(".".join(parts))
        if name == "timezone":
            return {MOMENT: "timestamp", "timestamp": MOMENT, "timetz": "timetz"}.get(
                self.kind(args[-1]) or "", MOMENT
            )
        if name == "date_trunc" and len(args) > 1:
            kind = self.kind(args[1])
            return MOMENT if kind == "date" else kind
        if name in _LIKE_FIRST and args:
            kind = self.kind(args[0])
            return MOMENT if name == "generate_series" and kind == "date" else kind
        if name in ("array_agg", "unnest") and args:
            kind = self.kind(args[0])
            return kind and (kind + "[]" if name == "array_agg" else kind.removesuffix("[]"))
        return _RESULTS.get(name)

    def _sublink(self, node: Any) -> str | None:
        if node.subLinkType.name not in ("EXPR_SUBLINK", "ARRAY_SUBLINK"):
            return "bool"
        query = node.subselect
        while query.op.name != "SETOP_NONE":
            query = query.larg
        kind = self.kind(query.targetList[0].val) if query.targetList else None
        return f"{kind}[]" if kind and node.subLinkType.name == "ARRAY_SUBLINK" else kind

    def _part(self, node: Any) -> str | None:
        """An element of an array, or a field of a row."""
        last = node.indirection[-1]
        if isinstance(last, ast.String):
            row = self.kind(node.arg) or ""
            known = self.types.relations.get(row, {}).get(last.sval)
            return plain(known) if known else self.types.of_column(last.sval)
        return (self.kind(node.arg) or "").removesuffix("[]") or None
