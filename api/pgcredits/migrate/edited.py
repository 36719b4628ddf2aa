"""Files of migrations that were edited after they were applied, before digests of them were kept.

A mark from then says only a name. What the file of that name makes is compared with what is there: it is made
once more, in a transaction that is rolled back, beside the bank, whose schemas have other names meanwhile.
Renaming a schema locks no table, and nobody else sees any of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from yoyo.migrations import Migration

from pgcredits.migrate import marks
from pgcredits.migrate.errors import MigrationError
from pgcredits.migrate.files import FOLDERS

_SHAPE = """
    select
        format('column %%s.%%I.%%I ', n.nspname, c.relname, a.attname)
        || format_type(a.atttypid, a.atttypmod),
        case when a.attnotnull then ' not null' else '' end
        || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
    from pg_attribute as a
    join pg_class as c on c.oid = a.attrelid
    join pg_namespace as n on n.oid = c.relnamespace
    left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum and a.attgenerated = ''
    where n.nspname = any(%(schemas)s) and c.relkind in ('r', 'p') and not c.relispartition
        and a.attnum > 0 and not a.attisdropped
    union all
    select format('type %%s.%%I', n.nspname, t.typname), ''
    from pg_type as t
    join pg_namespace as n on n.oid = t.typnamespace
    where n.nspname = any(%(schemas)s) and t.typtype in ('d', 'e')
"""


def refuse(
    connection: psycopg.Connection[Any], migrations: Sequence[Migration], undigested: Sequence[str]
) -> None:
    """Raises MigrationError where one of the files `undigested` makes what is missing here."""
    marked = set(marks.applied(connection))
    made = _lacking(connection, [migration for migration in migrations if str(migration.id) in marked])
    lacking = {what: file for what, file in made.items() if file in undigested}
    if lacking:
        file = next(iter(lacking.values()))
        raise MigrationError(
            f"{file} was edited after it was applied here, by a pgcredits that kept no digest of it. What it"
            f" makes now is missing: {'; '.join(lacking)}. Nothing was done. Make these by hand, as"
            " credits_owner and as that file does (values for rows that are there are yours to decide; drop"
            " views that are in the way, which migrate makes anew), then"
            " migrate and `pgcredits audit`; or restore a dump of this bank from before that file. See"
            " docs/upgrading.md"
        )


def _lacking(connection: psycopg.Connection[Any], migrations: Sequence[Migration]) -> dict[str, str]:
    """What is missing, as SQL spells it: the file that makes it."""
    made: dict[str, tuple[str, str]] = {}
    with connection.transaction(force_rollback=True):
        there = set(_shape(connection))
        connection.execute("set local client_min_messages = warning")
        for schema in FOLDERS:
            if connection.execute("select to_regnamespace(%s) is not null", [schema]).fetchone() == (True,):
                connection.execute(f"alter schema {schema} rename to {schema}_as_it_is".encode())
        backend = marks.Backend(connection)
        for migration in migrations:
            if not migration.use_transactions:
                continue
            backend.execute_steps(migration)
            now = _shape(connection)
            made = {what: made.get(what, (str(migration.id), rest)) for what, rest in now.items()}
    return {what + rest: file for what, (file, rest) in made.items() if what not in there}


def _shape(connection: psycopg.Connection[Any]) -> dict[str, str]:
    rows = connection.execute(_SHAPE, {"schemas": list(FOLDERS)}).fetchall()
    return {str(what): str(rest) for what, rest in rows}
