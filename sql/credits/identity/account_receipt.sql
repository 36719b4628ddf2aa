-- The answer about an account that was opened or verified.
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
'The answer of api.open_account and api.verify_email.';
