"""access.sql first revokes everything: grants made by hand or by an earlier version are gone."""

from __future__ import annotations

from callers import Connection

from pgcredits.bank.migrate import run

RIGHTS = (
    "usage on schema credits",
    "create on schema api",
    "select on credits.credentials",
    "select (email) on credits.credentials",
    "insert on credits.orders",
    "usage on sequence credits.prices_price_id_seq",
    "execute on function credits.me()",
    "execute on function api.add_tokens(text, numeric, text)",
    "usage on type credits.tokens",
    "usage on type credits.entry_kind",
    "usage on type api.event_receipt",
)


def rights(db: Connection, role: str) -> set[str]:
    """The first word of each privilege that is direct, and what it is on."""
    rows = db.execute(
        """
        with granted (thing, acl) as (
            select 'schema ' || n.nspname, n.nspacl from pg_namespace as n
            union all
            select 'relation ' || c.oid::regclass, c.relacl from pg_class as c
            union all
            select 'column ' || a.attrelid::regclass || '.' || a.attname, a.attacl from pg_attribute as a
            union all
            select 'function ' || p.oid::regprocedure, p.proacl from pg_proc as p
            union all
            select 'type ' || t.oid::regtype, t.typacl from pg_type as t
        )
        select g.thing || ' ' || a.privilege_type
        from granted as g
        cross join aclexplode(g.acl) as a
        where g.thing ~ ' (credits|api|analytics|audit)' and a.grantee = (
            select coalesce(max(r.oid), 0::oid) from pg_roles as r where r.rolname = %s
        )
        """,
        (role,),
    ).fetchall()
    return {right for (right,) in rows}


def give(db: Connection, role: str) -> None:
    for right in RIGHTS:
        db.execute(f"grant {right} to {role}")


def test_migrate_revokes_rights_that_access_does_not_give(db: Connection, url: str) -> None:
    roles = ("public", "anon", "authenticated", "spender", "support", "pgcredits_catalog")
    before = {role: rights(db, role) for role in roles}
    for role in roles:
        with db.transaction(force_rollback=True):
            give(db, role)
            assert len(rights(db, role)) > len(before[role]) + 5
            assert db.execute("select count(*) from audit.check_release").fetchone() != (0,), role
    for role in roles:
        give(db, role)
    run(url)
    assert {role: rights(db, role) for role in roles} == before
    assert db.execute("select * from audit.findings").fetchall() == []
