-- What a wallet says now: within its bounds, with what its open holds hold, and, if it has new entries since its
-- checkpoint, with what its lots have.
create or replace function credits.touched_wallet_faults(p_first uuid, p_last uuid)
returns table (account_id uuid, expected text, found text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        w.account_id,
        'balance + debt, debt and held not below 0, held within balance' as expected,
        format('balance %s, debt %s, held %s', w.balance, w.debt, w.held) as found
    from credits.wallets as w
    where
        w.account_id between touched_wallet_faults.p_first and touched_wallet_faults.p_last
        and (w.balance + w.debt < 0 or w.debt < 0 or w.held < 0 or w.held > w.balance + w.debt)
    union all
    select
        coalesce(w.account_id, h.account_id) as account_id,
        format('%s held by open holds', coalesce(h.held, 0)) as expected,
        format('%s', coalesce(w.held, 0)) as found
    from (
        select
            x.account_id,
            sum(x.held) as held
        from credits.holds as x
        where x.state = 'open' and x.account_id between touched_wallet_faults.p_first and touched_wallet_faults.p_last
        group by x.account_id
    ) as h
    full join (
        select
            y.account_id,
            y.held
        from credits.wallets as y
        where y.account_id between touched_wallet_faults.p_first and touched_wallet_faults.p_last and y.held <> 0
    ) as w on h.account_id = w.account_id
    where coalesce(h.held, 0) <> coalesce(w.held, 0)
    union all
    select
        w.account_id,
        format('balance %s, held %s', w.balance, w.held) as expected,
        format('lots %s - debt %s, held by lots %s', l.remaining, w.debt, l.held) as found
    from credits.wallets as w
    left join credits.audit_checkpoints as c on w.account_id = c.account_id
    cross join lateral (
        select
            coalesce(sum(x.remaining), 0) as remaining,
            coalesce(sum(x.held), 0) as held,
            coalesce(bool_or(x.held < 0 or x.held > x.remaining or x.remaining > x.granted), false) as out_of_bounds
        from credits.current_lots as x
        where x.account_id = w.account_id
    ) as l
    where
        w.account_id between touched_wallet_faults.p_first and touched_wallet_faults.p_last and (c.account_id is null or w.seq > c.seq)
        and (w.balance <> l.remaining - w.debt or w.held <> l.held or l.out_of_bounds);
end
$$;
comment on function credits.touched_wallet_faults(uuid, uuid) is
'Wallets between the two that are out of their bounds or disagree with their open holds; and of those with new entries '
'since their checkpoint, the ones that disagree with their lots.';
