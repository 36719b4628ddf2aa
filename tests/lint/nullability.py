"""Can this expression be NULL? The answer comes from the parse tree, the NOT NULL columns and known facts.

Anything that is not understood can be NULL. A false alarm costs an `is true`; a missed condition costs money.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lint.sql_sources import Function, shown
from pglast import ast

Columns = dict[str, bool]  # of a relation: is it never null?

# NULL only when an argument is.
TOTAL = frozenset(
    [
        "length",
        "char_length",
        "octet_length",
        "lower",
        "upper",
        "btrim",
        "ltrim",
        "rtrim",
        "trim_scale",
        "abs",
        "scale",
        "round",
        "ceil",
        "floor",
        "div",
        "mod",
        "sign",
        "cardinality",
        "jsonb_typeof",
        "json_typeof",
        "starts_with",
        "isfinite",
        "date_trunc",
        "date_part",
        "extract",
        "make_interval",
        "to_json",
        "to_jsonb",
        "timezone",
        "sha256",
        "encode",
        "decode",
        "convert_to",
        "convert_from",
        "left",
        "right",
        "replace",
        "translate",
        "split_part",
        "substr",
        "position",
        "regexp_replace",
        "to_char",
        "jsonb_strip_nulls",
        "jsonb_array_length",
        "lpad",
        "md5",
        "format",
        "concat_ws",
        "hashtextextended",
        "jsonb_set",
        "power",
        "array_to_string",
        "pg_column_size",
        "uuid_send",
        "trunc",
        "numeric_send",
        "has_schema_privilege",
        "has_database_privilege",
        "pg_has_role",
        "to_timestamp",
    ]
)
NEVER = frozenset(
    [
        "count",
        "now",
        "clock_timestamp",
        "transaction_timestamp",
        "statement_timestamp",
        "concat",
        "num_nonnulls",
        "num_nulls",
        "jsonb_build_object",
        "jsonb_build_array",
        "json_build_object",
        "json_build_array",
        "gen_random_uuid",
        "row_number",
        "rank",
        "dense_rank",
        "current_database",
        "pg_backend_pid",
        "generate_series",
        "jsonb_object_keys",
        "pg_typeof",
        "txid_current",
        "pg_current_xact_id",
    ]
)
MAY_FAIL_TO_FIND = frozenset(("->", "->>", "#>", "#>>"))
COMPARISONS = frozenset(
    ("=", "<>", "!=", "<", ">", "<=", ">=", "~", "!~", "~*", "!~*", "~~", "!~~", "^@", "@>", "<@", "?")
)


@dataclass(frozen=True)
class Relation:
    alias: str
    columns: Columns | None  # None: nobody knows


@dataclass
class Scope:
    """The meaning of names at one place, and the expressions that are known not to be null there."""

    book: Book
    variables: dict[str, bool] = field(default_factory=dict)
    function: str = ""
    relations: tuple[Relation, ...] = ()  # innermost last
    ctes: Mapping[str, Columns] = field(default_factory=dict)
    facts: frozenset[str] = frozenset()

    def knowing(self, facts: frozenset[str]) -> Scope:
        return self if facts <= self.facts else replace(self, facts=self.facts | facts)

    def name(self, node: Any) -> str:
        """The text under which a fact about an expression is stored."""
        return shown(node).replace(f"{self.function}.", "")


@dataclass
class Book:
    """What is known of the whole database."""

    tables: dict[str, Columns]
    views: dict[str, Any] = field(default_factory=dict)
    functions: dict[str, list[Function]] = field(default_factory=dict)
    never_null: set[str] = field(default_factory=set)  # functions, found out by walking their bodies
    outs: dict[str, Columns] = field(default_factory=dict)  # OUT parameters of functions, found out likewise
    raising: set[str] = field(default_factory=lambda: {"credits.fail"})  # they never return
    given: dict[str, Columns] = field(default_factory=dict)  # parameters that every caller gives a value
    asked: dict[tuple[str, str], Any] = field(default_factory=dict)  # what a walk has asked, with the answers

    def answer(self, question: str, function: str) -> Any:
        """What is known so far about what a function returns."""
        if question == "outs":
            return self.outs.get(function)
        return function in (self.never_null if question == "never null" else self.raising)

    def ask(self, question: str, function: str) -> Any:
        """The answer, which is noted: a walk whose questions have the same answers would end alike."""
        answer = self.asked[question, function] = self.answer(question, function)
        return answer

    def columns(self, schema: str | None, name: str) -> Columns | None:
        full = f"{schema}.{name}" if schema else name
        if full in self.views:
            return outputs(self.views[full], Scope(self))
        return self.tables.get(full)


def names(node: Any) -> list[str] | None:
    """The parts of a column reference; None for `a.*`."""
    parts = [getattr(part, "sval", None) for part in node.fields]
    return None if None in parts else [str(part) for part in parts]


def nullable(node: Any, scope: Scope) -> bool:
    if node is None:
        return True
    if scope.facts and scope.name(node) in scope.facts:
        return False
    rule = _RULES.get(type(node).__name__)
    return True if rule is None else rule(node, scope)


def _any(nodes: Any, scope: Scope) -> bool:
    return any(nullable(node, scope) for node in nodes or ())


def _column(node: Any, scope: Scope) -> bool:
    parts = names(node)
    if parts is None:
        return True
    if parts[0] == scope.function and len(parts) == 2:
        parts = parts[1:]
    if len(parts) == 1:
        if parts[0] in scope.variables:
            return not scope.variables[parts[0]]
        for relation in reversed(scope.relations):
            if relation.columns and parts[0] in relation.columns:
                return not relation.columns[parts[0]]
            if relation.alias == parts[0]:
                return not (relation.columns or {}).get(parts[0], False)
        return True
    if len(parts) == 2:
        for relation in reversed(scope.relations):
            if relation.alias == parts[0]:
                return not (relation.columns or {}).get(parts[1], False)
    return not scope.variables.get(".".join(parts), False)


def _bool(node: Any, scope: Scope) -> bool:
    if node.boolop.name == "NOT_EXPR":
        return nullable(node.args[0], scope)
    derive = if_true if node.boolop.name == "AND_EXPR" else if_not_true
    for arm in node.args:
        sure = [
            derive(other, scope) for other in node.args if other is not arm and not nullable(other, scope)
        ]
        if nullable(arm, scope.knowing(frozenset().union(*sure))):
            return True
    return False


def _operation(node: Any, scope: Scope) -> bool:
    kind = node.kind.name
    if kind in ("AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"):
        return False
    if kind == "AEXPR_NULLIF":
        return True
    operands = [node.lexpr] if node.lexpr is not None else []
    right = node.rexpr
    operands += list(right) if isinstance(right, tuple) else [right]
    if kind == "AEXPR_OP" and node.name[-1].sval in MAY_FAIL_TO_FIND:
        return True
    if kind in ("AEXPR_OP_ANY", "AEXPR_OP_ALL") and isinstance(right, ast.A_ArrayExpr):
        operands = [node.lexpr, *(right.elements or ())]
    return _any(operands, scope)


def _call(node: Any, scope: Scope) -> bool:
    parts = [part.sval for part in node.funcname]
    name = parts[-1]
    args = [arg.arg if isinstance(arg, ast.NamedArgExpr) else arg for arg in node.args or ()]
    if len(parts) == 1 or parts[0] == "pg_catalog":
        if name == "current_setting":
            return len(args) > 1
        if name in NEVER:
            return False
        if name in ("format", "concat_ws"):
            return nullable(args[0], scope)
        return _any(args, scope) if name in TOTAL else True
    full = ".".join(parts)
    if scope.book.ask("never null", full):
        return False
    for function in scope.book.functions.get(full, ()):
        if function.language == "sql" and isinstance(function.body, ast.ReturnStmt):
            given = {
                p.name: i < len(args) and not nullable(args[i], scope)
                for i, p in enumerate(function.parameters)
            }
            inner = Scope(scope.book, given, function.name)
            return nullable(function.body.returnval, inner)
    return True


def _case(node: Any, scope: Scope) -> bool:
    known = scope
    for when in node.args:
        if node.arg is None:
            if nullable(when.result, known.knowing(if_true(when.expr, known))):
                return True
            known = known.knowing(if_not_true(when.expr, known))
        elif nullable(when.result, known):
            return True
    return nullable(node.defresult, known)


def _sublink(node: Any, scope: Scope) -> bool:
    kind = node.subLinkType.name
    if kind in ("EXISTS_SUBLINK", "ARRAY_SUBLINK"):
        return False
    found = output_list(node.subselect, scope)
    missing = any(null for _, null in found)
    if kind == "EXPR_SUBLINK":
        return missing or not always_a_row(node.subselect, scope.book)
    return missing or nullable(node.testexpr, scope)


def _coalesce(node: Any, scope: Scope) -> bool:
    return all(nullable(arg, scope) for arg in node.args)


_RULES = {
    "A_Const": lambda node, scope: bool(node.isnull),
    "ColumnRef": _column,
    "BoolExpr": _bool,
    "A_Expr": _operation,
    "FuncCall": _call,
    "CaseExpr": _case,
    "SubLink": _sublink,
    "CoalesceExpr": _coalesce,
    "MinMaxExpr": _coalesce,
    "NullTest": lambda node, scope: False,
    "BooleanTest": lambda node, scope: False,
    "SQLValueFunction": lambda node, scope: False,
    "A_ArrayExpr": lambda node, scope: False,
    "RowExpr": lambda node, scope: _any(node.args, scope),
    "TypeCast": lambda node, scope: nullable(node.arg, scope),
    "CollateClause": lambda node, scope: nullable(node.arg, scope),
}


# What follows from the outcome of a condition


def if_true(node: Any, scope: Scope) -> frozenset[str]:
    """Expressions that are not null when the condition holds."""
    match node:
        case ast.BoolExpr():
            parts = [if_true(arg, scope) for arg in node.args]
            if node.boolop.name == "AND_EXPR":
                return frozenset().union(*parts)
            if node.boolop.name == "OR_EXPR":
                return frozenset.intersection(*parts)
            return if_false(node.args[0], scope)
        case ast.NullTest():
            return _solid(node.arg, scope) if node.nulltesttype.name == "IS_NOT_NULL" else frozenset()
        case ast.BooleanTest():
            kind = node.booltesttype.name
            if kind == "IS_TRUE":
                return if_true(node.arg, scope)
            return if_false(node.arg, scope) if kind == "IS_FALSE" else frozenset()
        case ast.A_Expr():
            if node.kind.name == "AEXPR_NOT_DISTINCT" and not nullable(node.rexpr, scope):
                return _solid(node.lexpr, scope)
            return _compared(node, scope)
        case ast.ColumnRef() | ast.FuncCall() | ast.SubLink():
            return _solid(node, scope)
    return frozenset()


def if_false(node: Any, scope: Scope) -> frozenset[str]:
    """Expressions that are not null when the condition is false, and not merely unknown."""
    match node:
        case ast.BoolExpr():
            parts = [if_false(arg, scope) for arg in node.args]
            if node.boolop.name == "OR_EXPR":
                return frozenset().union(*parts)
            if node.boolop.name == "AND_EXPR":
                return frozenset.intersection(*parts)
            return if_true(node.args[0], scope)
        case ast.A_Expr() if node.kind.name in ("AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"):
            return if_not_true(node, scope)
        case ast.A_Expr():
            return _compared(node, scope)
        case ast.ColumnRef() | ast.FuncCall():
            return _solid(node, scope)
    return if_not_true(node, scope)


def if_not_true(node: Any, scope: Scope) -> frozenset[str]:
    """Expressions that are not null when the condition is false or unknown."""
    match node:
        case ast.BoolExpr():
            if node.boolop.name == "OR_EXPR":
                return frozenset().union(*(if_not_true(arg, scope) for arg in node.args))
            if node.boolop.name == "AND_EXPR":
                return frozenset.intersection(*(if_not_true(arg, scope) for arg in node.args))
            return if_true(node.args[0], scope) if not nullable(node.args[0], scope) else frozenset()
        case ast.NullTest():
            return _solid(node.arg, scope) if node.nulltesttype.name == "IS_NULL" else frozenset()
        case ast.BooleanTest():
            kind = node.booltesttype.name
            if kind == "IS_NOT_TRUE":
                return if_true(node.arg, scope)
            return if_false(node.arg, scope) if kind == "IS_NOT_FALSE" else frozenset()
        case ast.A_Expr() if node.kind.name == "AEXPR_DISTINCT" and not nullable(node.rexpr, scope):
            return _solid(node.lexpr, scope)
    return frozenset()


def _compared(node: Any, scope: Scope) -> frozenset[str]:
    """A comparison that has an outcome has operands."""
    kind = node.kind.name
    if kind == "AEXPR_NULLIF" or (kind == "AEXPR_OP" and node.name[-1].sval not in COMPARISONS):
        return frozenset()
    if kind in ("AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"):
        return frozenset()
    found = _solid(node.lexpr, scope)
    if kind == "AEXPR_OP" and not isinstance(node.rexpr, tuple):
        found |= _solid(node.rexpr, scope)
    return found


def _solid(node: Any, scope: Scope) -> frozenset[str]:
    """If this is not null, the parts that would make it null are not null either."""
    if node is None:
        return frozenset()
    found = {scope.name(node)}
    match node:
        case ast.FuncCall() if node.funcname[-1].sval in TOTAL - {"format", "concat_ws"}:
            for arg in node.args or ():
                found |= _solid(arg, scope)
        case ast.TypeCast():
            found |= _solid(node.arg, scope)
        case ast.A_Expr() if node.kind.name == "AEXPR_OP":
            found |= _solid(node.lexpr, scope) | _solid(node.rexpr, scope)
    return frozenset(found)


# Queries


def always_a_row(select: Any, book: Book) -> bool:
    """Aggregates without GROUP BY, a bare list of expressions, or one call of ours: exactly one row."""
    if select.op.name != "SETOP_NONE" or select.groupClause or select.havingClause or select.limitCount:
        return False
    if select.whereClause is None:
        sources = select.fromClause or ()
        if not sources:
            return True
        if len(sources) == 1 and isinstance(sources[0], ast.RangeFunction):
            call = sources[0].functions[0][0]
            if outs_of(call, book) is not None:
                return True
    return bool(select.targetList) and all(_aggregates(target.val) for target in select.targetList)


_AGGREGATES = frozenset(
    [
        "count",
        "sum",
        "min",
        "max",
        "avg",
        "bool_or",
        "bool_and",
        "array_agg",
        "string_agg",
        "jsonb_agg",
        "jsonb_object_agg",
        "json_agg",
    ]
)


def _aggregates(node: Any) -> bool:
    if isinstance(node, ast.FuncCall) and node.over is None and node.funcname[-1].sval in _AGGREGATES:
        return True
    return any(_aggregates(child) for child in children(node) if not isinstance(child, ast.SelectStmt))


_CHILDREN: dict[int, tuple[Any, tuple[Any, ...]]] = {}  # with the node itself, as in sql_sources


def children(node: Any) -> tuple[Any, ...]:
    """The nodes directly below."""
    known = _CHILDREN.get(id(node))
    if known is None or known[0] is not node:
        known = _CHILDREN[id(node)] = (node, tuple(_nodes(getattr(node, a) for a in node.__slots__)))
    return known[1]


def _nodes(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, ast.Node):
            yield value
        elif isinstance(value, tuple):
            yield from _nodes(value)


def returning(node: Any) -> Any:
    """What a statement that changes rows returns."""
    clause = getattr(node, "returningClause", None)
    return clause.exprs if clause is not None else ()


def outputs(select: Any, scope: Scope) -> Columns:
    return {name: not null for name, null in output_list(select, scope)}


def output_list(select: Any, scope: Scope) -> list[tuple[str, bool]]:
    """Names of a query's columns, and whether each can be null."""
    if not isinstance(select, ast.SelectStmt):
        inner = statement_scope(select, scope)
        return _targets(returning(select), inner)
    scope = with_ctes(select, scope)
    if select.op.name != "SETOP_NONE":
        left, right = output_list(select.larg, scope), output_list(select.rarg, scope)
        return [(name, null or other) for (name, null), (_, other) in zip(left, right, strict=False)]
    if select.valuesLists:
        columns = zip(*select.valuesLists, strict=True)
        return [(f"column{i}", _any(values, scope)) for i, values in enumerate(columns, 1)]
    inner = statement_scope(select, scope)
    return _targets(select.targetList or (), inner)


