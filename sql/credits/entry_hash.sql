-- The hash chain, format 1, frozen: a change of any byte is a new format with a new first field. Hashed is
-- PostgreSQL's binary form of the text array below (array_send: a header of 20 bytes, then for each field its length
-- as four bytes and its bytes; length -1 for null), so that bytes cannot move between fields unseen. Times are
-- seconds since 1970 with six decimals; metadata goes in by digest, so that it can be forgotten.
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
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return sha256(array_send(array[
        '1',
        encode(p_previous, 'hex'),
        p_account_id::text,
        p_seq::text,
        extract(epoch from p_posted_at)::text,
        extract(epoch from p_effective_at)::text,
        p_kind::text,
        p_tokens::numeric(20, 6)::text,
        p_balance_after::numeric(20, 6)::text,
        p_debt_after::numeric(20, 6)::text,
        p_draws::text,
        p_module_id,
        p_usage::text,
        p_price_id::text,
        p_reference,
        p_actor,
        encode(sha256(convert_to(p_metadata::text, 'UTF8')), 'hex')
    ]));
end
$$;
comment on function credits.entry_hash(
    bytea, uuid, bigint, timestamptz, timestamptz, credits.entry_kind, numeric, numeric, numeric, jsonb,
    text, jsonb, bigint, text, text, jsonb
) is 'sha256 of the hash before (empty for the first) and an entry''s fields.';
