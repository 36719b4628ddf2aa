-- What becomes of tokens that are given away: at sign-up, for a code, or for bringing somebody.
create or replace view analytics.welcome_use
with (security_invoker = true)
as
with gifts as materialized (
    -- Materialized: otherwise each entry would search all lots of its account.
    select
        l.account_id,
        l.lot_id,
        l.source,
        l.effective_at,
        l.expires_at,
        l.granted
    from credits.lots as l
    where l.source in ('welcome', 'promo', 'referral')
),

moved as (
    -- Every movement of these lots, including their grant. An entry moves all its lots in the same direction.
    select
        l.account_id,
        l.lot_id,
        coalesce(-sum(d.tokens) filter (where e.kind in ('spend', 'refund')), 0) as spent,
        coalesce(-sum(d.tokens) filter (where e.kind = 'expire'), 0) as expired,
        sum(d.tokens) as remaining
    from credits.entries as e
    -- Most entries move one lot. The planner expects 10 elements of an array, and 100 of JSON.
    cross join
        lateral unnest(
            case
                when jsonb_array_length(e.draws) < 2 then array[e.draws -> 0]
                else array(select x.draw from jsonb_array_elements(e.draws) as x (draw))
            end
        ) as m (draw)
    inner join gifts as l on e.account_id = l.account_id and (m.draw ->> 'lot_id')::bigint = l.lot_id
    cross join
        lateral (
            select case when e.tokens > 0 then 1 else -1 end * (m.draw ->> 'tokens')::numeric as tokens
        ) as d
    group by 1, 2
),

given as (
    select
        l.*,
        -- Tokens whose date has passed count as expired, booked or not.
        coalesce(l.expires_at <= credits.clock(l.account_id), false) as is_past,
        m.spent,
        m.expired,
        m.remaining
    from gifts as l
    inner join moved as m on l.account_id = m.account_id and l.lot_id = m.lot_id
)

select
    date_trunc('month', g.effective_at at time zone interval '0')::date as month,
    g.source::text as source,
    r.campaign_id,
    count(distinct g.account_id) as accounts,
    sum(g.granted) as granted,
    sum(g.spent) as spent,
    sum(g.expired + case when g.is_past then g.remaining else 0 end) as expired,
    sum(case when g.is_past then 0 else g.remaining end) as remaining,
    round(sum(g.spent) / sum(g.granted), 4) as share_spent
from given as g
left join credits.redemptions as r on g.account_id = r.account_id and g.lot_id = r.lot_id
group by 1, 2, 3;

comment on view analytics.welcome_use is
'Per month (UTC) of the grant, source (welcome, promo, referral) and campaign: how many accounts got tokens, and what '
'has become of these tokens so far.';
comment on column analytics.welcome_use.campaign_id is 'Null for tokens that a service granted outside of campaigns.';
comment on column analytics.welcome_use.expired is 'Tokens whose date has passed.';
comment on column analytics.welcome_use.remaining is 'Tokens that can still be spent.';
comment on column analytics.welcome_use.share_spent is 'spent as a share of granted, 0 to 1.';
