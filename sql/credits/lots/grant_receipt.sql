-- The answer of a grant, read back from its entry.
create or replace function credits.grant_receipt(p_account_id uuid, p_lot_id bigint, p_user_id text, p_replayed boolean)
returns api.grant_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_entry credits.entries;
begin
    select e.* into v_entry from credits.entries as e where e.account_id = p_account_id and e.seq = p_lot_id;
    return row(
        p_account_id || ':' || p_lot_id, p_user_id, p_lot_id, trim_scale(v_entry.tokens),
        trim_scale(v_entry.balance_after), p_replayed
    );
end
$$;
comment on function credits.grant_receipt(uuid, bigint, text, boolean) is
'The answer of api.add_tokens, read from the entry of the grant.';
