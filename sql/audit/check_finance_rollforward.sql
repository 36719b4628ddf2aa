-- The liability that finance reports is what the lots hold.
create or replace view audit.check_finance_rollforward
with (security_invoker = true)
as
with reported as (
    select distinct on (r.currency, r.source)
        r.currency,
        r.source,
        r.closing_tokens,
        r.closing
    from finance.liability_rollforward as r
    order by r.currency asc, r.source asc, r.month desc
),

-- The worth that each lot has left, by its entries.
left_over as (
    select
        s.account_id,
        s.lot_id,
        sum(s.money) as worth
    from credits.lot_sums('millennium', 'infinity') as s
    group by s.account_id, s.lot_id
),

lots as (
    select
        l.account_id,
        l.lot_id,
        l.source,
        l.currency,
        l.granted,
        l.remaining,
        l.unit_cost,
        credits.lot_worth(l.source, l.granted, l.unit_cost) as worth,
        coalesce(x.worth, 0) as worth_left,
        o.amount
    from credits.current_lots as l
    left join left_over as x on l.account_id = x.account_id and l.lot_id = x.lot_id
    left join credits.orders as o on l.account_id = o.account_id and l.order_id = o.order_id
),

held as (
    select
        l.currency,
        l.source::text as source,
        sum(l.remaining) as tokens,
        sum(l.worth_left) as worth
    from lots as l
    group by l.currency, l.source
)

select
    null::uuid as account_id,
    format(
        'the lots (%s, %s) hold %s tokens of %s minor units', coalesce(h.source, r.source),
        coalesce(h.currency, r.currency, 'no currency'), coalesce(h.tokens, 0), coalesce(h.worth, 0)
    ) as expected,
    format(
        'finance.liability_rollforward closes with %s tokens of %s', coalesce(r.closing_tokens, 0),
        coalesce(r.closing, 0)
    ) as found
from held as h
full join reported as r on h.source = r.source and coalesce(h.currency, '') = coalesce(r.currency, '')
where
    coalesce(h.tokens, 0) <> coalesce(r.closing_tokens, 0) or coalesce(h.worth, 0) <> coalesce(r.closing, 0)
union all
select
    l.account_id,
    format('lot %s: %s of %s tokens are left, and as much of %s minor units', l.lot_id, l.remaining, l.granted, l.worth)
        as expected,
    format('%s minor units are left', l.worth_left) as found
from lots as l
where
    -- Cuts leave a few minor units behind, until the last token goes.
    l.worth_left < trunc(l.worth * l.remaining / nullif(l.granted, 0))
    or l.worth_left > l.worth * l.remaining / nullif(l.granted, 0) + 6
    or (l.remaining = 0 and l.worth_left <> 0)
union all
select
    l.account_id,
    format('lot %s cost at most the %s minor units of its order, and a whole number', l.lot_id, coalesce(l.amount, 0))
        as expected,
    format('it cost %s, %s', l.unit_cost * l.granted, coalesce(l.currency, 'in no currency')) as found
from lots as l
where
    l.unit_cost > 0 and (
        l.currency is null
        or (l.source <> 'rollover' and abs(l.unit_cost * l.granted - l.worth) > 0.01)
        or l.worth > coalesce(l.amount, 0)
    );
comment on view audit.check_finance_rollforward is
'The liability that finance.liability_rollforward closes with is what is left in the lots, in tokens and in money.
Each lot cost what was paid for its order.

A row means: the liability in the reports is wrong, because the tokens, the cost or the currency of a lot, or its
entries, were changed by hand.

What to do: look at the findings of check_lots, which says whether the entries or the lot are right. A lot that costs more
than its order, or not a whole number of minor units, was changed itself.';
