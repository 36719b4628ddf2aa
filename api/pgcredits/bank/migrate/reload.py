"""Make the functions, views, triggers, policies and grants of sql/, and drop what sql/ no longer makes.

Steps, inside the transaction of the migrations:

1. Execute every file in order, without the statements that lock a table and would change nothing
   (statements.py). First drop what CREATE OR REPLACE cannot change: a result type, the name of a parameter, a
   column of a view.
2. Drop the functions, views, triggers and rules that no file made, and the kinds of objects that no file ever
   makes. If one of these drops took something with it that a file made, repeat step 1.
   Only retire a private function that a call under way may still need: retired.py drops it afterwards.
3. Execute access.sql, make partitions of the ledger, and check every body.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from pgcredits.bank.migrate import drops
from pgcredits.bank.migrate.errors import MigrationError
from pgcredits.bank.migrate.files import ACCESS, COMMENTS, FOLDERS, HARDEN, OWNER, execute, reloaded
from pgcredits.bank.migrate.statements import Statement, leave_out, split

MONTHS_AHEAD = 13  # partitions kept ready
_PASSES = 5  # each makes again what a drop took with it; two were always enough
_Key = tuple[str, str]
# Policies that access.sql makes in a loop, where they are missing, and drops where they are not wanted.
_BY_LOOP = ("owner", "service_reads", "spender_reads", "support_reads", "auditor_reads", "accountant_reads")
_CANNOT_REPLACE = (
    psycopg.errors.InvalidFunctionDefinition,  # another result, another name of a parameter, a default less
    psycopg.errors.InvalidTableDefinition,  # columns of a view
    psycopg.errors.WrongObjectType,  # a view where a materialized one is, a procedure where a function is
    psycopg.errors.FeatureNotSupported,
)


def sources(sql: Path) -> dict[_Key, str]:
    """The digest of each statement that makes something which may be left alone, by the key of that."""
    paths = [path for path in reloaded(sql) if path.parent.name != COMMENTS and _locks(path.read_text())]
    return {
        statement.key: statement.source
        for path in (*paths, sql / ACCESS)
        for statement in split(path.read_text())
        if statement.kind in ("view", "trigger", "policy")
    }


def _locks(text: str) -> bool:
    return "create or replace view" in text or "trigger" in text


class Reload:
    """One reload. `unchanged` has the digests of statements that need not be executed, by key."""

    def __init__(
        self, connection: psycopg.Connection[Any], sql: Path, unchanged: Mapping[_Key, str], harden: bool
    ) -> None:
        self._connection, self._sql, self._harden = connection, sql, harden
        self._unchanged = dict(unchanged)
        self._before = drops.functions(connection)
        self._comments = _comments(connection)
        self.sources = sources(sql)
        self.dropped: list[str] = []
        self.retired: dict[int, drops.Function] = {}

    def run(self) -> None:
        """Do all steps. Raises MigrationError and psycopg.Error."""
        self._connection.execute(
            "set local check_function_bodies = off"
        )  # in any order: the bodies are checked below
        self._connection.execute("set local client_min_messages = warning")
        for _ in range(_PASSES):
            self._as_owner()
            went_along = self._make() + self._drop_leftovers()
            if not went_along:
                break
            self._forget_missing()
        else:
            raise MigrationError(f"sql/ cannot be loaded: dropping one thing drops another: {went_along}")
        self._connection.execute("reset role")
        self._drop(drops.revoke_defaults(self._connection))
        if self._harden:
            execute(self._connection, self._sql / HARDEN)
        self._access()
        self._as_owner()
        self._connection.execute(f"select credits.ensure_partitions({MONTHS_AHEAD})".encode())
        _check_bodies(self._connection, list(self.retired))
        there = drops.functions(self._connection)  # access.sql has touched them
        self.retired = {oid: there[oid] for oid in self.retired}
        self._connection.execute("notify pgrst, 'reload schema'")

    def remade(self) -> set[str]:
        """What was dropped and made again: a function of that name, or that view, trigger or policy."""
        there = {f"{kind} {name}" for kind, name in self._attached()}
        there |= {f"{kind} {name}" for name, (_, kind) in drops.views(self._connection).items()}
        functions = drops.functions(self._connection).values()
        there |= {f"{f.kind} {f.name}" for f in functions if f.oid not in self.retired}
        return {name for name in self.dropped if name.split("(")[0] in there}

    def _as_owner(self) -> None:
        self._connection.execute(f"set local role {OWNER}".encode())

    def _make(self) -> list[str]:
        """Step 1. Returns what the necessary drops took with them."""
        went_along: list[str] = []
        for path in reloaded(self._sql):
            text = path.read_text()
            if path.parent.name == COMMENTS:
                text = leave_out(text, self._is_said)
            elif _locks(text):
                text = leave_out(text, self._is_unchanged)
            try:
                with self._connection.transaction():
                    execute(self._connection, path, text)
            except MigrationError as error:
                if not isinstance(error.__cause__, _CANNOT_REPLACE):
                    raise
                went_along += self._make_anew(path, text)
        return went_along

    def _make_anew(self, path: Path, text: str) -> list[str]:
        """Execute a file statement by statement. Drop first what cannot be replaced."""
        went_along: list[str] = []
        done = ""  # blank lines, so that an error has the right line
        for statement in split(text):
            rest = done + statement.text
            try:
                with self._connection.transaction():
                    execute(self._connection, path, rest)
            except MigrationError as error:
                if not isinstance(error.__cause__, _CANNOT_REPLACE) or not statement.kind:
                    raise
                went_along += self._drop_for(statement)
                execute(self._connection, path, rest)
            done += "\n" * statement.text.count("\n")
        return went_along

    def _drop_for(self, statement: Statement) -> list[str]:
        """Drop the functions or the view of that name that this run did not make. Returns what went, too."""
        went: list[str] = []
        for function in drops.functions(self._connection).values():
            if function.name == statement.name and self._before.get(function.oid) == function:
                went += self._drop(drops.drop_function(self._connection, function))
        for name, (oid, kind) in drops.views(self._connection).items():
            if name == statement.name:
                went += self._drop(drops.drop_view(self._connection, name, oid, kind))
        self._forget_missing()  # a later file must make again what the drop took with it
        return went

    def _drop_leftovers(self) -> list[str]:
        """Step 2. Returns what the drops took with them, without the leftovers themselves."""
        went: list[str] = []
        for name in drops.drop_others(self._connection):
            self._drop([name])
        self._retire()
        while leftover := next(iter(self._leftovers()), None):
            went += self._drop(drops.drop_function(self._connection, leftover))
        while extra := next(
            (
                (n, *view)
                for n, view in drops.views(self._connection).items()
                if ("view", n) not in self.sources
            ),
            None,
        ):
            went += self._drop(drops.drop_view(self._connection, *extra))
        for kind, name in self._attached():
            if kind != "policy" and (kind, name) not in self.sources:
                self._connection.execute(f"drop {kind} {name}".encode())
                self._drop([f"{kind} {name}"])
        return went

    def _leftovers(self) -> list[drops.Function]:
        """The functions that this run has not made, and that are not retired."""
        return [
            function
            for oid, function in drops.functions(self._connection).items()
            if self._before.get(oid) == function and oid not in self.retired
        ]

    def _retire(self) -> None:
        """Leave private functions for now that nothing needs but the body of a call that has begun.

        Not beside a new one of the same name that takes as many arguments: a call could mean either.
        What only retired functions need is retired after them, and so is dropped after them.
        """
        made = [f for oid, f in drops.functions(self._connection).items() if self._before.get(oid) != f]
        names: set[str] = set()
        before = -1
        while before < len(self.retired):
            before = len(self.retired)
            for leftover in self._leftovers():
                needing = {name.split("(")[0] for name in drops.needing(self._connection, leftover)}
                if (
                    leftover.name.startswith("credits.")
                    and not any(f.name == leftover.name and f.takes_as_many_as(leftover) for f in made)
                    and needing <= names
                ):
                    self.retired[leftover.oid] = leftover
                    names.add(f"{leftover.kind} {leftover.name}")
                    self._drop([f"{leftover.kind} {leftover.signature}"])

    def _drop(self, what: list[str]) -> list[str]:
        self.dropped += [name for name in what if name not in self.dropped]
        return what[1:]

    def _access(self) -> None:
        """Step 3. A policy is made when it is missing or differs. Nothing is dropped to be made again."""
        path = self._sql / ACCESS
        text = path.read_text()
        standing = {name for kind, name in self._attached() if kind == "policy"}
        listed = {name for name in standing if name.split(" on ")[0] in _BY_LOOP}
        self._as_owner()
        for statement in split(text):
            if (
                statement.kind == "policy"
                and statement.name in standing
                and not self._is_unchanged(statement)
            ):
                self._connection.execute(f"drop policy {statement.name}".encode())
        for name in sorted(standing - listed):
            if ("policy", name) not in self.sources:
                self._connection.execute(f"drop policy {name}".encode())
                self._drop([f"policy {name}"])
        self._connection.execute("reset role")
        try:
            with self._connection.transaction():
                execute(self._connection, path, leave_out(text, self._is_unchanged))
        except MigrationError as error:
            if isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
                _refuse_strangers(self._connection)
            raise
        there = {name for kind, name in self._attached() if kind == "policy"}
        for name in sorted(listed - there):
            self._drop([f"policy {name}"])

    def _forget_missing(self) -> None:
        """Forget objects that no longer exist, so that they are made."""
        there = {("view", name) for name in drops.views(self._connection)} | set(self._attached())
        self._unchanged = {key: source for key, source in self._unchanged.items() if key in there}

    def _is_unchanged(self, statement: Statement) -> bool:
        """Can this statement be left out?"""
        if statement.kind == "always":
            return self._unchanged.get(statement.key) == self.sources.get(statement.key)
        return statement.kind != "" and self._unchanged.get(statement.key) == statement.source

    def _is_said(self, statement: Statement) -> bool:
        """Does this comment exist already?"""
        return statement.kind == "comment" and self._comments.get(statement.name) == statement.comment

    def _attached(self) -> list[_Key]:
        """Policies, triggers and rules on our tables, as access.sql names them."""
        rows = self._connection.execute(_ATTACHED, [list(FOLDERS)]).fetchall()
        return [(kind, name) for kind, name in rows]


_COMMENTS = """
    select
        case when d.objsubid > 0 then 'column' when t.typtype = 'd' then 'domain' else i.type end
        || ' ' || i.identity,
        d.description
    from pg_description as d
    cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) as i
    left join pg_type as t on d.classoid = 'pg_type'::regclass and d.objoid = t.oid
    where d.classoid in ('pg_class'::regclass, 'pg_type'::regclass, 'pg_namespace'::regclass)
        and coalesce(i.schema, i.name) = any(%s)
