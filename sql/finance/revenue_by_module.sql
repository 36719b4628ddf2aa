-- Which modules earned the revenue. What a lot recognised in a month is shared out over the modules by the tokens that
-- they took from it, in whole minor units that add up.
create or replace view finance.revenue_by_module
with (security_invoker = true)
as
with earned as (
    select
        s.account_id,
        s.lot_id,
        s.period,
        s.currency,
        sum(s.money) as money
    from credits.lot_sums('month', 'infinity') as s
    where s.way = 'used'
    group by s.account_id, s.lot_id, s.period, s.currency
),

used as (
    select
        m.account_id,
        m.lot_id,
        date_trunc('month', m.accounted_at at time zone interval '0')::date as period,
        m.module_id,
        sum(m.tokens) as tokens
    from credits.lot_moves as m
    where m.way = 'used'
    group by m.account_id, m.lot_id, period, m.module_id
),

shares as (
    select
        e.period,
        e.currency,
        u.module_id,
        e.money,
        coalesce(u.tokens, 0) as tokens,
        sum(u.tokens) over (partition by e.account_id, e.lot_id, e.period) as whole,
        sum(u.tokens) over w as until,
        row_number() over w as place,
        count(*) over (partition by e.account_id, e.lot_id, e.period) as places
    from earned as e
    left join used as u on e.account_id = u.account_id and e.lot_id = u.lot_id and e.period = u.period
    window w as (partition by e.account_id, e.lot_id, e.period order by u.module_id)
)

select
    s.period as month,
    s.currency,
    s.module_id,
    -sum(s.tokens) as tokens,
    -sum(
        case
            -- The last module takes what the cuts left.
            when
                s.place = s.places
                then s.money - coalesce(trunc(s.money * (s.until - s.tokens) / nullif(s.whole, 0)), 0)
            else
                coalesce(trunc(s.money * s.until / nullif(s.whole, 0)), 0)
                - coalesce(trunc(s.money * (s.until - s.tokens) / nullif(s.whole, 0)), 0)
        end
    ) as revenue
from shares as s
group by s.period, s.currency, s.module_id;

comment on view finance.revenue_by_module is
'Revenue per month (UTC), currency and module, in minor units: the worth of the tokens used, less that of charges '
'that were given back. It adds up to recognised of finance.liability_rollforward.';
comment on column finance.revenue_by_module.currency is 'Null for tokens that were given away, which earn nothing.';
comment on column finance.revenue_by_module.module_id is 'Null for tokens that repaid a debt.';
comment on column finance.revenue_by_module.tokens is 'Tokens used.';
