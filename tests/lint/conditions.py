"""Conditions that can be NULL unnoticed: where IF, CASE, CHECK or RETURN would take NULL for an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lint.nullability import (
    Book,
    Scope,
    always_a_row,
    children,
    if_not_true,
    if_true,
    names,
    nullable,
    output_list,
    outputs,
    outs_of,
    returning,
    statement_scope,
    with_ctes,
)
from lint.sql_sources import Function, Statement, Tree, expression, parsed, plpgsql, shown
from pglast import ast, parse_sql

_UNEQUAL = frozenset(("<>", "!=", "!~", "!~*", "!~~", "!~~*"))
_NEGATED_KINDS = frozenset(("AEXPR_NOT_BETWEEN", "AEXPR_NOT_BETWEEN_SYM"))
_ENDINGS = frozenset(("PLpgSQL_stmt_return", "PLpgSQL_stmt_raise", "PLpgSQL_stmt_exit"))


@dataclass(frozen=True)
class Finding:
    place: str
    role: str
    text: str

    def __str__(self) -> str:
        return f"{self.place} {self.role}: {self.text}"


@dataclass
class Walk:
    """One walk through a function or a statement."""

    book: Book
    place: str
    findings: list[Finding] = field(default_factory=list)
    returned: list[bool] = field(default_factory=list)  # of each RETURN: can it be null?
    outs: list[dict[str, bool]] = field(default_factory=list)  # of each RETURN: which OUT parameters are sure
    calls: list[tuple[str, dict[str, bool]]] = field(default_factory=list)  # with the parameters given
    ends: bool = False  # Does every path end in an error?
    line: str = ""

    def report(self, role: str, node: Any) -> None:
        finding = Finding(f"{self.place}{self.line}", role, shown(node))
        if finding not in self.findings:
            self.findings.append(finding)

    # Expressions

    def must_be_known(self, role: str, node: Any, scope: Scope) -> None:
        """A condition whose NULL would be taken for false, or for true."""
        if nullable(node, scope):
            self.report(role, node)
        self.look_into(node, scope)

    def filter(self, role: str, node: Any, scope: Scope) -> None:
        """A condition that lets rows through: NULL keeps them out, which a negation does not say."""
        if node is None:
            return
        if isinstance(node, ast.BoolExpr) and node.boolop.name != "NOT_EXPR":
            derive = if_true if node.boolop.name == "AND_EXPR" else if_not_true
            for arm in node.args:
                sure = [derive(other, scope) for other in node.args if other is not arm]
                self.filter(role, arm, scope.knowing(frozenset().union(*sure)))
            return
        if _negates(node) and nullable(node, scope):
            self.report(role, node)
        self.look_into(node, scope)

    def look_into(self, node: Any, scope: Scope) -> None:
        """Conditions within an expression."""
        match node:
            case None:
                return
            case ast.SelectStmt() | ast.InsertStmt() | ast.UpdateStmt() | ast.DeleteStmt():
                self.query(node, scope)
                return
            case ast.CaseExpr():
                self._case(node, scope)
                return
            case ast.MinMaxExpr():
                for arg in node.args:
                    if nullable(arg, scope):
                        self.report("greatest or least", node)
                        break
            case ast.FuncCall():
                self._note_call(node, scope)
                self.filter("filter", node.agg_filter, scope)
            case ast.BoolExpr() if node.boolop.name != "NOT_EXPR":
                derive = if_true if node.boolop.name == "AND_EXPR" else if_not_true
                for arm in node.args:
                    sure = [derive(other, scope) for other in node.args if other is not arm]
                    self.look_into(arm, scope.knowing(frozenset().union(*sure)))
                return
        for child in children(node):
            self.look_into(child, scope)

    def _note_call(self, node: Any, scope: Scope) -> None:
        """Which parameters of a function of ours this call gives a value that is not null."""
        name = ".".join(part.sval for part in node.funcname)
        for function in self.book.functions.get(name, ()):
            taken = [p for p in function.parameters if not p.out]
            given = dict.fromkeys((p.name for p in taken), True)
            types = {p.name: p.type for p in taken}
            for place, arg in enumerate(node.args or ()):
                if isinstance(arg, ast.NamedArgExpr):
                    given[arg.name] = self._is_given(types.get(arg.name, ""), arg.arg, scope)
                elif place < len(taken):
                    given[taken[place].name] = self._is_given(taken[place].type, arg, scope)
            left_out = {p.name for p in taken[len(node.args or ()) :] if p.default is not None}
            named = {arg.name for arg in node.args or () if isinstance(arg, ast.NamedArgExpr)}
            for parameter in taken:
                if parameter.name in left_out - named or (
                    named and parameter.name not in named and parameter.default
                ):
                    given[parameter.name] = given[parameter.name] and not nullable(
                        parameter.default, Scope(self.book)
                    )
            self.calls.append((name, given))

    def _is_given(self, kind: str, node: Any, scope: Scope) -> bool:
        """Does this row have a value in every column that needs one?"""
        columns = self.book.tables.get(kind)
        if columns is None:
            return not nullable(node, scope)
        prefix = scope.name(node)
        return all(
            f"{prefix}.{name}" in scope.facts or scope.variables.get(f"{prefix}.{name}", False)
            for name, sure in columns.items()
            if sure
        )

    def _case(self, node: Any, scope: Scope) -> None:
        if node.arg is not None:
            self.must_be_known("case", node.arg, scope)
        for when in node.args:
            if node.arg is None:
                self.must_be_known("case when", when.expr, scope)
                self.look_into(when.result, scope.knowing(if_true(when.expr, scope)))
                scope = scope.knowing(if_not_true(when.expr, scope))
            else:
                self.look_into(when.result, scope)
        self.look_into(node.defresult, scope)

    # Queries

    def query(self, node: Any, scope: Scope) -> None:
        scope = with_ctes(node, scope)
        if node is None:
            return
        for cte in node.withClause.ctes if getattr(node, "withClause", None) else ():
            self.query(cte.ctequery, scope)
        if isinstance(node, ast.SelectStmt) and node.op.name != "SETOP_NONE":
            self.query(node.larg, scope)
            self.query(node.rarg, scope)
            return
        inner = statement_scope(node, scope)
        before = replace(inner, facts=scope.facts)
        for clause in (getattr(node, "fromClause", None), getattr(node, "usingClause", None)):
            for item in clause or ():
                self._from(item, before)
        self.filter("where", getattr(node, "whereClause", None), before)
        self.filter("having", getattr(node, "havingClause", None), inner)
        conflict = getattr(node, "onConflictClause", None)
        if conflict is not None:
            for target in conflict.targetList or ():
                self.look_into(target.val, inner)
            self.filter("where", conflict.whereClause, inner)
        for target in getattr(node, "targetList", None) or ():
            self.look_into(target.val, inner)
        for values in getattr(node, "valuesLists", None) or ():
            for value in values:
                self.look_into(value, inner)
        for target in returning(node):
            self.look_into(target.val, inner)
        for other in ("sortClause", "groupClause", "windowClause", "distinctClause"):
            for item in getattr(node, other, None) or ():
                if isinstance(item, ast.Node):
                    self.look_into(item, inner)
        if getattr(node, "selectStmt", None) is not None:
            self.query(node.selectStmt, scope)

    def _from(self, node: Any, scope: Scope) -> None:
        match node:
            case ast.RangeSubselect():
                self.query(node.subquery, scope)
            case ast.JoinExpr():
                self._from(node.larg, scope)
                self._from(node.rarg, scope)
                self.filter("on", node.quals, scope)
            case ast.RangeFunction():
                for call in node.functions:
                    self.look_into(call[0], scope)


def _negates(node: Any) -> bool:
    """Must a reader of this condition tell NULL from true?"""
    if isinstance(node, ast.BoolExpr):
        return bool(node.boolop.name == "NOT_EXPR")
    if isinstance(node, ast.A_Expr) and node.kind.name not in ("AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"):
        return node.kind.name in _NEGATED_KINDS or node.name[-1].sval in _UNEQUAL
    return False


# PL/pgSQL


class Body:
    """Walk the statements of a PL/pgSQL function in order, with what is known at each."""

    def __init__(self, walk: Walk, function: Function) -> None:
        self.walk = walk
        self.function = function
        self.tree = plpgsql(function)
        self.datums: list[Tree] = self.tree["datums"]
        self.scope = Scope(walk.book, {"found": True}, function.name)
        self.into: frozenset[str] = (
            frozenset()
        )  # what the last SELECT INTO has set, to NULL where it found no row
        self.if_found: frozenset[str] = frozenset()
        self.rounds: list[list[frozenset[str]]] = []
        self.exits: list[list[frozenset[str]]] = []  # of the loops around: what is known where they are left
        for parameter in function.parameters:
            given = walk.book.given.get(function.full_name, {}).get(parameter.name, False)
            self.scope.variables[parameter.name] = not parameter.out and (function.strict or given)
            if given and parameter.type in walk.book.tables:
                for column, sure in walk.book.tables[parameter.type].items():
                    self.scope.variables[f"{parameter.name}.{column}"] = sure
        for name in (
            "tg_op",
            "tg_table_name",
            "tg_when",
            "sqlerrm",
            "sqlstate",
            "session_user",
            "current_user",
        ):
            self.scope.variables[name] = True

    def run(self) -> bool:
        """Walk the statements. True when every path ends in an error."""
        for datum in self.datums:
            (kind, value), *_ = datum.items()
            if kind == "PLpgSQL_var" and "default_val" in value:
                self.at(value)
                node = self.node(value["default_val"])
                self.walk.look_into(node, self.scope)
                sure = not nullable(node, self.scope)
                if value.get("notnull") or (sure and value.get("isconst")):
                    self.scope.variables[value["refname"]] = True
                elif sure:
                    self.learn(frozenset((value["refname"],)))
            elif kind == "PLpgSQL_rec" and "default_val" in value:
                self.at(value)
                node = self.node(value["default_val"])
                self.walk.look_into(node, self.scope)
                self.learn(self._fields(value["refname"], node))
        return self.statement(self.tree["action"])

    def at(self, value: Tree) -> None:
        self.walk.line = f"+{value['lineno']} {self.function.name}" if "lineno" in value else ""

    def node(self, tree: Tree) -> Any:
        text = tree["PLpgSQL_expr"]["query"]
        if tree["PLpgSQL_expr"]["parseMode"] >= 3:
            text = re.split(r":?=", text, maxsplit=1)[1]
        return expression(text) if tree["PLpgSQL_expr"]["parseMode"] else parsed(text)

    def learn(self, facts: frozenset[str]) -> None:
        if any(fact in self.into or fact.split(".")[0] in self.into for fact in facts):
            facts |= self.if_found
        self.scope = self.scope.knowing(facts)

    def forget(self, *changed: str) -> None:
        pattern = re.compile(r"\b(" + "|".join(map(re.escape, changed)) + r")\b")
        kept = frozenset(fact for fact in self.scope.facts if not pattern.search(fact))
        self.scope = replace(self.scope, facts=kept)
        self.if_found = frozenset(fact for fact in self.if_found if not pattern.search(fact))
        self.into = frozenset(name for name in self.into if not pattern.search(name))

    def statements(self, trees: list[Tree]) -> bool:
        ended = False
        for tree in trees:
            ended = self.statement(tree) or ended
        return ended

    def statement(self, tree: Tree) -> bool:
        """Walk one statement. True when nothing after it is reached."""
        ((kind, value),) = tree.items()
        self.at(value)
        handler = getattr(self, "do_" + kind.removeprefix("PLpgSQL_stmt_"), None)
        if handler is None:
            self.others(value)
            return kind in _ENDINGS
        return bool(handler(value))

    def others(self, value: Any) -> None:
        if isinstance(value, dict):
            if "PLpgSQL_expr" in value:
                self.walk.look_into(self.node(value), self.scope)
                return
            for inner in value.values():
                self.others(inner)
        elif isinstance(value, list):
            for inner in value:
                self.others(inner)

    def do_block(self, value: Tree) -> bool:
        before = self.scope
        ended = self.statements(value.get("body", []))
        handlers = value.get("exceptions", {}).get("PLpgSQL_exception_block", {}).get("exc_list", [])
        after = self.scope
        for handler in handlers:
            self.scope = replace(before, facts=frozenset())
            self.statements(handler["PLpgSQL_exception"].get("action", []))
        self.scope = replace(after, facts=before.facts & after.facts) if handlers else after
        return ended and not handlers

    def do_if(self, value: Tree) -> bool:
        branches = [(value["cond"], value.get("then_body", []))]
        branches += [
            (b["PLpgSQL_if_elsif"]["cond"], b["PLpgSQL_if_elsif"].get("stmts", []))
            for b in value.get("elsif_list", [])
        ]
        results: list[frozenset[str]] = []
        place = self.walk.line
        for cond, body in branches:
            node = self.node(cond)
            self.walk.line = place
            self.walk.must_be_known("if", node, self.scope)
            before, found, into = self.scope, self.if_found, self.into
            self.learn(if_true(node, self.scope) | (found if _says_found(node) else frozenset()))
            if not self.statements(body):
                results.append(self.scope.facts)
            self.scope, self.if_found, self.into = before, found, into
            self.learn(if_not_true(node, self.scope) | (found if _says_not_found(node) else frozenset()))
        if not self.statements(value.get("else_body", [])):
            results.append(self.scope.facts)
        if not results:
            return True
        self.scope = replace(self.scope, facts=frozenset.intersection(*results))
        return False

    def do_case(self, value: Tree) -> bool:
        results: list[frozenset[str]] = []
        if "t_expr" in value:
            self.walk.must_be_known("case", self.node(value["t_expr"]), self.scope)
        for when in value.get("case_when_list", []):
            before = self.scope
            if "t_expr" not in value:
                node = self.node(when["PLpgSQL_case_when"]["expr"])
                self.walk.must_be_known("case when", node, self.scope)
                self.learn(if_true(node, self.scope))
            if not self.statements(when["PLpgSQL_case_when"].get("stmts", [])):
                results.append(self.scope.facts)
            self.scope = before
        if not self.statements(value.get("else_stmts", [])):
            results.append(self.scope.facts)
        if results:
            self.scope = replace(self.scope, facts=frozenset.intersection(*results))
        return not results

    def do_loop(self, value: Tree) -> bool:
        self._loop(value, endless=True)
        return False

    def do_while(self, value: Tree) -> bool:
        node = self.node(value["cond"])
        quiet, loud = Walk(self.walk.book, self.walk.place), self.walk
        start = self.scope.facts
        self.walk = quiet
        while not start <= (head := self._round(value, start, if_true(node, self.scope))[0]):
            start &= head
        self.walk = loud
        self.scope = replace(self.scope, facts=start)
        self.walk.must_be_known("while", node, self.scope)
        self._loop(value, if_true(node, self.scope))
        self.learn(if_not_true(node, self.scope))
        return False

    def do_fori(self, value: Tree) -> bool:
        for part in ("lower", "upper", "step"):
            if part in value:
                self.walk.look_into(self.node(value[part]), self.scope)
        name = value["var"]["PLpgSQL_var"]["refname"]
        before = self.scope.variables.get(name)
        self.scope.variables[name] = True
        self._loop(value)
        if before is not None:
            self.scope.variables[name] = before
        return False

    def do_fors(self, value: Tree) -> bool:
        query = self.node(value["query"])
        self.walk.query(query, self.scope)
        self.forget(*_targets(value["var"]))
        facts = self._assigned(value["var"], output_list(query, self.scope))
        self._loop(value, facts)
        return False

    def do_foreach_a(self, value: Tree) -> bool:
        node = self.node(value["expr"])
        self.walk.look_into(node, self.scope)
        sure = isinstance(node, ast.A_ArrayExpr) and not any(
            nullable(e, self.scope) for e in node.elements or ()
        )
        (datum,) = self.datums[value["varno"]].values()
        self.forget(datum["refname"])
        self._loop(value, frozenset((datum["refname"],)) if sure else frozenset())
        return False

    def _loop(self, value: Tree, facts: frozenset[str] = frozenset(), *, endless: bool = False) -> None:
        quiet = Walk(self.walk.book, self.walk.place)
        loud, self.walk, start = self.walk, quiet, self.scope.facts
        # What holds when a round begins held before the loop, and holds after every round.
        while True:
            head = self._round(value, start, facts)[0]
            if start <= head:
                break
            start &= head
        self.walk = loud
        head, left = self._round(value, start, facts)
        known = start if not endless else frozenset.intersection(*left) if left else start
        self.scope = replace(self.scope, facts=known)
        self.if_found = self.into = frozenset()

    def _round(
        self, value: Tree, start: frozenset[str], facts: frozenset[str]
    ) -> tuple[frozenset[str], list[frozenset[str]]]:
        """Walk the body once. Returns what is known at the next round's beginning, and after the loop."""
        before = self.scope
        self.scope = replace(before, facts=start)
        self.if_found = self.into = frozenset()
        self.exits.append([])
        self.rounds.append([])
        self.learn(facts)
        ended = self.statements(value.get("body", []))
        ends = self.rounds.pop() + ([] if ended else [self.scope.facts])
        left = self.exits.pop()
        self.scope = before
        return frozenset.intersection(*ends) if ends else start, left

    def do_exit(self, value: Tree) -> bool:
        if "cond" not in value:
            self._leave(value, self.scope.facts)
            return True
        node = self.node(value["cond"])
        self.walk.must_be_known("exit when", node, self.scope)
        before = self.scope
        self.learn(if_true(node, self.scope))
        self._leave(value, self.scope.facts)
        self.scope = before
        self.learn(if_not_true(node, self.scope))
        return False

    def _leave(self, value: Tree, facts: frozenset[str]) -> None:
        """After a loop that is left from several places, or by its name, less is known."""
        ways = self.exits if value.get("is_exit") else self.rounds
        for around in ways if "label" in value else ways[-1:]:
            around.append(frozenset() if "label" in value else facts)

    def do_assign(self, value: Tree) -> bool:
        node = self.node(value["expr"])
        self.walk.look_into(node, self.scope)
        sure = not nullable(node, self.scope)
        target = re.split(r":?=", value["expr"]["PLpgSQL_expr"]["query"], maxsplit=1)[0].strip()
        self.forget(target)
        if sure:
            self.learn(frozenset((target,)))
        self.learn(self._fields(target, node))
        return False

    def _fields(self, target: str, node: Any) -> frozenset[str]:
        """What is known about a record that a function of ours has returned."""
        outs = outs_of(node, self.walk.book) or {}
        return frozenset(f"{target}.{name}" for name, sure in outs.items() if sure)

    def do_execsql(self, value: Tree) -> bool:
        query = parsed(value["sqlstmt"]["PLpgSQL_expr"]["query"])
        self.walk.query(query, self.scope)
        if "target" not in value:
            self.if_found = self.into = frozenset()
            return False
        found = output_list(query, self.scope)
        self.forget(*_targets(value["target"]))
        facts = self._assigned(value["target"], found)
        one = isinstance(query, ast.SelectStmt) and always_a_row(query, self.walk.book)
        if one or value.get("strict"):
            self.learn(facts)
        self.if_found = facts
        self.into = frozenset(_targets(value["target"]))
        return False

    def _assigned(self, target: Tree, found: list[tuple[str, bool]]) -> frozenset[str]:
        """What is known about the target of a row."""
        ((kind, value),) = target.items()
        if kind == "PLpgSQL_row":
            pairs = zip((f["name"] for f in value["fields"]), found, strict=False)
            return frozenset(self._field(name) for name, (_, null) in pairs if not null)
        if kind == "PLpgSQL_rec":
            return frozenset(f"{value['refname']}.{name}" for name, null in found if not null)
        return frozenset(value["refname"] for _, null in found[:1] if not null)

    def _field(self, name: str) -> str:
        return name

    def do_perform(self, value: Tree) -> bool:
        query = self.node(value["expr"])
        self.walk.query(query, self.scope)
        self.if_found = self.into = frozenset()
        if query.fromClause or query.whereClause:
            return False
        return any(
            isinstance(target.val, ast.FuncCall)
            and self.walk.book.ask("raising", ".".join(part.sval for part in target.val.funcname))
            for target in query.targetList or ()
        )

    def do_return(self, value: Tree) -> bool:
        node = self.node(value["expr"]) if "expr" in value else self._returned_variable(value)
        if node is not None:
            self.walk.look_into(node, self.scope)
            null = nullable(node, self.scope)
            self.walk.returned.append(null)
            columns = self.walk.book.tables.get(self.function.returns)
            if columns and isinstance(node, ast.ColumnRef):
                prefix = self.scope.name(node)
                self.walk.outs.append({name: f"{prefix}.{name}" in self.scope.facts for name in columns})
            if null and self.function.returns == "bool":
                self.walk.report("return", node)
        else:
            outs = [p.name for p in self.function.parameters if p.out]
            if outs:
                self.walk.returned.append(True)
                self.walk.outs.append({name: name in self.scope.facts for name in outs})
        return True

    def _returned_variable(self, value: Tree) -> Any:
        """The parser of PL/pgSQL keeps no expression of `return variable`."""
        if "lineno" not in value or any(p.out for p in self.function.parameters):
            return None
        rest = "\n".join(self.function.source.split("\n")[value["lineno"] - 1 :])
        found = re.search(r"\breturn\s+(\w+)\s*;", rest)
        return expression(found[1]) if found else None


