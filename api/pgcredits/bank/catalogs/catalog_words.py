"""The words of a price list: the functions of the database that define something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from pgcredits import literals
from pgcredits.bank import admin
from pgcredits.bank.catalogs.catalog_text import Constant, Definition
from pgcredits.bank.migrate.errors import MigrationError
from pgcredits.bank.migrate.files import OWNER

_WHOLE = {"smallint", "integer", "bigint"}
_DIGITS = re.compile(r"-?[0-9]+", re.ASCII)
_WRITTEN_OUT = re.compile(r"\d{4}-\d\d-\d\d(?:[ T][0-9:.]+ *(?:Z|[-+][0-9:]+)?)?", re.I)
# Short names of types that literals.py knows by their long names.
_CASTS = {"int2": "smallint", "int4": "integer", "int8": "bigint", "bool": "boolean"}
_KNOWN = """
    select p.proname, p.proargnames, p.proargtypes::regtype[]::text[],
        p.proowner = (select r.oid from pg_roles as r where r.rolname = %s)
    from pg_proc as p
    where p.pronamespace = (select n.oid from pg_namespace as n where n.nspname = 'credits')
        and starts_with(p.proname, 'define_')
"""


@dataclass(frozen=True, slots=True)
class Word:
    """A function that defines something. `parameters` are its parameters in order, with their types."""

    parameters: Mapping[str, str]
    ours: bool  # it is the owner's, and the only one of its name


def known(connection: admin.Connection) -> dict[str, Word]:
    """The words that this database has."""
    words: dict[str, Word] = {}
    for name, names, types, ours in connection.execute(_KNOWN, [OWNER]).fetchall():
        words[name] = Word(dict(zip(names or [], types, strict=False)), bool(ours) and name not in words)
    return words


def statement(words: Mapping[str, Word], definition: Definition) -> sql.Composed:
    """The statement that makes a definition. Raises MigrationError for a word that is not ours."""
    word = words.get(definition.word)
    if word is None:
        raise MigrationError(f"there is no credits.{definition.word}; there are {', '.join(sorted(words))}")
    if not word.ours:
        raise MigrationError(
            f"credits.{definition.word} is not as sql/ has it: `pgcredits migrate` puts that right"
        )
    arguments = []
    for place, argument in enumerate(definition.arguments):
        name = argument.name or next(iter(list(word.parameters)[place:]), "")
        kind = word.parameters.get(name, "")
        if kind == "timestamp with time zone":
            _check_moment(name, argument.value)
        elif kind and argument.value.kind == "text":
            _check_spelling(name, argument.value, kind)
        elif kind in _WHOLE and argument.value.kind == "number":
            _check_digits(name, argument.value)
        value = _written(argument.value)
        arguments.append(
            sql.SQL("{} => {}").format(sql.Identifier(argument.name), value) if argument.name else value
        )
    return sql.SQL("select credits.{}({})").format(
        sql.Identifier(definition.word), sql.SQL(", ").join(arguments)
    )


def takes(words: Mapping[str, Word], definition: Definition) -> str:
    """A message about what the word of a definition takes, for somebody who gave it something else."""
    given = ", ".join(f"{name} {kind}" for name, kind in words[definition.word].parameters.items())
    return (
        f"credits.{definition.word} takes {given}; what stands here is of another type, or has another name"
    )


def _check_digits(name: str, value: Constant) -> None:
    """PostgreSQL refuses 1e2 as a whole number, and reads 1.5::bigint as 2."""
    if not _DIGITS.fullmatch(value.value):
        raise MigrationError(f"{name} is a whole number, in digits. It is {value.value[:50]!r}")


def _check_moment(name: str, value: Constant) -> None:
    """A file must mean the same whenever it is applied, and 'tomorrow' does not."""
    if value.kind == "text" and not _WRITTEN_OUT.fullmatch(value.value.strip()):
        raise MigrationError(
            f"{name} is a date that is written out, like '2027-01-31' or '2027-01-31 12:00Z'"
        )


def _check_spelling(name: str, value: Constant, kind: str) -> None:
    """Versions of PostgreSQL read different texts as numbers: '0x64' and '1_000' only since 16."""
    for each in (kind, _CASTS.get(value.type or "", value.type or "")):
        if each in ("json", "jsonb"):
            continue  # the function checks the numbers in it
        try:
            literals.read_text(name, each, value.value)
        except literals.LiteralError as error:
            raise MigrationError(f"{error} It is {value.value[:50]!r}") from error


def _written(value: Constant) -> sql.Composable:
    if value.kind == "text":
        written: sql.Composable = sql.Literal(value.value)
    else:  # digits, or one of three words
        written = sql.SQL("({})").format(sql.SQL(value.value))
    return sql.SQL("{}::pg_catalog.{}").format(written, sql.Identifier(value.type)) if value.type else written
