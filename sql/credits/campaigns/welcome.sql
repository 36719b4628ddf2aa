-- What an account is given when it opens: its first entries.
create or replace function credits.welcome(
    p_account_id uuid,
    out tokens numeric,
    out waits_for text,
    out reset_at timestamptz
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_verified constant boolean not null := credits.may_be_welcomed(p_account_id);
    v_campaign record;
    v_grant record;
begin
    tokens := 0;
    -- Campaigns that are over are skipped without waiting for their rows. The lock makes the grant durable, and nobody
    -- else knows this wallet yet.
    for v_campaign in
        select c.campaign_id, c.tokens
        from credits.campaigns as c
        where c.kind = 'welcome' and credits.campaign_verdict(c, 1, credits.clock()) = 'open'
        order by c.campaign_id
    loop
        if not v_verified then
            waits_for := 'verification';
            exit;
        end if;
        perform credits.lock_wallet(p_account_id);
        v_grant := credits.grant_campaign(p_account_id, v_campaign.campaign_id);
        if v_grant.verdict = 'open' then
            tokens := tokens + v_campaign.tokens;
        elsif v_grant.verdict = 'bounded' then
            waits_for := 'limit';
            reset_at := least(coalesce(reset_at, 'infinity'), coalesce(v_grant.reset_at, 'infinity'));
        end if;
    end loop;
    tokens := trim_scale(tokens);
    update credits.accounts as a
    set welcome_waits = waits_for is not null
    where a.account_id = p_account_id and a.welcome_waits is distinct from (waits_for is not null);
end
$$;
comment on function credits.welcome(uuid) is
'Grants a new account what every welcome campaign gives. A campaign that is over gives nothing, which is not an error. '
'tokens: how many were granted. waits_for: what withholds others: verification, or limit until reset_at.';

create or replace function credits.may_be_welcomed(p_account_id uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (select s.verified_welcome from credits.settings as s) is not true or exists (
        select from credits.accounts as a where a.account_id = p_account_id and a.verified_at is not null
    );
end
$$;
comment on function credits.may_be_welcomed(uuid) is
'False while the operator requires a verified address and no service has said that this account has one.';

create or replace function credits.welcome_again(
    p_account_id uuid,
    out tokens numeric,
    out waits_for text,
    out reset_at timestamptz
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wallet record;
    v_welcome record;
begin
    tokens := 0;
    -- Of two calls at once, the second waits for the wallet, and then sees what the first has done.
    if (select a.welcome_waits from credits.accounts as a where a.account_id = p_account_id) is not true then
        return;
    end if;
    v_wallet := credits.lock_wallet(p_account_id);
    if v_wallet.status = 'active'
        and (select a.welcome_waits from credits.accounts as a where a.account_id = p_account_id) is true then
        v_welcome := credits.welcome(p_account_id);
        tokens := v_welcome.tokens;
        waits_for := v_welcome.waits_for;
        reset_at := v_welcome.reset_at;
    end if;
end
$$;
comment on function credits.welcome_again(uuid) is
'Tries again to grant a welcome that was withheld, to an active account. Each campaign gives a welcome only once.';

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
            and (select s.verified_welcome from credits.settings as s) is not true
    );
end
$$;
comment on function credits.welcome_tokens(timestamptz, text[]) is
'Tokens that an account would be given if it opened now: those bound to one of the scopes or to nothing. Without '
'scopes, all of them.';
