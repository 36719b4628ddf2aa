-- The limits of an account, and what is left of them.
create or replace view api.spend_limits
with (security_invoker = true)
as
select
    u.user_id,
    s.period,
    s.set_by,
    trim_scale(s.tokens) as tokens,
    trim_scale(p.spent) as spent,
    trim_scale(greatest(coalesce(s.tokens - p.spent - credits.held_at(s.account_id, c.shows), 0), 0)) as remaining,
    credits.next_period(s.period, c.shows) as resets_at
from credits.spend_limits as s
inner join credits.wallets as w on s.account_id = w.account_id
cross join lateral (select coalesce(w.test_clock, credits.clock()) as shows) as c
-- The first spend in a period begins it. Until then it is only shown as begun.
cross join
    lateral (
        select case
            when s.period_starts < credits.period_start(s.period, c.shows) then 0
            else w.lifetime_spent - s.spent_before
        end as spent
    ) as p
left join lateral credits.user_of(s.account_id) as u on true;

comment on view api.spend_limits is 'The spend limits of the caller. A service sees those of every account.';
comment on column api.spend_limits.user_id is 'The user id (sub) of the account.';
comment on column api.spend_limits.period is 'day or month, in UTC.';
comment on column api.spend_limits.set_by is 'user or service. The stricter of the two applies.';
comment on column api.spend_limits.tokens is 'What may be spent in the period.';
comment on column api.spend_limits.spent is 'What has been spent in the period.';
comment on column api.spend_limits.remaining is 'What may still be spent. Tokens that are held count as spent.';
comment on column api.spend_limits.resets_at is 'When the next period begins.';
