"""The migration that makes the bank in a Supabase project.

Supabase applies the files of a project's folder `migrations`. This file does what the first `pgcredits
migrate` does in a database, and leaves the same marks. So a later `pgcredits migrate` finds nothing to do, or
upgrades the bank. An upgrade is never a file: it must look at what the database has, wait for locks, and drop
functions in a second transaction.

The file is one statement. Whatever program executes it, whether in a transaction or not, and however that
program splits files, all of it is applied or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from pgcredits.bank.migrate import marks, release, reload
from pgcredits.bank.migrate.files import (
    ACCESS,
    FOLDERS,
    MIGRATIONS,
    OWNER,
    ROLES,
    SQL,
    digest,
    digests,
    newest_migration,
    reloaded,
)
from pgcredits.supabase.statement import SEARCH_PATH, execute, literal, set_, statement

LOGIN = "authenticator"  # of Supabase's PostgREST
_SERVER, _MONTH = "@server@", "@month@"
_HEAD = """\
-- The bank of pgcredits {version}, as `pgcredits migrate` makes it. Written by `pgcredits supabase init`.
-- It is one statement, so it is applied as a whole or not at all. Do not edit it. `pgcredits migrate` brings
-- the bank to a later release: see docs/supabase.md of pgcredits.
"""
_REFUSE = """
    -- Refuse a database that has a bank, or something else of that name.
    for v_schema in
        select n.nspname as name, pg_catalog.pg_get_userbyid(n.nspowner) as owner
        from pg_catalog.pg_namespace as n
        where n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit', 'yoyo')
        order by n.nspname = 'credits' desc, n.nspname
    loop
        if v_schema.name = 'credits' and v_schema.owner = 'credits_owner' then
            raise exception 'pgcredits: this database has a bank. Nothing was done'
                using hint = 'Upgrade it with `pgcredits migrate`. `supabase migration repair --status'
                    ' applied` with the number of this file says that the file was applied.';
        end if;
        raise exception 'pgcredits: the schema % is here, and belongs to %. Nothing was done', v_schema.name,
            v_schema.owner
            using hint = 'The bank needs the schemas credits, api, analytics, finance, audit, yoyo.';
    end loop;
"""
# As yoyo 9 makes them. A test compares them with its own.
_YOYO = (
    "create table yoyo._yoyo_migration (migration_hash varchar(64) primary key, migration_id varchar(255),"
    " applied_at_utc timestamp)",
    "create table yoyo._yoyo_log (id varchar(36) primary key, migration_hash varchar(64),"
    " migration_id varchar(255), operation varchar(10), username varchar(255), hostname varchar(255),"
    " comment varchar(255), created_at_utc timestamp)",
    "create table yoyo._yoyo_version (version int not null primary key, installed_at_utc timestamp)",
    "create table yoyo.yoyo_lock (locked int default 1 primary key, ctime timestamp, pid int not null)",
    "insert into yoyo._yoyo_version values (2, now() at time zone interval '0')",
)


@lru_cache(maxsize=1)
def bank_file(sql: Path = SQL, migrations: Path = MIGRATIONS) -> str:
    """The text of the file: the same for the same release of pgcredits."""
    return _HEAD.format(version=version("pgcredits")) + statement("pgcredits_bank", _parts(sql, migrations))


def _parts(sql: Path, migrations: Path) -> Iterator[str]:
    yield _REFUSE.strip()
    yield from _file(sql / ROLES)
    yield from (execute(text) for text in (*marks.BOOKKEEPING, *_YOYO))
    for migration in marks.files(migrations):
        migration.load()
        if not migration.use_transactions:  # the next `pgcredits migrate` applies it
            continue
        path = Path(migration.path)
        yield from _file(path)
        yield set_("role", "v_role")
        yield set_("search_path", literal(SEARCH_PATH))
        yield _mark(str(migration.id), migration.hash, digest(path.read_text()))
    yield set_("role", literal(OWNER))
    for path in reloaded(sql):
        yield from _file(path)
    yield set_("role", "v_role")
    yield from _file(sql / ACCESS)
    yield from _finish(sql, migrations)
    yield "notify pgrst, 'reload schema';"


def _finish(sql: Path, migrations: Path) -> Iterator[str]:
    """The partitions of the ledger, the check of all bodies, and the record of the release."""
    yield set_("role", literal(OWNER))
    yield f"perform credits.ensure_partitions({reload.MONTHS_AHEAD});"
    yield set_("check_function_bodies", "'on'")
    schemas = literal("{" + ",".join(FOLDERS) + "}")
    yield f"perform {reload.BODIES.strip().removeprefix('select').strip().replace('%s', schemas)};"
    yield "perform credits.list_prices();"
    yield f"perform credits.trust_claims({literal(LOGIN)});"
    yield _record_objects(reload.sources(sql))
    yield _record_release(sql, migrations)


def _record_objects(sources: Mapping[tuple[str, str], str]) -> str:
    rows = ",\n        ".join(
        f"({literal(kind)}, {literal(name)}, {literal(source)})"
        for (kind, name), source in sorted(sources.items())
    )
    kinds = ", ".join(map(literal, (*release.SHAPE, *release.BEHAVIOUR)))
    return (
        "insert into credits.release_objects (kind, name, definition, source)\n"
        "    select s.kind, s.name, s.definition, x.source\n"
        "    from credits.standing_objects() as s\n"
        f"    left join (\n        values\n        {rows}\n"
        "    ) as x (kind, name, source) on s.kind = x.kind and s.name = x.name\n"
        f"    where s.kind in ({kinds});"
    )


def _record_release(sql: Path, migrations: Path) -> str:
    before, _, rest = release.target_text(_SERVER, _MONTH, migrations, sql, False).partition(_SERVER)
    between, _, after = rest.partition(_MONTH)
    target = (
        f"{literal(before)} || {release.SERVER} || {literal(between)} || {release.MONTH} || {literal(after)}"
    )
    columns = {
        "program": literal(version("pgcredits")),
        "server": "current_setting('server_version_num')::integer / 10000",
        "migration": literal(newest_migration(migrations)),
        "digest": f"encode(sha256(convert_to({target}, 'UTF8')), 'hex')",
        "files": literal(json.dumps(digests(sql))),
        "functions_digest": "credits.functions_digest()",
        "columns_digest": "credits.columns_digest()",
        "hardened": "false",
        "released_at": "now()",
    }
    values = ",\n        ".join(columns.values())
    names = ", ".join(columns)
    return f"insert into credits.releases ({names})\n    values (\n        {values}\n    );"


def _file(path: Path) -> Iterator[str]:
    yield f"-- {'/'.join(path.parts[-2:])}"
    yield execute(path.read_text())


def _mark(migration: str, hashed: str, digested: str) -> str:
    at = "now() at time zone interval '0'"
    return (
        f"insert into yoyo._yoyo_migration values ({literal(hashed)}, {literal(migration)}, {at});\n"
        f"    insert into yoyo._yoyo_log values (gen_random_uuid(), {literal(hashed)}, {literal(migration)},"
        f" 'apply', current_user, 'supabase', null, {at});\n"
        f"    insert into yoyo.applied_files values ({literal(migration)}, {literal(digested)});"
    )
