-- Freezing and thawing accounts. This happens under the wallet's lock, so no spend slips through after the call has
-- returned.
create or replace function credits.change_status(p_user_id text, p_status text, p_reason text)
returns api.account_standing
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject text;
    v_account_id uuid;
    v_wallet record;
    v_replayed boolean;
    v_change credits.status_changes;
begin
    perform credits.require_service('may freeze or thaw an account');
    perform credits.check_reason(p_reason);
    v_subject := credits.caller_subject(p_user_id);
    v_account_id := credits.account_of(v_subject, false);
    v_wallet := credits.lock_wallet(v_account_id);
    if v_wallet.status = 'closed' then
        perform credits.refuse_status(v_wallet.status);
    end if;

    v_replayed := v_wallet.status = p_status;
    if not v_replayed then
        update credits.wallets as w set status = p_status where w.account_id = v_account_id;
        insert into credits.status_changes (account_id, status, reason, actor, changed_at)
        values (v_account_id, p_status, p_reason, credits.agent(), credits.clock());
    end if;
    select c.* into v_change
    from credits.status_changes as c
    where c.account_id = v_account_id
    order by c.changed_at desc
    limit 1;
    return row(v_subject, p_status, v_change.reason, v_change.changed_at, v_replayed);
end
$$;
comment on function credits.change_status(text, text, text) is
'Does the work of api.freeze_account and api.thaw_account.';
