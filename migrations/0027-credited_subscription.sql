-- The credit of a subscription that was cancelled may be on the next invoice of another one.
set local role credits_owner;

alter table credits.subscription_invoices
add column credited_subscription_id text,
add constraint subscription_invoices_other_credit_is_sane check (credited_subscription_id is null or credited > 0);
