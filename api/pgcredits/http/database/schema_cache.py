"""The schema cache: the functions and views of the schema `api`, as pg_catalog describes them.

It is read at first use. It is read again, at most every few seconds, when somebody asks for a name that it
does not have, so a migration needs no restart. It does not decide who may use what: the database does that.
It leaves out functions that cannot be called by argument names: those with unnamed, variadic or polymorphic
arguments, and triggers.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
import psycopg

from pgcredits.http.database.pools import Database, Statement
from pgcredits.http.database.together import Together
from pgcredits.tokens import ANONYMOUS, Caller

SCHEMA = "api"
KEY = "idempotency_key"  # the argument that the Idempotency-Key header stands for

_READ = Statement(
    """
    select json_build_object(
        'functions', (
            select coalesce(json_agg(json_build_object(
                'name', p.proname,
                'arguments', (
                    select coalesce(json_agg(json_build_object(
                        'name', (array(
                            select u.name
                            from unnest(p.proargnames, p.proargmodes) with ordinality as u (name, mode, n)
                            where coalesce(u.mode, 'i') in ('i', 'b') order by u.n
                        ))[a.n],
                        'type', format_type(a.type_id, -1),  -- bpchar: character would be character(1)
                        'default', pg_get_function_arg_default(p.oid, a.n::integer),
                        'required', a.n <= p.pronargs - p.pronargdefaults
                    ) order by a.n), '[]')
                    from unnest(p.proargtypes) with ordinality as a (type_id, n)
                ),
                'stable', p.provolatile <> 'v',
                'returns', format_type(p.prorettype, null),
                'returns_set', p.proretset,
                'fields', (
                    select coalesce(json_agg(json_build_object(
                        'name', f.attname,
                        'type', format_type(f.atttypid, null),
                        'comment', col_description(f.attrelid, f.attnum)
                    ) order by f.attnum), '[]')
                    from pg_type as t
                    join pg_attribute as f on f.attrelid = t.typrelid
                    where t.oid = p.prorettype and f.attnum > 0 and not f.attisdropped
                ),
                'outputs', (
                    select coalesce(json_agg(json_build_object(
                        'name', o.name,
                        'type', format_type(o.type_id, null),
                        'comment', null
                    ) order by o.n), '[]')
                    from unnest(p.proallargtypes, p.proargmodes, p.proargnames)
                        with ordinality as o (type_id, mode, name, n)
                    where p.prorettype = 'record'::regtype and o.mode in ('o', 'b', 't') and o.name <> ''
                ),
                'result_comment', obj_description(p.prorettype, 'pg_type'),
                'comment', obj_description(p.oid, 'pg_proc'),
                'roles', array(
                    select r.rolname from pg_roles as r
                    where r.rolname in ('anon', 'authenticated', 'spender', 'support', 'service_role')
                        and has_function_privilege(r.oid, p.oid, 'EXECUTE')
                    order by 1
                )
            ) order by p.proname, p.pronargs desc), '[]')
            from pg_proc as p
            where p.pronamespace = n.oid and p.prokind = 'f' and p.provariadic = 0
                and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
                -- Arguments come by name, with a type that JSON can be converted to.
                and (select count(*) from unnest(p.proargtypes) as a (type_id)) = (
                    select count(*)
                    from unnest(p.proargnames) with ordinality as u (name, n)
                    where u.name <> '' and coalesce(p.proargmodes[u.n], 'i') in ('i', 'b')
                )
                and not exists (
                    select from unnest(p.proargtypes) as a (type_id)
                    join pg_type as t on t.oid = a.type_id
                    where t.typtype = 'p'
                )
        ),
        'views', (
            select coalesce(json_agg(json_build_object(
                'name', c.relname,
                'columns', (
                    select coalesce(json_agg(json_build_object(
                        'name', f.attname,
                        'type', format_type(f.atttypid, null),
                        'comment', col_description(c.oid, f.attnum)
                    ) order by f.attnum), '[]')
                    from pg_attribute as f
                    where f.attrelid = c.oid and f.attnum > 0 and not f.attisdropped
                ),
                'comment', obj_description(c.oid, 'pg_class'),
                'roles', array(
                    select r.rolname from pg_roles as r
                    where r.rolname in ('anon', 'authenticated', 'spender', 'support', 'service_role')
                        and has_table_privilege(r.oid, c.oid, 'SELECT')
                    order by 1
                )
            ) order by c.relname), '[]')
            from pg_class as c
            where c.relnamespace = n.oid and c.relkind in ('v', 'm', 'r', 'p', 'f')
        )
    )::text
    from pg_namespace as n
    where n.nspname = 'api'
    """
)


class Argument(msgspec.Struct, frozen=True):
    name: str
    type: str
    default: str | None
    required: bool


class Column(msgspec.Struct, frozen=True):
    name: str
    type: str
    comment: str | None


class Function(msgspec.Struct, frozen=True, eq=False):  # a key of caches, by its identity
    """`stable`: it only reads. `fields` are those of a composite result, `outputs` those of a record."""

    name: str
    arguments: list[Argument]
    stable: bool
    returns: str
    returns_set: bool
    fields: list[Column]
    result_comment: str | None
    comment: str | None
    roles: list[str]
    outputs: list[Column] = []

    @property
    def rows(self) -> list[Column]:
        """The columns of what it returns. None for a function that returns a value."""
        return self.fields or self.outputs

    @property
    def takes_key(self) -> bool:
        return any(argument.name == KEY for argument in self.arguments)

    def takes(self, names: frozenset[str]) -> bool:
        """May it be called with exactly these arguments?"""
        required, known = _named(self)
        return required <= names <= known


@lru_cache(maxsize=1000)
def _named(function: Function) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the arguments that it needs, and of all."""
    known = frozenset(argument.name for argument in function.arguments)
    return frozenset(a.name for a in function.arguments if a.required), known


