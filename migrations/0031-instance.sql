-- Which bank is this? A data folder remembers the answer, so that the `up` of another one leaves it alone.
set local role credits_owner;

alter table credits.settings add column instance_id uuid;
alter table credits.settings alter column instance_id set default gen_random_uuid();
update credits.settings set instance_id = gen_random_uuid();
comment on column credits.settings.instance_id is
'Names this bank. `pgcredits up` keeps it in its data folder and refuses a bank of another folder without --adopt.';

alter type api.maintenance add attribute partitions bigint;
comment on type api.maintenance is
'How many accounts were brought up to date, how many idempotency keys were forgotten, how many Stripe events that had '
'waited were applied, and how many partitions of the ledger were made.';
