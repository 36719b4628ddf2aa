-- Limits per day and month (UTC), checked under the wallet's lock. The tokens spent in a period are all tokens ever
-- spent, less those spent before the period began. So a spend writes no counter. Why UTC is written as an offset:
-- sql/credits/base/calendar.sql.
create or replace function credits.period_start(p_period text, p_at timestamptz)
returns timestamptz
language sql
immutable
return date_trunc(p_period, p_at at time zone interval '0') at time zone interval '0';
comment on function credits.period_start(text, timestamptz) is
'The beginning, in UTC, of the day or month of a moment.';

create or replace function credits.next_period(p_period text, p_at timestamptz)
returns timestamptz
language sql
immutable
return credits.later(
    credits.period_start(p_period, p_at),
    case
        when (p_period = 'day') is true then interval '1 day'
        when (p_period = 'month') is true then interval '1 month'
    end
);
comment on function credits.next_period(text, timestamptz) is
'The beginning, in UTC, of the day or month after that of a moment.';

create or replace function credits.begin_periods(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_account_id);
begin
    -- Every spend begins the periods first, so nothing has been spent since they began. There is one exception: charges
    -- of one moment are posted a microsecond apart, so the last ones of a batch may fall into the next day.
    update credits.spend_limits as s
    set
        period_starts = credits.period_start(s.period, v_now),
        spent_before = w.lifetime_spent - (
            select coalesce(sum(-e.tokens - coalesce(r.refunded, 0)), 0)
            from credits.entries as e
            left join credits.charge_refunds as r on e.account_id = r.account_id and e.seq = r.seq
            where
                w.posted_at >= credits.period_start(s.period, v_now) and e.account_id = p_account_id
                and e.kind = 'spend' and e.posted_at >= credits.period_start(s.period, v_now)
        )
    from credits.wallets as w
    where
        s.account_id = p_account_id and w.account_id = p_account_id
        and s.period_starts < credits.period_start(s.period, v_now);
end
$$;
comment on function credits.begin_periods(uuid) is 'Begins the new days and months of a locked wallet''s limits.';

create or replace function credits.limit_left(p_account_id uuid, p_at timestamptz)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select min(greatest(coalesce(
            s.tokens - credits.held_at(p_account_id, p_at) - case
                when (s.period_starts < credits.period_start(s.period, p_at)) is true then 0
                else w.lifetime_spent - s.spent_before
            end, 0), 0
        ))
        from credits.spend_limits as s
        join credits.wallets as w on w.account_id = s.account_id
        where s.account_id = p_account_id
    );
end
$$;
comment on function credits.limit_left(uuid, timestamptz) is
'How many tokens the limits of an account still allow at a moment. Held tokens count as spent. Null without a limit.';

create or replace function credits.keep_limits(
    p_account_id uuid, p_cost numeric, p_at timestamptz, p_unwritten numeric default 0
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_over record;
begin
    select s.period, s.tokens, w.lifetime_spent + p_unwritten - s.spent_before as spent, w.held into v_over
    from credits.spend_limits as s
    join credits.wallets as w on w.account_id = s.account_id
    where
        s.account_id = p_account_id and p_cost > 0
        and w.lifetime_spent + p_unwritten - s.spent_before + w.held + p_cost > s.tokens
    -- Name the limit that lasts longest: waiting for the other one would not help.
    order by s.period desc, s.tokens
    limit 1;
    if found then
        perform credits.fail(
            429, 'spend_limit', format('this would exceed the limit of the %s', v_over.period),
            json_build_object(
                'period', v_over.period,
                'limit', trim_scale(v_over.tokens),
                'spent', trim_scale(v_over.spent),
                'held', trim_scale(v_over.held),
                'cost', trim_scale(p_cost),
                'reset_at', credits.utc_text(credits.next_period(v_over.period, p_at))
            )
        );
    end if;
end
$$;
comment on function credits.keep_limits(uuid, numeric, timestamptz, numeric) is
'Refuses a cost that, together with held tokens, passes a limit of the locked wallet. p_unwritten: tokens that have '
'been spent but are not on the wallet yet. Raises PT429 spend_limit.';

create or replace function credits.spend_limit_receipt(
    p_account_id uuid, p_user_id text, p_period text, p_set_by text, p_now timestamptz
)
returns api.spend_limit
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_limit api.spend_limit;
begin
    v_limit.user_id := p_user_id;
    v_limit.period := p_period;
    v_limit.set_by := p_set_by;
    v_limit.resets_at := credits.next_period(p_period, p_now);
    select trim_scale(s.tokens), trim_scale(w.lifetime_spent - s.spent_before),
        trim_scale(greatest(s.tokens + s.spent_before - w.lifetime_spent - w.held, 0))
    into v_limit.tokens, v_limit.spent, v_limit.remaining
    from credits.spend_limits as s
    join credits.wallets as w on w.account_id = s.account_id
    where s.account_id = p_account_id and s.set_by = p_set_by and s.period = p_period;
    return v_limit;
end
$$;
comment on function credits.spend_limit_receipt(uuid, text, text, text, timestamptz) is
'A limit, as set_spend_limit and lift_spend_limit return it. A lifted limit has no tokens.';
