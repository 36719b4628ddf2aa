-- The same call made twice counts once. A key belongs to one account and one operation. Callers have locked the wallet,
-- so the second of two equal calls waits for the first, and then finds its key.

-- The arguments of a call in one spelling: 1.0 becomes 1 in usage, metadata and seconds. jsonb has done the rest
-- (order, repeats, space). Callers pass null for an argument that only spells out its default.
create or replace function credits.canonical(p_arguments jsonb)
returns text
language sql
immutable
-- Strings are skipped as a whole. There is no recursion, because metadata may be nested thousands deep.
return regexp_replace(
    p_arguments::text, '("(?:[^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])', '\1\2', 'g'
);
comment on function credits.canonical(jsonb) is
'The arguments of a call as text, the same for every spelling of the same numbers.';

-- Most arguments have no number that ends in zero.
create or replace function credits.fingerprint(p_arguments jsonb)
returns bytea
language sql
immutable
return sha256(convert_to(
    case
        when (p_arguments::text like '%.%0%') is true then credits.canonical(p_arguments)
        else p_arguments::text
    end, 'UTF8'
));
comment on function credits.fingerprint(jsonb) is 'The sha256 of a call''s arguments, which is kept with its key.';

create or replace function credits.refuse_key()
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(409, 'key_reused', 'this idempotency key was used with other arguments');
end
$$;
comment on function credits.refuse_key() is 'Raises PT409 key_reused.';

create or replace function credits.claim_key(
    p_account_id uuid,
    p_operation text,
    p_key text,
    p_arguments jsonb,
    p_entry_seq bigint default null,
    p_made_id uuid default null
)
returns credits.idempotency_keys
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_fingerprint constant bytea := credits.fingerprint(p_arguments);
    v_known credits.idempotency_keys;
begin
    if p_key !~ '^[!-~]+$' or length(p_key) > 200 then
        perform credits.check_key(p_key);
    end if;

    loop
        insert into credits.idempotency_keys (
            account_id, operation, key, fingerprint, entry_seq, made_id, created_at
        )
        values (
            p_account_id, p_operation, p_key, v_fingerprint, p_entry_seq, p_made_id, credits.clock()
        )
        on conflict do nothing;
        if found then
            return null;
        end if;

        -- A separate statement sees what a call that has just ended wrote.
        select k.* into v_known
        from credits.idempotency_keys as k
        where k.account_id = p_account_id and k.operation = p_operation and k.key = p_key;
        exit when found;
        -- The key has been forgotten since. Claim it again.
    end loop;
    if v_known.fingerprint is distinct from v_fingerprint then
        perform credits.refuse_key();
    end if;
    return v_known;
end
$$;
comment on function credits.claim_key(uuid, text, text, jsonb, bigint, uuid) is
'Claims a key for the call that is about to write p_entry_seq or make p_made_id. Returns a row of nulls if the key is '
'new. Otherwise returns the row of the first call, whose answer the caller repeats. Raises PT409 key_reused, PT422 '
'bad_key.';

create or replace function credits.usage_or_call(p_usage jsonb)
returns jsonb
language sql
immutable
return case when (p_usage = '{}') is true then '{"calls": 1}' else p_usage end;
comment on function credits.usage_or_call(jsonb) is 'The usage as entries record it: {} means one call, {"calls": 1}.';

create or replace function credits.forget_keys(p_most bigint)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before constant timestamptz := credits.kept_since('idempotency_keys');
    v_forgotten bigint;
begin
    -- A session that forgets keys at the same time takes other rows.
    delete from credits.idempotency_keys as k
    where
        k.ctid = any (array(
            select x.ctid
            from credits.idempotency_keys as x
            where x.created_at < v_before
            order by x.created_at
            limit p_most
            for update skip locked
        ));
    get diagnostics v_forgotten = row_count;
    return v_forgotten;
end
$$;
comment on function credits.forget_keys(bigint) is
'Forgets at most p_most keys that are older than their period (35 days or more), and returns how many. After that a '
'repeat of such a call is a new call.';
