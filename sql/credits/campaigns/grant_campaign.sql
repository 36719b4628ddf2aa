-- Everything that is given away goes through here. The claim and the grant are one, under two locks: the wallet's,
-- which the caller holds, and then the campaign's row. The time is taken after both.

create or replace function credits.campaign_verdict(p_campaign credits.campaigns, p_number bigint, p_at timestamptz)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A campaign is open only if that can be shown, so one that does not exist is not. Without a budget it is never
    -- exhausted.
    return case
        when (p_campaign.active and p_at >= p_campaign.valid_from) is not true then 'withdrawn'
        when (p_at < p_campaign.valid_until) is not true then 'ended'
        when (p_number <= p_campaign.per_account) is not true then 'used'
        when (p_campaign.grants >= p_campaign.budget) is true then 'exhausted'
        else 'open'
    end;
end
$$;
comment on function credits.campaign_verdict(credits.campaigns, bigint, timestamptz) is
'Whether a campaign would give an account the grant of that number: open, or else withdrawn (or not begun), ended, '
'used (by the account) or exhausted (the budget).';

create or replace function credits.lock_campaigns(p_campaign_ids text[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text;
begin
    v_before := credits.bound_wait();
    perform from credits.campaigns as c
    where c.campaign_id = any (p_campaign_ids)
    order by c.campaign_id
    for no key update;
    perform set_config('lock_timeout', v_before, true);
exception
    when lock_not_available then
        perform credits.refuse_busy('this campaign');
end
$$;
comment on function credits.lock_campaigns(text[]) is
'Locks campaigns in the order of their ids, until the end of the transaction. Raises PT503 busy.';

create or replace function credits.grant_campaign(
    p_account_id uuid,
    p_campaign_id text,
    p_code text default null,
    out verdict text,
    out lot_id bigint,
    out reset_at timestamptz
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_campaign credits.campaigns;
    v_number bigint;
    v_now timestamptz;
begin
    perform credits.lock_campaigns(array[p_campaign_id]);
    select c.* into v_campaign from credits.campaigns as c where c.campaign_id = p_campaign_id;
    v_now := credits.clock(p_account_id);
    v_number := 1 + (
        select coalesce(max(r.number), 0)
        from credits.redemptions as r
        where r.account_id = p_account_id and r.campaign_id = p_campaign_id
    );
    verdict := credits.campaign_verdict(v_campaign, v_number, v_now);
    if verdict = 'open' then
        reset_at := credits.campaign_room(v_campaign, p_account_id, v_now);
        verdict := case when reset_at is null then 'open' else 'bounded' end;
    end if;
    if verdict = 'open' then
        update credits.campaigns as c set grants = c.grants + 1 where c.campaign_id = p_campaign_id;
        lot_id := credits.book_gift(p_account_id, v_campaign, v_number, v_campaign.tokens, p_code, v_now);
    end if;
end
$$;
comment on function credits.grant_campaign(uuid, text, text) is
'Grants what a campaign gives to a locked wallet. verdict: open if it was granted, otherwise that of '
'credits.campaign_verdict, or bounded, until reset_at, if the device or network of the account has had all that it '
'may have. Raises PT422 bad_amount.';

create or replace function credits.book_gift(
    p_account_id uuid,
    p_campaign credits.campaigns,
    p_number bigint,
    p_tokens numeric,
    p_code text,
    p_at timestamptz
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_lot_id bigint;
begin
    -- The metadata put the campaign into the hash chain. They also distinguish its grants from those of a service that
    -- uses the same reference.
    v_lot_id := credits.grant_lot(
        p_account_id, p_campaign.kind, p_tokens, p_campaign.title, p_campaign.priority, p_campaign.scope,
        credits.later(p_at, p_campaign.expires_after), p_campaign_id => p_campaign.campaign_id,
        p_metadata => jsonb_build_object('campaign_id', p_campaign.campaign_id, 'number', p_number)
    );
    insert into credits.redemptions (account_id, campaign_id, number, lot_id, code, redeemed_at)
    values (p_account_id, p_campaign.campaign_id, p_number, v_lot_id, p_code, p_at);
    return v_lot_id;
end
$$;
comment on function credits.book_gift(uuid, credits.campaigns, bigint, numeric, text, timestamptz) is
'Books grant p_number of a campaign on a locked wallet, and returns the lot. The key of credits.redemptions lets this '
'happen only once.';
