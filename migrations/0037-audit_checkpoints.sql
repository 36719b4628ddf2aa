-- How far the chain of each account was verified, so that an audit can go on from there.
set local role credits_owner;

-- No foreign key: that an account once was there has to outlive the account.
create table credits.audit_checkpoints (
    account_id uuid not null,
    seq bigint not null,
    posted_at timestamptz not null,
    verified_at timestamptz not null,
    balance credits.tokens not null,
    debt credits.amount not null,
    lifetime_granted credits.amount not null,
    lifetime_spent credits.amount not null,
    hash bytea not null,
    constraint audit_checkpoints_pkey primary key (account_id)
)
with (fillfactor = 70);
