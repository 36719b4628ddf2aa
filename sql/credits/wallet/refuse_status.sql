-- One refusal for an account that is frozen or closed. The caller decides which of the two it refuses.
create or replace function credits.refuse_status(p_status text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(423, 'account_frozen', 'this account is ' || p_status);
end
$$;
comment on function credits.refuse_status(text) is
'Refuses a call because the account has this status, frozen or closed. Raises PT423 account_frozen.';
