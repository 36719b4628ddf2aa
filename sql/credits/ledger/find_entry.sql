-- The public name of an entry is account:seq.
create or replace function credits.find_entry(p_entry_id text)
returns credits.entries
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_entry credits.entries;
begin
    -- Cast only text that this bank could have written. A uuid may also be in capitals.
    if (p_entry_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[1-9][0-9]{0,17}$') is true then
        select e.* into v_entry
        from credits.entries as e
        where e.account_id = left(p_entry_id, 36)::uuid and e.seq = substr(p_entry_id, 38)::bigint;
    end if;
    if v_entry.account_id is null then
        perform credits.fail(404, 'unknown_entry', 'no such entry');
    end if;
    return v_entry;
end
$$;
comment on function credits.find_entry(text) is 'The entry of that name (account:seq). Raises PT404 unknown_entry.';
