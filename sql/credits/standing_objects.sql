-- The objects in the four schemas now, each with a digest of its definition. Partitions of the ledger follow their
-- parent and are left out. So are objects that belong to an extension.
create or replace function credits.standing_objects()
returns table (kind text, name text, definition text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- PostgreSQL spells times, intervals and names in a definition as the session wants to see them.
set timezone = 'UTC'
set datestyle = 'ISO, MDY'
set intervalstyle = 'postgres'
set quote_all_identifiers = off
as $$
begin
    return query
    select f.kind, f.name, md5(f.definition) from credits.standing_functions() as f
    union all
    -- Without parentheses: PostgreSQL writes `a and b and c` with others after a restore from a dump. The same is true
    -- of function bodies that are not stored as text.
    select o.kind, o.name, md5(regexp_replace(o.definition, '[()\s]+', ' ', 'g'))
    from (
        select x.kind, x.name, x.definition from credits.standing_relations() as x
        union all
        select x.kind, x.name, x.definition from credits.standing_attachments() as x
        union all
        select x.kind, x.name, x.definition from credits.standing_types() as x
    ) as o
    union all
    select p.kind, p.name, md5(p.definition) from credits.standing_privileges() as p
    union all
    select t.kind, t.name, md5(t.definition) from credits.standing_others() as t
    union all
    select e.kind, e.name, md5(e.definition) from credits.standing_triggers_of_events() as e
    union all
    select d.kind, d.name, md5(d.definition) from credits.standing_defaults() as d;
end
$$;
comment on function credits.standing_objects() is
'The functions, views, tables, sequences, types, triggers, policies and rules of the bank''s schemas, who may use '
'them, and everything else that somebody added there or attached to them. definition is a digest, the same on the same '
'major version of PostgreSQL.';

create or replace function credits.standing_functions()
returns table (kind text, name text, definition text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- PostgreSQL spells times, intervals and names in a definition as the session wants to see them.
set timezone = 'UTC'
set datestyle = 'ISO, MDY'
set intervalstyle = 'postgres'
set quote_all_identifiers = off
as $$
begin
    return query
    select
        'function', format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
        case
            when p.prokind = 'a' then 'aggregate'
            when p.prosqlbody is null then pg_get_functiondef(p.oid)
            else regexp_replace(pg_get_functiondef(p.oid), '[()\s]+', ' ', 'g')
        end
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
    where
        n.nspname in ('credits', 'api', 'analytics', 'audit')
        and not exists (
            select from pg_catalog.pg_depend as d
            where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
        );
end
$$;
comment on function credits.standing_functions() is 'The functions among credits.standing_objects(), with their text.';

create or replace function credits.standing_relations()
returns table (kind text, name text, definition text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- PostgreSQL spells times, intervals and names in a definition as the session wants to see them.
set timezone = 'UTC'
set datestyle = 'ISO, MDY'
set intervalstyle = 'postgres'
set quote_all_identifiers = off
as $$
begin
    return query
    select
        case when c.relkind in ('v', 'm') then 'view' when c.relkind = 'S' then 'sequence' else 'table' end,
        format('%I.%I', n.nspname, c.relname),
        concat_ws(
            e'\n', c.relkind, c.relrowsecurity, c.relforcerowsecurity, array_to_string(c.reloptions, ','),
            case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end,
            (
                select
                    string_agg(
                        concat_ws(
                            ' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                            a.attgenerated, pg_get_expr(d.adbin, d.adrelid)
                        ),
                        ',' order by a.attnum
                    )
                from pg_catalog.pg_attribute as a
                left join pg_catalog.pg_attrdef as d on a.attrelid = d.adrelid and a.attnum = d.adnum
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and c.relkind <> 'S'
            ),
            (
                select string_agg(x.conname || ' ' || pg_get_constraintdef(x.oid), ',' order by x.conname)
                from pg_catalog.pg_constraint as x
                where x.conrelid = c.oid and x.contype <> 'n'
            ),
            (
                select string_agg(pg_get_indexdef(i.indexrelid), ',' order by i.indexrelid::regclass::text)
                from pg_catalog.pg_index as i
                where i.indrelid = c.oid
            )
        )
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
    where
        n.nspname in ('credits', 'api', 'analytics', 'audit')
        and c.relkind in ('r', 'p', 'f', 'v', 'm', 'S') and not c.relispartition
        and not exists (
            select from pg_catalog.pg_depend as d
            -- PostgreSQL records that a partitioned table depends on the columns of its own key.
            where
                d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.refobjid <> c.oid
                and d.deptype in ('e', 'i')
        );
end
$$;
comment on function credits.standing_relations() is
'The tables, views and sequences among credits.standing_objects(), with columns, constraints and indexes.';

create or replace function credits.standing_attachments()
returns table (kind text, name text, definition text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- PostgreSQL spells times, intervals and names in a definition as the session wants to see them.
set timezone = 'UTC'
set datestyle = 'ISO, MDY'
set intervalstyle = 'postgres'
set quote_all_identifiers = off
as $$
begin
    return query
    with tables as (
        -- A partition has the triggers of its parent, which are not listed again, and a policy that check_access
        -- compares.
        select c.oid, format('%I.%I', n.nspname, c.relname) as name, c.relispartition
        from pg_catalog.pg_class as c
        join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
        where n.nspname in ('credits', 'api', 'analytics', 'audit')
    )

    select 'trigger', format('%I on %s', t.tgname, x.name), concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
    from pg_catalog.pg_trigger as t
    join tables as x on t.tgrelid = x.oid
    where
        not t.tgisinternal and t.tgparentid = 0
        and not exists (
            select
            from pg_catalog.pg_inherits as h
            join pg_catalog.pg_trigger as o on h.inhparent = o.tgrelid
            where
                x.relispartition and h.inhrelid = t.tgrelid and o.tgname = t.tgname and o.tgfoid = t.tgfoid
                and o.tgtype = t.tgtype and o.tgenabled = t.tgenabled
        )
    union all
    select
        'policy', format('%I on %s', p.polname, x.name),
        concat_ws(
            ' ', p.polcmd, p.polpermissive,
            (select string_agg(coalesce(r.rolname, 'public'), ',' order by r.rolname) from unnest(p.polroles) as u (oid)
            left join pg_catalog.pg_roles as r on u.oid = r.oid),
            'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)
        )
    from pg_catalog.pg_policy as p
    join tables as x on p.polrelid = x.oid
    where not x.relispartition
    union all
    select 'rule', format('%I on %s', r.rulename, x.name), pg_get_ruledef(r.oid)
    from pg_catalog.pg_rewrite as r
    join tables as x on r.ev_class = x.oid
    where r.rulename <> '_RETURN';
end
$$;
comment on function credits.standing_attachments() is
'The triggers, policies and rules among credits.standing_objects(): what is attached to a table.';

create or replace function credits.standing_types()
returns table (kind text, name text, definition text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- PostgreSQL spells times, intervals and names in a definition as the session wants to see them.
set timezone = 'UTC'
set datestyle = 'ISO, MDY'
set intervalstyle = 'postgres'
set quote_all_identifiers = off
as $$
begin
    return query
    select
        'type', format('%I.%I', n.nspname, t.typname),
        concat_ws(
            e'\n', t.typtype, t.typnotnull, t.typdefault, nullif(format_type(t.typbasetype, t.typtypmod), '-'),
            (
                select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ',' order by a.attnum)
                from pg_catalog.pg_attribute as a
                where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
            ),
            (
                select string_agg(x.conname || ' ' || pg_get_constraintdef(x.oid), ',' order by x.conname)
                from pg_catalog.pg_constraint as x
                where x.contypid = t.oid and x.contype <> 'n'
            ),
            (
                select string_agg(e.enumlabel, ',' order by e.enumsortorder)
                from pg_catalog.pg_enum as e
                where e.enumtypid = t.oid
            )
        )
    from pg_catalog.pg_type as t
    join pg_catalog.pg_namespace as n on t.typnamespace = n.oid
    left join pg_catalog.pg_class as c on t.typrelid = c.oid
    where
        n.nspname in ('credits', 'api', 'analytics', 'audit')
        and t.typtype in ('b', 'c', 'd', 'e', 'r') and coalesce(c.relkind, 'c') = 'c'
        -- An array type follows the type of its elements.
        and not exists (select from pg_catalog.pg_type as x where x.typarray = t.oid)
        and not exists (
            select from pg_catalog.pg_depend as d
            where d.classid = 'pg_catalog.pg_type'::regclass and d.objid = t.oid and d.deptype = 'e'
        );
end
$$;
comment on function credits.standing_types() is
'The types and domains among credits.standing_objects(), except those of tables.';

create or replace function credits.standing_privileges()
returns table (kind text, name text, definition text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- PostgreSQL spells times, intervals and names in a definition as the session wants to see them.
set timezone = 'UTC'
set datestyle = 'ISO, MDY'
set intervalstyle = 'postgres'
set quote_all_identifiers = off
as $$
begin
    return query
    with things as (
        select
            p.pronamespace as schema, format('%I(%s)', p.proname, oidvectortypes(p.proargtypes)) as thing,
            p.proowner as owner, coalesce(p.proacl, acldefault('f', p.proowner)) as acl
        from pg_catalog.pg_proc as p
        union all
        -- A dump does not distinguish default rights from rights that were granted and equal the default.
        select
            c.relnamespace, c.relname, c.relowner,
            coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))
        from pg_catalog.pg_class as c
        where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S') and not c.relispartition
        union all
        select c.relnamespace, format('%I.%I', c.relname, a.attname), null, a.attacl
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_class as c on a.attrelid = c.oid
        where a.attacl is not null
        union all
        select n.oid, n.nspname, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner))
        from pg_catalog.pg_namespace as n
    )

    select 'privileges', n.nspname::text, string_agg(x.line, ',' order by x.line collate "C")
    from pg_catalog.pg_namespace as n
    cross join lateral (
        select concat_ws(' ', t.thing, o.rolname, a.privilege_type, a.is_grantable, coalesce(g.rolname, 'public'))
        from things as t
        left join pg_catalog.pg_roles as o on t.owner = o.oid
        left join lateral aclexplode(t.acl) as a on true
        left join pg_catalog.pg_roles as g on a.grantee = g.oid
        where
            t.schema = n.oid
            -- An operator may give rights to logins of their own: these are not compared.
            and (
                coalesce(a.grantee, 0) = 0 or a.grantee = t.owner
                or g.rolname in ('anon', 'authenticated', 'service_role', 'spender', 'support', 'analyst', 'auditor')
                or g.rolname like 'pgcredits\_%'
            )
    ) as x (line)
    where n.nspname in ('credits', 'api', 'analytics', 'audit')
    group by n.nspname;
end
$$;
comment on function credits.standing_privileges() is
'For each of the bank''s schemas: who owns what is in it, and what PUBLIC and the bank''s roles may do with it.';