def _says_found(node: Any) -> bool:
    return isinstance(node, ast.ColumnRef) and names(node) == ["found"]


def _says_not_found(node: Any) -> bool:
    return (
        isinstance(node, ast.BoolExpr) and node.boolop.name == "NOT_EXPR" and _says_found(node.args[0])
    ) or (
        isinstance(node, ast.BoolExpr)
        and node.boolop.name == "OR_EXPR"
        and any(_says_not_found(arg) for arg in node.args)
    )


def _targets(target: Tree) -> list[str]:
    ((kind, value),) = target.items()
    return [f["name"] for f in value["fields"]] if kind == "PLpgSQL_row" else [value["refname"]]


# Everything


def build(tables: dict[str, dict[str, bool]], functions: list[Function], statements: list[Statement]) -> Book:
    """What is known about the database, and about functions from their bodies."""
    book = Book(tables)
    for other in statements:
        if isinstance(other.node, ast.ViewStmt):
            view = other.node.view
            book.views[f"{view.schemaname}.{view.relname}"] = other.node.query
    for function in functions:
        book.functions.setdefault(function.full_name, []).append(function)
    return book


def find(book: Book, functions: list[Function], statements: list[Statement]) -> list[Finding]:
    """Find every condition that can be NULL.

    The callers of a function show what its parameters can be, if only other functions call it. Its body shows
    what it returns. To find both, walk again until nothing changes.
    """
    public = {f.full_name for f in functions if f.schema != "credits"} | _called(statements)
    book.given = {
        f.full_name: {p.name: True for p in f.parameters if not p.out}
        for f in functions
        if f.full_name not in public
    }
    walks: list[_Remembered | None] = [None] * len(functions)
    while True:
        book.never_null.clear()
        book.outs.clear()
        findings, calls = _rounds(book, functions, walks)
        given = {
            name: {p: sure and book.given.get(name, {}).get(p, True) for p, sure in values.items()}
            for name, values in calls.items()
            if name not in public
        }
        if given == book.given:
            break
        book.given = given
    for other in statements:
        walk = Walk(book, other.place)
        statement_conditions(walk, other.node)
        findings += walk.findings
    return findings


