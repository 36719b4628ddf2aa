-- The lines of balance_lines.sql together, numbered.
create or replace function credits.explained_balance(
    p_account_id uuid, p_at timestamptz, p_movements bigint, p_before_seq bigint
)
returns setof audit.balance_line
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wallet credits.wallets;
    v_at timestamptz;
    v_seq bigint;
    v_last bigint;
    v_first bigint;
    v_opening credits.entries;
    v_closing credits.entries;
    v_whole constant boolean not null := p_before_seq is null;
begin
    select w.* into v_wallet from credits.wallets as w where w.account_id = p_account_id;
    v_at := coalesce(p_at, v_wallet.test_clock, credits.clock());
    v_seq := coalesce(case when p_at is null then v_wallet.seq else credits.seq_at(p_account_id, p_at) end, 0);
    v_last := least(v_seq, coalesce(p_before_seq - 1, v_seq));
    v_first := greatest(v_last - coalesce(p_movements, 100) + 1, 1);
    select e.* into v_opening from credits.entries as e where e.account_id = p_account_id and e.seq = v_first - 1;
    select e.* into v_closing from credits.entries as e where e.account_id = p_account_id and e.seq = v_last;
    return query
    with lines as materialized (
        select l.*
        from credits.entry_lines(p_account_id, 'movement', v_first, v_last) as l
        union all
        select l.*
        from unnest(credits.late_entries(p_account_id, v_seq, v_at)) as s (seq)
        cross join lateral credits.entry_lines(p_account_id, 'late', s.seq, s.seq) as l
        where v_whole
        union all
        select l.* from credits.unbooked_lines(p_account_id, v_at) as l where v_whole
        union all
        select l.* from credits.held_lines(p_account_id, v_at, v_seq, p_at is null) as l where v_whole
        union all
        select l.* from credits.lot_lines(p_account_id, v_at, v_seq, v_wallet.seq) as l where v_whole
    ),

    moved as (
        select
            l.*,
            coalesce(v_opening.balance_after, 0)
            + sum(l.tokens) over (order by l.effective_at, l.seq nulls last, l.entry_id) as effective
        from lines as l
        where l.line in ('movement', 'late', 'unbooked')
    ),

    all_lines as (
        select 1 as section, o.*
        from credits.total_line('opening', v_opening, 0, null, v_opening.posted_at) as o
        union all
        select
            case coalesce(m.line, '') when 'movement' then 2 when 'late' then 3 else 4 end,
            m.place, m.line, m.posted_at, m.tokens, m.balance_posted, trim_scale(m.effective), m.what, m.kind, m.debt,
            m.held, m.effective_at, m.expires_at, m.seq, m.entry_id, m.hold_id
        from moved as m
        union all
        select 5, t.*
        from (
            select
                coalesce(sum(l.tokens) filter (where l.line in ('late', 'unbooked')), 0) as later,
                coalesce(sum(l.held), 0) as held
            from lines as l
        ) as s
        cross join lateral credits.total_line(
            case when v_whole then 'balance' else 'carried' end, v_closing, s.later,
            case when v_whole then s.held end, case when v_whole then v_at else v_closing.posted_at end
        ) as t
        union all
        select case l.line when 'held' then 6 else 7 end, l.* from lines as l where l.line in ('held', 'lot')
    )

    select
        row_number() over w, a.line, a.posted_at, a.tokens, a.balance_posted, a.balance_effective, a.what, a.kind, a.debt,
        a.held, a.effective_at, a.expires_at, a.seq, a.entry_id, a.hold_id
    from all_lines as a
    window w as (order by a.section, a.seq, a.expires_at, a.posted_at, a.entry_id, a.hold_id)
    order by 1;
end
$$;
comment on function credits.explained_balance(uuid, timestamptz, bigint, bigint) is
'The lines that explain the balance of an account at a moment (null: now), with at most p_movements entries, the last '
'ones before p_before_seq. With p_before_seq there are only opening, movement and carried.';

create or replace function credits.total_line(
    p_line text, p_entry credits.entries, p_later numeric, p_held numeric, p_at timestamptz
)
returns audit.balance_line
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_line audit.balance_line;
begin
    v_line.line := p_line;
    v_line.posted_at := p_at;
    v_line.balance_posted := trim_scale(coalesce(p_entry.balance_after, 0));
    v_line.balance_effective := trim_scale(coalesce(p_entry.balance_after, 0) + p_later);
    v_line.debt := trim_scale(coalesce(p_entry.debt_after, 0));
    v_line.held := trim_scale(p_held);
    v_line.what := case
        when p_line = 'opening' and p_entry.seq is null then 'nothing was there before'
        when p_line = 'opening' then 'carried from before'
        when p_line = 'carried' then 'carried on'
        else 'balance'
    end;
    return v_line;
end
$$;
comment on function credits.total_line(text, credits.entries, numeric, numeric, timestamptz) is
'The line of the balance after an entry; null stands for no entry. p_later: what took effect by p_at and was posted '
'later. p_held: what holds keep.';

create or replace function credits.check_explanation(
    p_at timestamptz, p_movements bigint, p_before_seq bigint, p_account_id uuid
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not (credits.is_sane_time(p_at) and coalesce(p_at <= credits.clock(p_account_id), true)) then
        perform credits.fail(422, 'bad_at', 'at must be a time from the year 2000 on, and not in the future');
    elsif (p_movements between 1 and 1000 and coalesce(p_before_seq between 1 and 1000000000000000000, true)) is not true then
        perform credits.fail(
            422, 'bad_limit', 'movements must be from 1 to 1000, and before_seq from 1 to 10^18'
        );
    end if;
end
$$;
comment on function credits.check_explanation(timestamptz, bigint, bigint, uuid) is
'Checks the arguments of an explained balance. Raises PT422 bad_at or bad_limit.';
