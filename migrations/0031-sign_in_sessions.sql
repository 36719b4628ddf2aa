-- Sessions of users who signed in here, and the tokens that refresh them.
set local role credits_owner;

create table credits.password_changes (
    account_id uuid not null,
    change_id uuid not null default gen_random_uuid(),
    changed_at timestamptz not null,
    actor text not null,
    constraint password_changes_pkey primary key (account_id, change_id),
    constraint password_changes_account_fkey foreign key (account_id) references credits.accounts (account_id)
);

create table credits.sign_in_sessions (
    account_id uuid not null,
    session_id uuid not null default gen_random_uuid(),
    subject text not null,
    began_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    ended_by text,
    constraint sign_in_sessions_pkey primary key (account_id, session_id),
    constraint sign_in_sessions_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint sign_in_sessions_end_is_known check (
        ended_by in ('signed_out', 'signed_out_everywhere', 'password_changed', 'token_reused')
    ),
    constraint sign_in_sessions_end_has_time check ((ended_at is null) = (ended_by is null))
);
create index sign_in_sessions_expires_idx on credits.sign_in_sessions (expires_at);

create table credits.refresh_tokens (
    account_id uuid not null,
    session_id uuid not null,
    token_hash bytea not null,
    issued_at timestamptz not null,
    used_at timestamptz,
    constraint refresh_tokens_pkey primary key (account_id, session_id, token_hash),
    constraint refresh_tokens_session_fkey foreign key (account_id, session_id)
    references credits.sign_in_sessions (account_id, session_id),
    constraint refresh_tokens_are_sha256 check (length(token_hash) = 32)
);

create type api.session as (
    user_id text,
    state text,
    refresh_token text,
    expires_at timestamptz
);

create type api.sessions_ended as (
    user_id text,
    ended bigint
);
