-- The balance as it is, whether or not its expired lots have been booked.
create or replace function credits.balance_at(p_account_id uuid, p_at timestamptz)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce((
        select w.balance - case when w.due_at <= p_at then (
            select coalesce(sum(l.remaining - l.held), 0)
            from credits.current_lots as l
            where l.account_id = w.account_id and l.expires_at <= p_at
        ) + (
            -- A lot does not expire while it is held.
            select coalesce(sum(d.tokens), 0)
            from credits.held_draws as d
            join credits.lots as l on d.account_id = l.account_id and d.lot_id = l.lot_id
            where d.account_id = w.account_id and d.expires_at <= p_at and l.expires_at <= p_at
        ) else 0 end
        from credits.wallets as w
        where w.account_id = p_account_id
    ), 0);
end
$$;
comment on function credits.balance_at(uuid, timestamptz) is
'The balance of an account, without lots that have expired by p_at. 0 if there is no such account.';