def _targets(targets: Any, scope: Scope) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    for target in targets:
        node = target.val
        if isinstance(node, ast.ColumnRef) and names(node) is None:
            alias = node.fields[0].sval if len(node.fields) > 1 else None
            for relation in scope.relations:
                if alias in (None, relation.alias):
                    found += [(name, not sure) for name, sure in (relation.columns or {}).items()]
            continue
        name = target.name or _implied(node)
        found.append((name, nullable(node, scope)))
    return found


def _implied(node: Any) -> str:
    match node:
        case ast.ColumnRef():
            return str(node.fields[-1].sval)
        case ast.FuncCall():
            return str(node.funcname[-1].sval)
        case ast.TypeCast():
            return _implied(node.arg)
        case ast.CoalesceExpr():
            return "coalesce"
        case ast.CaseExpr():
            return "case"
    return "?column?"


def with_ctes(node: Any, scope: Scope) -> Scope:
    clause = getattr(node, "withClause", None)
    if clause is None:
        return scope
    known = dict(scope.ctes)
    for cte in clause.ctes:
        query = cte.ctequery
        first = query.larg if clause.recursive and getattr(query, "larg", None) is not None else query
        found = outputs(first, replace(scope, ctes=known))
        if cte.aliascolnames:
            found = dict(zip((n.sval for n in cte.aliascolnames), found.values(), strict=False))
        known[cte.ctename] = found
    return replace(scope, ctes=known)


