-- Automatic top-ups: what users have agreed to, what is agreed now, and every attempt. And the calls to Stripe that the
-- worker makes: charges of automatic top-ups, refunds that we start, and pages where a card is confirmed.
set local role credits_owner;

-- What users agreed to and took back. Never changed: another row says what is different now.
create table credits.topup_consents (
    account_id uuid not null,
    consent_id uuid not null default gen_random_uuid(),
    kind text not null,
    agreed_id uuid not null,
    words text,
    threshold credits.amount,
    pack_id text,
    tokens credits.amount,
    amount bigint,
    currency text,
    monthly_limit bigint,
    customer_id text,
    payment_method_id text,
    reason text,
    actor text not null,
    decided_at timestamptz not null,
    constraint topup_consents_pkey primary key (account_id, consent_id),
    constraint topup_consents_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint topup_consents_pack_fkey foreign key (pack_id) references credits.packs (pack_id),
    constraint topup_consents_kind_is_known check (kind in ('consent', 'card', 'withdrawal', 'stop')),
    constraint topup_consents_name_themselves check ((kind = 'consent') = (agreed_id = consent_id)),
    constraint topup_consents_say_to_what check (
        num_nonnulls(words, threshold, tokens, amount, currency, monthly_limit)
        = case kind when 'consent' then 6 else 0 end
    ),
    constraint topup_consents_card_is_named check (kind <> 'card' or payment_method_id is not null),
    constraint topup_consents_stop_has_reason check (kind <> 'stop' or reason is not null),
    constraint topup_consents_amounts_are_sane check (
        kind <> 'consent' or (threshold > 0 and tokens > 0 and amount > 0 and monthly_limit >= amount) is true
    )
);
create index topup_consents_pack_idx on credits.topup_consents (pack_id);
create index topup_consents_agreed_idx on credits.topup_consents (account_id, agreed_id);

-- The present state of an account: what its consents and attempts have led to. Without a row it is off.
create table credits.auto_topups (
    account_id uuid not null,
    state text not null default 'off',
    reason text,
    consent_id uuid,
    threshold credits.amount not null,
    pack_id text,
    tokens credits.amount not null,
    amount bigint not null,
    currency text not null,
    monthly_limit bigint not null,
    customer_id text,
    payment_method_id text,
    declines bigint not null default 0,
    failures bigint not null default 0,
    wanted boolean not null default false,
    next_try_at timestamptz not null default '-infinity',
    stopped_by uuid,
    link text,
    link_until timestamptz,
    changed_at timestamptz not null,
    constraint auto_topups_pkey primary key (account_id),
    constraint auto_topups_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint auto_topups_pack_fkey foreign key (pack_id) references credits.packs (pack_id),
    constraint auto_topups_consent_fkey foreign key (account_id, consent_id)
    references credits.topup_consents (account_id, consent_id),
    constraint auto_topups_state_is_known check (state in ('off', 'waiting', 'on', 'paused')),
    constraint auto_topups_on_has_consent check (
        state = 'off'
        or (consent_id is not null and (state = 'waiting' or num_nonnulls(customer_id, payment_method_id) = 2))
    ),
    constraint auto_topups_says_why check ((state in ('off', 'paused')) = (reason is not null)),
    constraint auto_topups_declines_are_sane check (declines >= 0 and failures >= declines)
);
create index auto_topups_pack_idx on credits.auto_topups (pack_id);
create index auto_topups_consent_idx on credits.auto_topups (account_id, consent_id);

