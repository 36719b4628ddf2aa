-- The first purchase of a user rewards the referrer who brought them, and the user.
create or replace function credits.settle_referral(p_account_id uuid, p_order_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_referral credits.referrals;
    v_campaign credits.campaigns;
    v_verdict text := 'ended';
    v_lot_id bigint;
begin
    select r.* into v_referral
    from credits.referrals as r
    where r.account_id = p_account_id and r.state = 'pending';
    if not found then
        return;
    end if;

    -- Both get their tokens, or neither. A frozen referrer may receive tokens; a closed one may not.
    if (
        select w.status <> 'closed' from credits.wallets as w where w.account_id = v_referral.referrer_id
    ) is true then
        select g.verdict, g.lot_id into v_verdict, v_lot_id
        from credits.grant_campaign(v_referral.referrer_id, v_referral.campaign_id, v_referral.code) as g;
    end if;
    if v_verdict is not distinct from 'open' then
        select c.* into strict v_campaign from credits.campaigns as c where c.campaign_id = v_referral.campaign_id;
        if v_campaign.referee_tokens > 0 then
            perform credits.book_gift(
                p_account_id, v_campaign, 0, v_campaign.referee_tokens, v_referral.code, credits.clock(p_account_id)
            );
        end if;
    end if;
    update credits.referrals as r
    set
        state = case
            when (v_verdict = 'open') is true then 'paid'
            when (v_verdict in ('used', 'exhausted')) is true then 'capped'
            else 'lapsed'
        end,
        settled_at = credits.clock(),
        order_id = p_order_id, reward_lot_id = v_lot_id
    where r.account_id = p_account_id;
end
$$;
comment on function credits.settle_referral(uuid, uuid) is
'Rewards the referrer of an account that has just paid for the first time, by this order, and the account itself. Both '
'wallets are locked by credits.lock_with_referrer.';
