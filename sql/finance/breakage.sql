-- Tokens that were paid for and never used: what was booked when they expired, and an estimate of what is still to
-- come. The estimate is never booked. It takes the share that expired in the last twelve months for that of what is
-- left.
create or replace view finance.breakage
with (security_invoker = true)
as
with months as (
    select
        r.month,
        r.currency,
        -- What went over to the next period of a plan has not expired after all.
        sum(r.expired - case when (r.source = 'rollover') is true then r.sold else 0 end) as booked,
        sum(r.recognised) as recognised,
        sum(r.closing) as closing
    from credits.rollforward as r
    where r.currency is not null
    group by r.month, r.currency
),

years as (
    select
        m.month,
        m.currency,
        m.booked,
        m.closing,
        count(*) over w as months_looked_at,
        sum(m.booked) over w as expired,
        sum(m.booked + m.recognised) over w as ended
    from months as m
    window w as (partition by m.currency order by m.month rows between 11 preceding and current row)
)

select
    y.month,
    y.currency,
    y.booked,
    y.closing as liability,
    y.months_looked_at,
    round(y.expired / nullif(y.ended, 0), 6) as expired_share,
    trunc(y.closing * y.expired / nullif(y.ended, 0)) as estimate
from years as y;

comment on view finance.breakage is
'Per month (UTC) and currency, in minor units: what was booked for tokens that expired, and an estimate of how much of '
'the liability will expire. The estimate is not booked anywhere.';
comment on column finance.breakage.booked is
'The worth of the tokens that expired, less that of tokens that went over to the next period of a plan.';
comment on column finance.breakage.liability is 'The worth of the tokens that users have at the end of the month.';
comment on column finance.breakage.months_looked_at is
'A parameter of the estimate: how many months it looks back, this one included. At most 12.';
comment on column finance.breakage.expired_share is
'A parameter of the estimate: what expired in these months, as a share of what expired or was used. Null if '
'nothing was.';
comment on column finance.breakage.estimate is 'liability × expired_share, cut to whole minor units.';