create table credits.topup_attempts (
    account_id uuid not null,
    attempt_id uuid not null default gen_random_uuid(),
    consent_id uuid not null,
    order_id uuid not null,
    state text not null default 'open',
    reason text,
    entry_seq bigint,
    hold_id uuid,
    balance_before credits.tokens not null,
    balance_after credits.tokens not null,
    threshold credits.amount not null,
    amount bigint not null,
    currency text not null,
    payment_intent_id text,
    fired_at timestamptz not null,
    ended_at timestamptz,
    constraint topup_attempts_pkey primary key (account_id, attempt_id),
    constraint topup_attempts_consent_fkey foreign key (account_id, consent_id)
    references credits.topup_consents (account_id, consent_id),
    constraint topup_attempts_order_fkey foreign key (account_id, order_id)
    references credits.orders (account_id, order_id),
    constraint topup_attempts_state_is_known check (
        state in ('open', 'succeeded', 'declined', 'authentication_required', 'canceled', 'failed')
    ),
    constraint topup_attempts_end_has_time check ((state = 'open') = (ended_at is null)),
    constraint topup_attempts_amount_is_positive check (amount > 0)
);
-- Two spends at once cannot charge a card twice.
create unique index topup_attempts_one_in_flight on credits.topup_attempts (account_id) where state = 'open';
create unique index topup_attempts_order_idx on credits.topup_attempts (account_id, order_id);
create index topup_attempts_consent_idx on credits.topup_attempts (account_id, consent_id);
create index topup_attempts_fired_idx on credits.topup_attempts (account_id, fired_at);

-- Refunds that we start. Their tokens are withheld until Stripe has answered.
create table credits.refund_requests (
    account_id uuid not null,
    request_id uuid not null default gen_random_uuid(),
    order_id uuid not null,
    state text not null default 'open',
    tokens credits.amount not null,
    amount bigint not null,
    reason text,
    trouble text,
    refund_id text,
    actor text not null,
    requested_at timestamptz not null,
    ended_at timestamptz,
    constraint refund_requests_pkey primary key (account_id, request_id),
    constraint refund_requests_order_fkey foreign key (account_id, order_id)
    references credits.orders (account_id, order_id),
    constraint refund_requests_state_is_known check (state in ('open', 'refunded', 'failed')),
    constraint refund_requests_end_has_time check ((state = 'open') = (ended_at is null)),
    constraint refund_requests_refund_is_named check (state <> 'refunded' or refund_id is not null),
    constraint refund_requests_amount_is_positive check (amount > 0)
);
create index refund_requests_order_idx on credits.refund_requests (account_id, order_id);

-- Calls to Stripe that the worker makes. The key and the parameters are fixed here, so every repeat is the same call.
create table credits.stripe_calls (
    account_id uuid not null,
    call_id uuid not null default gen_random_uuid(),
    kind text not null,
    made_for uuid not null,
    idempotency_key text not null,
    params jsonb not null,
    state text not null default 'due',
    due_at timestamptz not null,
    tries bigint not null default 0,
    first_tried_at timestamptz,
    lease uuid,
    must_look_up boolean not null default false,
    result jsonb,
    trouble text,
    created_at timestamptz not null,
    ended_at timestamptz,
    constraint stripe_calls_pkey primary key (account_id, call_id),
    constraint stripe_calls_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint stripe_calls_kind_is_known check (kind in ('charge', 'refund', 'confirm_card')),
    constraint stripe_calls_state_is_known check (state in ('due', 'done', 'failed', 'canceled')),
    constraint stripe_calls_end_has_time check ((state = 'due') = (ended_at is null)),
    constraint stripe_calls_tries_are_sane check (tries >= 0 and (tries > 0) = (first_tried_at is not null))
);
create index stripe_calls_due_idx on credits.stripe_calls (due_at) where state = 'due';
create unique index stripe_calls_made_for_idx on credits.stripe_calls (account_id, kind, made_for);

create type api.auto_topup_receipt as (
    user_id text,
    account_id uuid,
    state text,
    reason text,
    consent_id uuid,
    threshold numeric,
    pack_id text,
    tokens numeric,
    amount bigint,
    currency text,
    monthly_limit bigint,
    stripe_customer_id text
);

create type api.stripe_calls as (
    calls jsonb
);

create type api.stripe_report as (
    call_id uuid,
    state text,
    due_at timestamptz
);

create type api.refund_request as (
    request_id uuid,
    order_id uuid,
    user_id text,
    state text,
    tokens numeric,
    amount bigint,
    currency text,
    replayed boolean
);
