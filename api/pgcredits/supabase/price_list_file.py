"""A migration that applies a price list in a Supabase project, as `pgcredits catalog apply` does.

The text of a price list is never executed. It is read as definitions (bank/catalogs), and this file is
written from them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg import sql as composing

from pgcredits.bank.catalogs import catalog_file, catalog_words
from pgcredits.bank.catalogs.catalog_text import Definition
from pgcredits.bank.catalogs.catalog_words import Word
from pgcredits.bank.migrate import marks
from pgcredits.bank.migrate.errors import MigrationError
from pgcredits.bank.migrate.files import OWNER, SQL
from pgcredits.supabase.statement import literal, set_, statement

_HEAD = """\
-- The price list {file}, written by `pgcredits supabase init --catalog`. Do not edit it: change the price
-- list, and run that command again. It then writes another file.
"""
_FIND_BANK = """if to_regprocedure('credits.define_catalog(text, text, text, text)') is null then
        raise exception 'pgcredits: this database has no bank yet. Nothing was done'
            using hint = 'Apply the file of the bank first: `pgcredits supabase init` writes it.';
    end if;"""
_REFUSE_OTHERS = """if exists (select from credits.catalogs as c where c.catalog_id not in ({names}))
        and exists (
            select
            from unnest(array[{names}]) as x (name)
            where x.name not in (select c.catalog_id from credits.catalogs as c)
        ) then
        raise exception 'pgcredits: this bank has another price list. Nothing was done'
            using hint = 'Balances count in one unit. `pgcredits supabase init --catalog … --add` adds it.';
    end if;"""
_SIGNATURE = re.compile(
    r"^create or replace function credits\.(define_\w+)\s*\((.*?)\)\s*returns ", re.M | re.S
)
_PARAMETER = re.compile(r"(?:^|,)\s*(p_\w+)\s+(\w+(?:\[\])?)")
_LONG_NAMES = {"timestamptz": "timestamp with time zone"}


def price_list_file(
    path: Path, stripe_prices: Mapping[str, str] | None = None, *, add: bool = False, sql: Path = SQL
) -> str:
    """The text of the file. Raises MigrationError for a price list that cannot be applied.

    `stripe_prices` gives packs their price at Stripe. `add`: beside the price lists of other products.
    """
    definitions = catalog_file.read(path)
    words = words_of(sql)
    calls = []
    for definition in definitions:
        try:
            written = catalog_words.statement(words, definition)
        except MigrationError as error:
            raise MigrationError(f"{path.name}:{definition.line}: {error}") from error
        calls.append(f"perform {_without_select(written)};")
    parts = [
        _FIND_BANK,
        f"lock table {marks.MUTEX} in access exclusive mode;",
        set_("role", literal(OWNER)),
        *([] if add else [_REFUSE_OTHERS.format(names=", ".join(map(literal, _names(definitions))))]),
        set_("pgcredits.stripe_prices", literal(json.dumps(stripe_prices) if stripe_prices else "")),
        *calls,
        *(["perform credits.check_stripe_prices();"] if stripe_prices else []),
        set_("pgcredits.stripe_prices", "''"),
    ]
    try:
        name = re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]+", " ", path.name)  # it stands in a comment
        return _HEAD.format(file=name) + statement("pgcredits_prices", parts)
    except ValueError as error:
        raise MigrationError(f"{path.name}: {error}") from error


def words_of(sql: Path = SQL) -> dict[str, Word]:
    """The words that a price list may use, with their parameters, from the files of this release."""
    words = {}
    for file in sorted((sql / "credits").rglob("*.sql")):
        for name, parameters in _SIGNATURE.findall(file.read_text()):
            types = {
                parameter: _LONG_NAMES.get(type_, type_)
                for parameter, type_ in _PARAMETER.findall(parameters)
            }
            words[name] = Word(types, ours=True)
    return words


def _without_select(written: composing.Composed) -> str:
    return written.as_string(None).removeprefix("select ")


def _names(definitions: Sequence[Definition]) -> list[str]:
    """The ids of the price lists that a file defines."""
    return [
        definition.arguments[0].value.value
        for definition in definitions
        if definition.word == "define_catalog" and definition.arguments
    ] or [""]
