-- What stands where, for people and for /schema: the shape itself is in migrations/0002-accounts.sql.
comment on table credits.accounts is
'One holder of a balance. Says nothing about the person, so that a person can be forgotten and the books stay.';
comment on column credits.accounts.segment is 'A cohort that analysts can be granted; free text, null for none.';
comment on column credits.accounts.stripe_customer_id is
'The one Stripe customer of this account (cus_…), once it has bought.';
comment on column credits.accounts.overdraft_limit is
'How far captures may take the account into debt. With more debt than this nothing new is spent or held.';
comment on column credits.accounts.verified_at is
'When a service said that the holder''s e-mail address is verified; null: nobody has.';
comment on column credits.accounts.welcome_waits is
'Was a welcome withheld when it opened, for want of a verified address or over a bound? Then it is tried again.';

comment on table credits.status_changes is 'Who froze or thawed an account, when and why.';
comment on column credits.status_changes.status is 'What it was changed to.';

comment on table credits.account_origins is
'The device and the network that an account was opened from, for the bounds of campaigns: HMACs with a salt that '
'rotates, made by the door, as those of guests are. api.maintain forgets them after 35 days.';
comment on column credits.account_origins.device_keys is
'Under the salt of that time, and under the one before or after it; empty when nobody said.';

comment on table credits.identities is
'The user ids of identity providers (the sub of their tokens), and the account of each.';

comment on table credits.credentials is
'Sign-in of the embedded identity provider: e-mail and argon2 hash. Empty where an outside issuer signs the tokens.';

comment on table credits.sign_in_counts is
'Sign-ins that failed, or have not ended, and sign-ups, in the window that is running. Nothing here says who it was.';
comment on column credits.sign_in_counts.scope is
'network:…, account:…, pair:… or sign_up:…, with the door''s key of the network and a hash of the e-mail address.';

comment on table credits.sign_in_networks is
'Where an account has signed in from: strangers who guess its password elsewhere do not keep it from signing in '
'there. Keys are HMACs with a salt that rotates; api.maintain forgets them after 35 days.';

comment on table credits.sql_logins is
'The account of a person who connects with an SQL login of their own. Claims that such a session sets are ignored.';
comment on column credits.sql_logins.role_oid is
'The role that had the name when the row was written: another role of that name is somebody else. Filled in by a '
'trigger; after a restore credits.trust_login sets it anew.';

comment on table credits.analyst_grants is 'Which accounts an analyst''s SQL login sees: a segment, or * for all.';
comment on column credits.analyst_grants.role_oid is 'As in credits.sql_logins.';
