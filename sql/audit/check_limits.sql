-- A limit counts as spent the charges of its period, less the refunds of these charges.
create or replace view audit.check_limits
with (security_invoker = true)
as
select
    s.account_id,
    format('%s of the %s from %s', e.spent, s.period, credits.utc_text(s.period_starts)) as expected,
    format('%s', w.lifetime_spent - s.spent_before) as found
from credits.spend_limits as s
inner join credits.wallets as w on s.account_id = w.account_id
cross join
    lateral (
        select coalesce(sum(-x.tokens - coalesce(r.refunded, 0)), 0) as spent
        from credits.entries as x
        left join credits.charge_refunds as r on x.account_id = r.account_id and x.seq = r.seq
        where x.account_id = s.account_id and x.kind = 'spend' and x.posted_at >= s.period_starts
    ) as e
where e.spent <> w.lifetime_spent - s.spent_before;
comment on view audit.check_limits is
'Each spend limit counts what was spent since its period began, less refunds.

A row means: a spend limit has counted more or less than was spent in its period.

What to do: look for other findings of the account first. Then remove the limit with api.lift_spend_limit and set it
again with api.set_spend_limit, which counts anew.';