@dataclass(frozen=True)
class _Remembered:
    """A walk through a function, and all that it depended on."""

    walk: Walk
    given: dict[str, bool] | None
    asked: dict[tuple[str, str], Any]

    def holds(self, given: dict[str, bool] | None) -> bool:
        """Would the function be walked alike now?"""
        answer = self.walk.book.answer
        return self.given == given and all(answer(*asked) == was for asked, was in self.asked.items())


def _walked(book: Book, function: Function, last: _Remembered | None) -> _Remembered:
    given = book.given.get(function.full_name)
    if last is not None and last.holds(given):
        return last
    walk = Walk(book, function.place)
    book.asked = {}
    if function.language == "plpgsql":
        walk.ends = Body(walk, function).run()
    else:
        _sql_body(walk, function)
    return _Remembered(walk, given, book.asked)


def _rounds(
    book: Book, functions: list[Function], walks: list[_Remembered | None]
) -> tuple[list[Finding], dict[str, dict[str, bool]]]:
    """Walk until nothing new is known about what functions return, or whether they raise."""
    book.raising = {"credits.fail"}
    while True:
        known = (set(book.never_null), dict(book.outs), len(book.raising))
        findings: list[Finding] = []
        calls: dict[str, dict[str, bool]] = {}
        nulls: dict[str, bool] = {}
        for place, function in enumerate(functions):
            remembered = walks[place] = _walked(book, function, walks[place])
            walk, name = remembered.walk, function.full_name
            if walk.ends and not walk.returned:
                book.raising.add(name)
            if function.language == "plpgsql" and walk.outs and not function.returns.startswith("setof"):
                book.outs[name] = {key: all(out[key] for out in walk.outs) for key in walk.outs[0]}
            nulls[name] = nulls.get(name, False) or any(walk.returned) or not walk.returned
            findings += walk.findings
            for called, given in walk.calls:
                before = calls.setdefault(called, given)
                calls[called] = {n: before.get(n, True) and sure for n, sure in given.items()}
        book.never_null |= {name for name, null in nulls.items() if not null}
        if known == (book.never_null, book.outs, len(book.raising)):
            return findings, calls


