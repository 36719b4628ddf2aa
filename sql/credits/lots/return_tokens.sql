-- Undoing a charge: the tokens go back along its draws. The tokens taken last go back first.

-- Which parts of a charge go back, given how much of it went back before. Debt was made last of all, so it comes first,
-- as a part without a lot.
create or replace function credits.parts_to_return(
    p_draws jsonb,
    p_charged numeric,
    p_before numeric,
    p_tokens numeric
)
returns table (lot_id bigint, tokens numeric)
language plpgsql
immutable
rows 3
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with parts as (
        select d.lot_id, d.tokens, d.place
        from rows from (jsonb_to_recordset(p_draws) as (lot_id bigint, tokens numeric))
        with ordinality as d (lot_id, tokens, place)
        union all
        select null, p_charged - coalesce(sum(d.tokens), 0), 1000000000
        from jsonb_to_recordset(p_draws) as d (tokens numeric)
    ),
    laid as (
        -- The parts lie end to end, from the last to the first. Each begins where the ones after it end.
        select p.lot_id, p.tokens, p.place, sum(p.tokens) over (order by p.place desc) - p.tokens as starts
        from parts as p
    )
    select l.lot_id, least(l.starts + l.tokens, p_before + p_tokens) - greatest(l.starts, p_before)
    from laid as l
    where l.starts + l.tokens > p_before and l.starts < p_before + p_tokens and l.tokens > 0
    order by l.place desc;
end
$$;
comment on function credits.parts_to_return(jsonb, numeric, numeric, numeric) is
'The lots into which p_tokens of a charge go back, last taken first, when p_before tokens went back before. lot_id '
'null: the debt of the charge.';

create or replace function credits.refunded_of(p_account_id uuid, p_seq bigint)
returns numeric
language sql
stable
return coalesce((
    select trim_scale(r.refunded)
    from credits.charge_refunds as r
    where r.account_id = p_account_id and r.seq = p_seq
), 0);
comment on function credits.refunded_of(uuid, bigint) is 'How many tokens of a charge have been given back so far.';

create or replace function credits.return_to_lot(p_account_id uuid, p_lot_id bigint, p_tokens numeric)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.lots as l
    set remaining = l.remaining + p_tokens, live = true
    where l.account_id = p_account_id and l.lot_id = p_lot_id;
end
$$;
comment on function credits.return_to_lot(uuid, bigint, numeric) is
'Puts tokens that were drawn back into a lot of a locked wallet.';

-- The debt that a charge made may have been repaid since. Then the lots that repaid it get their tokens back.
-- Repayments after the charge come first, in their order; earlier ones follow if that is not enough.
create or replace function credits.return_repaid(
    p_account_id uuid,
    p_seq bigint,
    p_tokens numeric
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_repayment record;
    v_part numeric;
    v_left numeric := p_tokens;
    v_draws jsonb := jsonb_build_array();
begin
    for v_repayment in
        select e.seq, d.lot_id, d.tokens - coalesce(r.refunded, 0) as tokens
        from credits.entries as e
        cross join lateral jsonb_to_recordset(e.draws) as d (lot_id bigint, tokens numeric)
        left join credits.charge_refunds as r on e.account_id = r.account_id and e.seq = r.seq
        where
            e.account_id = p_account_id and e.kind = 'repayment'
            and d.tokens > coalesce(r.refunded, 0)
        order by e.seq < p_seq, e.seq
    loop
        exit when (v_left > 0) is not true;
        v_part := least(coalesce(v_repayment.tokens, 0), v_left);
        perform credits.return_to_lot(p_account_id, v_repayment.lot_id, v_part);
        insert into credits.charge_refunds as r (account_id, seq, refunded)
        values (p_account_id, v_repayment.seq, v_part)
        on conflict (account_id, seq) do update set refunded = r.refunded + v_part;
        v_draws := v_draws || jsonb_build_object('lot_id', v_repayment.lot_id, 'tokens', trim_scale(v_part));
        v_left := v_left - v_part;
    end loop;
    return v_draws;
end
$$;
comment on function credits.return_repaid(uuid, bigint, numeric) is
'Gives p_tokens of debt that charge p_seq made back to the lots that repaid it, and returns the draws.';

create or replace function credits.claim_refund(
    p_charge credits.entries, p_named numeric, p_seq bigint, out refunded numeric, out tokens numeric
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_refundable numeric;
begin
    select r.refunded into refunded
    from credits.charge_refunds as r
    where r.account_id = p_charge.account_id and r.seq = p_charge.seq;
    refunded := coalesce(refunded, 0);
    v_refundable := -p_charge.tokens - refunded;
    tokens := coalesce(p_named, v_refundable);
    if (v_refundable = 0) is true then
        perform credits.fail(
            409, 'already_refunded', 'this charge has been refunded in full',
            json_build_object('refunded', trim_scale(refunded))
        );
    elsif (tokens > v_refundable) is true then
        perform credits.fail(
            422, 'bad_amount', 'this is more than what is left of this charge',
            json_build_object('refundable', trim_scale(v_refundable))
        );
    end if;
    insert into credits.charge_refunds as r (account_id, seq, refunded, refund_seqs)
    values (p_charge.account_id, p_charge.seq, tokens, array[p_seq])
    on conflict (account_id, seq) do update
    set refunded = r.refunded + excluded.refunded, refund_seqs = r.refund_seqs || p_seq;
end
$$;
comment on function credits.claim_refund(credits.entries, numeric, bigint) is
'Counts a refund of a charge on a locked wallet. tokens: p_named, or all that is left of the charge if that is null. '
'refunded: what was given back before. p_seq: the seq that the refund will have. Raises PT409 already_refunded, PT422 '
'bad_amount.';

create or replace function credits.return_charge(
    p_charge credits.entries,
    p_refunded numeric,
    p_tokens numeric,
    p_debt numeric,
    out draws jsonb,
    out from_debt numeric
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_part record;
begin
    draws := '[]';
    from_debt := 0;
    for v_part in
        select p.lot_id, p.tokens
        from credits.parts_to_return(p_charge.draws, -p_charge.tokens, p_refunded, p_tokens) as p
    loop
        if v_part.lot_id is null then
            -- Lower the debt that is still there. The lots that repaid the rest get their tokens back.
            from_debt := least(coalesce(v_part.tokens, 0), coalesce(p_debt, 0));
            draws := credits.return_repaid(p_charge.account_id, p_charge.seq, v_part.tokens - from_debt);
        else
            perform credits.return_to_lot(p_charge.account_id, v_part.lot_id, v_part.tokens);
            draws := draws || jsonb_build_object('lot_id', v_part.lot_id, 'tokens', trim_scale(v_part.tokens));
        end if;
    end loop;
end
$$;
comment on function credits.return_charge(credits.entries, numeric, numeric, numeric) is
'Puts p_tokens of a charge back where they came from, when p_refunded tokens went back before. draws: the lots and '
'what each gets. from_debt: how much of p_debt, the wallet''s debt, it takes off.';
