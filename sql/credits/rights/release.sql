-- Whether the functions and the tables of this database belong together. What is there now is compared with what the
-- last `pgcredits migrate` left.

-- The HTTP API asks for these two digests whenever somebody asks whether it is ready, so no definition is spelled out
-- for them.
create or replace function credits.functions_digest()
returns text
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
    return (
        select
            md5(string_agg(
                concat_ws(
                    ' ', n.nspname, p.proname, p.pronargs, p.prosecdef, md5(p.prosrc),
                    case
                        when p.prosqlbody is not null
                            then md5(regexp_replace(pg_get_function_sqlbody(p.oid), '[()\s]+', ' ', 'g'))
                    end
                ),
                ',' order by n.nspname, p.proname, p.pronargs, md5(p.prosrc)
            ))
        from pg_catalog.pg_proc as p
        join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
        where n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit')
    );
end
$$;
comment on function credits.functions_digest() is 'A digest of the bodies of all functions in the bank''s schemas.';

create or replace function credits.columns_digest()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select
            md5(string_agg(
                concat_ws(' ', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)),
                ',' order by n.nspname, c.relname, a.attname
            ))
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_class as c on a.attrelid = c.oid
        join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
        where
            n.nspname in ('credits', 'api', 'analytics', 'finance', 'audit')
            and c.relkind in ('r', 'p', 'c') and not c.relispartition and a.attnum > 0 and not a.attisdropped
    );
end
$$;
comment on function credits.columns_digest() is
'A digest of the columns of all tables and composite types in the bank''s schemas.';

create or replace function credits.release_differences()
returns table (expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- PostgreSQL spells times, intervals and names in a definition as the session wants to see them.
set timezone = 'UTC'
set datestyle = 'ISO, MDY'
set intervalstyle = 'postgres'
set quote_all_identifiers = off
as $$
declare
    v_server constant integer := current_setting('server_version_num')::integer / 10000;
begin
    if not exists (select from credits.releases as r) then
        return query select 'a release: run pgcredits migrate', 'none';
    elsif exists (select from credits.releases as r where r.server <> v_server) then
        return query
        select format('what PostgreSQL %s was given: run pgcredits migrate', v_server), 'definitions of another version';
    else
        return query
        select
            case
                when o.kind is null then 'nothing but what pgcredits migrate makes'
                else format('%s %s', o.kind, o.name)
            end,
            case
                when s.kind is null then 'none'
                when o.kind is null then format('%s %s', s.kind, s.name)
                else 'it was changed'
            end
        from credits.release_objects as o
        full join credits.standing_objects() as s on o.kind = s.kind and o.name = s.name
        where o.definition is distinct from s.definition;
    end if;
end
$$;
comment on function credits.release_differences() is
'Objects in the bank''s schemas that the last pgcredits migrate did not make, that are missing, or that have changed '
'since.';
