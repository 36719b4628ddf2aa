-- The answer of a redeemed code.
create or replace function credits.redemption_receipt(
    p_account_id uuid, p_user_id text, p_code credits.codes, p_lot_id bigint, p_replayed boolean
)
returns api.redemption_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_receipt api.redemption_receipt;
begin
    v_receipt.code := p_code.code;
    v_receipt.user_id := p_user_id;
    v_receipt.replayed := p_replayed;
    select c.kind, c.campaign_id, c.title into v_receipt.kind, v_receipt.campaign_id, v_receipt.title
    from credits.campaigns as c
    where c.campaign_id = p_code.campaign_id;
    if p_lot_id is null then
        v_receipt.tokens := 0;
        v_receipt.balance := trim_scale(credits.balance_at(p_account_id, credits.clock(p_account_id)));
        return v_receipt;
    end if;

    v_receipt.entry_id := p_account_id || ':' || p_lot_id;
    v_receipt.lot_id := p_lot_id;
    select trim_scale(e.tokens), trim_scale(e.balance_after) into v_receipt.tokens, v_receipt.balance
    from credits.entries as e
    where e.account_id = p_account_id and e.seq = p_lot_id;
    select l.expires_at into v_receipt.expires_at
    from credits.lots as l
    where l.account_id = p_account_id and l.lot_id = p_lot_id;
    return v_receipt;
end
$$;
comment on function credits.redemption_receipt(uuid, text, credits.codes, bigint, boolean) is
'The answer of api.redeem_code. p_lot_id: the lot that a promotion granted; null when a referrer was recorded.';