def statement_scope(node: Any, scope: Scope) -> Scope:
    """The scope within a statement: its tables, and the facts that its WHERE ensures."""
    scope = with_ctes(node, scope)
    relations: list[Relation] = []
    facts: frozenset[str] = frozenset()
    target = getattr(node, "relation", None)
    if isinstance(target, ast.RangeVar):
        relation = _table(target, scope)
        relations.append(relation)
        if isinstance(node, ast.InsertStmt):
            relations.append(Relation("excluded", relation.columns))
    clauses = getattr(node, "fromClause", None) or getattr(node, "usingClause", None) or ()
    inner = scope
    for item in clauses:
        found, more = _from(item, replace(inner, relations=(*scope.relations, *relations)))
        relations += found
        facts |= more
    inner = replace(scope, relations=(*scope.relations, *relations)).knowing(facts)
    where = getattr(node, "whereClause", None)
    return inner if where is None else inner.knowing(if_true(where, inner))


def _table(node: Any, scope: Scope) -> Relation:
    alias = node.alias.aliasname if node.alias else node.relname
    if node.schemaname is None and node.relname in scope.ctes:
        return Relation(alias, scope.ctes[node.relname])
    return Relation(alias, scope.book.columns(node.schemaname, node.relname))


def _weak(relations: list[Relation]) -> list[Relation]:
    """The side of an outer join that may be missing."""
    return [Relation(r.alias, dict.fromkeys(r.columns or {}, False)) for r in relations]


