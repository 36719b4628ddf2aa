"""A project of Supabase in the tests: where its server is, and how its programs sign in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from support import PASSWORD

from pgcredits.bank import audit
from pgcredits.database_urls import as_login, database_url, parts_of

PAGE = Path(__file__).parents[1] / "docs" / "supabase.md"
PLATFORM = Path(__file__).parent / "supabase" / "platform.sql"
Connection = psycopg.Connection[Any]
_SCHEMAS = "('credits', 'api', 'analytics', 'finance', 'audit', 'yoyo', 'supabase_migrations')"
_ROLES = (
    "('credits_owner', 'accountant', 'analyst', 'auditor', 'spender', 'support') or r.rolname ~ '^pgcredits_'"
)
# Everything of the platform and of the project that a bank could spoil.
_STANDING = f"""
    select 'role', r.rolname::text, to_jsonb(r) - 'oid'
    from pg_roles as r where not (r.rolname in {_ROLES})
    union all
    select 'password', r.rolname::text, to_jsonb(r.rolpassword)
    from pg_authid as r where not (r.rolname in {_ROLES})
    union all
    select 'member', format('%s of %s by %s', m.member::regrole, r.rolname, m.grantor::regrole),
        to_jsonb(m) - 'oid'
    from pg_auth_members as m join pg_roles as r on m.roleid = r.oid
    where not (r.rolname in {_ROLES}) and not starts_with(m.member::regrole::text, 'pgcredits_')
    union all
    select 'default', format('%s %s %s', d.defaclrole::regrole, d.defaclnamespace, d.defaclobjtype),
        to_jsonb(d.defaclacl::text)
    from pg_default_acl as d where d.defaclrole <> coalesce(to_regrole('credits_owner'), 0)
    union all
    select 'database', '', to_jsonb(d.datacl::text)
    from pg_database as d where d.datname = current_database()
    union all
    select 'schema', n.nspname::text, to_jsonb(n.nspacl::text) || to_jsonb(n.nspowner::regrole::text)
    from pg_namespace as n where n.nspname not in {_SCHEMAS} and n.nspname !~ '^pg_t'
    union all
    select 'relation', c.oid::regclass::text,
        jsonb_build_array(c.relacl::text, c.relowner::regrole::text, c.relrowsecurity, c.relhastriggers)
    from pg_class as c join pg_namespace as n on c.relnamespace = n.oid
    where n.nspname not in {_SCHEMAS} and n.nspname !~ '^pg_'
    union all
    select 'function', p.oid::regprocedure::text,
        jsonb_build_array(p.proacl::text, p.proowner::regrole::text, p.prosrc)
    from pg_proc as p join pg_namespace as n on p.pronamespace = n.oid
    where n.nspname not in {_SCHEMAS} and n.nspname <> 'pg_catalog'
    union all
    select 'policy', p.polname || ' on ' || c.oid::regclass, to_jsonb(pg_get_expr(p.polqual, p.polrelid))
    from pg_policy as p join pg_class as c on p.polrelid = c.oid
    join pg_namespace as n on c.relnamespace = n.oid
    where n.nspname not in {_SCHEMAS}
    union all
    select 'event trigger', e.evtname::text, jsonb_build_array(e.evtfoid::regproc::text, e.evtenabled)
    from pg_event_trigger as e
    order by 1, 2, 3
"""
# What the Supabase CLI notes beside each migration.
_HISTORY = (
    "create schema if not exists supabase_migrations",
    "create table if not exists supabase_migrations.schema_migrations"
    " (version text primary key, statements text[], name text)",
)


@dataclass(frozen=True)
class Server:
    """A server with the roles of Supabase. `before`: what a project is before it has a bank."""

    port: int
    before: list[Any]


def address(port: int, login: str, dbname: str) -> str:
    return database_url("127.0.0.1", port, dbname, login, PASSWORD)


def platform(port: int, url: str) -> list[Any]:
    """Everything of the platform and of the project in a database that a bank could spoil."""
    name = parts_of(url)["dbname"]
    with psycopg.connect(address(port, "supabase_admin", name)) as admin:
        return admin.execute(_STANDING.encode()).fetchall()


@contextmanager
def copy_of(port: int, template: str, name: str) -> Iterator[str]:
    """A database that is a copy of another one, as postgres, the login of the project's developers."""
    with psycopg.connect(address(port, "supabase_admin", "template1"), autocommit=True) as admin:
        admin.execute(f"create database {name} template {template} owner postgres")
        try:
            yield address(port, "postgres", name)
        finally:
            admin.execute(f"drop database {name} with (force)")


def push(url: str, *files: Path) -> None:
    """Apply migrations as `supabase db push` does: by a login that becomes postgres, all in one batch."""
    with psycopg.connect(as_login(url, "cli_login_postgres", PASSWORD), autocommit=True) as connection:
        connection.execute("set role postgres")
        for statement in _HISTORY:
            connection.execute(statement)
        for file in files:
            version, _, name = file.stem.partition("_")
            with connection.pipeline():
                connection.execute(file.read_bytes())
                connection.execute(
                    "insert into supabase_migrations.schema_migrations (version, name) values (%s, %s)",
                    (version, name),
                )


@contextmanager
def calling(url: str, role: str, user_id: str | None = None, **claims: Any) -> Iterator[Connection]:
    """A transaction of Supabase's PostgREST: authenticator takes the role of a token, and sets its claims."""
    told = {"role": role} | ({"sub": user_id} if user_id else {}) | claims
    with psycopg.connect(as_login(url, "authenticator", PASSWORD)) as connection:
        connection.execute("select set_config('role', %s, true)", (role,))
        connection.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(told),))
        yield connection


def signed_up(url: str) -> str:
    """Supabase's Auth adds a user, whose id this is."""
    user = str(uuid4())
    with psycopg.connect(as_login(url, "supabase_auth_admin", PASSWORD)) as connection:
        connection.execute("insert into users (id, email) values (%s, %s)", (user, f"{user}@example.org"))
    return user


def assert_sound(url: str) -> None:
    assert [(check.name, check.findings) for check in audit.run(url) if check.findings] == []


def example_of_the_page() -> str:
    """The SQL of docs/supabase.md that charges in the COMMIT of a row."""
    return PAGE.read_text().split("```sql\n")[1].split("```")[0]
