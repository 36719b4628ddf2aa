"""Drop what sql/ no longer makes, and nothing that somebody else needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from pgcredits.bank.migrate.errors import MigrationError
from pgcredits.bank.migrate.files import FOLDERS

_SCHEMAS = list(FOLDERS)
_IDENTITY = {"f": "function", "p": "procedure", "a": "aggregate", "w": "function"}

# Everything that a drop would cascade to. A rule is named by its view, a row type by its relation.
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
        p.pronamespace::regnamespace::text || '.' || p.proname, p.pronargs, p.pronargdefaults
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
# Kinds that we never make, ordered so that nothing is dropped before the objects that need it.
_OTHERS = {
    "operator class": "operator class",
    "operator family": "operator family",
    "text search configuration": "text search configuration",
    "text search dictionary": "text search dictionary",
    "text search template": "text search template",
    "text search parser": "text search parser",
    "conversion": "conversion",
    "operator": "operator",
    "statistics object": "statistics",
    "collation": "collation",
}
_STANDING_OTHERS = """
    select distinct i.type, i.identity, array_position(%(kinds)s::text[], i.type)
    from pg_depend as d
    cross join lateral pg_identify_object(d.classid, d.objid, 0) as i
    where d.refclassid = 'pg_namespace'::regclass and d.refobjid::regnamespace::text = any(%(schemas)s)
        and d.deptype = 'n' and i.type = any(%(kinds)s) and not exists (
            select from pg_depend as e
            where e.classid = d.classid and e.objid = d.objid and e.deptype = 'e'
        )
    order by 3, 2
"""
_DEFAULTS = """
    select r.rolname, n.nspname, a.defaclobjtype::text, x.privilege_type, g.rolname
    from pg_default_acl as a
    join pg_namespace as n on n.oid = a.defaclnamespace
    join pg_roles as r on r.oid = a.defaclrole
    cross join lateral aclexplode(a.defaclacl) as x
    left join pg_roles as g on g.oid = x.grantee
    where n.nspname = any(%s)
"""
_DEFAULTS_OF = {"r": "tables", "S": "sequences", "f": "functions", "T": "types"}


@dataclass(frozen=True, slots=True)
class Function:
    """A function that exists. `version` changes whenever CREATE OR REPLACE touches it."""

    oid: int
    kind: str
    signature: str
    version: str
    name: str
    arguments: int
    defaults: int

    def takes_as_many_as(self, other: Function) -> bool:
        """Is there a number of arguments with which a call could mean either?"""
        return (
            self.arguments - self.defaults <= other.arguments
            and other.arguments - other.defaults <= self.arguments
        )


def functions(connection: psycopg.Connection[Any]) -> dict[int, Function]:
    """All functions in our schemas."""
    rows = connection.execute(_FUNCTIONS, [_SCHEMAS]).fetchall()
    return {row[0]: Function(row[0], _IDENTITY[_text(row[1])], *row[2:]) for row in rows}


def views(connection: psycopg.Connection[Any]) -> dict[str, tuple[int, str]]:
    """All views in our schemas, by name: oid and kind."""
    rows = connection.execute(_RELATIONS, [_SCHEMAS]).fetchall()
    kinds = {"v": "view", "m": "materialized view"}
    return {name: (oid, kinds[_text(kind)]) for oid, kind, name in rows}


def needing(connection: psycopg.Connection[Any], function: Function) -> list[str]:
    """What would be dropped with it. Raises MigrationError when any of that is not ours to make."""
    return _needing(connection, "pg_proc", function.oid, f"{function.kind} {function.signature}")


def drop_function(connection: psycopg.Connection[Any], function: Function) -> list[str]:
    """Drop it together with what needs it. Returns what was dropped, itself first."""
    went_along = needing(connection, function)
    connection.execute(f"drop {function.kind} {function.signature} cascade".encode())
    return [f"{function.kind} {function.signature}", *went_along]


def drop_view(connection: psycopg.Connection[Any], name: str, oid: int, kind: str) -> list[str]:
    """Drop it together with what needs it. Returns what was dropped, itself first."""
    went_along = _needing(connection, "pg_class", oid, f"{kind} {name}")
    connection.execute(f"drop {kind} {name} cascade".encode())
    return [f"{kind} {name}", *went_along]


def drop_others(connection: psycopg.Connection[Any]) -> list[str]:
    """Drop kinds that we never make: operators, collations, text search, statistics. Returns them.

    Raises MigrationError where something else needs it.
    """
    rows = connection.execute(_STANDING_OTHERS, {"kinds": list(_OTHERS), "schemas": _SCHEMAS}).fetchall()
    dropped: list[str] = []
    for kind, identity, _ in rows:
        try:
            connection.execute(f"drop {_OTHERS[kind]} if exists {identity}".encode())
        except psycopg.errors.DependentObjectsStillExist as error:
            raise MigrationError(
                f"{kind} {identity} has to be dropped, but it is used by what pgcredits does not make:"
                f" {error.diag.message_detail}. Drop that, migrate, and make it again"
            ) from error
        dropped.append(f"{kind} {identity}")
    return dropped


def revoke_defaults(connection: psycopg.Connection[Any]) -> list[str]:
    """Revoke default privileges that somebody gave on future objects of our schemas. Returns them."""
    taken: list[str] = []
    for role, schema, kind, privilege, grantee in connection.execute(_DEFAULTS, [_SCHEMAS]).fetchall():
        kinds = _DEFAULTS_OF[_text(kind)]
        statement = sql.SQL(
            "alter default privileges for role {} in schema {} revoke {} on {} from {}"
        ).format(
            sql.Identifier(role),
            sql.Identifier(schema),
            sql.SQL(privilege),
            sql.SQL(kinds),
            sql.SQL("public") if grantee is None else sql.Identifier(grantee),
        )
        try:
            with connection.transaction():
                connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            continue  # it is of a role that we cannot act for: the audit names it
        who = grantee or "public"
        taken.append(f"default privilege on {kinds} of {role} in {schema}: {privilege} to {who}")
    return taken


def _needing(connection: psycopg.Connection[Any], table: str, oid: int, what: str) -> list[str]:
    """What a drop of an object would cascade to. Raises MigrationError when any of it is somebody else's."""
    classid = connection.execute("select %s::regclass::oid", [table]).fetchone()
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
