-- What stands where, for people and for /schema: the shape itself is in migrations/0013-settings.sql.
comment on table credits.settings is 'What the operator decides for the whole bank: one row.';
comment on column credits.settings.instance_id is
'Names this bank. `pgcredits up` keeps it in its data folder and refuses a bank of another folder without --adopt.';
comment on column credits.settings.test_clocks is
'May services put accounts on test clocks? Off unless credits.allow_test_clocks was called: never where money is '
'real.';
comment on column credits.settings.stripe_accounts is
'Connected Stripe accounts whose events are accepted beside our own; see credits.accept_stripe_accounts.';
comment on column credits.settings.stripe_livemode is
'Which events are accepted: live (true), test (false), or both (null); see credits.accept_stripe_livemode.';
comment on column credits.settings.most_pending_orders is 'How many orders of one account may be pending.';
comment on column credits.settings.longest_service_hold is
'How long after it was made a hold of a service can last at most: see credits.bound_holds.';
comment on column credits.settings.most_open_holds is 'How many open holds an account may have.';
comment on column credits.settings.most_unpaid is
'How much a user may make without paying in one window: see credits.bound_unpaid.';
comment on column credits.settings.unpaid_window is 'How long one such window is, from the first thing in it.';
comment on column credits.settings.verified_welcome is
'Do welcome tokens wait until a service says that the e-mail address is verified? See '
'credits.require_verified_email.';
comment on column credits.settings.sign_ins_per_pair is
'Failed sign-ins in a row to one account from one network, in one sign_in_window. See credits.limit_sign_ins.';
comment on column credits.settings.sign_ins_per_account is
'The same to one account from all networks where it has not signed in before.';
comment on column credits.settings.sign_ins_per_network is
'The same from one network to all accounts; ten times as many from one that is known to be shared.';
comment on column credits.settings.sign_ups_per_network is
'Sign-ups from one network, whatever became of them: each hashes a password. Ten times as many if it is shared.';
comment on column credits.settings.sign_in_window is 'How long such a count goes on before it begins anew.';
