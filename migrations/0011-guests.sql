-- Guests: some free uses without an account, counted by device and by network. Nothing here says who they are: keys are
-- HMACs with a salt that rotates, made by the HTTP API.
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
        per_device >= 1 and per_network >= per_device and per_shared_network >= per_network
        and per_shared_network <= 1000000
    ),
    constraint guest_limits_window_is_sane check (sliding_window > interval '0' and sliding_window <= interval '7 days')
);

create table credits.guests (
    guest_id uuid not null default gen_random_uuid(),
    device_key text not null,
    first_seen_at timestamptz not null,
    linked_to uuid,
    linked_at timestamptz,
    constraint guests_pkey primary key (guest_id),
    constraint guests_device_key unique (device_key),
    constraint guests_linked_to_fkey foreign key (linked_to) references credits.accounts (account_id),
    constraint guests_linked_has_time check ((linked_to is null) = (linked_at is null)),
    constraint guests_device_key_is_sane check (device_key ~ '^[0-9a-f]{64}$')
);
create index guests_linked_to_idx on credits.guests (linked_to);

create table credits.guest_networks (
    network_id uuid not null default gen_random_uuid(),
    network_key text not null,
    constraint guest_networks_pkey primary key (network_id),
    constraint guest_networks_network_key unique (network_key),
    constraint guest_networks_key_is_sane check (network_key ~ '^[0-9a-f]{64}$')
);

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