def _from(node: Any, scope: Scope) -> tuple[list[Relation], frozenset[str]]:
    match node:
        case ast.RangeVar():
            return [_table(node, scope)], frozenset()
        case ast.RangeSubselect():
            found = outputs(node.subquery, scope)
            if node.alias and node.alias.colnames:
                found = dict(zip((n.sval for n in node.alias.colnames), found.values(), strict=False))
            return [Relation(node.alias.aliasname if node.alias else "", found)], frozenset()
        case ast.RangeFunction():
            return [_function_table(node, scope)], frozenset()
        case ast.JoinExpr():
            left, facts = _from(node.larg, scope)
            right, more = _from(node.rarg, replace(scope, relations=(*scope.relations, *left)))
            kind = node.jointype.name
            if kind in ("JOIN_LEFT", "JOIN_FULL"):
                right, more = _weak(right), frozenset()
            if kind in ("JOIN_RIGHT", "JOIN_FULL"):
                left, facts = _weak(left), frozenset()
            if kind == "JOIN_INNER" and node.quals is not None:
                joined = replace(scope, relations=(*scope.relations, *left, *right))
                more |= if_true(node.quals, joined)
            return left + right, facts | more
    return [], frozenset()


def outs_of(call: Any, book: Book) -> Columns | None:
    """Each value of a call of ours that returns several."""
    if not isinstance(call, ast.FuncCall):
        return None
    found: Columns | None = book.ask("outs", ".".join(part.sval for part in call.funcname))
    return found


