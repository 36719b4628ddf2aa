-- What stands where, for people and for /schema: the shape itself is in migrations/0010-campaigns.sql.
comment on table credits.campaigns is 'What is given away, to whom, how often, and for how long.';
comment on column credits.campaigns.kind is
'welcome: when an account opens; promo: for a code; referral: to who brought somebody, once that one has paid.';
comment on column credits.campaigns.tokens is 'Size of one grant: of a referral, the referrer''s.';
comment on column credits.campaigns.referee_tokens is
'Of a referral: what the one who was brought gets with the first purchase.';
comment on column credits.campaigns.expires_after is 'Life of the granted tokens; null: they never expire.';
comment on column credits.campaigns.budget is 'Grants at most, over all accounts; null: no limit.';
comment on column credits.campaigns.grants is
'Grants so far, counted under this row''s lock, which is taken after the wallet''s. A referral counts once, though '
'two are given something.';
comment on column credits.campaigns.per_account is 'Grants to one account at most: of a referral, to one referrer.';
comment on column credits.campaigns.per_device is
'Grants at most to accounts that one device opened, in any span of sliding_window; null: no bound.';
comment on column credits.campaigns.per_network is 'The same for the accounts that were opened behind one address.';
comment on column credits.campaigns.per_shared_network is
'The same for the networks that the operator knows to be shared (schools, offices).';
comment on column credits.campaigns.sliding_window is
'At most 7 days: the keys of the time before are known for that long.';

comment on table credits.codes is 'What people type in: the code of a promotion, or of the person who refers.';
comment on column credits.codes.referrer_id is 'The referrer; null for a promotion.';

comment on table credits.redemptions is
'The grants of campaigns: number 1, 2 … per account; 0 is what somebody got for having been brought. The key lets '
'each of them happen once.';

comment on table credits.referrals is 'Who was brought (account_id) by whom. One referrer per account, for ever.';
comment on column credits.referrals.referrer_id is
'An account, without a foreign key: keys between accounts could not be spread over several servers.';
comment on column credits.referrals.state is
'pending until the first paid purchase; then paid, capped (the referrer''s or the campaign''s limit was reached) or '
'lapsed (the campaign had ended, or the referrer''s account was closed).';
