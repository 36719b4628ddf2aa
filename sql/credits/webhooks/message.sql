-- The message about a notice, as the product gets it. A notice never changes, so its message does not, either.
create or replace function credits.webhook_body(p_notice credits.outbox)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return json_build_object(
        'type', p_notice.kind,
        'timestamp', credits.utc_text(p_notice.created_at),
        'data', p_notice.facts || jsonb_build_object(
            'account_id', p_notice.account_id,
            'user_id', (select u.user_id from credits.user_of(p_notice.account_id) as u)
        )
    )::text;
end
$$;
comment on function credits.webhook_body(credits.outbox) is
'The body of a message: the kind of the notice, its time, and its facts with the account and the user.';

create or replace function credits.webhook_delay(p_tries bigint)
returns interval
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Ten tries take two days and a half.
    v_minutes constant numeric[] := array[0.1, 0.5, 2, 10, 30, 120, 360, 720, 1440];
begin
    -- A little random, so that messages that failed together do not all come again together.
    return make_interval(secs => (v_minutes[p_tries] * (60 + 10 * random()))::double precision);
end
$$;
comment on function credits.webhook_delay(bigint) is
'How long a message waits after its p_tries-th try failed. Null: it was tried often enough.';
