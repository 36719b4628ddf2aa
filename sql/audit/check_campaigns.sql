-- What was given away was given by its campaign, as often as it may be, and every referral was settled as it should be.
create or replace view audit.check_campaigns
with (security_invoker = true)
as
with recursive
-- The entries that say that a campaign granted them.
g as (
    select
        e.account_id,
        e.seq,
        c.campaign_id,
        c.kind,
        e.metadata -> 'number' as number
    from credits.entries as e
    inner join credits.campaigns as c on e.reference = c.campaign_id and e.kind = c.kind
    where e.metadata @> jsonb_build_object('campaign_id', c.campaign_id) and e.metadata ? 'number'
),

-- The grants that count, per campaign and account.
n as (
    select
        r.account_id,
        r.campaign_id,
        count(*) as grants,
        max(r.number) as last_number
    from credits.redemptions as r
    where r.number > 0
    group by r.account_id, r.campaign_id
),

-- Those who were brought, from the ones whom nobody brought downwards: who is in or below a circle is not reached.
t as (
    select r.account_id
    from credits.referrals as r
    left join credits.referrals as x on r.referrer_id = x.account_id
    where x.account_id is null
    union all
    select r.account_id
    from t
    inner join credits.referrals as r on t.account_id = r.referrer_id
)

select
    null::uuid as account_id,
    format('campaign %s: %s grants, of %s at most', c.campaign_id, c.grants, coalesce(c.budget::text, 'any number'))
        as expected,
    format('%s redemptions', coalesce(x.grants, 0)) as found
from credits.campaigns as c
left join (
    select
        n.campaign_id,
        sum(n.grants) as grants
    from n
    group by n.campaign_id
) as x on c.campaign_id = x.campaign_id
where c.grants <> coalesce(x.grants, 0) or c.grants > c.budget
union all
select
    n.account_id,
    format('grants of campaign %s numbered 1 to %s, at most %s', n.campaign_id, n.grants, c.per_account) as expected,
    format('numbers up to %s', n.last_number) as found
from n
inner join credits.campaigns as c on n.campaign_id = c.campaign_id
where n.last_number is distinct from n.grants or n.last_number > c.per_account
union all
select
    coalesce(r.account_id, g.account_id) as account_id,
    format('grant %s of campaign %s as lot %s', r.number, r.campaign_id, r.lot_id) as expected,
    format('entry %s: %s, grant %s of %s; lot of source %s', g.seq, g.kind, g.number, g.campaign_id, l.source) as found
from credits.redemptions as r
full join g on r.account_id = g.account_id and r.lot_id = g.seq
left join credits.lots as l on g.account_id = l.account_id and g.seq = l.lot_id
where
    r.account_id is null
    or r.campaign_id is distinct from g.campaign_id
    or to_jsonb(r.number) is distinct from g.number
    or l.source is distinct from g.kind
union all
select
    coalesce(f.referrer_id, n.account_id) as account_id,
    format('%s grants of campaign %s, one for each referral paid', coalesce(f.paid, 0), f.campaign_id) as expected,
    format('%s grants of campaign %s', coalesce(n.grants, 0), n.campaign_id) as found
from (
    select
        r.referrer_id,
        r.campaign_id,
        count(*) as paid
    from credits.referrals as r
    where r.state = 'paid'
    group by r.referrer_id, r.campaign_id
) as f
full join (
    select n.* from n inner join credits.campaigns as c on n.campaign_id = c.campaign_id and c.kind = 'referral'
) as n on f.referrer_id = n.account_id and f.campaign_id = n.campaign_id
where f.paid is distinct from n.grants
union all
select
    r.account_id,
    format('grant 0 of campaign %s for a referral that was paid', r.campaign_id) as expected,
    'no such referral' as found
from credits.redemptions as r
left join credits.referrals as f on r.account_id = f.account_id and r.campaign_id = f.campaign_id and f.state = 'paid'
where r.number = 0 and f.account_id is null
union all
select
    f.account_id,
    'a referral is settled with the first paid order' as expected,
    format('referral %s, %s paid orders', f.state, count(o.order_id)) as found
from credits.referrals as f
left join credits.orders as o on f.account_id = o.account_id and o.state = 'paid'
group by f.account_id, f.state
having (f.state = 'pending') <> (count(o.order_id) = 0)
union all
select
    f.account_id,
    format('brought by %s, who was not brought by them', f.referrer_id) as expected,
    'a circle' as found
from credits.referrals as f
left join t on f.account_id = t.account_id
where t.account_id is null;
comment on view audit.check_campaigns is
'Each campaign granted what was redeemed, within its budget and its limit per account; each referral was settled once, '
'with its grants; nobody is above themselves.';
