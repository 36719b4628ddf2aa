"""The language of a price list: calls of define_… whose arguments are constants.

The language is a small part of SQL. Nothing of a file is ever executed. This reader makes definitions of it,
and catalog_words.py writes a statement from each. So the reader refuses everything that it does not know.
pglast has PostgreSQL's own parser, but is under the GPL, so the program does not use it. The tests compare
the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pgcredits.bank.migrate.errors import MigrationError

HOLDS = (
    "a price list holds `select credits.define_…(…);` and nothing else, and each argument is a constant:"
    " 'text', 12.5, true, false, null, '7 days'::interval, p_name => 'value'"
)
# The name of a type in a cast, and PostgreSQL's own name of it.
TYPES: dict[str, str | None] = {
    **dict.fromkeys(("text", "varchar", "interval", "date", "timestamp", "timestamptz", "json", "jsonb")),
    **dict.fromkeys(("numeric", "decimal"), "numeric"),
    **dict.fromkeys(("smallint", "int2"), "int2"),
    **dict.fromkeys(("integer", "int", "int4"), "int4"),
    **dict.fromkeys(("bigint", "int8"), "int8"),
    **dict.fromkeys(("boolean", "bool"), "bool"),
}
_WORDS = {"true", "false", "null"}
_SCHEMA = "credits"
_DEFINES = re.compile(r"define_[a-z_]+")
_TOKENS = re.compile(
    r"""
    (?P<space>[ \t\n\r\f]+ | --[^\n\r]*)
    | (?P<comment>/\*)
    | (?P<text>'(?:[^']|'')*')
    | (?P<quoted>\$(?P<tag>(?:[A-Za-z_][A-Za-z0-9_]*)?)\$(?P<inside>.*?)\$(?P=tag)\$)
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?(?![A-Za-z0-9_.$]))
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?![A-Za-z0-9_$]))
    | (?P<sign>=>|:=|::|[().,;+-])
    """,
    re.X | re.S,
)
_COMMENT_ENDS = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal. `type` is PostgreSQL's name of the type that it is cast to, if it is."""

    kind: str  # text, number or word
    value: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Argument:
    name: str | None  # None: by its place
    value: Constant


@dataclass(frozen=True, slots=True)
class Definition:
    """A call of a word that defines something, and the line of the file on which it begins."""

    line: int
    word: str
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # text, number, name, sign or end
    value: str  # of a name in small letters; of a text what is in it
    line: int


def parse(text: str, file: str) -> list[Definition]:
    """The definitions of a price list. `file` is its name in messages. Raises MigrationError."""
    return list(_Reader(file, list(_tokens(text, file))).definitions())


def _tokens(text: str, file: str) -> Iterator[_Token]:
    position, line = 0, 1
    while position < len(text):
        found = _TOKENS.match(text, position)
        if found is None:
            raise MigrationError(f"{file}:{line}: {HOLDS}; {_shown(text, position)} is none of these")
        kind, value, end = str(found.lastgroup), found[0], found.end()
        if kind == "comment":
            end = _comment_end(text, position) or len(text) + 1
            if end > len(text):
                raise MigrationError(f"{file}:{line}: a comment has no end")
        elif kind == "text":
            yield _Token("text", value[1:-1].replace("''", "'"), line)
        elif kind == "quoted":
            yield _Token("text", found["inside"], line)
        elif kind != "space":
            yield _Token(kind, value.lower() if kind == "name" else value, line)
        line += text.count("\n", position, end)
        position = end
    yield _Token("end", "the end of the file", line)


def _comment_end(text: str, position: int) -> int | None:
    """Skip a comment. Comments of PostgreSQL nest."""
    depth = 0
    for found in _COMMENT_ENDS.finditer(text, position):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    return None


def _shown(text: str, position: int) -> str:
    return repr(text[position : position + 20].split("\n")[0])


class _Reader:
    """Reads tokens from left to right, and refuses a token that is not expected."""

    def __init__(self, file: str, tokens: list[_Token]) -> None:
        self._file, self._tokens, self._at = file, tokens, 0

    def definitions(self) -> Iterator[Definition]:
        while True:
            while self._take(";"):
                pass
            if self._next.kind == "end":
                return
            yield self._definition()

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _is(self, *values: str) -> bool:
        return self._next.kind in ("name", "sign") and self._next.value in values

    def _take(self, value: str) -> bool:
        if not self._is(value):
            return False
        self._at += 1
        return True

    def _expect(self, value: str) -> None:
        if not self._take(value):
            raise self._refusal(f"where `{value}` should be")

    def _refusal(self, place: str) -> MigrationError:
        token = self._next
        return MigrationError(f"{self._file}:{token.line}: {HOLDS}; {token.value[:40]!r} stands {place}")

    def _definition(self) -> Definition:
        line = self._next.line
        for value in ("select", _SCHEMA, "."):
            self._expect(value)
        if self._next.kind != "name" or not _DEFINES.fullmatch(self._next.value):
            raise self._refusal("where a word that defines something should be")
        word = self._name()
        self._expect("(")
        arguments: list[Argument] = []
        while not self._take(")"):
            if arguments:
                self._expect(",")
            arguments.append(self._argument())
        if self._next.kind != "end":
            self._expect(";")
        return Definition(line, word, tuple(arguments))

    def _name(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1].value

    def _argument(self) -> Argument:
        name = None
        if self._next.kind == "name" and self._tokens[self._at + 1].value in ("=>", ":="):
            if not self._next.value.startswith("p_"):
                raise self._refusal("where the name of an argument should be: p_…")
            name = self._name()
            self._at += 1
        return Argument(name, self._constant())

    def _constant(self) -> Constant:
        if self._take("cast"):
            self._expect("(")
            constant = self._literal()
            self._expect("as")
            constant = Constant(constant.kind, constant.value, self._type())
            self._expect(")")
            return constant
        constant = self._literal()
        if self._take("::"):
            constant = Constant(constant.kind, constant.value, self._type())
        return constant

    def _literal(self) -> Constant:
        sign = "-" if self._take("-") else ""
        signed = bool(sign) or self._take("+")  # a plus changes nothing
        if self._next.kind == "number":
            return Constant("number", sign + self._name())
        if not signed and self._next.kind == "text":
            return Constant("text", self._name())
        if not signed and self._is(*_WORDS):
            return Constant("word", self._name())
        if not signed and self._is(*TYPES):  # interval '7 days'
            type_ = self._type()
            if self._next.kind == "text":
                return Constant("text", self._name(), type_)
        raise self._refusal("where a constant should be")

    def _type(self) -> str:
        if not self._is(*TYPES):
            raise self._refusal(f"where a type should be: {', '.join(TYPES)}")
        spelled = self._name()
        name = TYPES[spelled] or spelled
        if name == "timestamp" and self._is("with", "without"):
            name = "timestamptz" if self._name() == "with" else "timestamp"
            self._expect("time")
            self._expect("zone")
        return name
