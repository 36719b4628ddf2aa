-- Sign-in has limits per account and per network, kept here, so that all processes of the door share them.
set local role credits_owner;

create table credits.sign_in_counts (
    scope text not null,
    attempts bigint not null,
    window_ends timestamptz not null,
    constraint sign_in_counts_pkey primary key (scope),
    constraint sign_in_counts_are_positive check (attempts >= 0),
    constraint sign_in_counts_scope_is_sane check (length(scope) between 1 and 200)
);
create index sign_in_counts_ends_idx on credits.sign_in_counts (window_ends);
comment on table credits.sign_in_counts is
'Sign-ins that failed, or have not ended, and sign-ups, in the window that is running. Nothing here says who it was.';
comment on column credits.sign_in_counts.scope is
'network:…, account:…, pair:… or sign_up:…, with the door''s key of the network and a hash of the e-mail address.';

create table credits.sign_in_networks (
    account_id uuid not null,
    network_key text not null,
    seen_at timestamptz not null,
    constraint sign_in_networks_pkey primary key (account_id, network_key),
    constraint sign_in_networks_account_fkey foreign key (account_id) references credits.accounts (account_id)
);
create index sign_in_networks_seen_idx on credits.sign_in_networks (seen_at);
comment on table credits.sign_in_networks is
'Where an account has signed in from: strangers who guess its password elsewhere do not keep it from signing in there. '
'Keys are HMACs with a salt that rotates; api.maintain forgets them after 35 days.';

alter table credits.settings
add column sign_ins_per_pair bigint not null default 10,
add column sign_ins_per_account bigint not null default 100,
add column sign_ins_per_network bigint not null default 300,
add column sign_ups_per_network bigint not null default 300,
add column sign_in_window interval not null default '00:15:00',
add constraint settings_sign_in_limits_are_sane check (
    sign_ins_per_pair between 1 and 1000000 and sign_ins_per_account between sign_ins_per_pair and 1000000
    and sign_ins_per_network between sign_ins_per_pair and 1000000 and sign_ups_per_network between 1 and 1000000
    and sign_in_window >= interval '1 second' and sign_in_window <= interval '24:00:00'
);
comment on column credits.settings.sign_ins_per_pair is
'Failed sign-ins in a row to one account from one network, in one sign_in_window. See credits.limit_sign_ins.';
comment on column credits.settings.sign_ins_per_account is
'The same to one account from all networks where it has not signed in before.';
comment on column credits.settings.sign_ins_per_network is
'The same from one network to all accounts; ten times as many from one that is known to be shared.';
comment on column credits.settings.sign_ups_per_network is
'Sign-ups from one network, whatever became of them: each hashes a password. Ten times as many if it is shared.';
comment on column credits.settings.sign_in_window is 'How long such a count goes on before it begins anew.';

create type api.admission as (
    user_id text,
    attempts bigint,
    reset_at timestamptz
);
comment on type api.admission is
'A sign-in that worked (user_id), or a sign-up that may go on: what has been counted of its network in the window that '
'ends at reset_at.';
