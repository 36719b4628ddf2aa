-- Every answer kept under a key speaks of an entry, order, failure or hold that is there.
create or replace view audit.check_keys
with (security_invoker = true)
as
select
    k.account_id,
    format('%s under key %s: entry %s', k.operation, left(k.key, 60), k.reference) as expected,
    'no such entry' as found
from credits.idempotency_keys as k
left join credits.entries as e
    on
        k.account_id = e.account_id
        and e.seq = case when k.reference ~ '^[0-9]{1,18}(:|$)' then split_part(k.reference, ':', 1)::bigint end
where
    (
        k.operation in ('consume_tokens', 'add_tokens', 'capture_hold', 'refund_usage')
        or (k.operation = 'redeem_code' and k.reference <> 'referral')
    )
    and e.seq is null
union all
select
    k.account_id,
    format('%s under key %s: order %s', k.operation, left(k.key, 60), k.reference) as expected,
    'no such order' as found
from credits.idempotency_keys as k
left join credits.orders as o on k.account_id = o.account_id and o.order_id::text = k.reference
where k.operation = 'create_order' and o.order_id is null
union all
select
    k.account_id,
    format('%s under key %s: failure %s', k.operation, left(k.key, 60), k.reference) as expected,
    'no such failure' as found
from credits.idempotency_keys as k
left join credits.failures as f on k.account_id = f.account_id and f.failure_id::text = k.reference
where k.operation = 'report_failure' and f.failure_id is null
union all
select
    k.account_id,
    format('%s under key %s: hold %s', k.operation, left(k.key, 60), k.reference) as expected,
    'no such hold' as found
from credits.idempotency_keys as k
left join credits.holds as h on k.account_id = h.account_id and h.hold_id::text = k.reference
where k.operation in ('hold_tokens', 'release_hold') and h.hold_id is null;
comment on view audit.check_keys is
'Every idempotency key leads to the entry, order, failure or hold that answered it.';
