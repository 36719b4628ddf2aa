-- The entries since the checkpoint, of every account that has new ones: in order, linked, balanced, drawn, and as many
-- as the wallet says.
--
-- Nothing tells which wallets have changed but the wallets: an index would make every spend slower. There is one narrow
-- row for each account, and it is compared with the checkpoint by the number of the last entry, so no clock has a say
-- in it.
create or replace function credits.chain_faults(p_first uuid, p_last uuid)
returns table (account_id uuid, expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with touched as (
        select
            w.account_id,
            w.seq,
            w.posted_at,
            w.balance,
            w.debt,
            w.lifetime_granted,
            w.lifetime_spent,
            w.head_hash,
            coalesce(c.seq, 0) as since,
            coalesce(c.lifetime_granted, 0) as granted_before,
            coalesce(c.lifetime_spent, 0) as spent_before,
            coalesce(c.posted_at, '-infinity') as posted_before,
            coalesce(c.hash, '') as hash_before,
            coalesce(c.balance, 0) as balance_before,
            coalesce(c.debt, 0) as debt_before
        from credits.wallets as w
        left join credits.audit_checkpoints as c on w.account_id = c.account_id
        where w.account_id between chain_faults.p_first and chain_faults.p_last and (c.account_id is null or w.seq > c.seq)
    )

    select t.account_id, f.said[1], f.said[2]
    from touched as t
    cross join lateral credits.new_entries(
        t.account_id, t.since, t.posted_before, t.hash_before, t.balance_before, t.debt_before
    ) as e
    left join lateral (
        select x.hash, x.balance_after, x.debt_after
        from credits.entries as x
        where x.account_id = t.account_id and x.seq = t.seq and x.posted_at = t.posted_at
    ) as h on true
    cross join lateral (
        values
        (case when (e.entries <> t.seq - t.since or e.last_seq <> t.seq) is true then array[
            format('%s entries after entry %s, the last of them entry %s', t.seq - t.since, t.since, t.seq),
            format('%s, the last of them entry %s', e.entries, e.last_seq)
        ] end),
        (case when t.seq > 0 and (h.hash, h.balance_after, h.debt_after)
            is distinct from (t.head_hash, t.balance, t.debt) then array[
            format('entry %s of %s, hash %s; balance %s, debt %s', t.seq, credits.utc_text(t.posted_at),
                encode(t.head_hash, 'hex'), t.balance, t.debt),
            case when h.hash is null then 'no such entry' else
                format('hash %s; balance %s, debt %s', encode(h.hash, 'hex'), h.balance_after, h.debt_after) end
        ] end),
        (case when (t.lifetime_granted <> t.granted_before + e.granted
            or t.lifetime_spent <> t.spent_before + e.spent) is true then array[
            format('lifetime granted %s, spent %s', t.granted_before + e.granted, t.spent_before + e.spent),
            format('%s, %s', t.lifetime_granted, t.lifetime_spent)
        ] end),
        (case when e.gap is not null then array[
            'entries in the order of number and of time', format('another order at entry %s', e.gap)
        ] end),
        (case when e.unlinked is not null then array[
            'hashes of the fields and the hash before', format('another hash at entry %s', e.unlinked)
        ] end),
        (case when e.resaid is not null then array[
            'digests only of what is gone, in entries of forgotten users',
            format('others in entry %s', e.resaid)
        ] end),
        (case when e.unbalanced is not null then array[
            'balances of the one before plus the tokens', format('another balance at entry %s', e.unbalanced)
        ] end),
        (case when e.undrawn is not null then array[
            'draws of the tokens and the change of debt', format('other draws in entry %s', e.undrawn)
        ] end),
        (case when e.overspent is not null then array[
            'no balance below zero without debt', format('one after entry %s', e.overspent)
        ] end)
    ) as f (said)
    where f.said is not null;
end
$$;
comment on function credits.chain_faults(uuid, uuid) is
'Faults of the entries since their checkpoint, of the accounts between the two that have new ones.';
