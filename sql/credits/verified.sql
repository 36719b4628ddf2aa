-- Who has shown that their e-mail address is theirs. The bank sends no mail: a service says so.

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
'Notes that the address of an account''s holder is verified. Locks the wallet.';

create or replace function credits.account_receipt(
    p_account_id uuid,
    p_subject text,
    p_opened boolean,
    p_welcome numeric,
    p_waits_for text,
    p_reset_at timestamptz
)
returns api.account_receipt
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_receipt api.account_receipt;
begin
    v_receipt.user_id := p_subject;
    v_receipt.opened := p_opened;
    v_receipt.balance := trim_scale(credits.balance_at(p_account_id, credits.clock(p_account_id)));
    v_receipt.referred := exists (select from credits.referrals as r where r.account_id = p_account_id);
    v_receipt.welcome := p_welcome;
    v_receipt.welcome_waits_for := p_waits_for;
    v_receipt.reset_at := p_reset_at;
    return v_receipt;
end
$$;
comment on function credits.account_receipt(uuid, text, boolean, numeric, text, timestamptz) is
'What api.open_account and api.verify_email answer.';

create or replace function credits.require_verified_email(p_required boolean)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_required is null then
        perform credits.fail(422, 'bad_email', 'an address has to be verified or not: true or false');
    end if;
    update credits.settings as s
    set verified_welcome = p_required
    where s.verified_welcome is distinct from p_required;
end
$$;
comment on function credits.require_verified_email(boolean) is
'For the operator. Whether the welcome of new accounts waits until a service says that the e-mail address is verified '
'(api.verify_email). An account that waits when this is switched off gets its welcome when open_account is called '
'again. Raises PT422 bad_email for null.';
