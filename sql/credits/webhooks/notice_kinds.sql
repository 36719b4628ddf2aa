-- What users and products can be told. A new kind of notice is a line here.
create or replace view credits.notice_kinds (kind, meaning)
with (security_invoker = true)
as
values
('low_balance', 'the balance fell below its threshold'),
('depleted', 'what is left pays for nothing'),
('granted', 'tokens came in'),
('reversed', 'tokens went back with the money that had paid for them'),
('reinstated', 'tokens came back with that money'),
('expiring_soon', 'tokens will expire soon'),
('expired', 'tokens expired'),
('inactive', 'tokens will be purged unless they are used'),
('top_up_failed', 'an automatic top-up failed'),
('top_up_paused', 'automatic top-ups are paused'),
('subscription_changed', 'a subscription changed'),
('trial_ends_soon', 'the trial of a subscription ends soon'),
('payment_failed', 'the payment of a subscription failed');
comment on view credits.notice_kinds is 'The kinds of notices in the outbox, and when each is written.';
