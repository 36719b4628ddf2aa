"""order=: the order of the rows.

order=tokens.desc.nullslast,metadata->>tag,entry_id
"""

from __future__ import annotations

import re

from pgcredits.http.dialect import fields
from pgcredits.http.dialect.fields import Source
from pgcredits.http.dialect.scanner import Scanner, unsupported
from pgcredits.http.dialect.sql import Sql, fill

MOST_TERMS = 20

_COMMA = re.compile(r"\s*,\s*")
_DIRECTION = re.compile(r"\.(asc|desc)(?=[.,\s]|\Z)")
_NULLS = re.compile(r"\.nulls(first|last)(?=[.,\s]|\Z)")
_OPEN = re.compile(r"\(")
_BLANKS = re.compile(r"\s*")


def read(source: Source, text: str) -> list[Sql]:
    """The terms of ORDER BY. Raises ApiError 400 PGRST100, 42703."""
    scanner = Scanner("order", text)
    terms = [_term(scanner, source)]
    while scanner.take(_COMMA):
        if len(terms) == MOST_TERMS:
            raise scanner.failed(f"at most {MOST_TERMS} terms")
        terms.append(_term(scanner, source))
    if not scanner.done:
        raise scanner.failed(".asc or .desc, .nullsfirst or .nullslast, a comma or the end")
    return terms


def _term(scanner: Scanner, source: Source) -> Sql:
    start = scanner.at
    fields.read_name(scanner)
    if scanner.sees(_OPEN):
        raise unsupported("the order of an embedded resource", scanner.text)
    scanner.at = start
    term = fields.read(scanner, source).sql
    if direction := scanner.take(_DIRECTION):
        term = fill(f"{{}} {direction[1]}", term)
    if nulls := scanner.take(_NULLS):
        term = fill(f"{{}} nulls {nulls[1]}", term)
    scanner.take(_BLANKS)
    return term
