"""The privilege matrix: every role tries every verb on everything that the bank has, and PostgreSQL answers.

A cell is what happened, never what a grant says:

    -        refused: permission denied
    own      the rows of the one who asked; all, some, none: of everybody's rows; empty: nobody has rows
    ok       it worked, or was refused for its arguments alone; none: it worked, and there was no row
    a slug   the function itself refused (not_yours, not_signed_in, …)
    a code   any other SQLSTATE

A table of which a role may read some columns shows how many, as in "own of 5 columns". What no role may
do is not listed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from callers import Caller, Connection, Row
from isolating import Callable, arguments
from psycopg import sql
from tenants import Tenant

SCHEMAS = ("credits", "api", "analytics", "finance", "audit", "archive", "yoyo")
REFUSED = "-"

# Runs a statement with the caller's rights, undoes it, and tells what became of it.
_TRIED = """
create schema matrix;
grant usage on schema matrix to public;
create function matrix.tried(p_statement text) returns text language plpgsql as $$
declare
    v_result text;
    v_rows bigint;
    v_state text;
    v_detail text;
begin
    begin
        if starts_with(p_statement, 'select') then
            execute p_statement into v_result;
        else
            execute p_statement;
            get diagnostics v_rows = row_count;
            v_result := case when p_statement ~ '^(update|delete)' then v_rows::text else 'done' end;
        end if;
        raise exception using errcode = 'ZZ000', detail = coalesce(v_result, 'null');
    exception when others then
        get stacked diagnostics v_state = returned_sqlstate, v_detail = pg_exception_detail;
    end;
    return v_state || ' ' || coalesce(v_detail, '');
end
$$;
grant execute on function matrix.tried(text) to public
"""
_RELATIONS = """
    select c.oid::regclass::text as name, c.relkind in ('v', 'm') as is_view, c.relkind = 'S' as is_sequence,
        array_remove(array_agg(a.attname order by a.attnum), null) as columns,
        min(a.attname) filter (where a.attidentity = '' and a.attgenerated = '') as writable
    from pg_class as c
    left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = any (select oid from pg_namespace where nspname = any (%s))
        and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
    group by c.oid
"""
_READABLE = """
    select a.attname from pg_attribute as a
    where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
        and has_column_privilege(%s, a.attrelid, a.attnum, 'select')
    order by a.attnum
"""
_FUNCTIONS = """
    select p.proname as name, p.oid::regprocedure::text as signature, n.nspname = 'api' as is_public,
        has_schema_privilege(%(role)s, n.oid, 'usage')
            and has_function_privilege(%(role)s, p.oid, 'execute') as granted,
        (
            select coalesce(json_object_agg(a.name, format_type(a.type, null)), '{}')
            from unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type) where a.type is not null
        ) as arguments
    from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
    where n.nspname = any (%(schemas)s) and p.prokind in ('f', 'p') and p.prorettype <> 'trigger'::regtype
    order by 2
