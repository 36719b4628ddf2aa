"""select=: the columns of an answer.

select=*   select=tokens,id:entry_id,metadata->>tag,balance::text
"""

from __future__ import annotations

import re

from pgcredits.http.dialect import fields
from pgcredits.http.dialect.fields import Source
from pgcredits.http.dialect.scanner import Scanner, unsupported
from pgcredits.http.dialect.sql import Sql, fill, quoted

MOST_COLUMNS = 200
LONGEST_LABEL = 63  # bytes: PostgreSQL cuts off the rest of a longer name

_BLANKS = re.compile(r"\s*")
_STAR = re.compile(r"\*\s*(?=,|\Z)")
_COMMA = re.compile(r"\s*,")
# ++ gives nothing back: blanks that also \s* could take would be tried in all ways.
_ALIAS = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[\w $]++(?:-(?!>)[\w $]++)*)\s*:(?!:)', re.S)
_COLON = re.compile(r"\s*:")
_CAST = re.compile(r"::\s*([A-Za-z][\w ]*(?:\[\])?)")
_OTHER_TABLES = re.compile(r"\.\.\.|\s*[!(]|\s*\.\s*\w+\s*\(")
_CASTS = {
    "text": "text",
    "varchar": "text",
    "character varying": "text",
    "int2": "smallint",
    "smallint": "smallint",
    "int": "integer",
    "int4": "integer",
    "integer": "integer",
    "int8": "bigint",
    "bigint": "bigint",
    "numeric": "numeric",
    "decimal": "numeric",
    "float4": "real",
    "real": "real",
    "float8": "double precision",
    "double precision": "double precision",
    "bool": "boolean",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "timestamp with time zone": "timestamptz",
    "interval": "interval",
    "uuid": "uuid",
    "json": "json",
    "jsonb": "jsonb",
    "text[]": "text[]",
}


def read(source: Source, text: str) -> list[tuple[str, Sql]]:
    """The labels and the SQL of the columns. Raises ApiError 400 PGRST100, 42703."""
    scanner = Scanner("select parameter", text)
    columns: list[tuple[str, Sql]] = []
    while True:
        scanner.take(_BLANKS)
        columns += _everything(source) if scanner.take(_STAR) else [_column(scanner, source)]
        if len(columns) > MOST_COLUMNS:
            raise scanner.failed(f"at most {MOST_COLUMNS} columns")
        scanner.take(_BLANKS)
        if scanner.done:
            return columns
        if not scanner.take(_COMMA):
            raise scanner.failed("a comma or the end")


def _everything(source: Source) -> list[tuple[str, Sql]]:
    return [(name, source.column(name).sql) for name in source.types]


def _column(scanner: Scanner, source: Source) -> tuple[str, Sql]:
    alias = None
    if scanner.sees(_ALIAS):
        alias = fields.read_name(scanner)
        scanner.take(_COLON)
        scanner.take(_BLANKS)
    start = scanner.at
    _refuse_tables(scanner)
    if fields.read_name(scanner):
        _refuse_tables(scanner)
    scanner.at = start
    field = fields.read(scanner, source)
    sql = field.sql
    if cast := scanner.take(_CAST):
        word = " ".join(cast[1].lower().split())
        if word not in _CASTS:
            raise unsupported(f"a cast to {word}", scanner.text)
        sql = fill(f"({{}})::{_CASTS[word]}", sql)
    _refuse_tables(scanner)
    label = alias or field.label
    if len(label.encode()) > LONGEST_LABEL:
        raise scanner.failed(f"a name of at most {LONGEST_LABEL} bytes: an alias makes it shorter")
    return label, sql


def _refuse_tables(scanner: Scanner) -> None:
    if scanner.sees(_OTHER_TABLES):
        raise unsupported("embedding and aggregates", scanner.text)


def named(columns: list[tuple[str, Sql]]) -> list[Sql]:
    """The columns as a SELECT lists them."""
    return [fill(f"{{}} as {_braced(label)}", sql) for label, sql in columns]


def _braced(label: str) -> str:
    return quoted(label).replace("{", "{{").replace("}", "}}")
