"""Dropping what sql/ no longer makes, and nothing that somebody else needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from pgcredits.migrate.errors import MigrationError
from pgcredits.migrate.files import FOLDERS

_SCHEMAS = list(FOLDERS)
_IDENTITY = {"f": "function", "p": "procedure", "a": "aggregate", "w": "function"}

# Everything that would go with an object. Of a view's rule it names the view, of a row type its relation.
_DEPENDENTS = """
    with recursive needs (classid, objid) as (
        select %(classid)s::oid, %(objid)s::oid
        union
        select x.classid, x.objid
        from needs as n
        cross join lateral (
            select d.classid, d.objid
            from pg_depend as d
            where d.refclassid = n.classid and d.refobjid = n.objid and d.deptype in ('n', 'a', 'i')
            union all
            select 'pg_class'::regclass, r.ev_class
            from pg_rewrite as r
            where n.classid = 'pg_rewrite'::regclass and r.oid = n.objid
        ) as x
    )
    select
        pg_describe_object(n.classid, n.objid, 0),
        coalesce(
            n.classid in ('pg_rewrite'::regclass, 'pg_type'::regclass)
            or c.relkind in ('v', 'm') and c.relnamespace::regnamespace::text = any(%(schemas)s)
            or p.pronamespace::regnamespace::text = any(%(schemas)s)
            or t.relnamespace::regnamespace::text = any(%(schemas)s),
            false
        )
    from needs as n
    left join pg_class as c on n.classid = 'pg_class'::regclass and c.oid = n.objid
    left join pg_proc as p on n.classid = 'pg_proc'::regclass and p.oid = n.objid
    left join pg_trigger as g on n.classid = 'pg_trigger'::regclass and g.oid = n.objid
    left join pg_policy as y on n.classid = 'pg_policy'::regclass and y.oid = n.objid
    left join pg_class as t on t.oid = coalesce(g.tgrelid, y.polrelid)
    where (n.classid, n.objid) <> (%(classid)s::oid, %(objid)s::oid)
"""
_FUNCTIONS = """
    select p.oid, p.prokind, format('%%s.%%I(%%s)', p.pronamespace::regnamespace, p.proname,
        pg_get_function_identity_arguments(p.oid)), p.xmin::text || p.ctid::text,
        p.pronamespace::regnamespace::text || '.' || p.proname
    from pg_proc as p
    where p.pronamespace::regnamespace::text = any(%s) and not exists (
        select from pg_depend as d
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
    )
    order by p.oid
"""
_RELATIONS = """
    select c.oid, c.relkind, format('%%s.%%I', c.relnamespace::regnamespace, c.relname)
    from pg_class as c
    where c.relkind in ('v', 'm') and c.relnamespace::regnamespace::text = any(%s) and not exists (
        select from pg_depend as d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
    )
    order by c.oid
"""


@dataclass(frozen=True, slots=True)
class Function:
    """A function as it stands; `version` changes whenever CREATE OR REPLACE touches it."""

    oid: int
    kind: str
    signature: str
    version: str
    name: str


def functions(connection: psycopg.Connection[Any]) -> dict[int, Function]:
    """All functions in our schemas."""
    rows = connection.execute(_FUNCTIONS, [_SCHEMAS]).fetchall()
    return {row[0]: Function(row[0], _IDENTITY[_text(row[1])], *row[2:]) for row in rows}


def views(connection: psycopg.Connection[Any]) -> dict[str, tuple[int, str]]:
    """All views in our schemas: name → oid, kind."""
    rows = connection.execute(_RELATIONS, [_SCHEMAS]).fetchall()
    kinds = {"v": "view", "m": "materialized view"}
    return {name: (oid, kinds[_text(kind)]) for oid, kind, name in rows}


def drop_function(connection: psycopg.Connection[Any], function: Function) -> list[str]:
    """Drop it with what needs it; returns what, itself first."""
    needing = _needing(connection, "pg_proc", function.oid, f"{function.kind} {function.signature}")
    connection.execute(f"drop {function.kind} {function.signature} cascade".encode())
    return [f"{function.kind} {function.signature}", *needing]


def drop_view(connection: psycopg.Connection[Any], name: str, oid: int, kind: str) -> list[str]:
    """Drop it with what needs it; returns what, itself first."""
    needing = _needing(connection, "pg_class", oid, f"{kind} {name}")
    connection.execute(f"drop {kind} {name} cascade".encode())
    return [f"{kind} {name}", *needing]


def _needing(connection: psycopg.Connection[Any], catalogue: str, oid: int, what: str) -> list[str]:
    """What would be dropped with an object. Raises MigrationError when any of it is not ours to make."""
    classid = connection.execute("select %s::regclass::oid", [catalogue]).fetchone()
    rows = connection.execute(
        _DEPENDENTS, {"classid": classid[0] if classid else None, "objid": oid, "schemas": _SCHEMAS}
    ).fetchall()
    others = sorted(name for name, ours in rows if not ours)
    if others:
        raise MigrationError(
            f"{what} has to be dropped, but it is used by what pgcredits does not make: {', '.join(others)}. "
            "Drop that, migrate, and make it again"
        )
    return [name for name, _ in rows if not name.startswith(("rule ", "type "))]


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