# JSON's null is a value, and not NULL.
_SETS: dict[str, Columns] = {
    "jsonb_array_elements": {"value": True},
    "jsonb_each": {"key": True, "value": True},
    "jsonb_each_text": {"key": True, "value": False},
    "aclexplode": dict.fromkeys(("grantor", "grantee", "privilege_type", "is_grantable"), True),
    "jsonb_object_keys": {"jsonb_object_keys": True},
    "jsonb_path_query": {"jsonb_path_query": True},
    "regexp_split_to_table": {"regexp_split_to_table": True},
    "string_to_table": {"string_to_table": True},
}


def _function_table(node: Any, scope: Scope) -> Relation:
    alias = node.alias.aliasname if node.alias else ""
    if node.coldeflist:
        return Relation(alias, {column.colname: False for column in node.coldeflist})
    call = node.functions[0][0]
    outs = outs_of(call, scope.book)
    if outs is not None:
        return Relation(alias, outs)
    sure = not nullable(call, scope) if isinstance(call, ast.FuncCall) else False
    given = [n.sval for n in node.alias.colnames] if node.alias and node.alias.colnames else []
    known = _SETS.get(call.funcname[-1].sval) if isinstance(call, ast.FuncCall) else None
    if known is not None:
        named = zip(given or known, known.values(), strict=False)
        return Relation(alias, dict(named) | {name: known[name] for name in list(known)[len(given) :]})
    columns = given or [alias]
    if node.ordinality:
        return Relation(alias, dict.fromkeys(columns[:-1], sure) | {columns[-1]: True})
    return Relation(alias, dict.fromkeys(columns, sure))
