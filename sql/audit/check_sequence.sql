-- 1, 2, 3 … up to the wallet's seq, each once, and time rises with it.
create or replace view audit.check_sequence
with (security_invoker = true)
as
with e as (
    select
        x.account_id,
        count(*) as entries,
        max(x.posted_at) as last_at
    from credits.entries as x
    group by x.account_id
)

select
    e.account_id,
    format('seq %s after %s', e.previous_seq + 1, credits.utc_text(e.previous_at)) as expected,
    format('seq %s at %s', e.seq, credits.utc_text(e.posted_at)) as found
from (
    select
        x.account_id,
        x.seq,
        x.posted_at,
        coalesce(lag(x.seq) over a, 0) as previous_seq,
        coalesce(lag(x.posted_at) over a, '-infinity') as previous_at
    from credits.entries as x
    window a as (partition by x.account_id order by x.seq, x.posted_at)
) as e
where e.seq <> e.previous_seq + 1 or e.posted_at <= e.previous_at
union all
select
    coalesce(w.account_id, e.account_id) as account_id,
    format('last seq %s at %s', w.seq, credits.utc_text(w.posted_at)) as expected,
    format('%s entries, last at %s', coalesce(e.entries, 0), credits.utc_text(e.last_at)) as found
from credits.wallets as w
full join e on w.account_id = e.account_id
where w.seq is distinct from coalesce(e.entries, 0) or w.posted_at is distinct from coalesce(e.last_at, '-infinity');
comment on view audit.check_sequence is
'Entries of an account are numbered without a gap, in the order of time, up to the wallet''s seq.';
