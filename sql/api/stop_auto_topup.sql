-- Take the agreement to automatic top-ups back. A charge that Stripe may have is not undone, but none follows.
create or replace function api.stop_auto_topup(
    user_id text default null
)
returns api.auto_topup_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.caller_subject(stop_auto_topup.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, false);
begin
    perform credits.lock_wallet(v_account_id);
    perform credits.stop_topup(v_account_id, 'withdrawn');
    return credits.topup_receipt(v_account_id, v_subject);
end
$$;
comment on function api.stop_auto_topup(text) is
'Take the agreement to automatic top-ups back. Its state becomes off, and no charge begins after this call. A charge
that a worker has already sent to Stripe may still succeed: its tokens are granted. Safe to repeat.

Raises PT404 unknown_user, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation or bad_user.';