"""
_STRANGERS = """
    select pg_describe_object('pg_class'::regclass, c.oid, 0) || ' of ' || c.relowner::regrole
    from pg_class as c
    where c.relnamespace::regnamespace::text = any(%s) and c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
        and c.relowner <> %s::regrole
    order by 1
"""
_ATTACHED = """
    with tables as (
        select
            c.oid, format('%%s.%%I', c.relnamespace::regnamespace, c.relname) as name, c.relispartition
        from pg_class as c
        where c.relnamespace::regnamespace::text = any(%s)
    )
    select 'policy', format('%%I on %%s', p.polname, t.name)
    from pg_policy as p join tables as t on p.polrelid = t.oid
    where not t.relispartition
    union all
    select 'trigger', format('%%I on %%s', g.tgname, t.name)
    from pg_trigger as g join tables as t on g.tgrelid = t.oid
    where not g.tgisinternal and g.tgparentid = 0 and not exists (
        select
        from pg_inherits as h
        join pg_trigger as o on o.tgrelid = h.inhparent
        where t.relispartition and h.inhrelid = g.tgrelid and o.tgname = g.tgname and o.tgfoid = g.tgfoid
    )
    union all
    select 'rule', format('%%I on %%s', r.rulename, t.name)
    from pg_rewrite as r join tables as t on r.ev_class = t.oid
    where r.rulename <> '_RETURN'
