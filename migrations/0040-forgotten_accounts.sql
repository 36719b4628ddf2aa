-- Users who asked to be forgotten: their accounts, and digests in place of what their entries said.
set local role credits_owner;

create table credits.forgotten_accounts (
    account_id uuid not null,
    forgotten_at timestamptz not null,
    finished_at timestamptz,
    gave_up credits.amount not null,
    actor text not null,
    constraint forgotten_accounts_pkey primary key (account_id),
    constraint forgotten_accounts_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint forgotten_accounts_come_in_order check (finished_at is null or finished_at >= forgotten_at)
);
create index forgotten_accounts_unfinished_idx on credits.forgotten_accounts (account_id) where finished_at is null;

-- Null in nearly every entry. A new column without a default rewrites nothing.
alter table credits.entries add column digests jsonb;

-- Events that come after their user was forgotten.
create index stripe_events_full_of_account_idx on credits.stripe_events (account_id)
where slimmed_at is null and account_id is not null;

alter table credits.stripe_calls
-- squawk-ignore ban-drop-constraint
drop constraint stripe_calls_kind_is_known,
add constraint stripe_calls_kind_is_known check (
    kind in ('charge', 'refund', 'confirm_card', 'delete_customer')
);

create type api.forgotten_user as (
    account_id uuid,
    state text,
    given_up numeric,
    sql_logins text [],
    replayed boolean
);
