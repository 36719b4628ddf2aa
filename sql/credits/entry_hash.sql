-- The hash chain, format 1, frozen: a change of any byte is a new format with a new first field.
-- Hashed is PostgreSQL's binary form of the bytea array below (array_send: a header of 20 bytes, then for each
-- field its length as four bytes and its bytes; length -1 for null), so that bytes cannot move between fields
-- unseen. Numbers, times and the uuid go in as PostgreSQL sends them (big-endian; microseconds since 2000), amounts
-- and JSON as their text in UTF-8, metadata by digest, so that it can be forgotten. No setting of a session changes
-- any of these.
--
-- An expression that the planner takes into those that use it; so it is as stable as what it calls.
create or replace function credits.entry_hash(
    p_previous bytea,
    p_account_id uuid,
    p_seq bigint,
    p_posted_at timestamptz,
    p_effective_at timestamptz,
    p_kind credits.entry_kind,
    p_tokens numeric,
    p_balance_after numeric,
    p_debt_after numeric,
    p_draws jsonb,
    p_module_id text,
    p_usage jsonb,
    p_price_id bigint,
    p_reference text,
    p_actor text,
    p_metadata jsonb
)
returns bytea
language sql
stable
return sha256(
    array_send(array[
        '\x01'::bytea,
        p_previous,
        uuid_send(p_account_id),
        int8send(p_seq),
        timestamptz_send(p_posted_at),
        timestamptz_send(p_effective_at),
        convert_to(p_kind::text, 'UTF8'),
        convert_to(p_tokens::numeric(20, 6)::text, 'UTF8'),
        convert_to(p_balance_after::numeric(20, 6)::text, 'UTF8'),
        convert_to(p_debt_after::numeric(20, 6)::text, 'UTF8'),
        convert_to(p_draws::text, 'UTF8'),
        convert_to(p_module_id, 'UTF8'),
        convert_to(p_usage::text, 'UTF8'),
        int8send(p_price_id),
        convert_to(p_reference, 'UTF8'),
        convert_to(p_actor, 'UTF8'),
        sha256(convert_to(p_metadata::text, 'UTF8'))
    ])
);
comment on function credits.entry_hash(
    bytea, uuid, bigint, timestamptz, timestamptz, credits.entry_kind, numeric, numeric, numeric, jsonb,
    text, jsonb, bigint, text, text, jsonb
) is 'sha256 of the hash before (empty for the first) and an entry''s fields.';
