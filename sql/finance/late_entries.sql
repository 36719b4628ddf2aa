-- What happened in a closed month and was booked after its close.
create or replace view finance.late_entries
with (security_invoker = true)
as
select
    date_trunc('month', m.accounted_at at time zone interval '0')::date as month,
    date_trunc('month', m.effective_at at time zone interval '0')::date as happened_in,
    l.currency,
    l.source::text as source,
    m.way,
    count(*) as movements,
    sum(m.tokens) as tokens
from credits.lot_moves as m
inner join credits.lots as l on m.account_id = l.account_id and m.lot_id = l.lot_id
where m.accounted_at > m.effective_at
group by 1, 2, 3, 4, 5;

comment on view finance.late_entries is
'Tokens that moved in a month that was closed before they were booked, and the month in which they count instead. The '
'column late_tokens of finance.liability_rollforward sums them up.';
comment on column finance.late_entries.month is 'The month in which they count.';
comment on column finance.late_entries.happened_in is 'The month in which they moved.';
comment on column finance.late_entries.way is
'granted, used, expired, refunded, disputed, reinstated or adjusted.';
comment on column finance.late_entries.tokens is 'Above zero: they came in. Below zero: they went out.';
