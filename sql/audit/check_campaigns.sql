-- Every campaign gave what it should, no more often than it may, and every referral was settled as it should be.
create or replace view audit.check_campaigns
with (security_invoker = true)
as
with recursive
-- The entries that say that a campaign granted them.
campaign_entries as (
    select
        entry.account_id,
        entry.seq,
        entry.campaign_id,
        entry.kind,
        entry.metadata ->> 'campaign_id' as named,
        entry.metadata -> 'number' as number
    from credits.entries as entry
    where entry.campaign_id is not null
),

-- The grants that count against the limits of a campaign.
grants_per_account as (
    select
        redemption.account_id,
        redemption.campaign_id,
        count(*) as grants,
        max(redemption.number) as last_number
    from credits.redemptions as redemption
    where redemption.number > 0
    group by redemption.account_id, redemption.campaign_id
),

grants_per_campaign as (
    select
        granted.campaign_id,
        sum(granted.grants) as grants
    from grants_per_account as granted
    group by granted.campaign_id
),

-- What referrers were granted, and for how many referrals they should have been.
grants_per_referrer as (
    select granted.*
    from grants_per_account as granted
    inner join credits.campaigns as campaign
        on granted.campaign_id = campaign.campaign_id and campaign.kind = 'referral'
),

paid_referrals as (
    select
        referral.referrer_id,
        referral.campaign_id,
        count(*) as paid
    from credits.referrals as referral
    where referral.state = 'paid'
    group by referral.referrer_id, referral.campaign_id
),

-- The accounts that are reached from a referrer whom nobody brought. An account in a circle, or below one, is not.
reached as (
    select referral.account_id
    from credits.referrals as referral
    left join credits.referrals as above on referral.referrer_id = above.account_id
    where above.account_id is null
    union all
    select referral.account_id
    from reached
    inner join credits.referrals as referral on reached.account_id = referral.referrer_id
)

select
    null::uuid as account_id,
    format(
        'campaign %s: %s grants, of %s at most', campaign.campaign_id, campaign.grants,
        coalesce(campaign.budget::text, 'any number')
    ) as expected,
    format('%s redemptions', coalesce(granted.grants, 0)) as found
from credits.campaigns as campaign
left join grants_per_campaign as granted on campaign.campaign_id = granted.campaign_id
where campaign.grants <> coalesce(granted.grants, 0) or campaign.grants > campaign.budget
union all
select
    granted.account_id,
    format(
        'grants of campaign %s numbered 1 to %s, at most %s', granted.campaign_id, granted.grants,
        campaign.per_account
    ) as expected,
    format('numbers up to %s', granted.last_number) as found
from grants_per_account as granted
inner join credits.campaigns as campaign on granted.campaign_id = campaign.campaign_id
where granted.last_number is distinct from granted.grants or granted.last_number > campaign.per_account
union all
select
    coalesce(redemption.account_id, entry.account_id) as account_id,
    format(
        'grant %s of campaign %s as lot %s', redemption.number, redemption.campaign_id, redemption.lot_id
    ) as expected,
    format(
        'entry %s: %s, grant %s of %s; lot of source %s', entry.seq, entry.kind, entry.number, entry.campaign_id,
        lot.source
    ) as found
from credits.redemptions as redemption
full join campaign_entries as entry
    on redemption.account_id = entry.account_id and redemption.lot_id = entry.seq
left join credits.lots as lot on entry.account_id = lot.account_id and entry.seq = lot.lot_id
left join credits.campaigns as campaign on redemption.campaign_id = campaign.campaign_id
where
    redemption.account_id is null
    or redemption.campaign_id is distinct from entry.campaign_id
    or to_jsonb(redemption.number) is distinct from entry.number
    or lot.source is distinct from entry.kind
    or campaign.kind is distinct from entry.kind
    or entry.named is distinct from entry.campaign_id
union all
select
    coalesce(referred.referrer_id, granted.account_id) as account_id,
    format(
        '%s grants of campaign %s, one for each referral paid', coalesce(referred.paid, 0), referred.campaign_id
    ) as expected,
    format('%s grants of campaign %s', coalesce(granted.grants, 0), granted.campaign_id) as found
from paid_referrals as referred
full join grants_per_referrer as granted
    on referred.referrer_id = granted.account_id and referred.campaign_id = granted.campaign_id
where referred.paid is distinct from granted.grants
union all
select
    redemption.account_id,
    format('grant 0 of campaign %s for a referral that was paid', redemption.campaign_id) as expected,
    'no such referral' as found
from credits.redemptions as redemption
left join credits.referrals as referral
    on
        redemption.account_id = referral.account_id and redemption.campaign_id = referral.campaign_id
        and referral.state = 'paid'
where redemption.number = 0 and referral.account_id is null
union all
select
    referral.account_id,
    'a referral is settled with the first paid order' as expected,
    format('referral %s, %s paid orders', referral.state, count(purchase.order_id)) as found
from credits.referrals as referral
left join credits.orders as purchase on referral.account_id = purchase.account_id and purchase.state = 'paid'
group by referral.account_id, referral.state
having (referral.state = 'pending') <> (count(purchase.order_id) = 0)
union all
select
    referral.account_id,
    format('brought by %s, who was not brought by them', referral.referrer_id) as expected,
    'a circle' as found
from credits.referrals as referral
left join reached on referral.account_id = reached.account_id
where reached.account_id is null;
comment on view audit.check_campaigns is
'Each campaign granted what was redeemed, within its budget and its limit per account. Each referral was settled
once, with its grants. Nobody is their own referrer, directly or through others.

A row means: a campaign gave more, less or to others than its redemptions say, or a referral is in a circle.

What to do: compare the redemptions of the account with its entries. Take back with api.void_lot what was given too
much, and give with api.add_tokens what is missing.';
