-- Tokens given away: at sign-up, for a code, for bringing somebody. One engine for the three.
set local role credits_owner;

create table credits.campaigns (
    campaign_id text not null,
    kind credits.entry_kind not null,
    title text not null,
    tokens credits.amount not null,
    referee_tokens credits.amount not null default 0,
    expires_after interval,
    priority bigint,
    scope text,
    valid_from timestamptz not null default '-infinity',
    valid_until timestamptz not null default 'infinity',
    active boolean not null default true,
    budget bigint,
    grants bigint not null default 0,
    per_account bigint not null default 1,
    per_device bigint,
    per_network bigint,
    per_shared_network bigint,
    sliding_window interval not null default '24:00:00',
    constraint campaigns_pkey primary key (campaign_id),
    constraint campaigns_id_is_sane check (length(campaign_id) between 1 and 200),
    constraint campaigns_kind_is_a_gift check (kind in ('welcome', 'promo', 'referral')),
    constraint campaigns_tokens_are_positive check (tokens > 0),
    constraint campaigns_referee_tokens_are_of_referrals check (referee_tokens = 0 or kind = 'referral'),
    constraint campaigns_expiry_is_sane check (expires_after > interval '0' and expires_after <= interval '1000 years'),
    constraint campaigns_validity_is_a_span check (valid_from < valid_until),
    constraint campaigns_budget_is_kept check (grants between 0 and coalesce(budget, 9223372036854775807)),
    constraint campaigns_per_account_is_positive check (per_account > 0),
    constraint campaigns_welcome_once check (kind <> 'welcome' or per_account = 1),
    -- A CHECK that is NULL passes. Where a column may be null, this says so.
    constraint campaigns_bounds_are_sane check (
        num_nonnulls(per_device, per_network, per_shared_network) = 0
        or (
            per_device >= 1 and per_network >= per_device and per_shared_network >= per_network
            and per_shared_network <= 1000000
        ) is true
    ),
    constraint campaigns_bounds_are_of_gifts check (per_device is null or kind <> 'referral'),
    constraint campaigns_window_is_sane check (sliding_window > interval '0' and sliding_window <= interval '7 days')
);

create table credits.codes (
    code text not null,
    campaign_id text not null,
    referrer_id uuid,
    created_at timestamptz not null default clock_timestamp(),
    constraint codes_pkey primary key (code),
    constraint codes_campaign_fkey foreign key (campaign_id) references credits.campaigns (campaign_id),
    constraint codes_referrer_fkey foreign key (referrer_id) references credits.accounts (account_id),
    constraint codes_are_normal check (code = upper(btrim(code)) and length(code) between 3 and 64)
);
create index codes_campaign_idx on credits.codes (campaign_id);
create unique index codes_one_per_referrer_idx on credits.codes (referrer_id, campaign_id);

-- number is 1, 2 … per account; 0 is what somebody got for having been brought. The key lets each happen once.
create table credits.redemptions (
    account_id uuid not null,
    campaign_id text not null,
    number bigint not null,
    lot_id bigint not null,
    code text,
    redeemed_at timestamptz not null,
    constraint redemptions_pkey primary key (account_id, campaign_id, number),
    constraint redemptions_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint redemptions_campaign_fkey foreign key (campaign_id) references credits.campaigns (campaign_id),
    constraint redemptions_lot_fkey foreign key (account_id, lot_id) references credits.lots (account_id, lot_id),
    constraint redemptions_number_is_not_negative check (number >= 0)
);
create index redemptions_campaign_idx on credits.redemptions (campaign_id);
create index redemptions_lot_idx on credits.redemptions (account_id, lot_id);

-- referrer_id has no foreign key: keys between accounts could not be spread over several servers.
create table credits.referrals (
    account_id uuid not null,
    referrer_id uuid not null,
    campaign_id text not null,
    code text not null,
    state text not null default 'pending',
    created_at timestamptz not null,
    settled_at timestamptz,
    constraint referrals_pkey primary key (account_id),
    constraint referrals_account_fkey foreign key (account_id) references credits.accounts (account_id),
    constraint referrals_campaign_fkey foreign key (campaign_id) references credits.campaigns (campaign_id),
    constraint referrals_not_oneself check (referrer_id <> account_id),
    constraint referrals_state_is_known check (state in ('pending', 'paid', 'capped', 'lapsed')),
    constraint referrals_settled_has_time check ((state = 'pending') = (settled_at is null))
);
create index referrals_referrer_idx on credits.referrals (referrer_id);
create index referrals_campaign_idx on credits.referrals (campaign_id);
