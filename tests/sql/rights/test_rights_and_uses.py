"""No right is wider than its use: every grant is needed by something that its holder may do.

test_privileges.py says who may do what. Here PostgreSQL's system tables say why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from callers import Connection
from sql.rights.test_privileges import CALLS, EXECUTE, EXPLAIN, ROLES

SCHEMAS = "('credits', 'api', 'analytics', 'finance', 'audit', 'yoyo')"
Ask = Callable[..., set[Any]]
# The views that a role may read, and the views under them.
READ = """
    read (rel) as (
        select c.oid
        from pg_class as c
        where c.relkind = 'v'
            and c.relnamespace::regnamespace::text in ('api', 'analytics', 'audit', 'finance')
            and has_table_privilege(%(role)s, c.oid, 'select')
        union
        -- PostgreSQL knows what is in a view, and in a function with an SQL-standard body.
        select d.refobjid
        from read as u
        left join pg_rewrite as w on w.ev_class = u.rel
        join pg_depend as d
            on (d.classid, d.objid) in (('pg_rewrite'::regclass, w.oid), ('pg_proc'::regclass, u.rel))
            and d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass)
    )
"""
# Functions that a role calls by reading: in views, in policies, in functions with the caller's rights.
CALLED = f"""
    with recursive {READ},
    bodies (oid, name, body, definer) as (
        select p.oid, p.pronamespace::regnamespace || '.' || p.proname, pg_get_functiondef(p.oid), p.prosecdef
        from pg_proc as p
        where p.pronamespace::regnamespace::text in {SCHEMAS} and p.prokind = 'f'
    ),
    texts (said) as (
        select pg_get_viewdef(c.oid) from read as u join pg_class as c on c.oid = u.rel where c.relkind = 'v'
        union all
        select pg_get_expr(p.polqual, p.polrelid)
        from pg_policy as p
        where p.polroles && array[%(role)s::regrole::oid, 0::oid]
        union all
        select b.body
        from bodies as b
        where not b.definer and b.name ~ '^(api|finance)\\.'
            and has_function_privilege(%(role)s, b.oid, 'execute')
    ),
    called (name) as (
        select m[1] from texts as t cross join regexp_matches(t.said, '((?:credits|api)\\.\\w+)\\(', 'g') as m
        union
        select m[1]
        from called as k
        join bodies as b on b.name = k.name and not b.definer
        cross join regexp_matches(b.body, '((?:credits|api)\\.\\w+)\\(', 'g') as m
    )
    select b.oid::regprocedure::text
    from bodies as b
    where has_function_privilege(%(role)s, b.oid, 'execute')
        and b.name not in (select k.name from called as k)
