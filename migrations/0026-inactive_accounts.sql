-- Tokens of accounts that nobody has used for very long expire: announced first, and on the books.
set local role credits_owner;

alter table credits.settings
add column purge_after interval,
add column purge_ahead interval,
add constraint settings_purge_is_sane check (
    case
        when purge_after is null then purge_ahead is null
        else coalesce(
            purge_ahead >= interval '1 day' and purge_after > purge_ahead
            and purge_after <= interval '1000 years',
            false
        )
    end
);

create table credits.inactive_accounts (
    account_id uuid not null,
    active_at timestamptz not null,
    announced_at timestamptz not null,
    purge_at timestamptz not null,
    constraint inactive_accounts_pkey primary key (account_id),
    constraint inactive_accounts_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint inactive_accounts_come_in_order check (active_at < announced_at and announced_at < purge_at)
);
