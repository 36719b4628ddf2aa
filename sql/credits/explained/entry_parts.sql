-- The parts of a receipt that other rows know.

create or replace function credits.order_as_json(p_account_id uuid, p_order_id uuid)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_build_object(
            'order_id', o.order_id, 'kind', o.kind, 'state', o.state, 'pack_id', o.pack_id,
            'package_name', o.package_name, 'tokens', trim_scale(o.tokens),
            'bonus_tokens', trim_scale(o.bonus_tokens), 'amount', o.amount, 'currency', o.currency, 'paid', o.paid,
            'paid_at', credits.utc_text(o.paid_at), 'reversed', o.reversed,
            'payment_intent_id', o.payment_intent_id, 'checkout_session_id', o.checkout_session_id,
            'invoice_id', (
                select i.invoice_id
                from credits.subscription_invoices as i
                where i.account_id = o.account_id and i.order_id = o.order_id
            )
        )
        from credits.orders as o
        where o.account_id = p_account_id and o.order_id = p_order_id
    );
end
$$;
comment on function credits.order_as_json(uuid, uuid) is
'An order and its payment, with their ids at Stripe. amount, paid and reversed are minor units of currency.';

create or replace function credits.drawn_lots(p_entry credits.entries)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce((
        select jsonb_agg(
            jsonb_build_object(
                'lot_id', d.lot_id,
                'entry_id', p_entry.account_id || ':' || d.lot_id,
                'tokens', trim_scale(case when (p_entry.tokens > 0) is true then d.tokens else -d.tokens end),
                'source', l.source,
                'package_name', l.package_name,
                'scope', l.scope,
                'granted', trim_scale(l.granted),
                'granted_at', credits.utc_text(l.effective_at),
                'expires_at', credits.utc_text(l.expires_at),
                'purchase', credits.order_as_json(l.account_id, l.order_id)
            )
            order by d.place
        )
        from rows from (jsonb_to_recordset(p_entry.draws) as (lot_id bigint, tokens numeric))
        with ordinality as d (lot_id, tokens, place)
        left join credits.lots as l on l.account_id = p_entry.account_id and l.lot_id = d.lot_id
    ), '[]');
end
$$;
comment on function credits.drawn_lots(credits.entries) is
'The lots that an entry changed, in its order: tokens above zero went into the lot, and below zero out of it. '
'purchase: the order that paid for the lot.';

create or replace function credits.hold_as_json(p_hold credits.holds, p_seq bigint)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return jsonb_build_object(
        'hold_id', p_hold.account_id || ':' || p_hold.hold_id,
        'state', p_hold.state,
        'tokens', trim_scale(p_hold.tokens),
        'usage', p_hold.usage,
        'captured', trim_scale(p_hold.captured),
        'shortfall', trim_scale(p_hold.shortfall),
        'created_at', credits.utc_text(p_hold.created_at),
        'expires_at', credits.utc_text(p_hold.expires_at),
        'finished_at', credits.utc_text(p_hold.finished_at),
        'late', p_hold.late,
        'part', array_position(p_hold.seqs, p_seq),
        'parts', cardinality(p_hold.seqs),
        'captures', (
            select jsonb_agg(
                jsonb_build_object(
                    'entry_id', e.account_id || ':' || e.seq, 'posted_at', credits.utc_text(e.posted_at),
                    'tokens', trim_scale(e.tokens), 'usage', e.usage
                )
                order by e.seq
            )
            from credits.entries as e
            where e.account_id = p_hold.account_id and e.seq = any (p_hold.seqs[1:100])
        )
    );
end
$$;
comment on function credits.hold_as_json(credits.holds, bigint) is
'The hold that an entry captured. part: which of its captures the entry is. captures: the first hundred of them.';

create or replace function credits.refunds_as_json(p_account_id uuid, p_seqs bigint[])
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce((
        select jsonb_agg(
            jsonb_build_object(
                'entry_id', e.account_id || ':' || e.seq, 'posted_at', credits.utc_text(e.posted_at),
                'tokens', trim_scale(e.tokens), 'reason', e.metadata ->> 'reason'
            )
            order by e.seq
        )
        from credits.entries as e
        where e.account_id = p_account_id and e.seq = any (p_seqs[1:100])
    ), '[]');
end
$$;
comment on function credits.refunds_as_json(uuid, bigint[]) is
'Refunds of a charge: the first hundred of those whose seqs are given.';
