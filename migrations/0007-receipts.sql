-- What the functions of api answer: one row, one JSON object.
set local role credits_owner;

create type api.spend_receipt as (
    entry_id text,
    user_id text,
    module_id text,
    cost numeric,
    balance numeric,
    draws jsonb,
    replayed boolean
);
comment on type api.spend_receipt is
'A charge: the entry, what it cost, the balance after it, and the lots it was taken from.';

create type api.grant_receipt as (
    entry_id text,
    user_id text,
    lot_id bigint,
    tokens numeric,
    balance numeric,
    replayed boolean
);
comment on type api.grant_receipt is 'Tokens that came in, as a lot.';

create type api.quote as (
    module_id text,
    cost numeric,
    balance numeric,
    available numeric,
    sufficient boolean,
    affordable numeric,
    price_id bigint,
    parts jsonb
);
comment on type api.quote is
'What a use would cost now. available: tokens that may be spent on this module; affordable: how many such uses they '
'pay, null when it is free.';

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
    replayed boolean
);
comment on type api.order_receipt is 'A purchase and its state; amount in minor units of currency.';

create type api.event_receipt as (
    event_id text,
    type text,
    outcome text,
    order_id uuid,
    entry_id text
);
comment on type api.event_receipt is 'What a Stripe event led to.';

create type api.credential as (
    user_id text,
    email text,
    password_hash text
);
comment on type api.credential is 'A sign-in of the embedded identity provider.';

-- Not plain text, so that the three arguments of IAHome's add_tokens(user_id, tokens_to_add, package_name) fit one
-- function only.
create domain api.grant_reason as text;
comment on domain api.grant_reason is
'Why tokens are granted: grant, purchase, bonus, welcome, promo, referral, allowance, rollover or adjustment.';
