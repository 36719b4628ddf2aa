-- Which users an analyst may know: those of the grants that say personal_data.

create or replace function credits.named_segments()
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
            where g.login = session_user and g.role_oid = credits.session_role() and g.personal_data
        ),
        '{}'
    );
end
$$;
comment on function credits.named_segments() is
'The segments whose users the analyst of this session may know; * means every account.';

create or replace function credits.named_accounts()
returns setof uuid
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query select a.account_id from credits.accounts as a where a.segment = any (credits.named_segments());
end
$$;
comment on function credits.named_accounts() is
'The accounts in the segments whose users the analyst of this session may know.';

create or replace function credits.analyst_email(p_user_id text)
returns text
language plpgsql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_segments constant text[] not null := credits.named_segments();
begin
    return (
        select c.email
        from credits.credentials as c
        join credits.identities as i on c.subject = i.subject
        join credits.accounts as a on i.account_id = a.account_id
        where c.subject = p_user_id and ('*' = any (v_segments) or a.segment = any (v_segments))
        order by c.created_at, c.email
        limit 1
    );
end
$$;
comment on function credits.analyst_email(text) is
'The e-mail address with which a user signs in here. Null where another issuer signs the tokens, and for users whom '
'the analyst of this session may not know.';
