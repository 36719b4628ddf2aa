-- When a spend starts an automatic top-up, and so where the permit of a wallet must end.

create or replace function credits.topup_threshold(p_account_id uuid)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (select t.threshold from credits.auto_topups as t where t.account_id = p_account_id and t.state = 'on');
end
$$;
comment on function credits.topup_threshold(uuid) is
'The balance below which an account is topped up. Null when its automatic top-up is not on.';

create or replace function credits.topup_level(p_account_id uuid, p_available numeric, p_at timestamptz)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select case
            when (t.threshold <= p_available) is true then t.threshold
            -- A top-up that had to wait: the next spend starts it.
            when (t.wanted and t.next_try_at <= p_at) is true then p_available
        end
        from credits.auto_topups as t
        where t.account_id = p_account_id and t.state = 'on'
    );
end
$$;
comment on function credits.topup_level(uuid, numeric, timestamptz) is
'The balance below which the next spend starts an automatic top-up. Null: no spend does.';

-- Later times are left to credits.set_due, which may run before the hold that is just being made can be seen.
create or replace function credits.set_topup_due(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.wallets as w
    set due_at = least(w.due_at, t.next_try_at)
    from credits.auto_topups as t
    where
        w.account_id = p_account_id and t.account_id = p_account_id and t.state = 'on' and t.wanted
        and t.next_try_at > coalesce(w.test_clock, credits.clock());
end
$$;
comment on function credits.set_topup_due(uuid) is
'Makes a locked wallet due when a top-up that waits may be tried. The permit of its head ends then.';
