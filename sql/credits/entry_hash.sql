-- The hash chain, format 1, frozen: a change of any byte is a new format with a new first field.
-- Fields in the order of the parameters, each written as octets:text and a comma (a netstring; null has no number
-- before the
-- colon), so that bytes cannot move between fields unseen. Times are microseconds since 1970, metadata goes in by
-- digest.
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
declare
    v_previous constant text := encode(p_previous, 'hex');
    v_posted constant text := (extract(epoch from p_posted_at) * 1000000)::bigint;
    v_effective constant text := (extract(epoch from p_effective_at) * 1000000)::bigint;
    v_tokens constant text := p_tokens::numeric(20, 6);
    v_balance constant text := p_balance_after::numeric(20, 6);
    v_debt constant text := p_debt_after::numeric(20, 6);
    v_draws constant text := p_draws;
    v_usage constant text := p_usage;
    v_metadata constant text := encode(sha256(convert_to(p_metadata::text, 'UTF8')), 'hex');
begin
    return sha256(convert_to(concat(
        '1:1,',
        octet_length(v_previous), ':', v_previous, ',',
        '36:', p_account_id, ',',
        octet_length(p_seq::text), ':', p_seq, ',',
        octet_length(v_posted), ':', v_posted, ',',
        octet_length(v_effective), ':', v_effective, ',',
        octet_length(p_kind::text), ':', p_kind, ',',
        octet_length(v_tokens), ':', v_tokens, ',',
        octet_length(v_balance), ':', v_balance, ',',
        octet_length(v_debt), ':', v_debt, ',',
        octet_length(v_draws), ':', v_draws, ',',
        octet_length(p_module_id), ':', p_module_id, ',',
        octet_length(v_usage), ':', v_usage, ',',
        octet_length(p_price_id::text), ':', p_price_id, ',',
        octet_length(p_reference), ':', p_reference, ',',
        octet_length(p_actor), ':', p_actor, ',',
        '64:', v_metadata, ','
    ), 'UTF8'));
end
$$;
comment on function credits.entry_hash(
    bytea, uuid, bigint, timestamptz, timestamptz, credits.entry_kind, numeric, numeric, numeric, jsonb,
    text, jsonb, bigint, text, text, jsonb
) is 'sha256 of the hash before (empty for the first) and an entry''s fields.';
