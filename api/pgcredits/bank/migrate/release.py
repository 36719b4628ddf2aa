"""The record of a migrate in credits.releases and credits.release_objects, for the next one to compare."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from pgcredits.bank.migrate import marks
from pgcredits.bank.migrate.files import OWNER, digest, digests

SHAPE = ("table", "sequence", "type")  # made by migrations
BEHAVIOUR = ("function", "view", "trigger", "policy", "rule", "privileges")  # made by sql/
_Key = tuple[str, str]
# Two parts of a release, as queries.
SERVER = "current_setting('server_version')"
MONTH = "date_trunc('month', now() at time zone 'UTC')::date::text"


@dataclass(frozen=True, slots=True)
class Release:
    """The last release. `whole`: everything in our schemas is as that migrate left it."""

    digest: str
    files: Mapping[str, str]
    hardened: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of our schemas: those recorded as made by us, and those that exist."""

    made: Mapping[_Key, tuple[str, str | None]] = field(default_factory=dict)  # → definition, source
    standing: Mapping[_Key, str] = field(default_factory=dict)  # → definition

    def unchanged(self) -> dict[_Key, str]:
        """Objects that are still as we made them, by key: the digest of the statement that made each."""
        return {
            key: source
            for key, (definition, source) in self.made.items()
            if source is not None and self.standing.get(key) == definition
        }


def last(connection: psycopg.Connection[Any]) -> Release | None:
    """The last release, or None."""
    with _as_owner(connection, "credits.release_differences()") as possible:
        if not possible:
            return None
        row = connection.execute(
            "select r.digest, r.files, r.hardened,"
            " not exists (select from credits.release_differences())"
            " and not (r.hardened and exists ("
            "  select from pg_database as d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) as a"
            "  where d.datname = current_database() and a.grantee = 0))"
            " from credits.releases as r"
        ).fetchone()
        return Release(*row) if row else None


def target(connection: psycopg.Connection[Any], migrations: Path, sql: Path, hardened: bool) -> str:
    """The digest of everything that decides the result of a migrate."""
    row = connection.execute(f"select {SERVER}, {MONTH}".encode()).fetchone()
    return digest(target_text(row[0], row[1], migrations, sql, hardened)) if row else ""


def target_text(server: str, month: str, migrations: Path, sql: Path, hardened: bool) -> str:
    """JSON of everything that decides the result of a migrate. Queries for two parts: SERVER and MONTH."""
    texts = {str(m.id): digest(Path(m.path).read_text()) for m in marks.files(migrations)}
    return json.dumps([version("pgcredits"), server, month, hardened, texts, digests(sql)], sort_keys=True)


def objects(connection: psycopg.Connection[Any]) -> Objects:
    """What is recorded and what exists. Empty when the functions that say so are missing."""
    with _as_owner(connection, "credits.standing_objects()") as possible:
        server = connection.info.server_version // 10000
        if not possible or not _one(
            connection, "select exists (select from credits.releases as r where r.server = %s)", [server]
        ):
            return Objects()
        made = connection.execute(
            "select kind, name, definition, source from credits.release_objects"
        ).fetchall()
        return Objects(
            {(kind, name): (was, source) for kind, name, was, source in made}, standing(connection)
        )


def standing(connection: psycopg.Connection[Any]) -> dict[_Key, str]:
    """Everything that is in our schemas now."""
    rows = connection.execute("select kind, name, definition from credits.standing_objects()").fetchall()
    return {(kind, name): definition for kind, name, definition in rows}


def record(
    connection: psycopg.Connection[Any],
    before: Objects,
    sources: Mapping[_Key, str],
    facts: Mapping[str, Any],
) -> None:
    """Record what exists now.

    What somebody else made, or changed, of the shape stays a finding, as does every kind that we never make.
    """
    now = standing(connection)
    made = [
        (
            *key,
            before.made[key][0] if key in before.made and _kept(before, key, now) else definition,
            sources.get(key),
        )
        for key, definition in now.items()
        if key[0] in BEHAVIOUR
        or (key[0] in SHAPE and not (before.made and key in before.standing and key not in before.made))
    ]
    connection.execute("delete from credits.release_objects")
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into credits.release_objects (kind, name, definition, source) values (%s, %s, %s, %s)",
            made,
        )
    connection.execute("delete from credits.releases")
    connection.execute(
        "insert into credits.releases (program, server, migration, digest, files, functions_digest,"
        " columns_digest, hardened, released_at)"
        " values (%(program)s, %(server)s, %(migration)s, %(digest)s, %(files)s,"
        " credits.functions_digest(), credits.columns_digest(), %(hardened)s, now())",
        {
            "program": version("pgcredits"),
            "server": connection.info.server_version // 10000,
            **facts,
            "files": json.dumps(facts["files"]),
        },
    )


def _kept(before: Objects, key: _Key, now: Mapping[_Key, str]) -> bool:
    """Did somebody change it by hand, and not this run?"""
    return key[0] in SHAPE and before.standing.get(key) == now[key] != before.made[key][0]


@contextmanager
def _as_owner(connection: psycopg.Connection[Any], needed: str) -> Iterator[bool]:
    """Call it in a transaction as the owner, whom row security admits. False when a function is missing."""
    with connection.transaction(force_rollback=True):
        found = bool(_one(connection, f"select to_regprocedure('{needed}') is not null"))
        if found:
            connection.execute(f"set local role {OWNER}".encode())
        yield found


def _one(connection: psycopg.Connection[Any], query: str, values: Sequence[Any] = ()) -> Any:
    row = connection.execute(query.encode(), values).fetchone()
    return row[0] if row else None
