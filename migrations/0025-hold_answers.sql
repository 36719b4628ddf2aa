-- What was available to the account when a hold was made, for a repeat of the call that made it. Null for the holds
-- that were made before this column.
set local role credits_owner;

alter table credits.holds add column first_available credits.amount;
