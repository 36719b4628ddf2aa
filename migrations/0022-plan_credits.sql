-- What an invoice of a subscription credits: the unused part of a period that was paid, when a user takes a smaller
-- plan.
set local role credits_owner;

alter table credits.subscription_invoices
add column credited bigint not null default 0,
add column credited_from timestamptz,
add column credited_until timestamptz,
add constraint subscription_invoices_credit_is_whole check (
    credited >= 0 and num_nonnulls(credited_from, credited_until) = case when credited > 0 then 2 else 0 end
);
