-- The last entry of every account before a moment.
create or replace function credits.ledger_heads(p_before timestamptz)
returns table (account_id uuid, seq bigint, hash bytea)
language sql
stable
begin atomic
    select
        w.account_id,
        e.seq,
        e.hash
    from credits.wallets as w
    cross join lateral (
        select
            x.seq,
            x.hash
        from credits.entries as x
        where x.account_id = w.account_id and x.posted_at < p_before
        order by x.seq desc
        limit 1
    ) as e;
end;
comment on function credits.ledger_heads(timestamptz) is
'The last entry that was posted before a moment, of every account that has one.';
