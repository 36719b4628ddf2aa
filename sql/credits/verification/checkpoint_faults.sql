-- What no sound bank does to a wallet that was verified: it takes away no account and no entry, and without a new entry
-- the sums stay as they were.
create or replace function credits.checkpoint_faults(p_first uuid, p_last uuid)
returns table (account_id uuid, expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        c.account_id,
        format(
            '%s entries or more, verified at %s', c.seq, credits.utc_text(c.verified_at)
        ) as expected,
        case when w.account_id is null then 'no such account' else format('%s entries', w.seq) end as found
    from credits.audit_checkpoints as c
    left join credits.wallets as w on c.account_id = w.account_id
    where c.account_id between checkpoint_faults.p_first and checkpoint_faults.p_last and (w.account_id is null or w.seq < c.seq)
    union all
    select
        c.account_id,
        format(
            'entry %s of %s, hash %s; balance %s, debt %s, granted %s, spent %s', c.seq,
            credits.utc_text(c.posted_at), encode(c.hash, 'hex'), c.balance, c.debt, c.lifetime_granted,
            c.lifetime_spent
        ) as expected,
        format(
            'of %s, hash %s; balance %s, debt %s, granted %s, spent %s', credits.utc_text(w.posted_at),
            encode(w.head_hash, 'hex'), w.balance, w.debt, w.lifetime_granted, w.lifetime_spent
        ) as found
    from credits.audit_checkpoints as c
    inner join credits.wallets as w on c.account_id = w.account_id and c.seq = w.seq
    where
        c.account_id between checkpoint_faults.p_first and checkpoint_faults.p_last
        and (
            c.hash <> w.head_hash or c.posted_at <> w.posted_at or c.balance <> w.balance or c.debt <> w.debt
            or c.lifetime_granted <> w.lifetime_granted or c.lifetime_spent <> w.lifetime_spent
        );
end
$$;
comment on function credits.checkpoint_faults(uuid, uuid) is
'Accounts between the two whose wallet has fewer entries than were verified, or has changed without a new entry.';
