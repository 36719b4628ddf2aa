-- What is attached to a table, as a part of credits.standing_objects().
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
        where n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit')
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
