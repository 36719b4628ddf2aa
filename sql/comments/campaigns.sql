-- Comments for people and for /schema. The tables themselves are in migrations/0010-campaigns.sql.
comment on table credits.campaigns is 'What is given away, to whom, how often, and for how long.';
comment on column credits.campaigns.kind is
'welcome: when an account opens. promo: for a code. referral: for bringing a user, when that user pays for the first '
'time.';
comment on column credits.campaigns.tokens is 'Size of one grant. In a referral, what the referrer gets.';
comment on column credits.campaigns.referee_tokens is
'In a referral, what the user who was brought gets with their first purchase.';
comment on column credits.campaigns.expires_after is 'How long the granted tokens last. Null when they never expire.';
comment on column credits.campaigns.budget is 'The most grants over all accounts. Null for no limit.';
comment on column credits.campaigns.grants is
'Grants so far, counted under the lock of this row, which is taken after that of the wallet. A referral counts once, '
'although two accounts are given something.';
comment on column credits.campaigns.per_account is 'The most grants to one account. In a referral, to one referrer.';
comment on column credits.campaigns.per_device is
'The most grants to accounts that one device opened, in any span of sliding_window. Null for no bound.';
comment on column credits.campaigns.per_network is 'The same for accounts that were opened from one network address.';
comment on column credits.campaigns.per_shared_network is
'The same for networks that the operator knows to be shared (schools, offices).';
comment on column credits.campaigns.sliding_window is
'At most 7 days, because the previous keys are known for that long.';

comment on table credits.codes is 'What people type: the code of a promotion, or of a referrer.';
comment on column credits.codes.referrer_id is 'The referrer; null for a promotion.';

comment on table credits.redemptions is
'The grants of campaigns, numbered 1, 2 … per account. Number 0 is the grant to a user whom somebody brought. The key '
'lets each grant happen only once.';

comment on table credits.referrals is
'Who was brought (account_id), and by whom. An account has one referrer, who never changes.';
comment on column credits.referrals.referrer_id is
'An account, without a foreign key: keys between accounts would not allow several servers.';
comment on column credits.referrals.state is
'pending until the first paid purchase. Then paid, capped (a limit of the referrer or of the campaign was reached) or '
'lapsed (the campaign had ended, or the referrer''s account was closed).';
