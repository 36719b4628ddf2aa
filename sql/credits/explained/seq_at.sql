-- Where the ledger of an account was at a moment. posted_at rises strictly with seq, so the place is found by halving:
-- a million entries take twenty look-ups by key.
create or replace function credits.seq_at(p_account_id uuid, p_at timestamptz)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wallet credits.wallets;
    v_low bigint := 0;
    v_high bigint;
    v_middle bigint;
    v_posted_at timestamptz;
begin
    select w.* into v_wallet from credits.wallets as w where w.account_id = p_account_id;
    if (v_wallet.posted_at <= p_at) is true then
        return v_wallet.seq;
    end if;
    v_high := coalesce(v_wallet.seq, 0);
    while (v_high - v_low > 1) is true loop
        v_middle := (v_low + v_high) / 2;
        select e.posted_at into v_posted_at
        from credits.entries as e
        where e.account_id = p_account_id and e.seq = v_middle;
        -- An entry that is not here any more is older than all that are.
        if (v_posted_at > p_at) is true then
            v_high := v_middle;
        else
            v_low := v_middle;
        end if;
    end loop;
    return v_low;
end
$$;
comment on function credits.seq_at(uuid, timestamptz) is
'The seq of the last entry of an account that was posted by a moment; 0 if there was none.';
