-- Open holds, their lots and the wallet agree on what is held, and nothing is held for longer than it may be. What was
-- captured was charged.
create or replace view audit.check_holds
with (security_invoker = true)
as
with h as (
    select
        x.account_id,
        sum(x.held) as held
    from credits.holds as x
    where x.state = 'open'
    group by x.account_id
),

d as (
    select
        x.account_id,
        x.lot_id,
        sum(x.tokens) as tokens
    from credits.held_draws as x
    group by x.account_id, x.lot_id
),

e as (
    select
        x.account_id,
        x.hold_id,
        -sum(x.tokens) as captured,
        array_agg(x.seq order by x.seq) as seqs,
        -- Only the last capture can be late, because a late capture ends the hold.
        coalesce(min(x.seq) filter (where x.late) = max(x.seq), false) as late,
        count(*) filter (where x.kind <> 'spend' or x.late is null) as others,
        count(*) filter (where x.late) as times_late
    from credits.entries as x
    where x.hold_id is not null
    group by x.account_id, x.hold_id
)

select
    coalesce(w.account_id, h.account_id) as account_id,
    format('%s held by open holds', coalesce(h.held, 0)) as expected,
    format('%s on the wallet', w.held) as found
from credits.wallets as w
full join h on w.account_id = h.account_id
where w.held is distinct from coalesce(h.held, 0)
union all
select
    coalesce(l.account_id, d.account_id) as account_id,
    format('%s held in lot %s by open holds', coalesce(d.tokens, 0), coalesce(l.lot_id, d.lot_id)) as expected,
    format('%s on the lot', l.held) as found
from credits.current_lots as l
full join d on l.account_id = d.account_id and l.lot_id = d.lot_id
where l.held is distinct from coalesce(d.tokens, 0)
union all
select
    x.account_id,
    format('hold %s (%s): %s held of %s', x.hold_id, x.state, x.held, x.tokens) as expected,
    format('draws of %s, finished at %s', s.tokens, credits.utc_text(x.finished_at)) as found
from credits.holds as x
cross join
    lateral (
        select
            coalesce(sum(y.tokens), 0) as tokens,
            coalesce(min(y.tokens), 1) as smallest
        from jsonb_to_recordset(x.draws) as y (lot_id bigint, tokens numeric)
    ) as s
where
    x.held <> s.tokens
    or s.smallest <= 0
    or (x.state = 'open') <> (x.finished_at is null)
    -- Captures take from what is held before they take from anything else.
    or x.held <> case when x.state = 'open' then greatest(x.tokens - x.captured, 0) else 0 end
union all
-- No hold of a user lasts for long, and neither does a hold in a lot that is past its date.
select
    x.account_id,
    format('hold %s ends by %s', x.hold_id, credits.utc_text(b.latest)) as expected,
    format('it ends at %s', credits.utc_text(x.expires_at)) as found
from credits.holds as x
cross join
    lateral (
        select
            least(
                case when x.by_service then 'infinity' else x.created_at + interval '24 hours' end,
                coalesce(min(l.expires_at) + interval '24 hours', 'infinity')
            ) as latest
        from jsonb_to_recordset(x.draws) as y (lot_id bigint)
        inner join credits.lots as l on x.account_id = l.account_id and y.lot_id = l.lot_id
    ) as b
where x.state = 'open' and x.expires_at > b.latest
union all
select
    coalesce(x.account_id, e.account_id) as account_id,
    format('hold %s: %s charged by entries %s', e.hold_id, coalesce(e.captured, 0), e.seqs) as expected,
    format('hold %s (%s): %s captured by %s, late: %s', x.hold_id, x.state, x.captured, x.seqs, x.late) as found
from credits.holds as x
full join e on x.account_id = e.account_id and x.hold_id = e.hold_id
where
    x.captured is distinct from coalesce(e.captured, 0)
    or x.seqs is distinct from coalesce(e.seqs, '{}')
    or x.late is distinct from coalesce(e.late, false)
    or (x.state = 'captured' and e.seqs is null)
    or (x.state = 'released' and e.seqs is not null)
    or e.others > 0
    or e.times_late > x.late::integer
union all
select
    x.account_id,
    format('entry %s (%s) is late or not if it captured a hold', x.seq, x.kind) as expected,
    format('hold %s, late: %s', x.hold_id, x.late) as found
from credits.entries as x
where (x.hold_id is null) <> (x.late is null)
union all
-- The answer that a repeat of the call that made the hold gets.
select
    x.account_id,
    format('hold %s was made for %s tokens, for at most 24 hours', x.hold_id, x.tokens) as expected,
    format('draws of %s, %s held in all, for %s seconds', s.tokens, x.first_held, x.ttl) as found
from credits.holds as x
cross join
    lateral (
        select coalesce(sum(y.tokens), 0) as tokens
        from jsonb_to_recordset(x.first_draws) as y (tokens numeric)
    ) as s
where x.tokens <> s.tokens or x.first_held < x.tokens or x.ttl <= 0 or x.ttl > 86400;
comment on view audit.check_holds is
'What open holds keep is what their lots and the wallet count as held, and no hold lasts longer than it may. What
holds captured is what their entries charged.

A row means: an open hold, its lots and the wallet disagree on what is held, or a hold and its captures on what was
charged.

What to do: release the hold with api.release_hold if its work has ended. If the row stays, follow "A finding in the
ledger" in docs/auditing.md.';
