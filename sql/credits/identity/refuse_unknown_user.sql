-- One refusal for a user id without an account.
create or replace function credits.refuse_unknown_user()
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(404, 'unknown_user', 'no such user: open_account opens an account');
end
$$;
comment on function credits.refuse_unknown_user() is
'Refuses a call about a user who has no account. Raises PT404 unknown_user.';