class View(msgspec.Struct, frozen=True, eq=False):  # a key of a cache, by its identity
    name: str
    columns: list[Column]
    comment: str | None
    roles: list[str]


class _Read(msgspec.Struct, frozen=True):
    functions: list[Function]
    views: list[View]


@dataclass(frozen=True, slots=True)
class Schema:
    """What one reading has found. A name can stand for several functions."""

    functions: dict[str, list[Function]]
    views: dict[str, View]


class SchemaCache:
    """The schema cache of one process."""

    cool_down = 5.0  # seconds between two readings

    def __init__(self, database: Database) -> None:
        self._database = database
        self._schema: Schema | None = None
        self._doubted = False
        self._read_at = 0.0
        self._reading = Together(self._ask)

    async def schema(self) -> Schema:
        """The last reading. Raises db.UnavailableError when nothing was read yet and the database is away."""
        return await self._read() if self._schema is None or self._doubted else self._schema

    def knows(self, name: str) -> bool:
        """Did the last reading find a function or a view of this name? It reads nothing."""
        return self._schema is not None and (name in self._schema.functions or name in self._schema.views)

    async def fitting(self, name: str, names: frozenset[str]) -> list[Function]:
        """The functions of this name that take exactly these arguments. There may be none."""
        for read in (self.schema, self._read):
            fitting = [f for f in (await read()).functions.get(name, []) if f.takes(names)]
            if fitting:
                return fitting
        return []

    async def view(self, name: str) -> View | None:
        """The view of this name, or None."""
        return (await self.schema()).views.get(name) or (await self._read()).views.get(name)

    async def ask(
        self, caller: Caller, statement: Statement, *, read_only: bool, method: str = "POST", path: str
    ) -> tuple[Any, ...] | None:
        """`Database.call`, for a statement that was made from this cache."""
        try:
            return await self._database.call(caller, statement, read_only=read_only, method=method, path=path)
        except psycopg.Error as error:
            state = error.sqlstate or ""
            if state.startswith("42") and state != "42501":  # the database does not know our names
                self.doubt()
            raise

    def doubt(self) -> None:
        """Read again before the next use: something that the cache said turned out to be wrong."""
        self._doubted = time.monotonic() - self._read_at > self.cool_down

    async def _read(self) -> Schema:
        """A reading that is at most `cool_down` seconds old."""
        if self._schema is not None and time.monotonic() - self._read_at < self.cool_down:
            return self._schema
        return await self._reading.answer()

    async def _ask(self) -> Schema:
        row = await self._database.call(ANONYMOUS, _READ, read_only=True, method="GET", ours=True)
        read = msgspec.json.decode(row[0] if row else '{"functions":[],"views":[]}', type=_Read)
        functions: dict[str, list[Function]] = {}
        for function in read.functions:
            functions.setdefault(function.name, []).append(function)
        self._schema = Schema(functions, {view.name: view for view in read.views})
        self._read_at = time.monotonic()
        self._doubted = False
        return self._schema
