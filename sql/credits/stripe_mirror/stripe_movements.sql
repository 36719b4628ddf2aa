-- The balance transactions that charges, refunds, disputes and payouts at Stripe name, and what each has to say.
create or replace view credits.stripe_movements
with (security_invoker = true)
as
select
    m.object_id,
    m.kind,
    m.created_at,
    m.pulled_at,
    m.payment_intent_id,
    m.charge_id,
    n.transaction_id,
    n.amount,
    n.currency
from credits.stripe_mirror as m
cross join
    lateral (
        -- A failed charge, refund or payout names a second one, which takes back what the first has moved.
        select
            credits.stripe_id(m.payload -> x.member) as transaction_id,
            x.sign * case
            -- What was not captured never moves. A charge that failed later says that nothing was captured.
                when m.kind = 'charge'
                    then coalesce(nullif(credits.signed_amount(m.payload -> 'amount_captured'), 0), m.amount)
                else -m.amount
            end as amount,
            m.currency
        from (values ('balance_transaction', 1), ('failure_balance_transaction', -1)) as x (member, sign)
        where m.kind in ('charge', 'refund', 'payout')
        union all
        select
            credits.stripe_id(t.movement -> 'id') as transaction_id,
            credits.signed_amount(t.movement -> 'amount') as amount,
            t.movement ->> 'currency' as currency
        from jsonb_path_query(m.payload, 'lax $.balance_transactions[*]') as t (movement)
        where m.kind = 'dispute'
    ) as n
where n.transaction_id is not null;
comment on view credits.stripe_movements is
'The balance transactions that charges, refunds, disputes and payouts at Stripe name, with the amount (minor units, '
'below 0 for money that leaves) and the currency that each has by what the object says.';
