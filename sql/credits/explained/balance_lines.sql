-- Why a balance is what it is: at most p_movements entries, so that a long ledger never comes at once, with the balance
-- before them carried in.
--
--   1. opening     the balance before the first movement of the page
--   2. movement    the entries, in the order in which they were posted
--   3. late        entries that were posted after the moment and had happened by then: an expiry is booked by the next
--                  call, and a period of a plan may be paid late
--   4. unbooked    lots that are past their date, and that no call has booked yet
--   5. balance     what the account had: balance_posted is the balance that was booked, balance_effective the one that
--                  counted, as api.balance shows it. A page of older movements ends in carried instead
--   6. held        the holds that were open, part of the balance
--   7. lot         the tokens that were there, and when they expire. They add up to the balance plus the debt

create or replace function credits.entry_lines(p_account_id uuid, p_line text, p_first bigint, p_last bigint)
returns setof audit.balance_line
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        null::bigint, p_line, e.posted_at, trim_scale(e.tokens),
        case when p_line = 'movement' then trim_scale(e.balance_after) end, null::numeric,
        credits.movement_text(e), e.kind::text, trim_scale(e.debt_after), null::numeric, e.effective_at,
        null::timestamptz, e.seq, e.account_id || ':' || e.seq,
        e.account_id || ':' || e.hold_id
    from credits.entries as e
    where e.account_id = p_account_id and e.seq between p_first and p_last;
end
$$;
comment on function credits.entry_lines(uuid, text, bigint, bigint) is
'Lines of the entries of an account from p_first to p_last.';

