-- Removes a bank from a database, with its books, and its roles from the server unless somebody else uses them.
--
--     psql "$ADMIN_DATABASE_URL" -v database=pgcredits -f docs/examples/uninstall.sql
--
-- The name of the database says that you mean this one. It is one transaction: all of it happens, or nothing.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?database}
\else
\echo 'say which database: psql -v database=NAME -f docs/examples/uninstall.sql'
\quit
\endif
set client_min_messages = warning;
set lock_timeout = '10s';
begin;
select set_config('uninstall.database', :'database', true) \gset uninstall_

-- 1. Is it that database, and a bank? What belongs to others is noted.
do $$
begin
    if current_database() <> current_setting('uninstall.database') then
        raise exception 'this is the database %, not %: nothing was removed',
            current_database(), current_setting('uninstall.database');
    elsif (select count(*) from pg_namespace where nspname in ('credits', 'api', 'audit')) <> 3 then
        raise exception 'no bank is in the database %: nothing was removed', current_database();
    end if;
end
$$;
-- Whatever a DROP can take along stands in pg_depend: policies, triggers, columns, indexes and rules, too.
create temporary table uninstall_neighbours on commit drop as
select d.classid, d.objid, d.objsubid, i.type, i.identity
from (select distinct p.classid, p.objid, p.objsubid from pg_depend as p) as d
cross join lateral pg_identify_object(d.classid, d.objid, d.objsubid) as i
cross join lateral pg_identify_object_as_address(d.classid, d.objid, d.objsubid) as a
where
    d.classid <> 'pg_default_acl'::regclass
    and split_part(a.object_names[1], '.', 1) not in (
        'credits', 'api', 'analytics', 'finance', 'audit', 'yoyo', 'pg_catalog', 'information_schema', 'pg_toast'
    );

-- 2. The schemas. Something of somebody else that would go with them stops it.
drop schema if exists credits, api, analytics, finance, audit, yoyo cascade;
drop owned by credits_owner; -- its default privileges
do $$
declare
    v_lost text;
begin
    select string_agg(n.type || ' ' || n.identity, ', ' order by n.identity) into v_lost
    from uninstall_neighbours as n
    where (pg_identify_object(n.classid, n.objid, n.objsubid)).identity is distinct from n.identity;
    if v_lost is not null then
        raise exception 'these use the bank: %. Drop or change them first. Nothing was removed', v_lost;
    end if;
end
$$;

-- 3. The roles. All stay while another database has a bank. Each stays that somebody else's object or login needs.
do $$
declare
    v_ours constant text[] := array[
        'pgcredits_api', 'pgcredits_service', 'pgcredits_analyst', 'pgcredits_auditor', 'pgcredits_accountant',
        'pgcredits_catalog', 'service_role', 'spender', 'support', 'analyst', 'auditor', 'accountant', 'authenticated',
        'anon', 'credits_owner'
    ];
    v_role text;
    v_member text;
begin
    foreach v_role in array v_ours loop
        if to_regrole(v_role) is not null then
            execute format('revoke all on database %I from %I', current_database(), v_role);
        end if;
    end loop;
    if exists (
        select from pg_shdepend as s
        where s.refclassid = 'pg_authid'::regclass and s.refobjid = to_regrole('credits_owner')
            and s.dbid not in (0, (select d.oid from pg_database as d where d.datname = current_database()))
    ) then
        raise warning 'the roles stay: another database of this server has a bank';
        return;
    end if;
    foreach v_role in array v_ours loop
        continue when to_regrole(v_role) is null;
        select min(m.member::regrole::text) into v_member
        from pg_auth_members as m
        where m.roleid = v_role::regrole and m.member::regrole::text <> all (v_ours)
            and m.member <> current_user::regrole;
        if v_member is not null then
            raise warning 'the role % stays: % is a member of it', v_role, v_member;
            continue;
        end if;
        begin
            execute format('drop role %I', v_role);
        exception
            when dependent_objects_still_exist or insufficient_privilege then
                raise warning 'the role % stays: %', v_role, sqlerrm;
        end;
    end loop;
end
$$;
commit;
\echo 'the bank is removed'
