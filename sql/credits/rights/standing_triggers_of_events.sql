-- Event triggers, as a part of credits.standing_objects().
create or replace function credits.standing_triggers_of_events()
returns table (kind text, name text, definition text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- In a database with neighbours some belong to them (Supabase has several). Their functions are those of superusers or
    -- of the owner of the database, and cannot be changed by others.
    v_hardened constant boolean not null := exists (select from credits.releases as r where r.hardened);
begin
    return query
    select 'event trigger', format('%I with %s', g.evtname, p.oid::regprocedure), g.evtevent::text
    from pg_catalog.pg_event_trigger as g
    join pg_catalog.pg_proc as p on g.evtfoid = p.oid
    join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
    join pg_catalog.pg_roles as r on p.proowner = r.oid
    where
        (
            v_hardened or n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit')
            or not r.rolsuper and r.oid is distinct from (
                select d.datdba from pg_catalog.pg_database as d where d.datname = current_database()
            )
        )
        and not exists (
            select from pg_catalog.pg_depend as e
            where
                e.classid = 'pg_catalog.pg_event_trigger'::regclass and e.objid = g.oid and e.deptype = 'e'
        );
end
$$;
comment on function credits.standing_triggers_of_events() is
'Event triggers, which run with every migration. In a database of the bank''s own: all of them. In a database with '
'neighbours: those whose function belongs to a role that is neither a superuser nor the owner of the database.';
