-- The lines of a price list that say what is given away. Applied again, they change what a campaign gives from now on,
-- never what it has given.
create or replace function credits.define_campaign(
    p_campaign_id text,
    p_kind text,
    p_title text,
    p_tokens numeric,
    p_referee_tokens numeric default 0,
    p_budget bigint default null,
    p_per_account bigint default 1,
    p_valid_from timestamptz default null,
    p_valid_until timestamptz default null,
    p_expires_after interval default null,
    p_priority bigint default null,
    p_scope text default null,
    p_active boolean default true
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_known credits.campaigns;
    v_why text;
begin
    -- The lock keeps grants from being counted while the new budget is compared with the count. All campaigns are
    -- locked, because the lines of a file come in any order: a sign-up locks those of its referrer, of welcomes and of
    -- a code in this order.
    perform
    from credits.campaigns as c
    order by array_position(array['referral', 'welcome', 'promo'], c.kind::text), c.campaign_id
    for no key update;
    select c.* into v_known from credits.campaigns as c where c.campaign_id = p_campaign_id;
    v_why := case
        when p_kind is null or p_kind not in ('welcome', 'promo', 'referral') then 'kind is welcome, promo or referral'
        when (v_known.kind::text <> p_kind) is true then format('its kind is %s and cannot change', v_known.kind)
        when (length(p_title) not between 1 and 200) is true then 'a title has 1 to 200 characters'
        when p_referee_tokens is distinct from 0 and p_kind <> 'referral' then 'referee_tokens are for a referral'
        when p_kind = 'welcome' and p_per_account is distinct from 1 then 'a welcome is given once: per_account is 1'
        when (credits.is_sane_time(p_valid_from) and credits.is_sane_time(p_valid_until)) is not true
            then 'valid_from and valid_until are times from the year 2000 to 9999, or left out'
        when (p_budget < greatest(coalesce(v_known.grants, 0), 1)) is true
            then format('a budget of %s is below the %s grants made, or below 1', p_budget, coalesce(v_known.grants, 0))
        when (p_per_account < v_known.per_account) is true and exists (
            select from credits.redemptions as r where r.campaign_id = p_campaign_id and r.number > p_per_account
        ) then format('somebody has had more than %s grants', p_per_account)
    end;
    if v_why is not null then
        perform credits.fail(422, 'bad_catalog', v_why);
    end if;
    perform credits.check_line(p_campaign_id, p_title);
    perform credits.check_amount(p_tokens);
    if p_referee_tokens is distinct from 0 then
        perform credits.check_amount(p_referee_tokens);
    end if;
    perform credits.check_scope(p_scope);

    insert into credits.campaigns as c (
        campaign_id, kind, title, tokens, referee_tokens, budget, per_account, valid_from, valid_until,
        expires_after, priority, scope, active, per_device, per_network, per_shared_network
    )
    values (
        p_campaign_id, p_kind::credits.entry_kind, p_title, p_tokens, p_referee_tokens, p_budget, p_per_account,
        coalesce(p_valid_from, '-infinity'), coalesce(p_valid_until, 'infinity'), p_expires_after, p_priority, p_scope,
        -- A welcome has bounds unless the price list says otherwise, with credits.define_campaign_bounds.
        p_active, case when (p_kind = 'welcome') is true then 3 end, case when (p_kind = 'welcome') is true then 20 end,
        case when (p_kind = 'welcome') is true then 200 end
    )
    on conflict (campaign_id) do update
    set
        title = excluded.title, tokens = excluded.tokens, referee_tokens = excluded.referee_tokens,
        budget = excluded.budget, per_account = excluded.per_account, valid_from = excluded.valid_from,
        valid_until = excluded.valid_until, expires_after = excluded.expires_after, priority = excluded.priority,
        scope = excluded.scope, active = excluded.active;
exception
    -- What was refused above gets the name of its line here.
    when check_violation or not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('campaign', p_campaign_id, sqlerrm);
end
$$;
comment on function credits.define_campaign(
    text, text, text, numeric, numeric, bigint, bigint, timestamptz, timestamptz, interval, bigint, text, boolean
) is
'Something that is given away. p_kind: welcome (when an account opens), promo (for a code) or referral (with the first '
'purchase of a user: p_tokens to the referrer who brought them, p_referee_tokens to the user). p_budget and '
'p_per_account count grants. p_expires_after: how long the granted tokens last. Raises PT422 bad_catalog.';

create or replace function credits.define_campaign_bounds(
    p_campaign_id text,
    p_per_device bigint,
    p_per_network bigint default null,
    p_per_shared_network bigint default null,
    p_sliding_window interval default '24 hours'
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_per_device constant bigint := nullif(p_per_device, 0);
    v_per_network constant bigint := case when v_per_device is not null then coalesce(p_per_network, v_per_device) end;
begin
    if p_per_device is null then
        perform credits.fail(422, 'bad_catalog', 'per_device is 0, for no bounds, or at least 1');
    end if;
    update credits.campaigns as c
    set
        per_device = v_per_device, per_network = v_per_network,
        per_shared_network = case
            when v_per_device is not null then coalesce(p_per_shared_network, credits.tighter(10 * v_per_network, 1000000)::bigint)
        end,
        -- In seconds: a calendar day has 23 or 25 hours when the clocks change.
        sliding_window = make_interval(secs => extract(epoch from p_sliding_window)::double precision)
    where c.campaign_id = p_campaign_id;
    if not found then
        perform credits.fail(422, 'bad_catalog', 'no such campaign');
    end if;
exception
    when check_violation or not_null_violation or numeric_value_out_of_range or datetime_field_overflow
        or sqlstate 'PT422' then
        perform credits.refuse_line('bounds of campaign', p_campaign_id, sqlerrm);
end
$$;
comment on function credits.define_campaign_bounds(text, bigint, bigint, bigint, interval) is
'How often a campaign gives to accounts of one device, and of one network, in any span of p_sliding_window (at most 7 '
'days). p_per_network: by default as often as per device. p_per_shared_network, for a network that is known to be '
'shared: by default ten times that. p_per_device 0 means no bounds. By default a welcome has the bounds 3, 20 and 200, '
'and a promotion has none. A referral cannot have bounds. Raises PT422 bad_catalog.';
