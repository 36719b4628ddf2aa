-- When the payments of earlier orders succeeded: without that, a bank debit that fails later takes nothing back.
set local role credits_owner;

update credits.orders as o
set
    succeeded_at = coalesce(
        (
            select
                case
                    when ((e.payload -> 'created')::numeric between 0 and 253402300799) is true
                        then to_timestamp((e.payload -> 'created')::double precision)
                end
            from credits.stripe_events as e
            where
                e.account_id = o.account_id and e.order_id = o.order_id and e.outcome = 'granted'
                and jsonb_typeof(e.payload -> 'created') = 'number'
            order by e.received_at
            limit 1
        ),
        o.paid_at
    )
where o.state = 'paid' and o.succeeded_at is null;
