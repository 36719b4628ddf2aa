-- Comments for people and for /schema. The tables themselves are in migrations/0013-settings.sql.
comment on table credits.settings is 'Settings that the operator decides for the whole bank, in one row.';
comment on column credits.settings.instance_id is
'Identifies this bank. `pgcredits up` keeps it in its data folder, and refuses the bank of another folder without '
'--adopt.';
comment on column credits.settings.test_clocks is
'Whether services may put accounts on test clocks. Off unless credits.allow_test_clocks was called. Never on where '
'money is real.';
comment on column credits.settings.stripe_accounts is
'Connected Stripe accounts whose events are accepted in addition to those of the own account: see '
'credits.accept_stripe_accounts.';
comment on column credits.settings.stripe_livemode is
'Which events are accepted: live (true), test (false), or both (null). See credits.accept_stripe_livemode.';
comment on column credits.settings.purge_after is
'How long after its last spend, purchase or grant an account''s tokens expire. Null: never. See credits.define_purge.';
comment on column credits.settings.purge_ahead is 'How long before that the user is told.';
comment on column credits.settings.most_pending_orders is 'How many orders of one account may be pending.';
comment on column credits.settings.longest_service_hold is
'How long after its beginning a hold of a service can last at most: see credits.bound_holds.';
comment on column credits.settings.most_open_holds is 'How many open holds an account may have.';
comment on column credits.settings.most_unpaid is
'How many of each kind a user may make in one window without paying: see credits.bound_unpaid.';
comment on column credits.settings.unpaid_window is
'The length of such a window, which begins with the first thing in it.';
comment on column credits.settings.verified_welcome is
'Whether welcome tokens wait until a service says that the e-mail address is verified: see '
'credits.require_verified_email.';
comment on column credits.settings.sign_ins_per_pair is
'How many failed sign-ins to one account from one network are allowed in one sign_in_window: see '
'credits.limit_sign_ins.';
comment on column credits.settings.sign_ins_per_account is
'The same for one account, from all networks where it has not signed in before.';
comment on column credits.settings.sign_ins_per_network is
'The same for one network, to all accounts. Ten times as many for a network that is known to be shared.';
comment on column credits.settings.sign_ups_per_network is
'How many sign-ups from one network are allowed, whatever became of them, because each hashes a password. Ten times as '
'many if it is shared.';
comment on column credits.settings.sign_in_window is 'How long such a count continues before it starts again.';
