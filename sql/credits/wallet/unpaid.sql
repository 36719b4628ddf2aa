-- Bounds on what users make without paying. Each of these things leaves a row that is kept, so a loop could fill the
-- disk. Each kind is counted by itself, and stops only more of its own kind. A user who has reached the bound of free
-- uses can still make holds and buy.
--
--   uses    a use of a module whose price is 0; a part of a hold that costs nothing, beyond 100 parts for each token
--           that the hold has paid; a key on the release of a hold that was released before
--   holds   a hold of their own that ends with nothing captured, because it was released or has expired
--   orders  an order that ended without money: it was cancelled, or nobody paid it
--
-- Uses and holds are counted on the wallet, which both lock anyway, in one window of time. Orders are few, and are
-- counted in their table. Services have no bound.

create or replace function credits.count_unpaid(
    p_account_id uuid, p_at timestamptz, p_uses bigint default 0, p_holds bigint default 0
)
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
        unpaid = p_uses + case when (w.unpaid_until > p_at) is true then w.unpaid else 0 end,
        unpaid_holds = p_holds + case when (w.unpaid_until > p_at) is true then w.unpaid_holds else 0 end,
        unpaid_until = case
            when (w.unpaid_until > p_at) is true then w.unpaid_until
            else credits.later(p_at, v_window)
        end
    where w.account_id = p_account_id;
end
$$;
comment on function credits.count_unpaid(uuid, timestamptz, bigint, bigint) is
'Counts p_uses more uses and p_holds more holds that the user of a locked wallet has made without paying.';

create or replace function credits.refuse_unpaid(p_most bigint, p_until timestamptz)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(
        429, 'unpaid_limit', 'this account has made as much without paying as it may: try again later',
        json_build_object('limit', p_most, 'reset_at', credits.utc_text(p_until))
    );
end
$$;
comment on function credits.refuse_unpaid(bigint, timestamptz) is 'Raises PT429 unpaid_limit (limit, reset_at).';

create or replace function credits.keep_unpaid_few(p_account_id uuid, p_at timestamptz, p_holds boolean)
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
    where
        w.account_id = p_account_id and w.unpaid_until > p_at
        and case when p_holds is true then w.unpaid_holds else w.unpaid end >= v_most;
    if found then
        perform credits.refuse_unpaid(v_most, v_until);
    end if;
end
$$;
comment on function credits.keep_unpaid_few(uuid, timestamptz, boolean) is
'Refuses one more hold (p_holds), or one more unpaid use, on a locked wallet whose user has made as many in this '
'window as the settings allow. Raises PT429 unpaid_limit (limit, reset_at).';

create or replace function credits.make_unpaid(p_account_id uuid, p_at timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if credits.is_spender() is not true then
        perform credits.keep_unpaid_few(p_account_id, p_at, p_holds => false);
        perform credits.count_unpaid(p_account_id, p_at, p_uses => 1);
    end if;
end
$$;
comment on function credits.make_unpaid(uuid, timestamptz) is
'Counts one more unpaid use of a user, on a locked wallet. Uses of a service do not count. Raises PT429 unpaid_limit '
'(limit, reset_at).';

create or replace function credits.keep_unpaid_orders_few(p_account_id uuid, p_at timestamptz)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_settings credits.settings;
    v_most bigint;
    v_window interval;
    v_made_at timestamptz;
begin
    if credits.is_spender() is true then
        return;
    end if;
    select s.* into v_settings from credits.settings as s;
    v_most := coalesce(v_settings.most_unpaid, 1000);
    v_window := coalesce(v_settings.unpaid_window, interval '1 hour');
    -- Another order is allowed when this one is older than the window.
    select o.created_at into v_made_at
    from credits.orders as o
    where
        o.account_id = p_account_id and o.state in ('expired', 'failed')
        and o.created_at > credits.earlier(p_at, v_window)
    order by o.created_at desc
    offset v_most - 1
    limit 1;
    if found then
        perform credits.refuse_unpaid(v_most, credits.later(v_made_at, v_window));
    end if;
end
$$;
comment on function credits.keep_unpaid_orders_few(uuid, timestamptz) is
'Refuses a user one more order, on a locked wallet, if as many orders as the settings allow were made within the '
'window and ended without money. Raises PT429 unpaid_limit (limit, reset_at).';

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
        -- Either the use as a whole costs nothing, or nothing was used.
        perform credits.check_free_use(p_hold.price_id, p_hold.account_id, p_at);
    elsif cardinality(p_hold.seqs) >= 100 * v_paid then
        perform credits.make_unpaid(p_hold.account_id, p_at);
    end if;
end
$$;
comment on function credits.check_free_part(credits.holds, jsonb, boolean, timestamptz) is
'Checks that a user may capture a part of a hold that costs 0. The wallet is locked. Such a part may end a hold that '
'has been paid. Or it may use something, when its unit has been paid already or is free. Beyond 100 parts for each '
'token paid, such parts count as unpaid. p_usage: what the part used. p_final: it ends the hold. Raises PT422 '
'bad_usage for a use that costs nothing as a whole and for a part that uses nothing, PT429 unpaid_limit.';
