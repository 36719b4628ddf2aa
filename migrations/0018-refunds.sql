-- Charges undone: how much of each has gone back, and the answer of a refund.
set local role credits_owner;

-- A refund takes back from lifetime_spent; a function of sql/ learns another argument.
drop function if exists credits.expire_lots(uuid);

create table credits.charge_refunds (
    account_id uuid not null,
    seq bigint not null,
    refunded credits.amount not null,
    constraint charge_refunds_pkey primary key (account_id, seq),
    constraint charge_refunds_account_fkey foreign key (account_id) references credits.accounts (account_id)
);
comment on table credits.charge_refunds is
'How much of a charge was refunded, in all. Written under the wallet''s lock; proved by audit.check_refunds.';
comment on column credits.charge_refunds.seq is
'The charge; or a repayment of debt, when the use that made the debt was refunded after it had been repaid.';
comment on column credits.charge_refunds.refunded is
'Tokens, at most those of the charge; of a repayment what has gone back into the lot that paid it.';

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
comment on type api.refund_receipt is
'A charge undone, or a part of it: charge_id is its entry, draws are the lots that tokens went back into, expired is '
'what of them had passed its date and expired at once. balance: after that.';
