-- The entries of an account are numbered 1, 2, 3 … up to the wallet's seq, each number once, and time rises with them.
create or replace view audit.check_sequence
with (security_invoker = true)
as
with last_entries as (
    select
        entry.account_id,
        count(*) as entries,
        max(entry.posted_at) as last_at
    from credits.entries as entry
    group by entry.account_id
)

select
    pair.account_id,
    format('seq %s after %s', pair.previous_seq + 1, credits.utc_text(pair.previous_at)) as expected,
    format('seq %s at %s', pair.seq, credits.utc_text(pair.posted_at)) as found
from (
    select
        entry.account_id,
        entry.seq,
        entry.posted_at,
        coalesce(lag(entry.seq) over in_order, 0) as previous_seq,
        coalesce(lag(entry.posted_at) over in_order, '-infinity') as previous_at
    from credits.entries as entry
    window in_order as (partition by entry.account_id order by entry.seq, entry.posted_at)
) as pair
where pair.seq <> pair.previous_seq + 1 or pair.posted_at <= pair.previous_at
union all
select
    coalesce(wallet.account_id, last_entries.account_id) as account_id,
    format('last seq %s at %s', wallet.seq, credits.utc_text(wallet.posted_at)) as expected,
    format(
        '%s entries, last at %s', coalesce(last_entries.entries, 0), credits.utc_text(last_entries.last_at)
    ) as found
from credits.wallets as wallet
full join last_entries on wallet.account_id = last_entries.account_id
where
    wallet.seq is distinct from coalesce(last_entries.entries, 0)
    or wallet.posted_at is distinct from coalesce(last_entries.last_at, '-infinity')
union all
-- A test clock may show any time, and leaves later entries behind.
select
    wallet.account_id,
    format('last entry %s not in the future', wallet.seq) as expected,
    format('at %s', credits.utc_text(wallet.posted_at)) as found
from credits.wallets as wallet
where
    wallet.posted_at > credits.clock() + interval '60 seconds'
    and (select s.test_clocks from credits.settings as s) is not true;
comment on view audit.check_sequence is
'Entries of an account are numbered without a gap, in the order of time, up to the wallet''s seq. None is in the
future.

A row means: entries of an account are missing, doubled or out of order, or the wallet counts another number of
them.

What to do: follow "A finding in the ledger" in docs/auditing.md. Compare with an anchor: after a restore of an
older backup it says so.';
