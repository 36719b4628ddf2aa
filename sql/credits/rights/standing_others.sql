-- A part of credits.standing_objects(): kinds of objects that neither migrations/ nor sql/ ever makes, in the four
-- schemas or attached to what stands there. Somebody else made anything that is found.
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
        and n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit')
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
        n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit')
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
                    and y.nspname not in ('credits', 'api', 'analytics', 'finance', 'audit')
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
