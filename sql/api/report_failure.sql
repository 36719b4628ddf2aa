-- Record a use of a module that failed, for the figures. Nothing is charged for it.
--
--   1. Accept only a service or a spender, because users could spoil the figures.
--   2. Lock the wallet, so that a repeat waits for the first call and then gets its answer.
--   3. Write the failure.
create or replace function api.report_failure(
    module_id text,
    duration_ms numeric default null,
    metadata jsonb default '{}',
    user_id text default null,
    idempotency_key text default null
)
returns api.failure_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_failure credits.failures;
    v_subject text;
    v_known credits.idempotency_keys;
begin
    idempotency_key := coalesce(report_failure.idempotency_key, credits.header_key('report_failure'));
    -- 1. Check the caller and the arguments.
    if not credits.is_spender() then
        perform credits.fail(403, 'not_yours', 'only a service may report a failure');
    end if;
    v_subject := credits.caller_subject(report_failure.user_id, 'spender');
    perform credits.check_metadata(report_failure.metadata);
    v_failure.duration_ms := round(report_failure.duration_ms, 6);
    -- NaN is above every number, so the bound refuses it, and Infinity too.
    if (v_failure.duration_ms < 0 or v_failure.duration_ms >= 1000000000000) is true then
        perform credits.fail(422, 'bad_duration', 'duration_ms must be a number of milliseconds from 0, below 10^12');
    end if;
    v_failure.account_id := credits.account_of(v_subject, false);

    -- 2. Lock. Repeat? A frozen account may have work under way, and its failures count too.
    perform credits.lock_wallet(v_failure.account_id);
    v_failure.failure_id := gen_random_uuid();
    if report_failure.idempotency_key is not null then
        v_known := credits.claim_key(
            v_failure.account_id, 'report_failure', report_failure.idempotency_key,
            jsonb_build_array(
                report_failure.module_id, trim_scale(v_failure.duration_ms), report_failure.metadata
            ),
            p_made_id => v_failure.failure_id
        );
        if v_known.account_id is not null then
            select f.* into v_failure
            from credits.failures as f
            where f.account_id = v_failure.account_id and f.failure_id = v_known.made_id;
            return row(v_failure.failure_id, v_subject, v_failure.module_id, v_failure.failed_at, true);
        end if;
    end if;

    -- 3. Write.
    v_failure.failed_at := credits.clock(v_failure.account_id);
    if credits.find_price(report_failure.module_id, v_failure.failed_at) is null then
        perform credits.refuse_module(report_failure.module_id);
    end if;
    insert into credits.failures (account_id, failure_id, module_id, failed_at, duration_ms, metadata)
    values (
        v_failure.account_id, v_failure.failure_id, report_failure.module_id, v_failure.failed_at,
        v_failure.duration_ms, report_failure.metadata
    );
    return row(v_failure.failure_id, v_subject, report_failure.module_id, v_failure.failed_at, false);
end
$$;
comment on function api.report_failure(text, numeric, jsonb, text, text) is
'Record that a use of a module failed, for the figures. Nothing is charged. For services and spenders.

duration_ms is how long the use took. For a use that succeeded, it is the number duration_ms in the metadata of the
charge. With an idempotency_key a repeat of the same call gets the same answer with replayed: true.
Raises PT404 unknown_module or unknown_user, PT409 key_reused, PT422 bad_duration, bad_metadata, bad_key or bad_user,
PT403 not_yours.';
