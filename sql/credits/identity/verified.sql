-- Which users have shown that their e-mail address is theirs. The bank sends no mail: a service says so.

create or replace function credits.mark_verified(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.lock_wallet(p_account_id);
    update credits.accounts as a
    set verified_at = credits.clock()
    where a.account_id = p_account_id and a.verified_at is null;
end
$$;
comment on function credits.mark_verified(uuid) is
'Records that the address of an account''s holder is verified. Locks the wallet.';

create or replace function credits.require_verified_email(p_required boolean)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_required is null then
        perform credits.fail(422, 'bad_email', 'whether addresses must be verified must be true or false');
    end if;
    update credits.settings as s
    set verified_welcome = p_required
    where s.verified_welcome is distinct from p_required;
end
$$;
comment on function credits.require_verified_email(boolean) is
'For the operator. Whether the welcome of new accounts waits until a service says that the e-mail address is verified '
'(api.verify_email). An account that is waiting when this is switched off gets its welcome with the next call of '
'open_account. Raises PT422 bad_email for null.';
