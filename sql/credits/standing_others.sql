-- A part of credits.standing_objects(): kinds of objects that neither migrations/ nor sql/ ever makes, in the four
-- schemas or attached to what stands there. Whatever is found was made by somebody else.

create or replace function credits.standing_others()
returns table (kind text, name text, definition text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    -- Everything in a schema depends on it: operators, collations, conversions, text search, statistics, and whatever
    -- later versions of PostgreSQL will have.
    select distinct i.type, i.identity, i.identity
    from pg_catalog.pg_depend as d
    join pg_catalog.pg_namespace as n on d.refobjid = n.oid
    cross join lateral pg_identify_object(d.classid, d.objid, 0) as i
    where
        d.refclassid = 'pg_catalog.pg_namespace'::regclass and d.deptype in ('n', 'a')
        and n.nspname in ('credits', 'api', 'analytics', 'audit')
        and d.classid not in (
            'pg_catalog.pg_class'::regclass, 'pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_type'::regclass,
            'pg_catalog.pg_default_acl'::regclass
        )
        and not exists (
            select from pg_catalog.pg_depend as e
            where e.classid = d.classid and e.objid = d.objid and e.deptype = 'e'
        )
    union
    -- What is attached from outside to a table, a function or a type of the bank: publications, statistics, casts,
    -- transforms, and tables that inherit.
    select i.type, i.identity, i.identity
    from pg_catalog.pg_depend as d
    left join pg_catalog.pg_class as c on d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = c.oid
    left join pg_catalog.pg_proc as p on d.refclassid = 'pg_catalog.pg_proc'::regclass and d.refobjid = p.oid
    left join pg_catalog.pg_type as t on d.refclassid = 'pg_catalog.pg_type'::regclass and d.refobjid = t.oid
    join pg_catalog.pg_namespace as n on coalesce(c.relnamespace, p.pronamespace, t.typnamespace) = n.oid
    cross join lateral pg_identify_object(d.classid, d.objid, 0) as i
    where
        n.nspname in ('credits', 'api', 'analytics', 'audit')
        and (
            d.classid in (
                'pg_catalog.pg_publication_rel'::regclass, 'pg_catalog.pg_statistic_ext'::regclass,
                'pg_catalog.pg_cast'::regclass, 'pg_catalog.pg_transform'::regclass
            )
            or exists (
                select
                from pg_catalog.pg_inherits as h
                join pg_catalog.pg_class as x on h.inhrelid = x.oid
                join pg_catalog.pg_namespace as y on x.relnamespace = y.oid
                where
                    h.inhparent = c.oid and h.inhrelid = d.objid and d.classid = 'pg_catalog.pg_class'::regclass
                    and y.nspname not in ('credits', 'api', 'analytics', 'audit')
            )
        )
    union
    select 'publication', format('%I of all tables', b.pubname), ''
    from pg_catalog.pg_publication as b
    where b.puballtables;
end
$$;
comment on function credits.standing_others() is
'Objects that pgcredits never makes, in the bank''s schemas or attached to what stands there: operators, collations, '
'text search, statistics, casts, publications and the like.';

create or replace function credits.standing_triggers_of_events()
returns table (kind text, name text, definition text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- In a database with neighbours some belong to them (Supabase has several). These are owned by superusers and
    -- cannot be changed by others.
    v_hardened constant boolean not null := exists (select from credits.releases as r where r.hardened);
begin
    return query
    select 'event trigger', format('%I with %s', g.evtname, p.oid::regprocedure), g.evtevent::text
    from pg_catalog.pg_event_trigger as g
    join pg_catalog.pg_proc as p on g.evtfoid = p.oid
    join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
    join pg_catalog.pg_roles as r on p.proowner = r.oid
    where
        (v_hardened or not r.rolsuper or n.nspname in ('public', 'credits', 'api', 'analytics', 'audit'))
        and not exists (
            select from pg_catalog.pg_depend as e
            where
                e.classid = 'pg_catalog.pg_event_trigger'::regclass and e.objid = g.oid and e.deptype = 'e'
        );
end
$$;
comment on function credits.standing_triggers_of_events() is
'Event triggers, which run with every migration. In a database of the bank''s own: all of them. In a database with '
'neighbours: those whose function is in schema public, or belongs to a role that is not a superuser.';

create or replace function credits.standing_defaults()
returns table (kind text, name text, definition text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with defaults as (
        select r.rolname, n.nspname, a.defaclobjtype::text as type, a.defaclrole as role_id, a.defaclacl as acl
        from pg_catalog.pg_default_acl as a
        join pg_catalog.pg_roles as r on a.defaclrole = r.oid
        left join pg_catalog.pg_namespace as n on a.defaclnamespace = n.oid
        where n.nspname in ('credits', 'api', 'analytics', 'audit') or r.rolname = 'credits_owner'
        union all
        -- By default PUBLIC may call what the owner makes. access.sql takes that away.
        select r.rolname, null, x.type, r.oid, acldefault(x.type::"char", r.oid)
        from pg_catalog.pg_roles as r
        cross join (values ('f'), ('T')) as x (type)
        where r.rolname = 'credits_owner' and not exists (
            select from pg_catalog.pg_default_acl as a
            where a.defaclrole = r.oid and a.defaclnamespace = 0 and a.defaclobjtype = x.type::"char"
        )
    )

    select
        'default privilege',
        format(
            '%s of %s%s: %s to %s', case d.type
                when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types'
                when 'n' then 'schemas' else d.type
            end,
            d.rolname, ' in ' || d.nspname, a.privilege_type, coalesce(g.rolname, 'public')
        ),
        a.is_grantable::text
    from defaults as d
    cross join lateral aclexplode(d.acl) as a
    left join pg_catalog.pg_roles as g on a.grantee = g.oid
    where a.grantee <> d.role_id;
end
$$;
comment on function credits.standing_defaults() is
'Default privileges for objects that will be made in the bank''s schemas, or by its owner, given to anybody but their '
'maker.';
