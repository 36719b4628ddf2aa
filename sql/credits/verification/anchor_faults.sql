-- Does the bank still have what it had when an anchor was made? An anchor is a list of the last entry of every account,
-- kept outside of the database. Chains only grow, so each of these entries is there for ever.
--
-- A stable function for auditors, who read it in the same snapshot as the rest. It asks for each head by the key of
-- the entries, so it takes as long as the anchor is long, whatever was written since.
create or replace function credits.anchor_faults(p_account_ids uuid[], p_seqs bigint[], p_hashes bytea[])
returns table (account_id uuid, expected text, found text)
language sql
stable
begin atomic
    with heads as (
        select
            h.account_id,
            h.seq,
            h.hash
        from unnest(p_account_ids, p_seqs, p_hashes) as h (account_id, seq, hash)
    )

    select
        a.account_id,
        case
            when w.account_id is null then format('an account with %s entries', a.seq)
            when (w.seq < a.seq) is true then format('at least %s entries', a.seq)
            else format('hash %s of entry %s', encode(a.hash, 'hex'), a.seq)
        end as expected,
        case
            when w.account_id is null then 'no such account'
            when (w.seq < a.seq) is true then format('%s entries: the bank is older than the anchor', w.seq)
            when e.seq is null then 'no such entry'
            else encode(e.hash, 'hex')
        end as found
    from heads as a
    left join credits.wallets as w on a.account_id = w.account_id
    left join lateral (
        select
            x.seq,
            x.hash
        from credits.entries as x
        where x.account_id = a.account_id and x.seq = a.seq
        -- Two entries with one number: one of them is not the one of the anchor.
        order by (x.hash = a.hash)
        limit 1
    ) as e on true
    where w.account_id is null or (w.seq < a.seq) is true or (a.seq > 0 and e.hash is distinct from a.hash) is true;
end;
comment on function credits.anchor_faults(uuid[], bigint[], bytea[]) is
'The heads of an anchor that are not in the chains of this bank: accounts that are gone, entries that are missing, '
'chains that were written anew. For auditors: `pgcredits audit verify`.';
