-- What new accounts are given has bounds per device and per network, and may wait for a verified address.
set local role credits_owner;

alter table credits.campaigns
add column per_device bigint,
add column per_network bigint,
add column per_shared_network bigint,
add column sliding_window interval not null default '24:00:00',
add constraint campaigns_bounds_are_sane check (
    (per_device is null) = (per_network is null) and (per_network is null) = (per_shared_network is null)
    and (
        per_device is null
        or per_device between 1 and 1000000 and per_network between per_device and 1000000
        and per_shared_network between per_network and 1000000
    )
),
add constraint campaigns_bounds_are_of_gifts check (per_device is null or kind <> 'referral'),
add constraint campaigns_window_is_sane check (sliding_window > interval '0' and sliding_window <= interval '7 days');
comment on column credits.campaigns.per_device is
'Grants at most to accounts that one device opened, in any span of sliding_window; null: no bound.';
comment on column credits.campaigns.per_network is 'The same for the accounts that were opened behind one address.';
comment on column credits.campaigns.per_shared_network is
'The same for the networks that the operator knows to be shared (schools, offices).';
comment on column credits.campaigns.sliding_window is
'At most 7 days: the keys of the time before are known for that long.';
update credits.campaigns
set per_device = 3, per_network = 20, per_shared_network = 200
where kind = 'welcome';

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
comment on table credits.account_origins is
'The device and the network that an account was opened from, for the bounds of campaigns: HMACs with a salt that '
'rotates, made by the door, as those of guests are. api.maintain forgets them after 35 days.';
comment on column credits.account_origins.device_keys is
'Under the salt of that time, and under the one before or after it; empty when nobody said.';

alter table credits.accounts
add column verified_at timestamptz,
add column welcome_waits boolean not null default false;
comment on column credits.accounts.verified_at is
'When a service said that the holder''s e-mail address is verified; null: nobody has.';
comment on column credits.accounts.welcome_waits is
'Was a welcome withheld when it opened, for want of a verified address or over a bound? Then it is tried again.';

alter table credits.settings add column verified_welcome boolean not null default false;
comment on column credits.settings.verified_welcome is
'Do welcome tokens wait until a service says that the e-mail address is verified? See credits.require_verified_email.';

create type api.newcomer as (
    user_id text,
    email text,
    password_hash text,
    welcome numeric,
    welcome_waits_for text,
    reset_at timestamptz
);
comment on type api.newcomer is
'Who has signed up: the user id, the address as it is kept, and what they were given. password_hash is null: it is '
'kept, and not told. welcome_waits_for: verification (of the address), limit (of the device or network; until '
'reset_at), or null.';

alter type api.account_receipt
add attribute welcome numeric,
add attribute welcome_waits_for text,
add attribute reset_at timestamptz;
comment on type api.account_receipt is
'An account: whether this call opened it, what is in it, and whether somebody brought it. welcome: the tokens that '
'this call gave it. welcome_waits_for: verification (of the address), limit (of the device or network; until '
'reset_at), or null.';
