-- What the functions of api answer: one row, one JSON object. The order of the attributes is part of the contract, so a
-- new one goes last.
set local role credits_owner;

-- Spending

create type api.spend_receipt as (
    entry_id text,
    user_id text,
    module_id text,
    cost numeric,
    balance numeric,
    draws jsonb,
    replayed boolean,
    price_source text,
    refunded numeric
);

create type api.quote as (
    module_id text,
    cost numeric,
    balance numeric,
    available numeric,
    sufficient boolean,
    affordable numeric,
    price_id bigint,
    parts jsonb,
    price_source text
);

create type api.refusal_receipt as (
    user_id text,
    module_id text,
    depleted boolean
);

create type api.refund_receipt as (
    entry_id text,
    user_id text,
    charge_id text,
    tokens numeric,
    expired numeric,
    balance numeric,
    draws jsonb,
    replayed boolean
);

create type api.batch_receipt as (
    accepted bigint,
    refused bigint,
    verdicts json
);

create type api.failure_receipt as (
    failure_id uuid,
    user_id text,
    module_id text,
    failed_at timestamptz,
    replayed boolean
);

-- Holds

create type api.hold_receipt as (
    hold_id text,
    user_id text,
    module_id text,
    state text,
    held numeric,
    balance numeric,
    available numeric,
    draws jsonb,
    expires_at timestamptz,
    replayed boolean,
    price_source text
);

create type api.capture_receipt as (
    hold_id text,
    entry_id text,
    user_id text,
    module_id text,
    state text,
    cost numeric,
    paid numeric,
    debt numeric,
    shortfall numeric,
    held numeric,
    released numeric,
    balance numeric,
    draws jsonb,
    late boolean,
    replayed boolean,
    price_source text,
    refunded numeric
);

create type api.release_receipt as (
    hold_id text,
    user_id text,
    module_id text,
    state text,
    released numeric,
    captured numeric,
    replayed boolean
);

create type api.shortfall_receipt as (
    shortfall_id text,
    user_id text,
    tokens numeric,
    state text,
    replayed boolean
);

create type api.overdraft as (
    user_id text,
    tokens numeric,
    debt numeric
);

-- Tokens that come in

create type api.grant_receipt as (
    entry_id text,
    user_id text,
    lot_id bigint,
    tokens numeric,
    balance numeric,
    replayed boolean
);

create type api.redemption_receipt as (
    code text,
    kind text,
    campaign_id text,
    title text,
    entry_id text,
    user_id text,
    lot_id bigint,
    tokens numeric,
    balance numeric,
    expires_at timestamptz,
    replayed boolean
);

create type api.referral_offer as (
    user_id text,
    code text,
    campaign_id text,
    title text,
    tokens numeric,
    referee_tokens numeric
);

create type api.order_receipt as (
    order_id uuid,
    account_id uuid,
    user_id text,
    pack_id text,
    package_name text,
    module_id text,
    tokens numeric,
    bonus_tokens numeric,
    amount bigint,
    currency text,
    state text,
    stripe_price_id text,
    stripe_customer_id text,
    checkout_session_id text,
    replayed boolean,
    scope text
);

create type api.event_receipt as (
    event_id text,
    type text,
    outcome text,
    order_id uuid,
    entry_id text
);

-- Not plain text, so that the three arguments of IAHome's add_tokens(user_id, tokens_to_add, package_name) fit one
-- function only.
create domain api.grant_reason as text;

-- Accounts

create type api.account_receipt as (
    user_id text,
    opened boolean,
    balance numeric,
    referred boolean,
    welcome numeric,
    welcome_waits_for text,
    reset_at timestamptz
);

create type api.newcomer as (
    user_id text,
    email text,
    password_hash text,
    welcome numeric,
    welcome_waits_for text,
    reset_at timestamptz
);

create type api.credential as (
    user_id text,
    email text,
    password_hash text
);

create type api.admission as (
    user_id text,
    attempts bigint,
    reset_at timestamptz
);

create type api.account_standing as (
    user_id text,
    status text,
    reason text,
    changed_at timestamptz,
    replayed boolean
);

create type api.guest_receipt as (
    use_id uuid,
    module_id text,
    state text,
    used bigint,
    "limit" bigint,
    remaining bigint,
    reset_at timestamptz,
    replayed boolean
);

-- Limits and notices

create type api.spend_limit as (
    user_id text,
    period text,
    set_by text,
    tokens numeric,
    spent numeric,
    remaining numeric,
    resets_at timestamptz
);

create type api.low_balance as (
    user_id text,
    below numeric,
    percent numeric,
    threshold numeric
);

create type api.acknowledgement as (
    notices bigint
);

-- Operation

create type api.maintenance as (
    accounts bigint,
    keys bigint,
    events bigint,
    partitions bigint
);

create type api.test_clock as (
    user_id text,
    frozen_time timestamptz
);
