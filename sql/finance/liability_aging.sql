-- How old the liability is: what users have now, by the age of their lots.
create or replace view finance.liability_aging
with (security_invoker = true)
as
with left_over as (
    select
        s.account_id,
        s.lot_id,
        sum(s.tokens) as tokens,
        sum(s.money) as worth
    from credits.lot_sums('millennium', 'infinity') as s
    group by s.account_id, s.lot_id
),

aged as (
    select
        l.currency,
        l.source::text as source,
        o.tokens,
        o.worth,
        l.expires_at is not null as expires,
        case
            when l.effective_at > credits.earlier(credits.clock(), '30 days') then 1
            when l.effective_at > credits.earlier(credits.clock(), '90 days') then 2
            when l.effective_at > credits.earlier(credits.clock(), '180 days') then 3
            when l.effective_at > credits.earlier(credits.clock(), '365 days') then 4
            else 5
        end as number
    from left_over as o
    inner join credits.lots as l on o.account_id = l.account_id and o.lot_id = l.lot_id
    where o.tokens is distinct from 0
)

select
    a.currency,
    a.source,
    (array['0 to 30 days', '31 to 90 days', '91 to 180 days', '181 to 365 days', 'over 365 days'])[a.number] as age,
    count(*) as lots,
    sum(a.tokens) as tokens,
    sum(a.worth) as worth,
    coalesce(sum(a.tokens) filter (where a.expires), 0) as expiring_tokens,
    coalesce(sum(a.worth) filter (where a.expires), 0) as expiring
from aged as a
group by a.currency, a.source, a.number;

comment on view finance.liability_aging is
'The liability to users now, per currency, source and age of the lots, in tokens and minor units. It adds up to the '
'closing of finance.liability_rollforward.';
comment on column finance.liability_aging.age is 'How long ago the tokens came in.';
comment on column finance.liability_aging.expiring is 'Of the worth: that of lots with an expiry.';
