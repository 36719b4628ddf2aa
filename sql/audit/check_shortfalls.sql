-- Every shortfall is the part of a capture that could not be paid, and no shortfall is missing.
create or replace view audit.check_shortfalls
with (security_invoker = true)
as
select
    s.account_id,
    format('shortfall %s of entry %s, a capture of hold %s', s.shortfall_id, s.entry_seq, s.hold_id) as expected,
    coalesce(format('%s of %s', e.kind, coalesce(e.hold_id::text, 'nothing')), 'no such entry') as found
from credits.shortfalls as s
left join credits.entries as e on s.account_id = e.account_id and s.entry_seq = e.seq
where
    e.kind is distinct from 'spend'
    or e.hold_id is distinct from s.hold_id
    or e.posted_at > s.closed_at
union all
select
    coalesce(h.account_id, s.account_id) as account_id,
    format('hold %s: a shortfall of %s', coalesce(h.hold_id, s.hold_id), h.shortfall) as expected,
    format('%s', coalesce(s.tokens, 0)) as found
from credits.holds as h
full join (
    select
        x.account_id,
        x.hold_id,
        sum(x.tokens) as tokens
    from credits.shortfalls as x
    group by x.account_id, x.hold_id
) as s on h.account_id = s.account_id and h.hold_id = s.hold_id
where h.shortfall is distinct from coalesce(s.tokens, 0);
comment on view audit.check_shortfalls is
'Every shortfall belongs to the capture that could not be paid in full, and the shortfalls add up to those of the
holds.

A row means: what a capture could not pay, and what is recorded as missing, disagree.

What to do: compare the hold with its captures, and close the shortfall with api.close_shortfall when it is dealt
with.';
