-- What an account gets when it opens: its first entries.
create or replace function credits.welcome(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_campaign_id text;
begin
    -- Those that are over are passed by without waiting for their row. The lock makes the grant durable: nobody else
    -- knows this wallet yet.
    for v_campaign_id in
        select c.campaign_id
        from credits.campaigns as c
        where c.kind = 'welcome' and credits.campaign_verdict(c, 1, credits.clock()) = 'open'
        order by c.campaign_id
    loop
        perform credits.lock_wallet(p_account_id);
        perform credits.grant_campaign(p_account_id, v_campaign_id);
    end loop;
end
$$;
comment on function credits.welcome(uuid) is
'Grants a new account what every welcome campaign gives; one that is over gives nothing, and is no error.';

create or replace function credits.welcome_tokens(p_at timestamptz, p_scopes text[] default null)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(sum(c.tokens), 0)
        from credits.campaigns as c
        where
            c.kind = 'welcome' and credits.campaign_verdict(c, 1, p_at) = 'open'
            and (c.scope is null or p_scopes is null or c.scope = any (p_scopes))
    );
end
$$;
comment on function credits.welcome_tokens(timestamptz, text[]) is
'Tokens that an account would find if it opened now: those bound to one of the scopes or to none; without scopes, all.';
