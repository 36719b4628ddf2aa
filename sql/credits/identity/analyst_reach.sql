-- Which accounts an analyst may count: those that credits.analyst_grants gives to their SQL login.
create or replace function credits.analyst_segments()
returns text[]
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce(
        (
            select array_agg(g.segment)
            from credits.analyst_grants as g
            where g.login = session_user and g.role_oid = credits.session_role()
        ),
        '{}'
    );
end
$$;
comment on function credits.analyst_segments() is
'The segments granted to the SQL login of this session; * means every account.';

create or replace function credits.analyst_accounts()
returns setof uuid
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query select a.account_id from credits.accounts as a where a.segment = any (credits.analyst_segments());
end
$$;
comment on function credits.analyst_accounts() is
'The accounts in the segments granted to the SQL login of this session.';
