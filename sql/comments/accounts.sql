-- Comments for people and for /schema. The tables themselves are in migrations/0002-accounts.sql.
comment on table credits.accounts is
'Holders of a balance. An account says nothing about the person. credits.identities has the user ids.';
comment on column credits.accounts.segment is
'A cohort that analysts can be given access to, as free text. Null for none.';
comment on column credits.accounts.stripe_customer_id is
'The Stripe customer of this account (cus_…), once it has bought something.';
comment on column credits.accounts.overdraft_limit is
'How far captures may take the account into debt. With more debt than this, it cannot spend or hold anything new.';
comment on column credits.accounts.verified_at is
'When a service said that the holder''s e-mail address is verified. Null when no service has.';
comment on column credits.accounts.welcome_waits is
'Whether a welcome was withheld when the account opened, because its address was not verified or a bound was reached. '
'If so, it is tried again.';

comment on table credits.status_changes is 'Who froze or thawed an account, when and why.';
comment on column credits.status_changes.status is 'What it was changed to.';

comment on table credits.account_origins is
'The device and the network that an account was opened from, for the bounds of campaigns. They are HMACs with a salt '
'that rotates, which the HTTP API makes as it does for guests. api.maintain forgets them after their period.';
comment on column credits.account_origins.device_keys is
'Under the salt of that time, and under the one before or after it. Empty when they are not known.';

comment on table credits.identities is
'The user ids of identity providers (the sub of their tokens), and the account of each.';

comment on table credits.credentials is
'Credentials of the embedded identity provider: e-mail address and argon2 hash. Empty where another issuer signs the '
'tokens.';

comment on table credits.sign_in_counts is
'Counts of sign-ins that failed or have not ended, and of sign-ups, in the current window. Nothing here says who it '
'was.';
comment on column credits.sign_in_counts.scope is
'network:…, account:…, pair:… or sign_up:…, with the key that the HTTP API made of the network, and a hash of the '
'e-mail address.';

comment on table credits.sign_in_networks is
'The networks that an account has signed in from. Failed attempts elsewhere cannot keep its user from signing in '
'there. Keys are HMACs with a salt that rotates. api.maintain forgets them after their period.';

comment on table credits.sql_logins is
'The account of a person who connects with an SQL login of their own. Claims that such a session sets are ignored.';
comment on column credits.sql_logins.role_oid is
'The role that had this name when the row was written. Another role of that name is somebody else. A trigger fills '
'this in; after a restore credits.trust_login sets it again.';

comment on table credits.trusted_logins is
'Logins of programs that say whose call it is, as the HTTP API does. Claims in their sessions count.';
comment on column credits.trusted_logins.role_oid is 'As in credits.sql_logins.';
comment on column credits.trusted_logins.roles is 'The acting roles in which the claims count.';

comment on table credits.analyst_grants is
'Which accounts an analyst''s SQL login may count: those of a segment, or * for all.';
comment on column credits.analyst_grants.role_oid is 'As in credits.sql_logins.';
comment on column credits.analyst_grants.personal_data is
'Whether the analyst also reads which users these accounts are: analytics.people.';
comment on column credits.analyst_grants.granted_by is 'Who gave it. Null for a row that somebody wrote by hand.';