"""
BY_THE_COMMAND = defaultdict(  # `pgcredits audit`
    set,
    auditor={
        "credits.note_audit(bigint,bigint)",
        "credits.anchor_faults(uuid[],bigint[],bytea[])",
        "credits.audit_changes(uuid,uuid)",
        "credits.change_faults(uuid,uuid)",
        "credits.checkpoint_faults(uuid,uuid)",
        "credits.chain_faults(uuid,uuid)",
        "credits.touched_wallet_faults(uuid,uuid)",
        "credits.new_entries(uuid,bigint,timestamp with time zone,bytea,numeric,numeric)",
    },
)


@pytest.fixture(scope="module")
def ask(admin: Connection) -> Ask:
    return lambda query, **params: {row[0] for row in admin.execute(query, params).fetchall()}


@pytest.mark.parametrize("role", ROLES)
def test_functions_are_granted_only_where_called(role: str, ask: Ask) -> None:
    by_name = EXECUTE[role] if role == "pgcredits_catalog" else {*CALLS, *EXPLAIN, *BY_THE_COMMAND[role]}
    unused = {name for name in ask(CALLED, role=role) - by_name if not name.startswith("finance.")}
    assert unused == set()


@pytest.mark.parametrize("role", [role for role in ROLES if role != "auditor"])  # who reads everything
def test_tables_are_granted_only_with_their_views(role: str, ask: Ask) -> None:
    unread = ask(
        f"with recursive {READ} select c.oid::regclass::text from pg_class as c"
        f" where c.relnamespace::regnamespace::text in {SCHEMAS} and c.relkind in ('r', 'p', 'v', 'm')"
        " and has_any_column_privilege(%(role)s, c.oid, 'select')"
        " and c.oid not in (select u.rel from read as u)",
        role=role,
    )
    assert unread == set()


@pytest.mark.parametrize("role", ROLES)
def test_columns_are_granted_only_with_their_views(role: str, ask: Ask) -> None:
    unread = ask(
        f"""
        with recursive {READ}
        select a.attrelid::regclass || '.' || a.attname
        from pg_attribute as a
        cross join aclexplode(a.attacl) as g
        where g.grantee = %(role)s::regrole and not exists (
            select
            from read as u
            left join pg_rewrite as w on w.ev_class = u.rel
            join pg_depend as d
                on (d.classid, d.objid) in (('pg_rewrite'::regclass, w.oid), ('pg_proc'::regclass, u.rel))
                and d.refclassid = 'pg_class'::regclass and d.refobjid = a.attrelid
                and d.refobjsubid = a.attnum
        )
        """,
        role=role,
    )
    assert unread == set()


@pytest.mark.parametrize("role", ROLES)
def test_types_are_granted_only_with_their_functions(role: str, ask: Ask) -> None:
    granted = ask(
        "select t.oid::regtype::text from pg_type as t, aclexplode(t.typacl) as g"
        f" where t.typnamespace::regnamespace::text in {SCHEMAS} and g.grantee = %(role)s::regrole",
        role=role,
    )
    used = ask(
        """
        select coalesce(nullif(t.typelem, 0), t.oid)::regtype::text
        from pg_proc as p
        cross join unnest(p.proargtypes || p.prorettype) as a (type_id)
        join pg_type as t on t.oid = a.type_id
        where p.pronamespace = 'api'::regnamespace and t.typnamespace = 'api'::regnamespace
            and has_function_privilege(%(role)s, p.oid, 'execute')
        """,
        role=role,
    )
    assert granted == used


def test_public_has_no_rights_on_the_bank(ask: Ask) -> None:
    """This includes rights that PostgreSQL gives by default."""
    public = ask(
        f"""
        select 'function ' || p.oid::regprocedure
        from pg_proc as p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as g
        where g.grantee = 0 and p.pronamespace::regnamespace::text in {SCHEMAS}
        union all
        select 'relation ' || c.oid::regclass
        from pg_class as c, aclexplode(c.relacl) as g  -- PostgreSQL itself gives PUBLIC nothing here
        where g.grantee = 0 and c.relnamespace::regnamespace::text in {SCHEMAS}
        union all
        select 'column ' || a.attrelid::regclass || '.' || a.attname
        from pg_attribute as a join pg_class as c on c.oid = a.attrelid, aclexplode(a.attacl) as g
        where g.grantee = 0 and c.relnamespace::regnamespace::text in {SCHEMAS}
        union all
        select 'type ' || t.oid::regtype
        from pg_type as t
        left join pg_class as c on c.oid = t.typrelid,
            aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) as g
        where g.grantee = 0 and t.typnamespace::regnamespace::text in {SCHEMAS}
            and (t.typtype in ('e', 'd', 'r', 'm') or c.relkind = 'c')
        union all
        select 'schema ' || n.nspname
        from pg_namespace as n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as g
        where g.grantee = 0 and n.nspname in {SCHEMAS}
        union all
        select 'default for ' || d.defaclobjtype::text || ' of ' || d.defaclrole::regrole
        from pg_default_acl as d, aclexplode(d.defaclacl) as g
        where g.grantee = 0 and d.defaclrole = 'credits_owner'::regrole
        """
    )
    assert public == set()


def test_new_function_or_type_is_granted_to_nobody(db: Connection) -> None:
    """That holds until access.sql grants it, also between its CREATE and the end of a migration."""
    db.execute("set role credits_owner")
    db.execute("create function credits.fresh() returns int language sql as $$ select 1 $$")
    db.execute("create type credits.fresh_type as (n int)")
    db.execute("create domain credits.fresh_domain as int")
    row = db.execute(
        "select has_function_privilege('anon', 'credits.fresh()', 'execute'),"
        " has_type_privilege('anon', 'credits.fresh_type', 'usage'),"
        " has_type_privilege('anon', 'credits.fresh_domain', 'usage')"
    ).fetchone()
    assert row == (False, False, False)