"""
BODIES = """
    select case l.lanname when 'sql' then fmgr_sql_validator(p.oid) else plpgsql_validator(p.oid) end
    from pg_proc as p
    join pg_language as l on l.oid = p.prolang
    where l.lanname in ('sql', 'plpgsql') and p.pronamespace::regnamespace::text = any(%s)
"""
_NOT_RETIRED = " and p.oid <> all(%s::oid[])"


def _comments(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """The comments on objects that are not functions, by `table credits.lots` and the like."""
    rows = connection.execute(_COMMENTS, [list(FOLDERS)]).fetchall()
    return {str(name): str(text) for name, text in rows}


def _refuse_strangers(connection: psycopg.Connection[Any]) -> None:
    """The owner cannot revoke privileges on objects of another role."""
    rows = connection.execute(_STRANGERS, [list(FOLDERS), OWNER]).fetchall()
    if rows:
        raise MigrationError(
            f"in the schemas of the bank stands what is not its own: {', '.join(name for (name,) in rows)}. "
            "Move it to another schema, or drop it"
        )


def _check_bodies(connection: psycopg.Connection[Any], retired: list[int]) -> None:
    """Check what CREATE FUNCTION would have checked, now that all functions exist."""
    connection.execute("set local check_function_bodies = on")
    try:
        connection.execute(BODIES + _NOT_RETIRED, [list(FOLDERS), retired])
    except psycopg.Error as error:
        raise MigrationError(f"in the body of a function: {error}") from error
