-- What users make without paying. Each of these leaves a row that is kept, so a loop of them would fill the disk:
--
--   a hold of their own that ends with nothing captured, because it was released or has expired
--   a use of a module whose price is 0
--   an order
--   a key on the release of a hold that was released before
--   a part of a hold that costs nothing, beyond 100 parts for each token that the hold has paid
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

create or replace function credits.check_free_part(
    p_hold credits.holds, p_usage jsonb, p_final boolean, p_at timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_paid constant numeric not null := p_hold.captured + p_hold.shortfall;
    v_used constant boolean not null := coalesce(jsonb_path_exists(p_usage, '$.* ? (@ > 0)'), false);
begin
    if credits.is_spender() is true or p_final is true and v_paid > 0 then
        return;
    elsif p_final is true or not v_used then
        -- The use as a whole costs nothing, or there is none.
        perform credits.check_free_use(p_hold.price_id, p_hold.account_id, p_at);
    elsif cardinality(p_hold.seqs) >= 100 * v_paid then
        perform credits.make_unpaid(p_hold.account_id, p_at);
    end if;
end
$$;
comment on function credits.check_free_part(credits.holds, jsonb, boolean, timestamptz) is
'May a user capture a part of a hold that costs 0, the wallet being locked? Yes, when it ends a hold that has been '
'paid. Yes, when something was used: its unit has been paid already, or is still within what is free; beyond 100 parts '
'for each token paid it counts as made without paying. p_usage: what the part used. p_final: it ends the hold. '
'Raises PT422 bad_usage for a use that costs nothing as a whole and for a part that uses nothing, PT429 unpaid_limit.';
