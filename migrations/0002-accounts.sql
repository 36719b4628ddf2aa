-- Who has a balance, by which names they are known, and how they sign in. What is in an account is in the wallet, which
-- 0008-ledger makes.
set local role credits_owner;

-- No default for the id: credits.new_account_id makes it, and it can never be changed.
create table credits.accounts (
    account_id uuid not null,
    kind text not null default 'user',
    segment text,
    stripe_customer_id text,
    overdraft_limit credits.amount not null default 0,
    verified_at timestamptz,
    welcome_waits boolean not null default false,
    created_at timestamptz not null default clock_timestamp(),
    constraint accounts_pkey primary key (account_id),
    constraint accounts_kind_is_known check (kind in ('user', 'guest', 'team', 'system'))
);

create table credits.status_changes (
    account_id uuid not null,
    change_id uuid not null default gen_random_uuid(),
    status credits.account_status not null,
    reason text,
    actor text not null,
    changed_at timestamptz not null,
    constraint status_changes_pkey primary key (account_id, change_id),
    constraint status_changes_account_fkey foreign key (account_id) references credits.accounts (account_id)
);

create table credits.account_origins (
    account_id uuid not null,
    device_keys text[] not null default '{}',
    network_keys text[] not null default '{}',
    shared_network boolean not null default false,
    noted_at timestamptz not null,
    constraint account_origins_pkey primary key (account_id),
    constraint account_origins_account_fkey foreign key (account_id) references credits.accounts (account_id)
);
create index account_origins_device_idx on credits.account_origins using gin (device_keys);
create index account_origins_network_idx on credits.account_origins using gin (network_keys);
create index account_origins_noted_idx on credits.account_origins (noted_at);

create table credits.identities (
    subject text not null,
    account_id uuid not null,
    created_at timestamptz not null default clock_timestamp(),
    constraint identities_pkey primary key (subject),
    constraint identities_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint identities_subject_is_sane check (length(subject) between 1 and 255)
);
create index identities_account_idx on credits.identities (account_id);

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

-- Limits of sign-in are kept here, so that all processes of the HTTP API share them.
create table credits.sign_in_counts (
    scope text not null,
    attempts bigint not null,
    window_ends timestamptz not null,
    constraint sign_in_counts_pkey primary key (scope),
    constraint sign_in_counts_are_positive check (attempts >= 0),
    constraint sign_in_counts_scope_is_sane check (length(scope) between 1 and 200)
);
create index sign_in_counts_ends_idx on credits.sign_in_counts (window_ends);

create table credits.sign_in_networks (
    account_id uuid not null,
    network_key text not null,
    seen_at timestamptz not null,
    constraint sign_in_networks_pkey primary key (account_id, network_key),
    constraint sign_in_networks_account_fkey foreign key (account_id) references credits.accounts (account_id)
);
create index sign_in_networks_seen_idx on credits.sign_in_networks (seen_at);

-- People with an SQL login of their own: users, and analysts.
create table credits.sql_logins (
    login name not null,
    role_oid oid,
    account_id uuid not null,
    constraint sql_logins_pkey primary key (login),
    constraint sql_logins_account_fkey foreign key (account_id) references credits.accounts (account_id)
);
create index sql_logins_account_idx on credits.sql_logins (account_id);

create table credits.analyst_grants (
    login name not null,
    role_oid oid,
    segment text not null,
    constraint analyst_grants_pkey primary key (login, segment)
);
-- The first analyst counts everybody; for others, or instead, grant segments.
insert into credits.analyst_grants (login, role_oid, segment)
select
    r.rolname as login,
    r.oid as role_oid,
    '*' as segment
from pg_catalog.pg_roles as r
where r.rolname = 'pgcredits_analyst';
