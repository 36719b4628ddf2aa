-- No entry was changed, removed or inserted since it was written.
create or replace view audit.check_hash_chain
with (security_invoker = true)
as
select
    e.account_id,
    format('hash %s of entry %s', encode(e.computed, 'hex'), e.seq) as expected,
    encode(e.hash, 'hex') as found
from (
    select
        x.account_id,
        x.seq,
        x.hash,
        credits.entry_hash(
            coalesce(lag(x.hash) over (partition by x.account_id order by x.seq), ''), x
        ) as computed
    from credits.entries as x
) as e
where e.hash is distinct from e.computed
union all
select
    w.account_id,
    format('hash %s of the last entry', encode(w.head_hash, 'hex')) as expected,
    encode(e.hash, 'hex') as found
from credits.wallets as w
left join credits.entries as e on w.account_id = e.account_id and w.seq = e.seq
where w.head_hash <> coalesce(e.hash, '');
comment on view audit.check_hash_chain is
'The hash of every entry is that of its fields and the hash before, and the last one is the wallet''s.

A row means: an entry was changed, removed or inserted after it was written, or the wallet names another last entry.

What to do: follow "A finding in the ledger" in docs/auditing.md. The first row of an account names the first entry
that is wrong.';
