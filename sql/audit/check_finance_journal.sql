-- The journal agrees with the liability and with the payments.
create or replace view audit.check_finance_journal
with (security_invoker = true)
as
with balances as (
    select
        p.account,
        p.currency,
        sum(p.debit - p.credit) as balance
    from credits.postings('millennium', 'infinity') as p
    group by p.account, p.currency
),

liability as (
    select
        x.currency,
        sum(x.closing) as closing
    from (
        select distinct on (r.currency, r.source)
            r.currency,
            r.closing
        from finance.liability_rollforward as r
        where r.currency is not null
        order by r.currency asc, r.source asc, r.month desc
    ) as x
    group by x.currency
),

paid as (
    select
        o.currency,
        sum(o.paid - o.reversed) as paid
    from credits.orders as o
    where o.state = 'paid'
    group by o.currency
)

select
    null::uuid as account_id,
    format('the liability of %s is %s minor units', l.currency, l.closing) as expected,
    format('the journal says %s', -coalesce(b.balance, 0)) as found
from liability as l
left join balances as b on l.currency = b.currency and b.account = 'deferred_revenue'
where l.closing is distinct from -coalesce(b.balance, 0)
union all
select
    null as account_id,
    format(
        '%s minor units of %s were paid, and have not gone back', coalesce(p.paid, 0), coalesce(p.currency, b.currency)
    ) as expected,
    format('the journal says %s', coalesce(b.balance, 0)) as found
from paid as p
full join (
    select
        x.currency,
        x.balance
    from balances as x
    where x.account = 'cash'
) as b on p.currency = b.currency
where coalesce(p.paid, 0) <> coalesce(b.balance, 0);
comment on view audit.check_finance_journal is
'The journal''s deferred revenue is the liability of finance.liability_rollforward, and its cash is what was paid for
orders less what has gone back.

A row means: the journal and the rollforward count different entries, or, where the row is about cash, an order, its
lot or the history of its refunds was changed by hand.

What to do: look at the findings of check_money_returns and check_orders. If there is no finding, report a bug, and export nothing
from finance.journal until it is mended.';
