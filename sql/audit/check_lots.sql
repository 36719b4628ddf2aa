-- What is left in a lot is what was granted less what the entries drew; nothing is negative.
create or replace view audit.check_lots
with (security_invoker = true)
as
with m as (
    select
        e.account_id,
        d.lot_id,
        sum(sign(e.tokens) * d.tokens) as moved,
        sum(d.tokens) filter (where e.seq = d.lot_id) as came_in
    from credits.entries as e
    cross join lateral jsonb_to_recordset(e.draws) as d (lot_id bigint, tokens numeric)
    group by e.account_id, d.lot_id
)

select
    coalesce(l.account_id, m.account_id) as account_id,
    format('lot %s: granted %s, moved %s', coalesce(l.lot_id, m.lot_id), l.granted, coalesce(m.moved, 0)) as expected,
    format('remaining %s, held %s', l.remaining, l.held) as found
from credits.lots as l
full join m on l.account_id = m.account_id and l.lot_id = m.lot_id
where
    l.lot_id is null
    or l.remaining is distinct from m.moved
    or l.granted is distinct from m.came_in
    or l.held > l.remaining or l.remaining > l.granted or l.live <> (l.remaining > 0);
comment on view audit.check_lots is
'Each lot holds what was granted less what the entries drew from it, within its bounds.';
