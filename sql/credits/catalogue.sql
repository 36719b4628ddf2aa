-- The words of which catalogue files are made. Each is repeatable: it changes what differs and leaves the rest.

create or replace function credits.refuse_line(p_what text, p_name text, p_why text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(
        422, 'bad_catalogue', format('%s %s: %s', p_what, coalesce(quote_literal(p_name), 'without a name'), p_why),
        json_build_object('line', p_what, 'name', p_name)
    );
end
$$;
comment on function credits.refuse_line(text, text, text) is
'Raises PT422 bad_catalogue with the name of the line that is wrong.';

create or replace function credits.define_catalog(
    p_catalog_id text, p_title text, p_unit text, p_currency text default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.check_line(p_catalog_id, p_title);
    perform credits.check_line(p_catalog_id, p_unit);
    perform credits.check_currency(p_currency);
    insert into credits.catalogs as c (catalog_id, title, unit, currency)
    values (p_catalog_id, p_title, p_unit, p_currency)
    on conflict (catalog_id) do update
    set
        title = excluded.title, unit = excluded.unit, currency = excluded.currency,
        applied_at = credits.clock();
exception
    when not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('catalog', p_catalog_id, sqlerrm);
end
$$;
comment on function credits.define_catalog(text, text, text, text) is
'Names the catalogue, the unit of its balances, and the money that its packs are sold in. Raises PT422 bad_catalogue.';

create or replace function credits.define_category(p_category_id text, p_title text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.check_line(p_category_id, p_title);
    insert into credits.module_categories as c (category_id, title) values (p_category_id, p_title)
    on conflict (category_id) do update set title = excluded.title where c.title <> excluded.title;
exception
    when check_violation or not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('category', p_category_id, sqlerrm);
end
$$;
comment on function credits.define_category(text, text) is 'A group of modules. Raises PT422 bad_catalogue.';

create or replace function credits.define_module(
    p_module_id text, p_title text, p_category_id text default null, p_active boolean default true
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_other text;
begin
    if p_category_id is not null
        and not exists (select from credits.module_categories as c where c.category_id = p_category_id) then
        perform credits.fail(422, 'bad_catalogue', format('no category %L', p_category_id));
    end if;
    perform credits.check_line(p_module_id, p_title);
    -- Of two modules that look alike, a slip of the pen costs the price of the other one.
    v_other := (
        select m.module_id
        from credits.modules as m
        where
            m.likeness = credits.likeness(p_module_id) and m.module_id is distinct from p_module_id
            and not exists (select from credits.modules as x where x.module_id = p_module_id)
        order by m.module_id
        limit 1
    );
    if v_other is not null then
        perform credits.fail(422, 'bad_catalogue', format('it looks like module %L, which is listed', v_other));
    elsif (credits.likeness(p_module_id) = '') is true then
        perform credits.fail(422, 'bad_catalogue', 'an id has letters or digits');
    end if;
    insert into credits.modules as m (module_id, title, category_id, active)
    values (p_module_id, p_title, p_category_id, p_active)
    on conflict (module_id) do update
    set title = excluded.title, category_id = excluded.category_id, active = excluded.active
    where (m.title, m.category_id, m.active) is distinct from (excluded.title, excluded.category_id, excluded.active);
    perform credits.list_prices();
exception
    when check_violation or not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('module', p_module_id, sqlerrm);
end
$$;
comment on function credits.define_module(text, text, text, boolean) is
'Something tokens can be spent on. Not active: withdrawn, no longer spendable. A new id looks like that of no other '
'module, withdrawn or not: by case, accents, letters of other scripts, white space, hyphens or underscores. '
'Raises PT422 bad_catalogue.';

create or replace function credits.define_guest_limits(
    p_catalog_id text,
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
    v_per_network constant bigint := coalesce(p_per_network, p_per_device);
begin
    if (p_per_device = 0) is true then
        delete from credits.guest_limits as l where l.catalog_id = p_catalog_id;
        return;
    end if;
    insert into credits.guest_limits as l (catalog_id, per_device, per_network, per_shared_network, sliding_window)
    values (
        p_catalog_id, p_per_device, v_per_network,
        coalesce(p_per_shared_network, credits.tighter(10 * v_per_network, 1000000)::bigint),
        -- In seconds: a day of the calendar has 23 or 25 hours when the clocks change.
        make_interval(secs => extract(epoch from p_sliding_window)::double precision)
    )
    on conflict (catalog_id) do update
    set
        per_device = excluded.per_device, per_network = excluded.per_network,
        per_shared_network = excluded.per_shared_network, sliding_window = excluded.sliding_window;
exception
    when check_violation or not_null_violation or foreign_key_violation or numeric_value_out_of_range
        or datetime_field_overflow then
        perform credits.refuse_line('guest limits of', p_catalog_id, sqlerrm);
end
$$;
comment on function credits.define_guest_limits(text, bigint, bigint, bigint, interval) is
'Uses without an account, in any span of p_sliding_window (at most 7 days): per device; per network, by default as '
'many; per network that is known to be shared, by default ten times that. p_per_device 0: none any more. '
'Raises PT422 bad_catalogue.';

create or replace function credits.define_pack(
    p_pack_id text,
    p_title text,
    p_tokens numeric,
    p_amount bigint,
    p_currency text,
    p_bonus_tokens numeric default 0,
    p_popular boolean default false,
    p_position bigint default 0,
    p_expires_after interval default null,
    p_stripe_price_id text default null,
    p_active boolean default true,
    p_scope text default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    -- What the file says, else what the operator has configured, else what is there.
    v_stripe_price_id constant text := coalesce(p_stripe_price_id, credits.configured_stripe_price(p_pack_id));
begin
    perform credits.check_line(p_pack_id, p_title);
    perform credits.check_currency(p_currency);
    -- A pack that cannot be bought can always be withdrawn.
    if p_active is not false then
        perform credits.check_charge(p_amount, p_currency);
    end if;
    perform credits.check_scope(p_scope);
    if p_bonus_tokens is distinct from 0 then
        perform credits.check_amount(p_bonus_tokens);
    end if;
    -- Found out by the payment it would be too late: no time is that far away.
    if (p_expires_after > interval '1000 years') is true then
        perform credits.fail(422, 'bad_catalogue', 'tokens expire after 1000 years at most, or never');
    end if;
    if (v_stripe_price_id !~ '^price_[A-Za-z0-9_]{1,240}$') is true then
        perform credits.fail(422, 'bad_catalogue', format('%L is no price of Stripe''s: price_…', v_stripe_price_id));
    end if;
    insert into credits.packs as p (
        pack_id, title, tokens, bonus_tokens, amount, currency, stripe_price_id, popular, position,
        expires_after, active, scope
    )
    values (
        p_pack_id, p_title, credits.check_amount(p_tokens), p_bonus_tokens, p_amount, p_currency, v_stripe_price_id,
        p_popular, p_position, p_expires_after, p_active, p_scope
    )
    on conflict (pack_id) do update
    set
        title = excluded.title, tokens = excluded.tokens, bonus_tokens = excluded.bonus_tokens,
        amount = excluded.amount, currency = excluded.currency,
        stripe_price_id = coalesce(excluded.stripe_price_id, p.stripe_price_id), popular = excluded.popular,
        position = excluded.position, expires_after = excluded.expires_after, active = excluded.active,
        scope = excluded.scope;
exception
    when check_violation or not_null_violation or numeric_value_out_of_range or sqlstate 'PT422' then
        perform credits.refuse_line('pack', p_pack_id, sqlerrm);
end
$$;
comment on function credits.define_pack(
    text, text, numeric, bigint, text, numeric, boolean, bigint, interval, text, boolean, text
) is
'Something that can be bought, for an amount that Stripe would charge, in the unit that Stripe counts currency in '
'(cents; 5000 ugx are 50 shillings). scope (module:ID or category:ID) binds its tokens. '
'Without a Stripe price the configured one is taken, else the one there is stays. Orders keep their own snapshot. '
'Raises PT422 bad_catalogue.';

-- Price ids are the operator's, not the file's: `pgcredits catalog apply` gives them to the transaction as a setting.
create or replace function credits.configured_stripe_price(p_pack_id text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return nullif(current_setting('pgcredits.stripe_prices', true), '')::jsonb ->> p_pack_id;
end
$$;
comment on function credits.configured_stripe_price(text) is
'The price at Stripe that the operator has configured for a pack; null when there is none.';

create or replace function credits.check_stripe_prices()
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_unknown constant text := (
        select min(k.pack_id)
        from jsonb_object_keys(nullif(current_setting('pgcredits.stripe_prices', true), '')::jsonb) as k (pack_id)
        where not exists (select from credits.packs as p where p.pack_id = k.pack_id)
    );
begin
    if v_unknown is not null then
        perform credits.refuse_line('stripe price of pack', v_unknown, 'no such pack');
    end if;
end
$$;
comment on function credits.check_stripe_prices() is
'Asked after a catalogue file: raises PT422 bad_catalogue when a price is configured for a pack that does not exist.';

-- The presets are those that follow it in the file, so that one can be taken out.
create or replace function credits.define_topup(
    p_currency text, p_minimum bigint, p_maximum bigint, p_tokens_per_unit numeric
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.check_charge(p_minimum, p_currency);
    perform credits.check_charge(p_maximum, p_currency);
    if (scale(p_tokens_per_unit) <= 30) is not true then
        perform credits.fail(422, 'bad_catalogue', 'tokens_per_unit is a number with at most 30 decimals');
    elsif p_minimum is not null and p_maximum is not null then
        -- What is paid for always buys something.
        perform credits.check_amount(credits.topup_tokens(p_minimum, p_tokens_per_unit));
        perform credits.check_amount(credits.topup_tokens(p_maximum, p_tokens_per_unit));
    end if;
    delete from credits.topup_presets as s where s.currency = p_currency;
    insert into credits.topups as t (currency, minimum, maximum, tokens_per_unit)
    values (p_currency, p_minimum, p_maximum, p_tokens_per_unit)
    on conflict (currency) do update
    set minimum = excluded.minimum, maximum = excluded.maximum, tokens_per_unit = excluded.tokens_per_unit;
exception
    when check_violation or not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('topup', p_currency, sqlerrm);
end
$$;
comment on function credits.define_topup(text, bigint, bigint, numeric) is
'Offers buying any amount that Stripe would charge, between two bounds (minor units of currency), at so many tokens '
'per minor unit; takes back its presets. Raises PT422 bad_catalogue.';

create or replace function credits.define_topup_preset(
    p_currency text, p_amount bigint, p_popular boolean default false
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select
        from credits.topups as t
        where t.currency = p_currency and p_amount between t.minimum and t.maximum
    ) then
        perform credits.fail(422, 'bad_catalogue', 'no top-up has this amount between its bounds');
    end if;
    perform credits.check_charge(p_amount, p_currency);
    insert into credits.topup_presets as s (currency, amount, popular) values (p_currency, p_amount, p_popular)
    on conflict (currency, amount) do update set popular = excluded.popular;
exception
    when not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('topup preset', concat_ws(' ', p_amount, p_currency), sqlerrm);
end
$$;
comment on function credits.define_topup_preset(text, bigint, boolean) is
'An amount of a top-up to propose (minor units of currency), between its bounds. Raises PT422 bad_catalogue.';
