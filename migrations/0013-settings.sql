-- What the operator decides for the whole bank: one row.
set local role credits_owner;

create table credits.settings (
    one_row boolean not null default true,
    -- Names this bank.
    instance_id uuid default gen_random_uuid(),
    test_clocks boolean not null default false,
    -- Stripe
    stripe_accounts text[] not null default '{}',
    stripe_livemode boolean,
    most_pending_orders bigint not null default 20,
    -- Holds, and what is made without paying
    longest_service_hold interval not null default '168 hours',
    most_open_holds bigint not null default 100,
    most_unpaid bigint not null default 1000,
    unpaid_window interval not null default '1 hour',
    -- Newcomers and sign-in
    verified_welcome boolean not null default false,
    sign_ins_per_pair bigint not null default 10,
    sign_ins_per_account bigint not null default 100,
    sign_ins_per_network bigint not null default 300,
    sign_ups_per_network bigint not null default 300,
    sign_in_window interval not null default '00:15:00',
    constraint settings_pkey primary key (one_row),
    constraint settings_are_one_row check (one_row),
    constraint settings_sign_in_limits_are_sane check (
        sign_ins_per_pair between 1 and 1000000 and sign_ins_per_account between sign_ins_per_pair and 1000000
        and sign_ins_per_network between sign_ins_per_pair and 1000000 and sign_ups_per_network between 1 and 1000000
        and sign_in_window >= interval '1 second' and sign_in_window <= interval '24:00:00'
    )
);
insert into credits.settings default values;
