-- Who logs in to the bank, and within which bounds: what audit.check_settings looks at.
create or replace function credits.logins()
returns table (
    login text, roles text[], inherits boolean, administers boolean, connection_limit integer, settings jsonb
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with ours (role) as (
        values ('anon'), ('authenticated'), ('spender'), ('support'), ('service_role'), ('analyst'), ('auditor')
    ),

    settings as (
        -- What holds for a login is the most special of what is set: for it here, for it, for this database, for all.
        select distinct on (r.oid, split_part(c.setting, '=', 1))
            r.oid as login_id,
            split_part(c.setting, '=', 1) as name,
            substr(c.setting, strpos(c.setting, '=') + 1) as value
        from pg_catalog.pg_roles as r
        inner join pg_catalog.pg_db_role_setting as s on s.setrole in (r.oid, 0)
        cross join lateral unnest(s.setconfig) as c (setting)
        where
            r.rolcanlogin
            and s.setdatabase in (0, (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()))
        order by r.oid, split_part(c.setting, '=', 1), s.setrole = 0, s.setdatabase = 0
    )

    select
        r.rolname::text as login,
        m.roles,
        r.rolinherit as inherits,
        -- Administrators are whom migrations made members of the owner.
        coalesce(pg_has_role(r.oid, o.oid, 'member'), false) as administers,
        r.rolconnlimit as connection_limit,
        coalesce((select jsonb_object_agg(s.name, s.value) from settings as s where s.login_id = r.oid), '{}') as settings
    from pg_catalog.pg_roles as r
    left join pg_catalog.pg_roles as o on o.rolname = 'credits_owner'
    cross join
        lateral (
            select array_agg(x.rolname::text order by x.rolname) as roles
            from pg_catalog.pg_roles as x
            inner join ours on x.rolname = ours.role
            where pg_has_role(r.oid, x.oid, 'member')
        ) as m
    where r.rolcanlogin and not r.rolsuper and m.roles is not null;
end
$$;
comment on function credits.logins() is
'The logins that are members of the bank''s roles, superusers apart: whether they have what their roles have, or take '
'it by SET ROLE as a program does; whether they may become the owner, so that no bound holds for them; their '
'connection limit (-1: none); and {"setting": "value"}, what their sessions begin with in this database. A login may '
'change these for itself.';
