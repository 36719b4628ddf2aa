-- The sums of credits.lot_sums per month, currency and source.
create or replace view credits.source_months
with (security_invoker = true)
as
select
    s.period as month,
    s.currency,
    s.source,
    coalesce(sum(s.tokens) filter (where s.way = 'granted'), 0) as sold_tokens,
    coalesce(-sum(s.tokens) filter (where s.way = 'used'), 0) as recognised_tokens,
    coalesce(-sum(s.tokens) filter (where s.way = 'expired'), 0) as expired_tokens,
    coalesce(-sum(s.tokens) filter (where s.way = 'refunded'), 0) as refunded_tokens,
    coalesce(-sum(s.tokens) filter (where s.way = 'disputed'), 0) as disputed_tokens,
    coalesce(sum(s.tokens) filter (where s.way = 'reinstated'), 0) as reinstated_tokens,
    coalesce(-sum(s.tokens) filter (where s.way = 'adjusted'), 0) as adjusted_tokens,
    sum(s.late_tokens) as late_tokens,
    coalesce(sum(s.money) filter (where s.way = 'granted'), 0) as sold,
    coalesce(-sum(s.money) filter (where s.way = 'used'), 0) as recognised,
    coalesce(-sum(s.money) filter (where s.way = 'expired'), 0) as expired,
    coalesce(-sum(s.money) filter (where s.way = 'refunded'), 0) as refunded,
    coalesce(-sum(s.money) filter (where s.way = 'disputed'), 0) as disputed,
    coalesce(sum(s.money) filter (where s.way = 'reinstated'), 0) as reinstated,
    coalesce(-sum(s.money) filter (where s.way = 'adjusted'), 0) as adjusted
from credits.lot_sums('month', 'infinity') as s
group by s.period, s.currency, s.source;
comment on view credits.source_months is
'What went in and out per month (UTC), currency and source of the lots, by the ledger: tokens and minor units.';
