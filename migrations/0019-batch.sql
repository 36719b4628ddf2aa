-- Many charges in one call.
set local role credits_owner;

create type api.batch_receipt as (
    accepted bigint,
    refused bigint,
    verdicts jsonb
);
comment on type api.batch_receipt is
'What became of a batch: verdicts has one object for each item, in their order. {"ok": true, …} and then as '
'consume_tokens answers, or {"ok": false, "code": "PT402", "error": slug, "message", …} and the facts of the refusal.';

-- It learns what is spent and not written yet.
drop function if exists credits.keep_limits(uuid, numeric, timestamptz);
