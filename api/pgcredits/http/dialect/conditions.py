"""Conditions: filters on a field, and trees of them.

    tokens=gt.5   kind=in.(spend,byok)   metadata->>tag=not.is.null   or=(tokens.gt.5,and(…),kind.eq.spend)

Operators and their SQL come from fixed tables. What stands behind an operator is a bound parameter.
"""

from __future__ import annotations

import re

from pgcredits.http.dialect import fields
from pgcredits.http.dialect.fields import Field, Source
from pgcredits.http.dialect.scanner import Scanner
from pgcredits.http.dialect.sql import Sql, fill, join, value
from pgcredits.http.functions import arguments

MOST_CONDITIONS = 100  # of a request
DEEPEST = 10  # trees in trees

TREES = ("and", "or", "not.and", "not.or")

_COMPARED = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_DISTINCT = {"isdistinct": "is distinct from"}
_MATCHED = {"like": "like", "ilike": "ilike", "match": "~", "imatch": "~*"}
_CONTAINED = {
    "cs": "@>",
    "cd": "<@",
    "ov": "&&",
    "sl": "<<",
    "sr": ">>",
    "nxr": "&<",
    "nxl": "&>",
    "adj": "-|-",
}
_SEARCHED = {
    "fts": "to_tsquery",
    "plfts": "plainto_tsquery",
    "phfts": "phraseto_tsquery",
    "wfts": "websearch_to_tsquery",
}
_BINARY = _COMPARED | _DISTINCT | _MATCHED | _CONTAINED
_QUANTIFIED = (_COMPARED | _MATCHED).keys() - {"neq"}
_IS = {
    "null": "null",
    "not_null": "not null",
    "true": "true",
    "false": "false",
    "unknown": "unknown",
}
_OPERATORS = {*_BINARY, *_SEARCHED, "in", "is"}

_NUMBERS = ("numeric", "smallint", "integer", "bigint")

_EXPONENT = re.compile(r"-?[0-9.]+[eE][+-]?[0-9]+")
_NOT = re.compile(r"not\.")
_OPERATOR = re.compile(r"([a-z]+)(?:\(([^()]*)\))?\.")
_LANGUAGE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_DOT = re.compile(r"\.")
_OPEN = re.compile(r"\s*\(\s*")
_CLOSE = re.compile(r"\s*\)\s*")
_COMMA = re.compile(r"\s*,\s*")
_ENDS = re.compile(r"\s*(?=[,)]|\Z)")
_TREE = re.compile(r"(not\.)?(and|or)(?=\s*\()")
_PLAIN = re.compile(r"[^,)]*")
_ARRAY = re.compile(r"\{[^{}]*\}(?=\s*[,)]|\Z)")


def is_filter(text: str) -> bool:
    """Does this read as an operator and its operand, as in `gte.10`, `not.is.null` or `eq(any).{1,2}`?"""
    operator = _OPERATOR.match(text.removeprefix("not."))
    return operator is not None and operator[1] in _OPERATORS


