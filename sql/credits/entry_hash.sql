-- The hash chain, format 1, frozen: a change of any byte is a new format with a new first field.
-- Fields in the order below, each written as octets:text and a comma (a netstring; null has no number before the colon),
-- so that bytes cannot move between fields unseen. Times are microseconds since 1970, metadata goes in by digest.
create or replace function credits.entry_hash(p_previous bytea, p_entry credits.entries)
returns bytea
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account constant text := p_entry.account_id;
    v_seq constant text := p_entry.seq;
    v_posted constant text := (extract(epoch from p_entry.posted_at) * 1000000)::bigint;
    v_effective constant text := (extract(epoch from p_entry.effective_at) * 1000000)::bigint;
    v_kind constant text := p_entry.kind;
    v_tokens constant text := p_entry.tokens;
    v_balance constant text := p_entry.balance_after;
    v_debt constant text := p_entry.debt_after;
    v_draws constant text := p_entry.draws;
    v_usage constant text := p_entry.usage;
    v_price constant text := p_entry.price_id;
    v_metadata constant text := encode(sha256(convert_to(p_entry.metadata::text, 'UTF8')), 'hex');
    v_previous constant text := encode(p_previous, 'hex');
begin
    return sha256(convert_to(concat(
        '1:1,',
        octet_length(v_account), ':', v_account, ',',
        octet_length(v_seq), ':', v_seq, ',',
        octet_length(v_posted), ':', v_posted, ',',
        octet_length(v_effective), ':', v_effective, ',',
        octet_length(v_kind), ':', v_kind, ',',
        octet_length(v_tokens), ':', v_tokens, ',',
        octet_length(v_balance), ':', v_balance, ',',
        octet_length(v_debt), ':', v_debt, ',',
        octet_length(v_draws), ':', v_draws, ',',
        octet_length(p_entry.module_id), ':', p_entry.module_id, ',',
        octet_length(v_usage), ':', v_usage, ',',
        octet_length(v_price), ':', v_price, ',',
        octet_length(p_entry.reference), ':', p_entry.reference, ',',
        octet_length(p_entry.actor), ':', p_entry.actor, ',',
        octet_length(v_metadata), ':', v_metadata, ',',
        octet_length(v_previous), ':', v_previous, ','
    ), 'UTF8'));
end
$$;
comment on function credits.entry_hash(bytea, credits.entries) is 'sha256 of an entry''s fields and of the hash before it (empty for the first).';
