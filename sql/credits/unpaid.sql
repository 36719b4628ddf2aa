-- What users make without paying. Each of these leaves a row that is kept, so a loop of them would fill the disk:
--
--   a hold of their own that ends with nothing captured, because it was released or has expired
--   a use of a module whose price is 0
--   an order
--   a key on the release of a hold that was released before
--
-- A count on the wallet, which all of these lock anyway, bounds them in a window of time. A service is not bounded.

create or replace function credits.count_unpaid(p_account_id uuid, p_more bigint, p_at timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_window constant interval := coalesce((select s.unpaid_window from credits.settings as s), interval '1 hour');
begin
    update credits.wallets as w
    set
        unpaid = p_more + case when (w.unpaid_until > p_at) is true then w.unpaid else 0 end,
        unpaid_until = case
            when (w.unpaid_until > p_at) is true then w.unpaid_until
            else credits.later(p_at, v_window)
        end
    where w.account_id = p_account_id;
end
$$;
comment on function credits.count_unpaid(uuid, bigint, timestamptz) is
'Counts p_more things that the user of a locked wallet has made without paying.';

create or replace function credits.keep_unpaid_few(p_account_id uuid, p_at timestamptz)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_most constant bigint := coalesce((select s.most_unpaid from credits.settings as s), 1000);
    v_until timestamptz;
begin
    select w.unpaid_until into v_until
    from credits.wallets as w
    where w.account_id = p_account_id and w.unpaid_until > p_at and w.unpaid >= v_most;
    if found then
        perform credits.fail(
            429, 'unpaid_limit', 'this account has made as much without paying as it may: try again later',
            json_build_object('limit', v_most, 'reset_at', credits.utc_text(v_until))
        );
    end if;
end
$$;
comment on function credits.keep_unpaid_few(uuid, timestamptz) is
'Refuses one more thing without paying on a locked wallet, when the user has made as many in this window as the '
'settings allow. Raises PT429 unpaid_limit (limit, reset_at).';

create or replace function credits.make_unpaid(p_account_id uuid, p_at timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if credits.is_spender() is not true then
        perform credits.keep_unpaid_few(p_account_id, p_at);
        perform credits.count_unpaid(p_account_id, 1, p_at);
    end if;
end
$$;
comment on function credits.make_unpaid(uuid, timestamptz) is
'A user makes one more thing without paying, on a locked wallet; of a service nothing counts. '
'Raises PT429 unpaid_limit (limit, reset_at).';
