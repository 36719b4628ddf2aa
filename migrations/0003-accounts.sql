-- Who has a balance, by which names they are known, and the one row that a spend locks.
set local role credits_owner;

create table credits.accounts (
    account_id uuid not null default gen_random_uuid(),
    kind text not null default 'user',
    segment text,
    stripe_customer_id text,
    created_at timestamptz not null default clock_timestamp(),
    constraint accounts_pkey primary key (account_id),
    constraint accounts_kind_is_known check (kind in ('user', 'guest', 'team', 'system'))
);
comment on table credits.accounts is
'One holder of a balance. Says nothing about the person, so that a person can be forgotten and the books stay.';
comment on column credits.accounts.segment is 'A cohort that analysts can be granted; free text, null for none.';
comment on column credits.accounts.stripe_customer_id is
'The one Stripe customer of this account (cus_…), once it has bought.';

create table credits.identities (
    subject text not null,
    account_id uuid not null,
    created_at timestamptz not null default clock_timestamp(),
    constraint identities_pkey primary key (subject),
    constraint identities_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint identities_subject_is_sane check (length(subject) between 1 and 255)
);
create index identities_account_idx on credits.identities (account_id);
comment on table credits.identities is
'The user ids of identity providers (the sub of their tokens), and the account of each.';

create table credits.credentials (
    email text not null,
    password_hash text not null,
    subject text not null,
    created_at timestamptz not null default clock_timestamp(),
    constraint credentials_pkey primary key (email),
    constraint credentials_subject_fkey foreign key (subject) references credits.identities (subject),
    constraint credentials_email_is_normal check (email = lower(btrim(email)) and length(email) between 3 and 320)
);
create index credentials_subject_idx on credits.credentials (subject);
comment on table credits.credentials is
'Sign-in of the embedded identity provider: e-mail and argon2 hash. Empty where an outside issuer signs the tokens.';

create table credits.sql_logins (
    login name not null,
    account_id uuid not null,
    constraint sql_logins_pkey primary key (login),
    constraint sql_logins_account_fkey foreign key (account_id) references credits.accounts (account_id)
);
create index sql_logins_account_idx on credits.sql_logins (account_id);
comment on table credits.sql_logins is
'The account of a person who connects with an SQL login of their own. Claims that such a session sets are ignored.';

create table credits.analyst_grants (
    login name not null,
    segment text not null,
    constraint analyst_grants_pkey primary key (login, segment)
);
comment on table credits.analyst_grants is 'Which accounts an analyst''s SQL login sees: a segment, or * for all.';
-- The first analyst counts everybody; for others, or instead, grant segments.
insert into credits.analyst_grants (login, segment) values ('pgcredits_analyst', '*');

create table credits.wallets (
    account_id uuid not null,
    status credits.account_status not null default 'active',
    balance credits.tokens not null default 0,
    held credits.amount not null default 0,
    debt credits.amount not null default 0,
    seq bigint not null default 0,
    head_hash bytea not null default '\x',
    posted_at timestamptz not null default '-infinity',
    next_expiry timestamptz not null default 'infinity',
    head_lot bigint,
    head_free credits.amount not null default 0,
    lifetime_granted credits.amount not null default 0,
    lifetime_spent credits.amount not null default 0,
    constraint wallets_pkey primary key (account_id),
    constraint wallets_account_fkey foreign key (account_id) references credits.accounts (account_id)
)
-- Every spend updates this row: room for HOT updates on its page, and no index but the key.
with (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);
comment on table credits.wallets is
'The one row that a spend locks. balance = sum of the lots'' remaining tokens - debt, proved by audit.check_balance.';
comment on column credits.wallets.status is 'Here and not on the account, so that freezing waits for the same lock.';
comment on column credits.wallets.held is 'Tokens reserved by open holds, part of balance.';
comment on column credits.wallets.debt is 'Tokens used that no lot could pay.';
comment on column credits.wallets.seq is
'Number of the last entry: no gaps, because it is taken from the locked row.';
comment on column credits.wallets.head_hash is 'Hash of the last entry; empty before the first.';
comment on column credits.wallets.posted_at is 'Time of the last entry, so that entries never go back in time.';
comment on column credits.wallets.head_lot is
'The lot that is spent next, whatever the module; null when that is not known. See sql/credits/head_lot.sql.';
comment on column credits.wallets.head_free is 'The tokens of head_lot: they are kept here, not on the lot''s row.';
comment on column credits.wallets.next_expiry is 'No lot with tokens in it expires before this moment.';
