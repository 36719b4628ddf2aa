"""What the linters know about the database: the columns, and which of them are never null."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from lint.sql_sources import Function, Statement, read

ROOT = Path(__file__).parents[2]
_COLUMNS = """
    select n.nspname || '.' || c.relname, a.attname, a.attnotnull or y.typnotnull, a.atttypid::regtype::text
    from pg_attribute as a
    join pg_class as c on c.oid = a.attrelid
    join pg_namespace as n on n.oid = c.relnamespace
    join pg_type as y on y.oid = a.atttypid
    where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'c')
        and n.nspname in ('credits', 'api', 'audit', 'analytics', 'finance', 'pg_catalog')
"""
# As they stand in the end, whichever migration made them.
_CHECKS = """
    select format(
        'alter table %s add constraint %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)
    )
    from pg_constraint as k
    where k.contype = 'c' and k.conrelid <> 0 and k.connamespace::regnamespace::text in ('credits', 'api')
        and not exists (select from pg_inherits as i where i.inhrelid = k.conrelid)
    union all
    select format(
        'create domain %s as text constraint %I %s',
        k.contypid::regtype, k.conname, pg_get_constraintdef(k.oid)
    )
    from pg_constraint as k
    where k.contype = 'c' and k.contypid <> 0 and k.connamespace::regnamespace::text in ('credits', 'api')
    order by 1
"""

Tables = dict[str, dict[str, bool]]


@pytest.fixture(scope="session")
def pg_catalog(admin_url: str) -> tuple[Tables, dict[str, dict[str, str]], str]:
    """The columns of each relation, their types, whether they can be null; every CHECK as a statement."""
    sure: Tables = {}
    types: dict[str, dict[str, str]] = {}
    with psycopg.connect(admin_url) as connection:
        for relation, column, never_null, kind in connection.execute(_COLUMNS):
            for name in (relation, relation.removeprefix("pg_catalog.")):
                sure.setdefault(name, {})[column] = never_null
                types.setdefault(name, {})[column] = kind
        # A view never says that a column is not null. This one shows a table.
        sure["pg_roles"] = sure["pg_catalog.pg_roles"] = sure["pg_authid"]
        checks = ";\n".join(row[0] for row in connection.execute(_CHECKS))
    return sure, types, checks


@pytest.fixture(scope="session")
def sources() -> tuple[list[Function], list[Statement]]:
    """Everything in sql/."""
    return read(sorted((ROOT / "sql").rglob("*.sql")), ROOT)
