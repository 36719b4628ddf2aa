-- What is left in a lot is what was granted, less what the entries drew. Nothing is negative.
create or replace view audit.check_lots
with (security_invoker = true)
as
with m as (
    select
        e.account_id,
        d.lot_id,
        sum(case when e.tokens > 0 then d.tokens else -d.tokens end) as moved,
        sum(d.tokens) filter (where e.seq = d.lot_id) as came_in
    from credits.entries as e
    cross join lateral jsonb_to_recordset(e.draws) as d (lot_id bigint, tokens numeric)
    group by e.account_id, d.lot_id
)

select
    coalesce(l.account_id, m.account_id) as account_id,
    format('lot %s: granted %s, moved %s', coalesce(l.lot_id, m.lot_id), l.granted, coalesce(m.moved, 0)) as expected,
    format('remaining %s, held %s', l.remaining, l.held) as found
from credits.current_lots as l
full join m on l.account_id = m.account_id and l.lot_id = m.lot_id
where
    l.lot_id is null
    or l.remaining is distinct from m.moved
    or l.granted is distinct from m.came_in
    or l.held > l.remaining or l.remaining > l.granted or l.held < 0
union all
select
    l.account_id,
    format('lot %s with %s tokens on its row', l.lot_id, l.remaining) as expected,
    format('live: %s', l.live) as found
from credits.lots as l
where l.live <> (l.remaining > 0)
union all
select
    w.account_id,
    format('a head lot %s that exists', w.head_lot) as expected,
    format('%s tokens taken from it, %s held, a permit of %s', w.head_taken, w.head_reserved, w.head_permit) as found
from credits.wallets as w
left join credits.lots as l on w.account_id = l.account_id and w.head_lot = l.lot_id
where
    (w.head_lot is not null and l.lot_id is null)
    or (w.head_lot is null and (w.head_taken <> 0 or w.head_reserved <> 0 or w.head_permit > 0 or w.head_quiet))
    or (w.head_quiet and l.expires_at is not null)
union all
-- An entry agrees with the lot that it granted, or that expired.
select
    e.account_id,
    format('entry %s: source %s, order %s, package %s', e.seq, l.source, l.order_id, l.package_name) as expected,
    format('%s, order %s, package %s', e.kind, e.order_id, e.package_name) as found
from credits.entries as e
left join credits.lots as l
    on
        e.account_id = l.account_id
        and case when e.kind = 'expire' then (e.draws -> 0 -> 'lot_id')::bigint else e.seq end = l.lot_id
where
    (
        e.kind not in ('reversal', 'reinstatement') and (
            e.order_id is distinct from case when e.kind <> 'expire' then l.order_id end
            or e.package_name is distinct from l.package_name
        )
    )
    or (e.kind <> 'expire' and l.lot_id is not null and l.source is distinct from e.kind);
comment on view audit.check_lots is
'Each lot holds what was granted less what the entries drew from it, within its bounds, and its entries name its
source, order and package.

A row means: a lot has more or fewer tokens than the entries left in it, or an entry names another source, order or
package than its lot.

What to do: follow "A finding in the ledger" in docs/auditing.md. If the hash chain of the account is sound, the
entries are right and the lot was changed.';
