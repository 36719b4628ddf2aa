-- Keys live 35 days, as was always said. No brin: what it knows of a range of pages never narrows, and once new keys
-- have taken the places of forgotten ones, every range seems to be old.
set local role credits_owner;

create index idempotency_keys_created_idx on credits.idempotency_keys (created_at);

drop function if exists api.maintain(bigint);
alter type api.maintenance add attribute keys bigint;
comment on type api.maintenance is
'How many accounts were brought up to date, and how many idempotency keys were forgotten.';