def _called(statements: list[Statement]) -> set[str]:
    """Functions that a statement calls. A price list may pass any value to them."""
    found: set[str] = set()

    def look(node: Any) -> None:
        if isinstance(node, ast.FuncCall):
            found.add(".".join(part.sval for part in node.funcname))
        for child in children(node):
            look(child)

    for other in statements:
        look(other.node)
    return found


def _sql_body(walk: Walk, function: Function) -> None:
    given = walk.book.given.get(function.full_name, {})
    scope = Scope(walk.book, {p.name: given.get(p.name, False) for p in function.parameters}, function.name)
    if isinstance(function.body, ast.ReturnStmt):
        walk.look_into(function.body.returnval, scope)
        if function.returns == "bool" and nullable(function.body.returnval, scope):
            walk.report("return", function.body.returnval)
        walk.returned.append(nullable(function.body.returnval, scope))
    elif function.body is None:
        for raw in parse_sql(function.source):
            walk.query(raw.stmt, scope)
    else:
        for inner in function.body:
            for query in inner if isinstance(inner, tuple) else (inner,):
                walk.query(query, scope)


def statement_conditions(walk: Walk, node: Any) -> None:
    """Conditions outside of functions: in views, checks, policies, triggers, indexes, other statements."""
    match node:
        case ast.ViewStmt():
            walk.query(node.query, Scope(walk.book))
        case ast.CreatePolicyStmt():
            scope = _of_table(walk, node.table)
            walk.filter("policy", node.qual, scope)
            walk.filter("policy", node.with_check, scope)
        case ast.IndexStmt():
            walk.filter("index", node.whereClause, _of_table(walk, node.relation))
        case ast.CreateTrigStmt() if node.whenClause is not None:
            walk.must_be_known("trigger", node.whenClause, _of_table(walk, node.relation))
        case ast.SelectStmt() | ast.InsertStmt() | ast.UpdateStmt() | ast.DeleteStmt():
            walk.query(node, Scope(walk.book))
        case ast.CreateDomainStmt():
            for constraint in node.constraints or ():
                check(walk, constraint, Scope(walk.book))
        case ast.CreateStmt():
            scope = _of_table(walk, node.relation)
            for element in node.tableElts or ():
                for constraint in (element, *(getattr(element, "constraints", None) or ())):
                    check(walk, constraint, scope)
        case ast.AlterTableStmt():
            scope = _of_table(walk, node.relation)
            for command in node.cmds:
                for constraint in (command.def_, *(getattr(command.def_, "constraints", None) or ())):
                    check(walk, constraint, scope)


def _of_table(walk: Walk, relation: Any) -> Scope:
    scope = Scope(walk.book, {})
    columns = walk.book.columns(relation.schemaname, relation.relname)
    scope.variables.update(columns or {})
    return scope


def check(walk: Walk, constraint: Any, scope: Scope) -> None:
    """A CHECK lets NULL pass. For one nullable column that is right: there is nothing to check."""
    if not isinstance(constraint, ast.Constraint) or constraint.contype.name != "CONSTR_CHECK":
        return
    used = {".".join(names(node) or ["*"]) for node in _columns(constraint.raw_expr)}
    absent = {name for name in used if not scope.variables.get(name, name == "value")}
    if len(used) == 1 and absent:
        scope = scope.knowing(frozenset(absent))
    elif used == {"value"}:
        scope = scope.knowing(frozenset(used))
    walk.must_be_known("check", constraint.raw_expr, scope)


def _columns(node: Any) -> Iterator[Any]:
    if isinstance(node, ast.ColumnRef):
        yield node
    for child in children(node):
        yield from _columns(child)


__all__ = ["Finding", "build", "find", "outputs"]
