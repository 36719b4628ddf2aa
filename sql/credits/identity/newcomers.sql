-- Where an account comes from, so that nobody opens many accounts to get what new ones are given. It is counted as for
-- guests: by device and by network, in a sliding window, by keys that say nothing about a person.

create or replace function credits.note_origin(
    p_account_id uuid, p_device_keys text[], p_network_keys text[], p_shared_network boolean
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_device_keys = '{unknown}' and p_network_keys = '{unknown}') is true then
        return;
    end if;
    -- The first origin stays: a user who comes back from elsewhere is still the same user.
    insert into credits.account_origins (account_id, device_keys, network_keys, shared_network, noted_at)
    values (
        p_account_id,
        case when (p_device_keys = '{unknown}') is true then '{}'::text[] else credits.check_guest_keys(p_device_keys) end,
        case when (p_network_keys = '{unknown}') is true then '{}'::text[] else credits.check_guest_keys(p_network_keys) end,
        coalesce(p_shared_network, false),
        credits.clock()
    )
    on conflict (account_id) do nothing;
end
$$;
comment on function credits.note_origin(uuid, text[], text[], boolean) is
'Records the device and the network that an account was opened from. {unknown} means that they are not known. '
'Raises PT422 bad_guest.';

create or replace function credits.campaign_room(p_campaign credits.campaigns, p_account_id uuid, p_at timestamptz)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_origin credits.account_origins;
    v_device timestamptz;
    v_network timestamptz;
begin
    if p_campaign.per_device is null then
        return null;
    end if;
    select o.* into v_origin from credits.account_origins as o where o.account_id = p_account_id;
    if not found then
        return null;
    end if;

    -- The n-th newest grant blocks the next one until it leaves the window.
    select r.redeemed_at into v_device
    from credits.account_origins as o
    inner join credits.redemptions as r on r.account_id = o.account_id and r.campaign_id = p_campaign.campaign_id
    where o.device_keys && v_origin.device_keys and r.redeemed_at > credits.earlier(p_at, p_campaign.sliding_window)
    order by r.redeemed_at desc
    offset p_campaign.per_device - 1
    limit 1;
    select r.redeemed_at into v_network
    from credits.account_origins as o
    inner join credits.redemptions as r on r.account_id = o.account_id and r.campaign_id = p_campaign.campaign_id
    where o.network_keys && v_origin.network_keys and r.redeemed_at > credits.earlier(p_at, p_campaign.sliding_window)
    order by r.redeemed_at desc
    offset case when v_origin.shared_network then p_campaign.per_shared_network else p_campaign.per_network end - 1
    limit 1;
    return credits.later(
        nullif(greatest(coalesce(v_device, '-infinity'), coalesce(v_network, '-infinity')), '-infinity'),
        p_campaign.sliding_window
    );
end
$$;
comment on function credits.campaign_room(credits.campaigns, uuid, timestamptz) is
'When a locked campaign can give again to the device and network of an account. Null if it can now, or if the origin '
'of the account is not known.';

create or replace function credits.forget_origins(p_max bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant timestamptz := credits.kept_since('networks');
    v_forgotten bigint;
begin
    delete from credits.account_origins as o
    where o.account_id in (
        select a.account_id
        from credits.account_origins as a
        where a.noted_at < v_before
        order by a.noted_at
        limit p_max
        for update skip locked
    );
    get diagnostics v_forgotten = row_count;
    return v_forgotten;
end
$$;
comment on function credits.forget_origins(bigint) is
'Forgets at most p_max origins that are older than the period of networks: by then their keys no longer match new '
'ones. Returns how many. Null means all of them.';
