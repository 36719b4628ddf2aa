-- One entry explained, so that a person can check it by hand. It reads a few rows by their keys, however long the
-- ledger is.
--
--   1. The entry, and the one before it, which knows the debt and the hash.
--   2. Its price, and the calculation.
--   3. The lots that it changed, the order, the hold, the refunds.
create or replace function credits.entry_receipt(p_entry credits.entries)
returns api.entry_receipt
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_receipt api.entry_receipt;
    v_before credits.entries;
    v_hold credits.holds;
    v_debt_before numeric;
    v_computed record;
    v_refunds credits.charge_refunds;
begin
    -- 1. The entry.
    select e.* into v_before
    from credits.entries as e
    where e.account_id = p_entry.account_id and e.seq = p_entry.seq - 1;
    v_debt_before := coalesce(v_before.debt_after, 0);
    v_receipt.entry_id := p_entry.account_id || ':' || p_entry.seq;
    v_receipt.user_id := (select u.user_id from credits.user_of(p_entry.account_id) as u);
    v_receipt.seq := p_entry.seq;
    v_receipt.kind := p_entry.kind;
    v_receipt.what := credits.movement_text(p_entry);
    v_receipt.posted_at := p_entry.posted_at;
    v_receipt.effective_at := p_entry.effective_at;
    v_receipt.tokens := trim_scale(p_entry.tokens);
    v_receipt.balance_before := trim_scale(p_entry.balance_after - p_entry.tokens);
    v_receipt.balance_after := trim_scale(p_entry.balance_after);
    v_receipt.debt_before := trim_scale(v_debt_before);
    v_receipt.debt_after := trim_scale(p_entry.debt_after);
    v_receipt.module_id := p_entry.module_id;
    v_receipt.usage := p_entry.usage;
    v_receipt.metadata := p_entry.metadata;
    v_receipt.tags := p_entry.tags;
    v_receipt.previous_hash := coalesce(encode(v_before.hash, 'hex'), '');
    v_receipt.hash := encode(p_entry.hash, 'hex');

    -- 2. The price.
    v_receipt.price := (
        select jsonb_build_object(
            'price_id', p.price_id, 'source', credits.price_source(p), 'module_id', p.module_id,
            'category_id', p.category_id, 'valid_from', credits.utc_text(p.valid_from)
        )
        from credits.prices as p
        where p.price_id = p_entry.price_id
    );
    if p_entry.hold_id is not null then
        select h.* into v_hold
        from credits.holds as h
        where h.account_id = p_entry.account_id and h.hold_id = p_entry.hold_id;
        v_receipt.hold := credits.hold_as_json(v_hold, p_entry.seq);
    end if;
    if (p_entry.kind in ('spend', 'byok') and p_entry.price_id is not null) is true then
        v_computed := credits.calculation(p_entry, v_hold, p_entry.debt_after - v_debt_before);
        v_receipt.parts := v_computed.parts;
        v_receipt.calculation := v_computed.calculation;
    end if;

    -- 3. What it moved, and what belongs to it.
    v_receipt.lots := credits.drawn_lots(p_entry);
    v_receipt.purchase := credits.order_as_json(p_entry.account_id, p_entry.order_id);
    v_receipt.refunds_entry := p_entry.account_id || ':' || p_entry.refunds_seq;
    select r.* into v_refunds
    from credits.charge_refunds as r
    where r.account_id = p_entry.account_id and r.seq = p_entry.seq;
    v_receipt.refunded := trim_scale(coalesce(v_refunds.refunded, 0));
    v_receipt.refunds := credits.refunds_as_json(p_entry.account_id, coalesce(v_refunds.refund_seqs, '{}'));
    return v_receipt;
end
$$;
comment on function credits.entry_receipt(credits.entries) is
'One entry explained: its price and calculation, the lots and purchases behind it, its hold and refunds. It shows no '
'provider''s cost.';
