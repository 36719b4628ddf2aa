-- Every idempotency key leads to an entry, order, failure or hold that exists.
create or replace view audit.check_keys
with (security_invoker = true)
as
select
    k.account_id,
    format('%s under key %s: entry %s', k.operation, left(k.key, 60), k.entry_seq) as expected,
    'no such entry' as found
from credits.idempotency_keys as k
left join credits.entries as e on k.account_id = e.account_id and k.entry_seq = e.seq
where
    -- A referral's code brings no tokens at once.
    (k.entry_seq is not null or k.operation in (
        'consume_tokens', 'add_tokens', 'capture_hold', 'refund_usage', 'void_lot', 'restore_lot', 'change_expiry'
    ))
    and e.seq is null
union all
select
    k.account_id,
    format('%s under key %s: an entry that such a call writes', k.operation, left(k.key, 60)) as expected,
    format('entry %s, %s, hold %s, campaign %s', e.seq, e.kind, e.hold_id, e.campaign_id) as found
from credits.idempotency_keys as k
inner join credits.entries as e on k.account_id = e.account_id and k.entry_seq = e.seq
where
    case k.operation
        when 'consume_tokens' then e.kind in ('spend', 'byok') and e.hold_id is null
        when 'capture_hold' then e.kind = 'spend' and e.hold_id = k.made_id
        when 'refund_usage' then e.kind = 'refund'
        when 'void_lot' then e.kind = 'adjustment' and e.tokens < 0
        when 'restore_lot' then e.kind = 'adjustment' and e.tokens > 0
        when 'change_expiry' then e.kind = 'adjustment' and e.tokens = 0
        when 'redeem_code' then e.campaign_id is not null
        when 'add_tokens'
            then e.order_id is null and e.campaign_id is null and exists (
                select
                from credits.lots as l
                where l.account_id = e.account_id and l.lot_id = e.seq
            )
    end is not true
union all
-- For a spend, a hold and a capture, the rows that they wrote record the arguments.
select
    k.account_id,
    format('%s under key %s: a fingerprint of its arguments', k.operation, left(k.key, 60)) as expected,
    'none' as found
from credits.idempotency_keys as k
where k.fingerprint is null and k.operation not in ('consume_tokens', 'hold_tokens', 'capture_hold')
union all
select
    k.account_id,
    format('%s under key %s: order %s', k.operation, left(k.key, 60), k.made_id) as expected,
    'no such order' as found
from credits.idempotency_keys as k
left join credits.orders as o on k.account_id = o.account_id and k.made_id = o.order_id
where k.operation = 'create_order' and o.order_id is null
union all
select
    k.account_id,
    format('%s under key %s: failure %s', k.operation, left(k.key, 60), k.made_id) as expected,
    'no such failure' as found
from credits.idempotency_keys as k
left join credits.failures as f on k.account_id = f.account_id and k.made_id = f.failure_id
where k.operation = 'report_failure' and f.failure_id is null
union all
select
    k.account_id,
    format('%s under key %s: hold %s', k.operation, left(k.key, 60), k.made_id) as expected,
    'no such hold' as found
from credits.idempotency_keys as k
left join credits.holds as h on k.account_id = h.account_id and k.made_id = h.hold_id
where k.operation in ('hold_tokens', 'capture_hold', 'release_hold') and h.hold_id is null;
comment on view audit.check_keys is
'Every idempotency key leads to the entry, order, failure or hold that answered it, and can tell a repeat from
another call.

A row means: an idempotency key leads to nothing, or to something that its call does not make. A repeated call would
get a wrong answer.

What to do: follow "A finding in the ledger" in docs/auditing.md. If entries or orders are missing, the hash chain
or the orders have a finding as well.';
