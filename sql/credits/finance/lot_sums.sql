-- What the tokens of a lot are worth, in whole minor units of its currency.
--
--   1. A lot is worth what was paid for it. What was given away is worth nothing. Tokens that went over into the next
--      period of a plan are worth their share of what the period cost.
--   2. Each way out of the lot has taken, in all, its share of that worth, cut to whole minor units. Worked out of the
--      sum and not of each movement, the cuts never add up.
--   3. What the cuts left stays in the lot until its last token goes, and goes with it. If tokens come back later, it
--      comes back with them.
--
-- So opening + movements = closing for each lot, to the minor unit, in every period of every length.
create or replace function credits.lot_worth(
    p_source credits.entry_kind, p_granted numeric, p_unit_cost numeric
)
returns numeric
language sql
immutable
parallel safe
return case
    when (p_source = 'rollover') is true then trunc(round(p_unit_cost * p_granted, 4))
    else round(p_unit_cost * p_granted)
end;
comment on function credits.lot_worth(credits.entry_kind, numeric, numeric) is
'What was paid for a lot, in whole minor units.';

create or replace function credits.worth_of(
    p_source credits.entry_kind, p_granted numeric, p_unit_cost numeric, p_tokens numeric
)
returns numeric
language sql
immutable
parallel safe
return case
    when (p_unit_cost = 0) is true then 0
    else trunc(credits.lot_worth(p_source, p_granted, p_unit_cost) * p_tokens / p_granted)
end;
comment on function credits.worth_of(credits.entry_kind, numeric, numeric, numeric) is
'The share of the worth of a lot that p_tokens of its tokens have, cut to whole minor units.';

-- The planner inlines this function, so that each view reads only what it asks for.
create or replace function credits.lot_sums(p_unit text, p_until timestamptz)
returns table (
    account_id uuid, lot_id bigint, order_id uuid, source credits.entry_kind, currency text, period date, way text,
    tokens numeric, late_tokens numeric, money numeric
)
language sql
stable
begin atomic
    with moved as (
        select
            m.account_id,
            m.lot_id,
            m.way,
            date_trunc(p_unit, m.accounted_at at time zone interval '0') as period,
            sum(m.tokens) as tokens,
            max(m.accounted_at) as last_at,
            coalesce(sum(m.tokens) filter (where m.accounted_at > m.effective_at), 0) as late_tokens
        from credits.lot_moves as m
        where m.accounted_at <= p_until
        group by m.account_id, m.lot_id, m.way, period
    ),

    cut as (
        select
            m.account_id,
            m.lot_id,
            l.order_id,
            l.source,
            l.currency,
            m.way,
            m.period,
            m.tokens,
            m.late_tokens,
            -- Its share of all that went this way, less that of all that had gone before.
            credits.worth_of(l.source, l.granted, l.unit_cost, sum(m.tokens) over w)
            - credits.worth_of(l.source, l.granted, l.unit_cost, sum(m.tokens) over w - m.tokens) as money,
            coalesce(sum(m.tokens) over v, 0) = 0 as is_empty,
            coalesce(row_number() over x, 0) = 1 as is_last
        from moved as m
        inner join credits.lots as l on m.account_id = l.account_id and m.lot_id = l.lot_id
        window
            w as (partition by m.account_id, m.lot_id, m.way order by m.period),
            v as (partition by m.account_id, m.lot_id order by m.period),
            x as (partition by m.account_id, m.lot_id, m.period order by m.last_at desc, m.way asc)
    ),

    rests as (
        select
            c.account_id,
            c.lot_id,
            c.order_id,
            c.source,
            c.currency,
            c.way,
            c.period,
            c.tokens,
            c.late_tokens,
            c.money,
            lead(c.period) over (partition by c.account_id, c.lot_id, c.is_last order by c.period) as next_period,
            case when c.is_empty and c.is_last then sum(c.money) over w else 0 end as rest
        from cut as c
        window w as (partition by c.account_id, c.lot_id order by c.period)
    )

    select
        r.account_id,
        r.lot_id,
        r.order_id,
        r.source,
        r.currency,
        r.period::date as period,
        r.way,
        r.tokens,
        r.late_tokens,
        r.money - r.rest as money
    from rests as r
    union all
    select
        r.account_id,
        r.lot_id,
        r.order_id,
        r.source,
        r.currency,
        r.next_period::date as period,
        r.way,
        0 as tokens,
        0 as late_tokens,
        r.rest as money
    from rests as r
    where r.next_period is not null and r.rest is distinct from 0;
end;
comment on function credits.lot_sums(text, timestamptz) is
'What went into each lot (above zero) or out of it (below zero) in each period (p_unit: day, month …, UTC) until '
'p_until, by the ways of credits.lot_moves: tokens, and their worth in minor units. late_tokens: of these tokens, '
'those that moved in a month that was closed before they were booked. A lot has one row for a way and a period, and '
'sometimes another one without tokens.';
