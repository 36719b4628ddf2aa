-- Stop an account, for example after abuse or in a dispute.
create or replace function api.freeze_account(user_id text, reason text default null)
returns api.account_standing
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return credits.change_status(freeze_account.user_id, 'frozen', freeze_account.reason);
end
$$;
comment on function api.freeze_account(text, text) is
'Freeze an account: it cannot spend or hold anything new until thaw_account. For services.

It still gets what it buys, and work that has begun can be captured or released. The call records who froze it, when
and why. Freezing it again changes nothing.
Raises PT404 unknown_user, PT423 account_frozen (a closed account), PT422 bad_reason or bad_user, PT403 not_yours.';
