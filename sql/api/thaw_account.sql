-- Let a frozen account continue.
create or replace function api.thaw_account(user_id text, reason text default null)
returns api.account_standing
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return credits.change_status(thaw_account.user_id, 'active', thaw_account.reason);
end
$$;
comment on function api.thaw_account(text, text) is
'Let a frozen account spend again. For services. The call records who thawed it, when and why. Thawing it again changes
nothing.

Raises PT404 unknown_user, PT423 account_frozen (a closed account), PT422 bad_reason or bad_user, PT403 not_yours.';
