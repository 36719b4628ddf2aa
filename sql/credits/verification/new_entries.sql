-- The entries of an account since one that was verified: how many there are, what they add up to, and the first of each
-- kind of fault. The planner inlines this function, so each account reads its own new entries by the key, and only the
-- months since.
create or replace function credits.new_entries(
    p_account_id uuid, p_seq bigint, p_posted_at timestamptz, p_hash bytea, p_balance numeric, p_debt numeric
)
returns table (
    entries bigint, last_seq bigint, granted numeric, spent numeric,
    gap bigint, unlinked bigint, resaid bigint, unbalanced bigint, undrawn bigint, overspent bigint
)
language sql
stable
begin atomic
    select
        count(*) as entries,
        max(e.seq) as last_seq,
        coalesce(sum(e.tokens) filter (
            where
            e.tokens > 0 and e.kind not in ('spend', 'refund', 'reinstatement')
            and (e.kind <> 'adjustment' or (e.draws -> 0 -> 'lot_id')::bigint = e.seq)
        ), 0) as granted,
        coalesce(-sum(e.tokens) filter (where e.kind in ('spend', 'refund')), 0) as spent,
        min(e.seq) filter (where e.seq <> e.seq_before + 1 or e.posted_at <= e.posted_before) as gap,
        min(e.seq) filter (where e.hash is distinct from e.computed) as unlinked,
        min(e.seq) filter (where e.resaid) as resaid,
        min(e.seq) filter (where e.balance_after <> e.balance_before + e.tokens) as unbalanced,
        min(e.seq) filter (
            where
            case when e.tokens > 0 then d.drawn else -d.drawn end <> e.tokens + e.debt_after - e.debt_before
            or d.smallest < 0
        ) as undrawn,
        min(e.seq) filter (where e.balance_after + e.debt_after < 0) as overspent
    from (
        select
            x.seq,
            x.posted_at,
            x.kind,
            x.tokens,
            x.balance_after,
            x.debt_after,
            x.draws,
            x.hash,
            coalesce(lag(x.seq) over in_order, p_seq) as seq_before,
            coalesce(lag(x.posted_at) over in_order, p_posted_at) as posted_before,
            coalesce(lag(x.balance_after) over in_order, p_balance) as balance_before,
            coalesce(lag(x.debt_after) over in_order, p_debt) as debt_before,
            credits.entry_hash(coalesce(lag(x.hash) over in_order, p_hash), x) as computed,
            -- The hash covers the digests. So nothing but this tells what stands beside them.
            x.digests is not null and (
                (x.digests ? 'tags' and x.tags is not null)
                or (x.digests ? 'metadata' and x.metadata is distinct from credits.bank_metadata(x))
                or x.digests - array['metadata', 'tags'] <> '{}'
                or x.account_id not in (select f.account_id from credits.forgotten_accounts as f)
            ) as resaid
        from credits.entries as x
        where x.account_id = p_account_id and x.seq > p_seq and x.posted_at > p_posted_at
        window in_order as (order by x.seq, x.posted_at)
    ) as e
    cross join
        lateral (
            select
                coalesce(sum(y.tokens), 0) as drawn,
                coalesce(min(y.tokens), 0) as smallest
            from jsonb_to_recordset(e.draws) as y (lot_id bigint, tokens numeric)
        ) as d;
end;
comment on function credits.new_entries(uuid, bigint, timestamptz, bytea, numeric, numeric) is
'The entries of an account after entry p_seq, whose time, hash, balance and debt are given: their number, their sums, '
'and the first entry that is out of order, not linked, not balanced, not drawn, or below zero without debt. resaid: '
'the first entry with words beside the digest of what its user had forgotten.';