"""


@dataclass(frozen=True)
class Persona:
    """Somebody who uses the bank: the SQL login, the role that it takes, and the user that it names."""

    name: str
    login: str
    role: str = "none"
    user_id: str | None = None


@dataclass(frozen=True)
class Trial:
    """One statement, and the row and verb of the matrix that it belongs to."""

    thing: str
    verb: str
    statement: str
    rows: str = ""  # whose rows the result counts, by the name of the relation


Cells = dict[tuple[str, str], dict[str, str]]


def make_program(bank: Caller) -> None:
    """Install what the trials need, in a schema of its own."""
    bank.connection.execute(_TRIED)


def relations(bank: Caller) -> list[Row]:
    """Every table, partition, view and sequence."""
    rows = bank.rows(_RELATIONS, (list(SCHEMAS),))
    return sorted(rows, key=lambda row: str(row["name"]))


def counted(columns: Iterable[str], own: Tenant) -> str:
    """A query's result: how many rows, and how many of them are the user's."""
    ours = [
        sql.SQL("{} = {}").format(sql.Identifier(column), sql.Literal(value)).as_string()
        for column, value in (("account_id", own.account_id), ("user_id", own.user_id))
        if column in columns
    ]
    return f"count(*) || '/' || {f'count(*) filter (where {ours[0]})' if ours else 0}"


def of_relation(row: Row, own: Tenant, other: Tenant) -> Iterator[Trial]:
    """The trials of a table, a view or a sequence."""
    name = str(row["name"])
    if row["is_sequence"]:
        yield Trial(name, "read", f"select last_value from {name}")
        yield Trial(name, "draw", f"select nextval('{name}')")
        yield Trial(name, "set", f"select setval('{name}', 1)")
        return
    yield Trial(name, "select", f"select {counted(row['columns'], own)} from {name}", name)
    column = sql.Identifier(row["writable"] or "nothing").as_string()
    yield Trial(name, "insert", f"insert into {name} default values")
    owner = next((one for one in ("account_id", "user_id") if one in row["columns"]), None)
    for verb in (f"update {name} set {column} = {column}", f"delete from {name}"):
        if owner is None:
            yield Trial(name, verb.split()[0], verb)
            continue
        for whose, value in (
            ("own", getattr(own, owner)),
            ("other", getattr(other, owner)),
            ("null", None),
        ):
            where = sql.SQL(" where {} is not distinct from {}").format(
                sql.Identifier(owner), sql.Literal(value)
            )
            yield Trial(name, f"{verb.split()[0]} {whose}", verb + where.as_string())
    if not row["is_view"]:
        yield Trial(name, "truncate", f"truncate {name}")
    yield Trial(name, "lock", f"lock table {name} in access share mode")
    yield Trial(name, "lock whole", f"lock table {name} in access exclusive mode")


def of_function(row: Row, own: Tenant, other: Tenant) -> Iterator[Trial]:
    """The trials of a function of api: with the caller's own things, another user's, and no user's."""
    function = Callable(row["name"], row["arguments"], False, False)
    mine, theirs = arguments(function, own.facts), arguments(function, other.facts)
    nobodys = {name: None if theirs.get(name) != value else value for name, value in mine.items()}
    for whose, given in (("own", mine), ("other", theirs), ("null", nobodys)):
        named = ", ".join(
            f"{sql.Identifier(name).as_string()} => {_literal(value)}::{function.arguments[name]}"
            for name, value in given.items()
        )
        yield Trial(str(row["signature"]), whose, f"select count(*) from api.{row['name']}({named})")


