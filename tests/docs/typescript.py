"""api/typescript/src/database.ts: types of the schema api for TypeScript, written from a migrated database.

They have the shape that supabase-js and postgrest-js expect of `createClient<Database, "api">`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg

FILE = Path(__file__).parents[2] / "api" / "typescript" / "src" / "database.ts"

HEAD = """\
/** The functions, views and answers of the schema `api`. Made from the database: make reference */
import type { Numeric, Quantity } from "./exact.js";

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [member: string]: Json | undefined;
}

"""
# Arguments may be exact numbers; answers are what JSON says.
ANSWERS = {
    "bigint": "Numeric",
    "boolean": "boolean",
    "bytea": "string",
    "character": "string",
    "date": "string",
    "integer": "number",
    "interval": "string",
    "json": "Json",
    "jsonb": "Json",
    "numeric": "Numeric",
    "text": "string",
    "timestamp with time zone": "string",
    "uuid": "string",
}
ARGUMENTS = ANSWERS | {"bigint": "Quantity", "numeric": "Quantity", "jsonb": "object", "json": "object"}

FUNCTIONS: LiteralString = """
    select p.proname, coalesce(p.proargnames, '{}'),
        array(
            select format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null)
            from unnest(p.proargtypes::oid[]) with ordinality as a (type, number)
            join pg_type as t on t.oid = a.type order by a.number
        ),
        p.pronargs - p.pronargdefaults, r.typname, p.provolatile <> 'v'
    from pg_proc as p
    join pg_type as r on r.oid = p.prorettype and r.typnamespace = 'api'::regnamespace
    where p.pronamespace = 'api'::regnamespace
    order by p.proname, p.pronargs desc
"""
COLUMNS: LiteralString = """
    select c.relname, c.relkind = 'v', obj_description(coalesce(t.oid, c.oid), coalesce(t.kind, 'pg_class')),
        array(
            select array[a.attname::text, format_type(coalesce(nullif(b.typbasetype, 0), b.oid), null)]
            from pg_attribute as a join pg_type as b on b.oid = a.atttypid
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum
        )
    from pg_class as c
    left join lateral (
        select t.oid, 'pg_type' as kind from pg_type as t where t.typrelid = c.oid and c.relkind = 'c'
    ) as t on true
    where c.relnamespace = 'api'::regnamespace and c.relkind in ('v', 'c')
    order by c.relname
"""


def _typed(kind: str, names: dict[str, str]) -> str:
    """Raises LookupError for a type that this file does not know yet."""
    if kind.endswith("[]"):
        return f"{_typed(kind[:-2], names)}[]"
    if kind not in names:
        raise LookupError(f"{Path(__file__).name} does not know the type {kind}")
    return names[kind]


def _row(columns: list[list[str]], indent: str) -> Iterator[str]:
    for name, kind in columns:
        answer = _typed(kind, ANSWERS)
        yield f"{indent}{name}: {answer if answer == 'Json' else f'{answer} | null'};"


def _arguments(names: list[str], kinds: list[str], required: int) -> Iterator[str]:
    """The members of one signature. Null means what leaving the argument out means."""
    yield "          | {"
    for number, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        argument = _typed(kind, ARGUMENTS)
        if number >= required:
            name, argument = f"{name}?", f"{argument} | null | undefined"
        yield f"              {name}: {argument};"
    yield "            }"


def _views(rows: list[tuple[Any, ...]]) -> Iterator[str]:
    yield "    Views: {"
    for name, _, comment, columns in (row for row in rows if row[1]):
        yield f"      /** {_summary(comment)} */"
        yield f"      {name}: {{"
        yield "        Row: {"
        yield from _row(columns, " " * 10)
        yield "        };"
        yield "        Relationships: [];"
        yield "      };"
    yield "    };"


def _functions(rows: list[tuple[Any, ...]]) -> Iterator[str]:
    """A function with several signatures takes the arguments of any of them. All have the same answer."""
    yield "    Functions: {"
    by_name: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_name.setdefault(row[0], []).append(row)
    for name, forms in by_name.items():
        answers = {answer for *_, answer, _ in forms}
        if len(answers) > 1:
            raise LookupError(f"the forms of {name} have different answers: {sorted(answers)}")
        yield f"      {name}: {{"
        yield "        Args:"
        for form in forms:
            yield from _arguments(*form[1:4])
        yield f'        Returns: Database["api"]["CompositeTypes"]["{answers.pop()}"];'
        yield "      };"
    yield "    };"


def _answers(rows: list[tuple[Any, ...]]) -> Iterator[str]:
    yield "    CompositeTypes: {"
    for name, _, comment, columns in (row for row in rows if not row[1]):
        yield f"      /** {_summary(comment)} */"
        yield f"      {name}: {{"
        yield from _row(columns, " " * 8)
        yield "      };"
    yield "    };"


def _summary(comment: str | None) -> str:
    return (comment or "?").strip().splitlines()[0].replace("*/", "")


def _list(name: str, comment: str, functions: list[str]) -> Iterator[str]:
    yield ""
    yield f"/** {comment} */"
    yield f"export const {name}: ReadonlySet<string> = new Set(["
    for function in functions:
        yield f'  "{function}",'
    yield "]);"


def page(db: psycopg.Connection[Any]) -> str:
    """The file as it should be."""
    rows = db.execute(COLUMNS).fetchall()
    functions = db.execute(FUNCTIONS).fetchall()
    lines = [
        "export interface Database {",
        "  api: {",
        "    Tables: Record<never, never>;",
        *_views(rows),
        *_functions(functions),
        "    Enums: Record<never, never>;",
        *_answers(rows),
        "  };",
        "}",
        *_list(
            "KEYED",
            "Functions that take an idempotency key: a call with one counts once.",
            sorted({name for name, arguments, *_ in functions if "idempotency_key" in arguments}),
        ),
        *_list(
            "READING",
            "Functions that change nothing.",
            sorted({name for name, *_, reads in functions if reads}),
        ),
    ]
    return HEAD + "\n".join(lines) + "\n"
