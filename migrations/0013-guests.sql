-- Guests: some free uses without an account, counted by device and by network. Nothing here says who they are: keys
-- are HMACs with a salt that rotates, made by the door.
set local role credits_owner;

create table credits.guest_limits (
    catalog_id text not null,
    per_device bigint not null,
    per_network bigint not null,
    per_shared_network bigint not null,
    sliding_window interval not null,
    constraint guest_limits_pkey primary key (catalog_id),
    constraint guest_limits_catalog_fkey foreign key (catalog_id) references credits.catalogs (catalog_id),
    constraint guest_limits_are_sane check (
        per_device between 1 and 1000000 and per_network between per_device and 1000000
        and per_shared_network between per_network and 1000000
    ),
    constraint guest_limits_window_is_sane check (sliding_window > interval '0' and sliding_window <= interval '7 days')
);
comment on table credits.guest_limits is
'How many uses a guest has in any span of sliding_window. Where there is no row, guests have none.';
comment on column credits.guest_limits.per_network is
'Uses of all devices behind one address. Equal to per_device by default: who throws the cookie away gains nothing.';
comment on column credits.guest_limits.per_shared_network is
'The same for the networks that the operator knows to be shared (schools, offices).';
comment on column credits.guest_limits.sliding_window is
'At most 7 days: the keys of the time before are known for that long.';

create table credits.guests (
    guest_id uuid not null default gen_random_uuid(),
    device_key text not null,
    linked_to uuid,
    first_seen_at timestamptz not null,
    linked_at timestamptz,
    constraint guests_pkey primary key (guest_id),
    constraint guests_device_key unique (device_key),
    constraint guests_linked_to_fkey foreign key (linked_to) references credits.accounts (account_id),
    constraint guests_linked_has_time check ((linked_to is null) = (linked_at is null)),
    constraint guests_device_key_is_sane check (device_key ~ '^[0-9a-f]{64}$')
);
create index guests_linked_to_idx on credits.guests (linked_to);
comment on table credits.guests is 'A device that came without an account.';
comment on column credits.guests.linked_to is 'The account that it signed up for.';
comment on column credits.guests.device_key is 'HMAC of its cookie, 64 hex digits; follows the rotation of the salt.';

create table credits.guest_networks (
    network_id uuid not null default gen_random_uuid(),
    network_key text not null,
    constraint guest_networks_pkey primary key (network_id),
    constraint guest_networks_network_key unique (network_key),
    constraint guest_networks_key_is_sane check (network_key ~ '^[0-9a-f]{64}$')
);
comment on table credits.guest_networks is 'The address (IPv6: the /64) that guests came from, as an HMAC.';

create table credits.guest_uses (
    guest_id uuid not null,
    use_id uuid not null default gen_random_uuid(),
    network_id uuid not null,
    module_id text not null,
    state text not null default 'reserved',
    used_at timestamptz not null,
    finished_at timestamptz,
    per_device bigint not null,
    per_network bigint not null,
    sliding_window interval not null,
    constraint guest_uses_pkey primary key (use_id),
    constraint guest_uses_guest_fkey foreign key (guest_id) references credits.guests (guest_id),
    constraint guest_uses_network_fkey foreign key (network_id) references credits.guest_networks (network_id),
    constraint guest_uses_state_is_known check (state in ('reserved', 'confirmed', 'released')),
    constraint guest_uses_finished_has_time check ((state = 'reserved') = (finished_at is null))
);
create index guest_uses_guest_idx on credits.guest_uses (guest_id, used_at);
create index guest_uses_network_idx on credits.guest_uses (network_id, used_at);
comment on table credits.guest_uses is
'reserved → confirmed (it worked) or released (it failed, and is free). Reserved counts as used: who never tells how '
'it ended gains nothing.';
comment on column credits.guest_uses.per_device is
'What was allowed when it was made: with per_network and sliding_window, for the audit.';

create type api.guest_receipt as (
    use_id uuid,
    module_id text,
    state text,
    used bigint,
    "limit" bigint,
    remaining bigint,
    reset_at timestamptz,
    replayed boolean
);
comment on type api.guest_receipt is
'A guest''s use, and what is left, of the device or of its network: used and limit are of the one that has less. '
'reset_at: when remaining next grows; null while all of it is free.';