def _literal(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return sql.Literal(value).as_string()
    if isinstance(value, dict | list):
        value = json.dumps(value)
    return sql.Literal(value).as_string()


def verdict(told: str, totals: str | None) -> str:
    """The cell of one trial. `totals`: what the superuser counts, where rows are counted."""
    state, _, detail = told.partition(" ")
    if state == "42501" or (state in {"55000", "0A000"} and totals is None):
        return REFUSED  # PostgreSQL can write to no row of this view
    if state.startswith("PT"):
        return str(json.loads(detail)["error"])
    if state != "ZZ000":
        return "ok" if state[:2] in ("22", "23") else state
    if totals is None:
        return "none" if detail == "0" else "ok"
    rows, ours = (int(number) for number in detail.split("/"))
    every, _ = (int(number) for number in totals.split("/"))
    if rows == every:
        return "all" if every else "empty"
    return "none" if rows == 0 else "own" if rows == ours else "some"


class Matrix:
    """The trials of one bank in which two users have something of everything."""

    def __init__(self, bank: Caller, own: Tenant, other: Tenant) -> None:
        self.bank, self.own, self.other = bank, own, other
        self.relations = relations(bank)
        self.executed = 0
        self.cells: Cells = {}
        trials = [trial for row in self.relations for trial in of_relation(row, own, other)]
        self.trials = trials
        counts = [trial for trial in trials if trial.rows]
        told = self._try(bank.connection, counts)
        self.totals = {trial.rows: text.partition(" ")[2] for trial, text in zip(counts, told, strict=True)}

    def functions_of(self, persona: Persona) -> list[Row]:
        """Every function of the bank, and whether the system tables let this persona call it."""
        return self.bank.rows(_FUNCTIONS, {"role": self._acts_as(persona), "schemas": list(SCHEMAS)})

    def enter(self, persona: Persona) -> None:
        """Try everything as this persona, and undo it."""
        functions = self.functions_of(persona)
        trials = self.trials + [
            trial for row in functions if row["is_public"] for trial in of_function(row, self.own, self.other)
        ]
        for trial, told in zip(trials, self._as(persona, trials), strict=True):
            cell = verdict(told, self.totals.get(trial.rows))
            if cell == REFUSED and trial.rows:
                cell = self._some_columns(persona, trial)
            self._note(trial.thing, trial.verb, persona, cell)
        for row in functions:
            if not row["is_public"]:
                cell = "ok" if row["granted"] else REFUSED
                self._note(str(row["signature"]), "may execute", persona, cell)

    def _note(self, thing: str, verb: str, persona: Persona, cell: str) -> None:
        """Partitions come and go with the months, so they share a line. It has the cells of all of them."""
        by_persona = self.cells.setdefault((re.sub(r"_20\d\d_?\d\d$", "_<month>", thing), verb), {})
        by_persona[persona.name] = cell if by_persona.get(persona.name, cell) == cell else "differs"

    def _acts_as(self, persona: Persona) -> str:
        return persona.login if persona.role == "none" else persona.role

    def _some_columns(self, persona: Persona, trial: Trial) -> str:
        """A role that may not read all columns may read some."""
        granted = self.bank.rows(_READABLE, (trial.rows, self._acts_as(persona)))
        names = [row["attname"] for row in granted]
        if not names:
            return REFUSED
        query = f"select {counted(names, self.own)} from {trial.rows} as t where num_nonnulls({{}}) >= 0"
        listed = ", ".join(f"t.{sql.Identifier(name).as_string()}" for name in names)
        (told,) = self._as(persona, [Trial(trial.thing, trial.verb, query.format(listed), trial.rows)])
        cell = verdict(told, self.totals[trial.rows])
        return cell if cell == REFUSED else f"{cell} of {len(names)} columns"

    def _as(self, persona: Persona, trials: list[Trial]) -> list[str]:
        connection = self.bank.connection
        claims = {"role": persona.role} | ({"sub": persona.user_id} if persona.user_id else {})
        with connection.transaction(force_rollback=True):
            connection.execute(
                sql.SQL("set local session authorization {}").format(sql.Identifier(persona.login))
            )
            connection.execute(
                "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
                (persona.role, json.dumps(claims) if persona.role != "none" else ""),
            )
            return self._try(connection, trials)

    def _try(self, connection: Connection, trials: list[Trial]) -> list[str]:
        self.executed += len(trials)
        with psycopg.ClientCursor(connection) as cursor:
            rows = cursor.execute(
                "select matrix.tried(s) from unnest(%s::text[]) with ordinality as t (s, n) order by n",
                ([trial.statement for trial in trials],),
            ).fetchall()
        return [str(told) for (told,) in rows]


def page(cells: Cells, personas: Iterable[Persona]) -> str:
    """The matrix as text: a line for each thing and verb that somebody is not refused."""
    names = [persona.name for persona in personas]
    lines = []
    for (thing, verb), by_persona in sorted(cells.items()):
        if set(by_persona.values()) != {REFUSED}:
            said = " | ".join(f"{name}: {by_persona[name]}" for name in names if by_persona[name] != REFUSED)
            lines.append(f"{thing} | {verb} | {said}")
    return "\n".join(lines) + "\n"
