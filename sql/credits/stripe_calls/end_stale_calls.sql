-- A charge that no worker has tried for a day is not made any more: nobody expects it then.
create or replace function credits.end_stale_calls(p_most bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account_id uuid;
    v_ended bigint := 0;
begin
    for v_account_id in
        select w.account_id
        from credits.wallets as w
        where w.account_id in (
            select c.account_id
            from credits.stripe_calls as c
            where
                c.state = 'due' and c.kind = 'charge' and c.tries = 0
                and c.created_at <= credits.earlier(credits.clock(), '24 hours')
        )
        order by w.account_id
        limit p_most
        for no key update skip locked
    loop
        perform credits.cancel_untried(v_account_id, 'stale');
        v_ended := v_ended + 1;
    end loop;
    return v_ended;
end
$$;
comment on function credits.end_stale_calls(bigint) is
'Cancels the charges, of at most p_most accounts, that no worker has tried for a day. Returns how many accounts. Skips '
'locked wallets.';
