-- Tokens given away: at sign-up, for a code, for bringing somebody. One engine for the three.
set local role credits_owner;

create table credits.campaigns (
    campaign_id text not null,
    kind credits.entry_kind not null,
    title text not null,
    tokens credits.amount not null,
    referee_tokens credits.amount not null default 0,
    budget bigint,
    grants bigint not null default 0,
    per_account bigint not null default 1,
    valid_from timestamptz not null default '-infinity',
    valid_until timestamptz not null default 'infinity',
    expires_after interval,
    priority bigint,
    scope text,
    active boolean not null default true,
    constraint campaigns_pkey primary key (campaign_id),
    constraint campaigns_id_is_sane check (length(campaign_id) between 1 and 200),
    constraint campaigns_kind_is_a_gift check (kind in ('welcome', 'promo', 'referral')),
    constraint campaigns_tokens_are_positive check (tokens > 0),
    constraint campaigns_referee_tokens_are_of_referrals check (referee_tokens = 0 or kind = 'referral'),
    constraint campaigns_budget_is_kept check (grants between 0 and coalesce(budget, 9223372036854775807)),
    constraint campaigns_per_account_is_positive check (per_account > 0),
    constraint campaigns_welcome_once check (kind <> 'welcome' or per_account = 1),
    constraint campaigns_validity_is_a_span check (valid_from < valid_until),
    constraint campaigns_expiry_is_sane check (expires_after > interval '0' and expires_after <= interval '1000 years')
);
comment on table credits.campaigns is 'What is given away, to whom, how often, and for how long.';
comment on column credits.campaigns.kind is
'welcome: when an account opens; promo: for a code; referral: to who brought somebody, once that one has paid.';
comment on column credits.campaigns.tokens is 'Size of one grant: of a referral, the referrer''s.';
comment on column credits.campaigns.referee_tokens is
'Of a referral: what the one who was brought gets with the first purchase.';
comment on column credits.campaigns.budget is 'Grants at most, over all accounts; null: no limit.';
comment on column credits.campaigns.grants is
'Grants so far, counted under this row''s lock, which is taken after the wallet''s. A referral counts once, though two '
'are given something.';
comment on column credits.campaigns.per_account is 'Grants to one account at most: of a referral, to one referrer.';
comment on column credits.campaigns.expires_after is 'Life of the granted tokens; null: they never expire.';

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
comment on table credits.codes is 'What people type in: the code of a promotion, or of the person who refers.';
comment on column credits.codes.referrer_id is 'The referrer; null for a promotion.';

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
comment on table credits.redemptions is
'The grants of campaigns: number 1, 2 … per account; 0 is what somebody got for having been brought. The key lets each '
'of them happen once.';

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
comment on table credits.referrals is 'Who was brought (account_id) by whom. One referrer per account, for ever.';
comment on column credits.referrals.referrer_id is
'An account, without a foreign key: keys between accounts could not be spread over several servers.';
comment on column credits.referrals.state is
'pending until the first paid purchase; then paid, capped (the referrer''s or the campaign''s limit was reached) or '
'lapsed (the campaign had ended, or the referrer''s account was closed).';

create type api.redemption_receipt as (
    code text,
    kind text,
    campaign_id text,
    title text,
    entry_id text,
    user_id text,
    lot_id bigint,
    tokens numeric,
    balance numeric,
    expires_at timestamptz,
    replayed boolean
);
comment on type api.redemption_receipt is
'What a code gave: a promotion its tokens, at once; a referral none yet (entry_id null), they come with the first '
'purchase.';

create type api.referral_offer as (
    user_id text,
    code text,
    campaign_id text,
    title text,
    tokens numeric,
    referee_tokens numeric
);
comment on type api.referral_offer is
'A user''s own code, and what its first purchase brings: tokens to the user, referee_tokens to who used the code.';

create type api.account_receipt as (
    user_id text,
    opened boolean,
    balance numeric,
    referred boolean
);
comment on type api.account_receipt is
'An account: whether this call opened it, what is in it, and whether somebody brought it.';

-- It learns referral_code and device_keys.
drop function if exists api.sign_up(text, text);