create or replace function credits.late_entries(p_account_id uuid, p_seq bigint, p_at timestamptz)
returns bigint[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Any call first books what time has made due. So what follows the moment begins with that.
    v_made_by_time constant credits.entry_kind[] :=
        array['expire', 'rollover', 'allowance', 'reversal', 'reinstatement']::credits.entry_kind[];
    v_end bigint;
begin
    select min(e.seq) into v_end
    from credits.entries as e
    where
        e.account_id = p_account_id and e.seq > p_seq and e.seq <= p_seq + 1000
        and e.kind <> all (v_made_by_time);
    return array(
        select e.seq
        from credits.entries as e
        where
            e.account_id = p_account_id and e.seq > p_seq and e.seq < coalesce(v_end, p_seq + 1001)
            and e.effective_at <= p_at
        union
        -- A period of a plan that was paid late.
        select e.seq
        from credits.lots as l
        join credits.entries as e on l.account_id = e.account_id and l.lot_id = e.seq
        where
            l.account_id = p_account_id and l.lot_id > p_seq and l.source in ('allowance', 'rollover')
            and l.effective_at <= p_at and e.effective_at <= p_at
        order by 1
    );
end
$$;
comment on function credits.late_entries(uuid, bigint, timestamptz) is
'The entries of an account after p_seq, the last one posted by p_at, that took effect by p_at: expiries that the next '
'call booked, and periods of plans that were paid late.';

create or replace function credits.unbooked_lines(p_account_id uuid, p_at timestamptz)
returns setof audit.balance_line
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        null::bigint, 'unbooked', null::timestamptz, trim_scale(-x.free), null::numeric, null::numeric,
        concat_ws(': ', 'tokens that passed their date, not booked yet', l.package_name), 'expire', null::numeric,
        null::numeric, l.expires_at, l.expires_at, null::bigint, l.account_id || ':' || l.lot_id, null
    from credits.current_lots as l
    cross join lateral (
        -- Holds that are past their time keep nothing.
        select l.remaining - l.held + coalesce(sum(d.tokens), 0) as free
        from credits.held_draws as d
        where
            l.held > 0 and d.account_id = l.account_id and d.lot_id = l.lot_id and d.expires_at <= p_at
    ) as x
    where l.account_id = p_account_id and l.live and l.expires_at <= p_at and x.free > 0;
end
$$;
comment on function credits.unbooked_lines(uuid, timestamptz) is
'Lines of the lots that have expired by p_at and are not booked as expired.';

create or replace function credits.held_lines(p_account_id uuid, p_at timestamptz, p_seq bigint, p_now boolean)
returns setof audit.balance_line
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_now then
        return query
        select l.*
        from credits.holds as h
        cross join lateral credits.held_line(h, h.held) as l
        where h.account_id = p_account_id and h.state = 'open' and h.expires_at > p_at and h.held > 0;
        return;
    end if;
    -- A hold keeps its tokens until its captures have taken them, or it ends.
    return query
    select l.*
    from credits.holds as h
    cross join lateral (
        select coalesce(sum(coalesce(s.tokens, 0) - e.tokens), 0) as taken
        from credits.entries as e
        left join credits.shortfalls as s on e.account_id = s.account_id and e.seq = s.entry_seq
        where e.account_id = h.account_id and e.seq = any (h.seqs) and e.seq <= p_seq
    ) as x
    cross join lateral credits.held_line(h, h.tokens - x.taken) as l
    where
        h.account_id = p_account_id and h.created_at <= p_at and h.expires_at > p_at
        and coalesce(h.finished_at > p_at, true) and h.tokens > x.taken;
end
$$;
comment on function credits.held_lines(uuid, timestamptz, bigint, boolean) is
'Lines of the holds that were open at p_at, when p_seq was the last entry. p_now: as the holds are now, which an index '
'finds. For an earlier moment it reads all holds of the account.';

create or replace function credits.held_line(p_hold credits.holds, p_held numeric)
returns audit.balance_line
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_line audit.balance_line;
begin
    v_line.line := 'held';
    v_line.posted_at := p_hold.created_at;
    v_line.effective_at := p_hold.created_at;
    v_line.expires_at := p_hold.expires_at;
    v_line.what := 'held for open work: ' || p_hold.module_id;
    v_line.kind := 'hold';
    v_line.held := trim_scale(p_held);
    v_line.hold_id := p_hold.account_id || ':' || p_hold.hold_id;
    return v_line;
end
$$;
comment on function credits.held_line(credits.holds, numeric) is 'The line of a hold that keeps p_held tokens.';

create or replace function credits.lot_lines(p_account_id uuid, p_at timestamptz, p_seq bigint, p_newest bigint)
returns setof audit.balance_line
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_newest - p_seq <= 1000) is not true then
        return;
    end if;
    return query
    select
        null::bigint, 'lot', l.effective_at, trim_scale(x.tokens), null::numeric, null::numeric,
        concat_ws(': ', k.description, l.package_name), l.source::text, null::numeric, null::numeric, l.effective_at,
        l.expires_at, null::bigint, l.account_id || ':' || l.lot_id, null
    from credits.current_lots as l
    join credits.entry_kinds as k on l.source = k.kind
    left join (
        -- What went into it and out of it since, taken back.
        select d.lot_id, sum(case when e.tokens > 0 then -d.tokens else d.tokens end) as tokens
        from credits.entries as e
        cross join lateral jsonb_to_recordset(e.draws) as d (lot_id bigint, tokens numeric)
        where e.account_id = p_account_id and e.seq > p_seq and e.seq <= p_newest and (d.lot_id = e.seq) is not true
        group by d.lot_id
    ) as m on l.lot_id = m.lot_id
    cross join lateral (
        select
            case
                when (l.expires_at <= p_at) is not true then l.remaining + coalesce(m.tokens, 0)
                -- Only a hold keeps tokens past the date of their lot.
                when (p_newest = p_seq) is true then l.held - coalesce((
                    select sum(d.tokens)
                    from credits.held_draws as d
                    where d.account_id = l.account_id and d.lot_id = l.lot_id and d.expires_at <= p_at
                ), 0)
            end as tokens
    ) as x
    where
        l.account_id = p_account_id and (l.live or (p_newest > p_seq) is true) and x.tokens > 0
        -- A period of a plan that was paid late is there from its beginning.
        and (l.lot_id <= p_seq or (l.source in ('allowance', 'rollover') and l.effective_at <= p_at))
    order by l.expires_at, l.lot_id
    limit 1000;
end
$$;
comment on function credits.lot_lines(uuid, timestamptz, bigint, bigint) is
'Lines of the tokens that were there at p_at, when p_seq was the last entry, soonest expiry first, at most a thousand. '
'p_newest: the last entry now. With more than a thousand entries since p_seq there are no lines.';
