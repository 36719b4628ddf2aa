-- Keys live 35 days, as was always said. They are written in the order of time, so that an index of a few pages finds
-- the oldest.
set local role credits_owner;

create index idempotency_keys_created_idx on credits.idempotency_keys using brin (created_at) with (autosummarize = on);

drop function if exists api.maintain(bigint);
alter type api.maintenance add attribute keys bigint;
comment on type api.maintenance is
'How many accounts were brought up to date, and how many idempotency keys were forgotten.';
