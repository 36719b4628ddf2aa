-- API keys: how backends sign in without a token that expires every hour.
set local role credits_owner;

create table credits.api_keys (
    key_id text not null,
    name text not null,
    role text not null,
    made_with text,
    made_by text not null,
    idempotency_key text,
    fingerprint bytea,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    constraint api_keys_pkey primary key (key_id),
    constraint api_keys_repeat_key unique (idempotency_key),
    constraint api_keys_made_with_fkey foreign key (made_with) references credits.api_keys (key_id),
    constraint api_keys_id_is_hex check (key_id ~ '^[0-9a-f]{16}$'),
    constraint api_keys_name_is_sane check (length(name) between 1 and 200),
    constraint api_keys_are_of_backends check (role in ('spender', 'support', 'service_role')),
    constraint api_keys_repeats_can_be_told check ((idempotency_key is null) = (fingerprint is null))
);
create index api_keys_made_with_idx on credits.api_keys (made_with);

-- The present secret of each key, and those before it while they still work. They stand apart because an auditor reads
-- the keys.
create table credits.api_key_secrets (
    key_id text not null,
    secret_hash bytea not null,
    created_at timestamptz not null,
    valid_until timestamptz,
    last_used_at timestamptz,
    constraint api_key_secrets_pkey primary key (key_id, secret_hash),
    constraint api_key_secrets_key_fkey foreign key (key_id) references credits.api_keys (key_id),
    constraint api_key_secrets_are_sha256 check (length(secret_hash) = 32)
);
create unique index api_key_secrets_one_lasts on credits.api_key_secrets (key_id) where valid_until is null;

create table credits.api_key_changes (
    key_id text not null,
    change_id uuid not null default gen_random_uuid(),
    change text not null,
    reason text,
    actor text not null,
    changed_at timestamptz not null,
    constraint api_key_changes_pkey primary key (key_id, change_id),
    constraint api_key_changes_key_fkey foreign key (key_id) references credits.api_keys (key_id),
    constraint api_key_changes_are_known check (change in ('created', 'rotated', 'revoked'))
);

create type api.api_key as (
    key_id text,
    name text,
    role text,
    state text,
    expires_at timestamptz,
    api_key text,
    replayed boolean
);

create type api.api_key_holder as (
    key_id text,
    role text,
    state text
);
