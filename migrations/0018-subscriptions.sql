-- Plans, and who has them: so many tokens for each period, as long as somebody pays, or free.
set local role credits_owner;

-- What a plan is called and where it stands. Its terms are versions, which are never edited: a period is granted by
-- the version that it was sold as.
create table credits.plans (
    plan_id text not null,
    title text not null,
    free boolean not null,
    popular boolean not null default false,
    position bigint not null default 0,
    active boolean not null default true,
    constraint plans_pkey primary key (plan_id)
);
create unique index plans_one_is_free on credits.plans (free) where free and active;

create table credits.plan_versions (
    plan_id text not null,
    version bigint not null,
    allowance credits.tokens not null,
    period_unit text not null,
    period_count bigint not null,
    amount bigint not null,
    currency text,
    trial_days bigint not null default 0,
    trial_allowance credits.tokens not null default 0,
    rollover_cap credits.tokens,
    rollover_percent numeric,
    rollover_expires_after interval,
    priority bigint not null,
    rollover_priority bigint not null,
    scope text,
    stripe_price_id text,
    defined_at timestamptz not null default clock_timestamp(),
    constraint plan_versions_pkey primary key (plan_id, version),
    constraint plan_versions_plan_fkey foreign key (plan_id) references credits.plans (plan_id),
    constraint plan_versions_currency_fkey foreign key (currency) references credits.currencies (currency),
    constraint plan_versions_allowance_is_positive check (allowance > 0),
    constraint plan_versions_period_is_known check (period_unit in ('month', 'year')),
    constraint plan_versions_period_is_sane check (
        period_count between 1 and case period_unit when 'year' then 3 else 36 end
    ),
    constraint plan_versions_amount_is_not_negative check (amount >= 0),
    constraint plan_versions_price_has_currency check (amount = 0 or currency is not null),
    constraint plan_versions_trial_is_sane check (trial_days between 0 and 730 and trial_allowance >= 0),
    constraint plan_versions_cap_is_positive check (rollover_cap > 0),
    constraint plan_versions_percent_is_sane check (rollover_percent > 0 and rollover_percent <= 100),
    constraint plan_versions_rollover_expiry_is_sane check (
        rollover_expires_after > interval '0' and rollover_expires_after <= interval '1000 years'
    )
);
create index plan_versions_currency_idx on credits.plan_versions (currency);
create index plan_versions_stripe_price_idx on credits.plan_versions (stripe_price_id)
where stripe_price_id is not null;

-- One row for each subscription at Stripe: what the newest of its events says.
create table credits.subscriptions (
    account_id uuid not null,
    subscription_id text not null,
    plan_id text,
    version bigint,
    quantity bigint not null default 1,
    status text not null,
    cancel_at_period_end boolean not null default false,
    cancel_at timestamptz,
    pause text,
    resumes_at timestamptz,
    trial_ends_at timestamptz,
    period_starts_at timestamptz,
    period_ends_at timestamptz,
    ended_at timestamptz,
    -- Which event said so, and when, by Stripe's clock. Until an event of the subscription itself has come, an invoice.
    said_at timestamptz not null default '-infinity',
    said_by text,
    created_at timestamptz not null,
    constraint subscriptions_pkey primary key (account_id, subscription_id),
    constraint subscriptions_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint subscriptions_plan_fkey foreign key (plan_id, version)
    references credits.plan_versions (plan_id, version),
    constraint subscriptions_status_is_known check (
        status in (
            'incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled', 'unpaid', 'paused'
        )
    ),
    constraint subscriptions_quantity_is_positive check (quantity > 0)
);
create index subscriptions_subscription_idx on credits.subscriptions (subscription_id);
create index subscriptions_plan_idx on credits.subscriptions (plan_id, version);

-- The invoices of subscriptions, and the period that a paid one granted: once per invoice, for ever.
create table credits.subscription_invoices (
    account_id uuid not null,
    invoice_id text not null,
    subscription_id text not null,
    state text not null,
    attempts bigint not null default 0,
    amount_due bigint,
    currency text,
    pay_url text,
    next_attempt_at timestamptz,
    order_id uuid,
    plan_id text,
    version bigint,
    quantity bigint,
    period_starts_at timestamptz,
    period_ends_at timestamptz,
    unused credits.amount not null default 0,
    created_at timestamptz not null,
    constraint subscription_invoices_pkey primary key (account_id, invoice_id),
    constraint subscription_invoices_subscription_fkey foreign key (account_id, subscription_id)
    references credits.subscriptions (account_id, subscription_id),
    constraint subscription_invoices_order_fkey foreign key (account_id, order_id)
    references credits.orders (account_id, order_id),
    constraint subscription_invoices_plan_fkey foreign key (plan_id, version)
    references credits.plan_versions (plan_id, version),
    constraint subscription_invoices_state_is_known check (state in ('open', 'uncollectible', 'void', 'paid')),
    constraint subscription_invoices_attempts_are_counted check (attempts >= 0),
    -- A granted period is whole.
    constraint subscription_invoices_grant_is_whole check (
        num_nonnulls(order_id, plan_id, version, quantity, period_starts_at, period_ends_at) in (0, 6)
        and (order_id is null or state = 'paid' and (period_starts_at < period_ends_at) is true)
    )
);
create unique index subscription_invoices_order_idx on credits.subscription_invoices (account_id, order_id);
create index subscription_invoices_subscription_idx
on credits.subscription_invoices (account_id, subscription_id, period_ends_at);
create index subscription_invoices_plan_idx on credits.subscription_invoices (plan_id, version);

-- The periods of the free plan, each at most once. lot_id is null while a paid plan takes its place.
create table credits.free_periods (
    account_id uuid not null,
    period_starts_at timestamptz not null,
    period_ends_at timestamptz not null,
    anchor_at timestamptz not null,
    plan_id text not null,
    version bigint not null,
    lot_id bigint,
    constraint free_periods_pkey primary key (account_id, period_starts_at),
    constraint free_periods_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint free_periods_plan_fkey foreign key (plan_id, version)
    references credits.plan_versions (plan_id, version),
    constraint free_periods_lot_fkey foreign key (account_id, lot_id) references credits.lots (account_id, lot_id),
    constraint free_periods_are_spans check (period_starts_at < period_ends_at)
);
create index free_periods_plan_idx on credits.free_periods (plan_id, version);
create index free_periods_lot_idx on credits.free_periods (account_id, lot_id);

-- Events of subscriptions name the customer, and a trial is an order of nothing.
create index accounts_stripe_customer_idx on credits.accounts (stripe_customer_id) where stripe_customer_id is not null;
alter table credits.orders
-- squawk-ignore ban-drop-constraint
drop constraint orders_amount_is_positive,
add constraint orders_amount_is_not_negative check (amount >= 0);

create type api.plan_offer as (
    user_id text,
    account_id uuid,
    plan_id text,
    version bigint,
    title text,
    allowance numeric,
    interval text,
    interval_count bigint,
    amount bigint,
    currency text,
    trial_days bigint,
    stripe_price_id text,
    stripe_customer_id text
);

create type api.stripe_customer as (
    user_id text,
    account_id uuid,
    stripe_customer_id text
);

create type api.free_plan_receipt as (
    user_id text,
    plan_id text,
    allowance numeric,
    granted boolean,
    period_starts_at timestamptz,
    period_ends_at timestamptz,
    balance numeric,
    replayed boolean
);
