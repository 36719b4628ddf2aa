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
