-- The books in money: when the money of a payment came back, the months that were closed, and what accountants call
-- the accounts of the journal.
create schema finance authorization credits_owner;

set local role credits_owner;

-- Append-only: what credits.orders.reversed was, and when. The order itself says only what it is now.
create table credits.money_returns (
    account_id uuid not null,
    order_id uuid not null,
    number bigint not null,
    at timestamptz not null,
    cause text not null,
    amount bigint not null,
    reversed_after bigint not null,
    constraint money_returns_pkey primary key (account_id, order_id, number),
    constraint money_returns_order_fkey foreign key (account_id, order_id)
    references credits.orders (account_id, order_id),
    constraint money_returns_number_is_positive check (number > 0),
    constraint money_returns_cause_is_known check (cause in ('refund', 'dispute', 'credit', 'failed_payment')),
    constraint money_returns_amount_is_not_zero check (amount <> 0),
    constraint money_returns_sum_is_not_negative check (reversed_after >= 0)
);
-- What earlier releases took back is dated by the last word about it.
insert into credits.money_returns (account_id, order_id, number, at, cause, amount, reversed_after)
select
    o.account_id,
    o.order_id,
    1 as number,
    coalesce(r.changed_at, o.paid_at, o.created_at) as at,
    case
        when starts_with(r.reversal_id, 'credit_') then 'credit'
        when r.kind in ('dispute', 'failed_payment') then r.kind
        else 'refund'
    end as cause,
    o.reversed as amount,
    o.reversed as reversed_after
from credits.orders as o
left join lateral (
    select
        x.kind,
        x.reversal_id,
        x.changed_at
    from credits.reversals as x
    where x.account_id = o.account_id and x.order_id = o.order_id
    order by x.changed_at desc, x.reversal_id asc
    limit 1
) as r on true
where o.reversed > 0;

create table credits.finance_accounts (
    account text not null,
    number text not null,
    name text not null,
    constraint finance_accounts_pkey primary key (account),
    constraint finance_accounts_number_is_short check (length(number) between 1 and 40),
    constraint finance_accounts_name_is_short check (length(name) between 1 and 200)
);
insert into credits.finance_accounts (account, number, name) values
('cash', '1200', 'Stripe'),
('tax', '2200', 'Tax collected'),
('deferred_revenue', '2300', 'Tokens sold and not yet used'),
('revenue', '4000', 'Tokens used'),
('breakage', '4100', 'Tokens expired'),
('refunds', '4200', 'Refunds of tokens already used or expired'),
('adjustments', '4300', 'Tokens voided by an operator');

create table credits.closed_months (
    month date not null,
    closed_at timestamptz not null,
    actor text not null,
    accounts bigint not null,
    entries bigint not null,
    root_hash bytea not null,
    constraint closed_months_pkey primary key (month),
    constraint closed_months_begin_months check (date_trunc('month', month::timestamp) = month::timestamp),
    constraint closed_months_root_is_sha256 check (length(root_hash) = 32)
);

create table credits.closed_sums (
    month date not null,
    currency text,
    source credits.entry_kind not null,
    opening_tokens numeric not null,
    sold_tokens numeric not null,
    recognised_tokens numeric not null,
    expired_tokens numeric not null,
    refunded_tokens numeric not null,
    disputed_tokens numeric not null,
    reinstated_tokens numeric not null,
    adjusted_tokens numeric not null,
    late_tokens numeric not null,
    closing_tokens numeric not null,
    opening numeric not null,
    sold numeric not null,
    recognised numeric not null,
    expired numeric not null,
    refunded numeric not null,
    disputed numeric not null,
    reinstated numeric not null,
    adjusted numeric not null,
    closing numeric not null,
    constraint closed_sums_once unique nulls not distinct (month, currency, source),
    constraint closed_sums_month_fkey foreign key (month) references credits.closed_months (month)
);

create table credits.closed_postings (
    month date not null,
    currency text not null,
    event text not null,
    account text not null,
    debit numeric not null,
    credit numeric not null,
    constraint closed_postings_pkey primary key (month, currency, event, account),
    constraint closed_postings_month_fkey foreign key (month) references credits.closed_months (month),
    constraint closed_postings_account_fkey foreign key (account) references credits.finance_accounts (account)
);
create index closed_postings_account_idx on credits.closed_postings (account);
