-- From the usage of a charge to its tokens. The functions that priced it price it again, by the same version of the
-- price, which nobody edits. Free quantities, tiers and minimums count within one charge, so nothing else is needed.
-- The parts of a hold are one use: they cost together what the whole costs.

create or replace function credits.usage_before(p_hold credits.holds, p_seq bigint)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_object_agg(s.dimension, s.quantity)
        from (
            select u.dimension, sum(u.quantity) as quantity
            from (
                select k.dimension, 0 as quantity
                from jsonb_object_keys(p_hold.usage) as k (dimension)
                union all
                select q.key, credits.quantity(q.value)
                from credits.entries as e
                cross join lateral jsonb_each(e.usage) as q (key, value)
                where e.account_id = p_hold.account_id and e.seq = any (p_hold.seqs) and e.seq < p_seq
            ) as u
            group by u.dimension
        ) as s
    );
end
$$;
comment on function credits.usage_before(credits.holds, bigint) is
'What the captures of a hold before an entry recorded together, per dimension, as credits.price_part counts it.';

create or replace function credits.kept_before(p_hold credits.holds, p_seq bigint, p_late boolean)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A capture takes from the hold what it costs, as far as that goes. A late one finds nothing held any more, and
    -- charges what the hold was for and was not paid.
    return greatest(coalesce(p_hold.tokens, 0) - coalesce((
        select sum(case when p_late is true then 0 else coalesce(s.tokens, 0) end - e.tokens)
        from credits.entries as e
        left join credits.shortfalls as s on e.account_id = s.account_id and e.seq = s.entry_seq
        where e.account_id = p_hold.account_id and e.seq = any (p_hold.seqs) and e.seq < p_seq
    ), 0), 0);
end
$$;
comment on function credits.kept_before(credits.holds, bigint, boolean) is
'What a capture of all that is held charges: the tokens that a hold kept before the entry p_seq. p_late: the hold had '
'expired.';

create or replace function credits.cost_of(p_price_id bigint, p_usage jsonb)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select s.cost
        from credits.sum_components(p_price_id, credits.rated_usage(p_price_id, p_usage)) as s
    );
end
$$;
comment on function credits.cost_of(bigint, jsonb) is
'What a usage costs under a version of a price, as credits.price_usage computes it. Null when it cannot be charged.';

create or replace function credits.calculation(
    p_entry credits.entries, p_hold credits.holds, p_debt numeric, out parts jsonb, out calculation jsonb
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_usage jsonb := p_entry.usage;
    v_before jsonb;
    v_price credits.prices;
    v_sum numeric;
    v_earlier numeric := 0;
    v_cost numeric;
    v_shortfall numeric;
    v_charged numeric;
    v_kept numeric;
begin
    -- 1. What is priced: all captures of the hold up to this one.
    if (p_hold.seqs[1] < p_entry.seq) is true then
        v_before := credits.usage_before(p_hold, p_entry.seq);
        v_usage := credits.usage_sum(p_entry.usage, v_before, 1);
        v_earlier := credits.cost_of(p_entry.price_id, v_before);
    end if;

    -- 2. The parts, and their sum.
    select p.* into v_price from credits.prices as p where p.price_id = p_entry.price_id;
    select
        jsonb_agg(l.part || jsonb_build_object('free_used', case
            when ((l.part ->> 'quantity')::numeric < (l.part ->> 'free_quantity')::numeric) is true then l.part -> 'quantity'
            else l.part -> 'free_quantity'
        end) order by l.number),
        sum((l.part ->> 'charge')::numeric)
    into parts, v_sum
    from jsonb_array_elements(credits.price_parts(p_entry.price_id, v_usage)) with ordinality as l (part, number);

    -- 3. From the sum to the entry.
    v_cost := credits.cost_of(p_entry.price_id, v_usage) - v_earlier;
    select s.tokens into v_shortfall
    from credits.shortfalls as s
    where s.account_id = p_entry.account_id and s.entry_seq = p_entry.seq;
    v_charged := coalesce(v_shortfall, 0) - p_entry.tokens;
    v_kept := case
        when p_entry.hold_id is not null then credits.kept_before(p_hold, p_entry.seq, p_entry.late is true)
    end;
    calculation := jsonb_build_object(
        'sum', trim_scale(v_sum),
        'margin', trim_scale(v_price.margin),
        'exchange_rate', trim_scale(v_price.exchange_rate),
        'before_rounding', trim_scale(v_sum * v_price.margin / v_price.exchange_rate),
        'earlier_parts', trim_scale(v_earlier),
        'cost', trim_scale(v_cost),
        'basis', case
            when (p_entry.kind = 'byok') is true then 'own_key'
            when (v_charged = v_cost) is true then 'price'
            when (v_charged = v_kept) is true then 'hold'
        end,
        'held_before', trim_scale(v_kept),
        'charged', trim_scale(v_charged),
        'shortfall', trim_scale(coalesce(v_shortfall, 0)),
        'debt', trim_scale(p_debt),
        'paid', trim_scale(-p_entry.tokens)
    );
end
$$;
comment on function credits.calculation(credits.entries, credits.holds, numeric) is
'How the tokens of a charge were computed. parts: a line for each dimension. calculation: sum of the parts × margin ÷ '
'exchange_rate = before_rounding; that rounded up, less earlier_parts, is the cost. charged = cost, if basis is '
'price; held_before, if it is hold (all that the hold kept was charged); 0, if it is own_key. A null basis is a '
'fault. charged - shortfall = paid = debt + what the lots gave. p_hold: the hold that it captured, or null. p_debt: '
'the debt that it made.';
