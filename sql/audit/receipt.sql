-- The same as api.receipt, for support and auditors, about anybody.
create or replace function audit.receipt(entry_id text)
returns api.entry_receipt
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return credits.entry_receipt(credits.find_entry(receipt.entry_id));
end
$$;
comment on function audit.receipt(text) is
'Explain one entry of any account, as api.receipt does. Raises PT404 unknown_entry.';
