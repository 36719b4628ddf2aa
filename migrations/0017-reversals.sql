-- Money that comes back: refunds, disputes and payments that fail after they succeeded. An order is one payment for
-- tokens, however it was made, so everything that comes back belongs to an order.
set local role credits_owner;

alter table credits.orders
add column kind text not null default 'checkout',
add column paid bigint,
add column reversed bigint not null default 0,
add column reversal_pending bigint not null default 0,
add column disputed boolean not null default false,
add column reversed_debt credits.amount not null default 0,
add column succeeded_at timestamptz;
-- What was paid with tax is in the event that granted it.
update credits.orders as o
set
    paid = coalesce(
        (
            select (e.payload #>> '{data,object,amount_total}')::bigint
            from credits.stripe_events as e
            where
                e.account_id = o.account_id and e.order_id = o.order_id and e.outcome = 'granted'
                and jsonb_typeof(e.payload #> '{data,object,amount_total}') = 'number'
            order by e.received_at
            limit 1
        ),
        o.amount
    )
where o.state = 'paid';
alter table credits.orders
add constraint orders_kind_is_known check (kind in ('checkout', 'auto_topup', 'subscription')),
add constraint orders_paid_has_amount check (state <> 'paid' or (paid >= 0) is true),
add constraint orders_reversed_is_bounded check (
    reversed >= 0 and reversal_pending >= 0 and reversed + reversal_pending <= coalesce(paid, 0)
);
create index orders_payment_intent_idx on credits.orders (payment_intent_id) where payment_intent_id is not null;
create index orders_reversed_debt_idx on credits.orders (account_id) where reversed_debt > 0;

alter table credits.lots
add column reversed credits.amount not null default 0,
add column withheld credits.amount not null default 0;

alter table credits.referrals
add column order_id uuid,
add column reward_lot_id bigint;

-- One row per object at Stripe that takes money back, or may. Its state is the furthest that any event reported, so it
-- does not depend on the order in which they came.
create table credits.reversals (
    account_id uuid not null,
    reversal_id text not null,
    order_id uuid not null,
    kind text not null,
    amount bigint not null,
    status text not null,
    withdrawals bigint not null default 0,
    reinstatements bigint not null default 0,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    constraint reversals_pkey primary key (account_id, reversal_id),
    constraint reversals_order_fkey foreign key (account_id, order_id)
    references credits.orders (account_id, order_id),
    constraint reversals_kind_is_known check (
        kind in ('refund', 'refunded_charge', 'dispute', 'fraud_warning', 'failed_payment')
    ),
    constraint reversals_amount_is_not_negative check (amount >= 0),
    constraint reversals_counts_are_sane check (withdrawals >= 0 and reinstatements >= 0)
);
create index reversals_order_idx on credits.reversals (account_id, order_id);

-- An event is found by whatever it names.
alter table credits.stripe_events
add column names text[] not null default '{}';
create index stripe_events_names_idx on credits.stripe_events using gin (names) where outcome = 'waiting';

-- What people decided about events that needed a decision.
create table credits.event_decisions (
    event_id text not null,
    number bigint not null,
    decided_at timestamptz not null,
    decision text not null,
    reason text not null,
    actor text not null,
    outcome text not null,
    constraint event_decisions_pkey primary key (event_id, number),
    constraint event_decisions_event_fkey foreign key (event_id) references credits.stripe_events (event_id),
    constraint event_decisions_decision_is_known check (decision in ('replayed', 'dismissed'))
);

alter table credits.settings
add column freeze_on_fraud_warning boolean not null default false,
add column reverse_rewards boolean not null default true;

alter type api.order_receipt add attribute kind text;

create type api.lot_receipt as (
    entry_id text,
    user_id text,
    lot_id bigint,
    tokens numeric,
    remaining numeric,
    expires_at timestamptz,
    balance numeric,
    replayed boolean
);