class Conditions:
    """The conditions of one request. All of them have to be true of a row."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._count = 0
        self.found: list[Sql] = []

    def add(self, name: str, text: str) -> None:
        """A filter `name=text`. Raises ApiError 400 PGRST100, 42703, 422."""
        if name in TREES:
            scanner = Scanner("logic tree", text)
            condition = self._tree(scanner, name, 1)
            if not scanner.done:
                raise scanner.failed("the end")
        else:
            field = self._field(name)
            scanner = Scanner("filter", text)
            condition = self._condition(scanner, field, nested=False)
            if not scanner.done:
                raise scanner.failed("the end")
        self.found.append(condition)

    def _field(self, name: str) -> Field:
        scanner = Scanner("filter", name)
        field = fields.read(scanner, self._source)
        if not scanner.done:
            raise scanner.failed("-> or the end")
        return field

    def _tree(self, scanner: Scanner, word: str, depth: int) -> Sql:
        """( condition, condition, … ), and behind it what follows."""
        if depth > DEEPEST:
            raise scanner.failed(f"at most {DEEPEST} trees in trees")
        if not scanner.take(_OPEN):
            raise scanner.failed("(")
        parts = [self._branch(scanner, depth)]
        while scanner.take(_COMMA):
            parts.append(self._branch(scanner, depth))
        if not scanner.take(_CLOSE):
            raise scanner.failed("a comma or )")
        joined = join(f" {word.removeprefix('not.')} ", parts)
        return fill("not ({})" if word.startswith("not.") else "({})", joined)

    def _branch(self, scanner: Scanner, depth: int) -> Sql:
        if tree := scanner.take(_TREE):
            return self._tree(scanner, tree[0], depth + 1)
        field = fields.read(scanner, self._source)
        if not scanner.take(_DOT):
            raise scanner.failed("a dot and an operator")
        return self._condition(scanner, field, nested=True)

    def _condition(self, scanner: Scanner, field: Field, *, nested: bool) -> Sql:
        """`operator.operand`, perhaps behind `not.`. In a tree, the operand ends at a comma or a bracket."""
        self._count += 1
        if self._count > MOST_CONDITIONS:
            raise scanner.failed(f"at most {MOST_CONDITIONS} conditions")
        negated = scanner.take(_NOT)
        start = scanner.at
        operator = scanner.take(_OPERATOR)
        if not operator or operator[1] not in _OPERATORS:
            scanner.at = start
            raise scanner.failed("an operator, as in column=eq.value")
        word, modifier = operator[1], operator[2]
        if word in _SEARCHED:
            if modifier is not None and not _LANGUAGE.fullmatch(modifier):
                scanner.at = start
                raise scanner.failed("the name of a language in brackets, as in fts(english)")
            found = _search(field, word, modifier, _operand(scanner, nested))
        elif modifier is not None:
            if word not in _QUANTIFIED or modifier not in ("any", "all"):
                scanner.at = start
                raise scanner.failed("an operator, with any or all if it has them")
            found = _quantified(field, word, modifier, _operand(scanner, nested))
        elif word == "in":
            found = _in(field, scanner)
        elif word == "is":
            found = _is(field, scanner, _operand(scanner, nested))
        else:
            found = _binary(field, word, _operand(scanner, nested))
        return fill("not ({})", found) if negated else found


def _operand(scanner: Scanner, nested: bool) -> str:
    if not nested:
        return scanner.rest()
    quoted = scanner.quoted(before=_ENDS)
    if quoted is not None:
        return quoted
    found = scanner.take(_ARRAY) or scanner.take(_PLAIN)
    return found[0] if found else ""


def _checked(field: Field, text: str) -> str:
    """The operand of a comparison. Raises ApiError 422 for a value that the column cannot have."""
    if field.column is None or field.type == "text":
        return text
    text = text.strip()
    if field.type in _NUMBERS and _EXPONENT.fullmatch(text):  # as JavaScript writes small and large numbers
        return arguments.from_json(field.column, field.type, text)
    return arguments.from_text(field.column, field.type, text)


def _binary(field: Field, word: str, text: str) -> Sql:
    if word in _COMPARED or word in _DISTINCT:
        text = _checked(field, text)
    return fill(f"{{}} {_BINARY[word]} {{}}", field.sql, value(_pattern(word, text)))


def _quantified(field: Field, word: str, modifier: str, text: str) -> Sql:
    return fill(f"{{}} {_BINARY[word]} {modifier}({{}})", field.sql, value(_pattern(word, text)))


def _pattern(word: str, text: str) -> str:
    return text.replace("*", "%") if word in ("like", "ilike") else text


def _in(field: Field, scanner: Scanner) -> Sql:
    if not scanner.take(_OPEN):
        raise scanner.failed("a list in brackets, as in in.(a,b)")
    members: list[str] = []
    while not (scanner.sees(_CLOSE) and not members):
        member = scanner.quoted(before=_ENDS)
        if member is None:
            plain = scanner.take(_PLAIN)
            member = plain[0] if plain else ""
        members.append(_checked(field, member))
        if not scanner.take(_COMMA):
            break
    if not scanner.take(_CLOSE):
        raise scanner.failed("a comma or )")
    return fill("{} = any({})", field.sql, value(_array(members)))


def _array(members: list[str]) -> str:
    """An array literal."""
    escaped = (member.replace("\\", "\\\\").replace('"', '\\"') for member in members)
    return "{" + ",".join(f'"{member}"' for member in escaped) + "}"


def _is(field: Field, scanner: Scanner, text: str) -> Sql:
    known = _IS.get(text.strip().lower())
    if known is None:
        raise scanner.failed("null, not_null, true, false or unknown")
    return fill(f"{{}} is {known}", field.sql)


def _search(field: Field, word: str, language: str | None, text: str) -> Sql:
    if language is None:
        vector, query = fill("to_tsvector({})", field.sql), fill(f"{_SEARCHED[word]}({{}})", value(text))
    else:
        named = fill("{}::regconfig", value(language))
        vector = fill("to_tsvector({}, {})", named, field.sql)
        query = fill(f"{_SEARCHED[word]}({{}}, {{}})", named, value(text))
    return fill("{} @@ {}", vector, query)
