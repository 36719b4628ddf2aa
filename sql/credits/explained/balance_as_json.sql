-- The lines of an explained balance as one object, for programs.

create or replace function credits.line_as_json(p_line audit.balance_line)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case coalesce(p_line.line, '')
        when 'held' then jsonb_build_object(
            'hold_id', p_line.hold_id, 'what', p_line.what, 'held', p_line.held,
            'created_at', credits.utc_text(p_line.posted_at), 'expires_at', credits.utc_text(p_line.expires_at)
        )
        when 'lot' then jsonb_build_object(
            'entry_id', p_line.entry_id, 'what', p_line.what, 'source', p_line.kind, 'tokens', p_line.tokens,
            'granted_at', credits.utc_text(p_line.posted_at), 'expires_at', credits.utc_text(p_line.expires_at)
        )
        else jsonb_build_object(
            'line', p_line.line, 'entry_id', p_line.entry_id, 'seq', p_line.seq, 'kind', p_line.kind,
            'what', p_line.what, 'tokens', p_line.tokens, 'balance_posted', p_line.balance_posted,
            'balance_effective', p_line.balance_effective, 'debt', p_line.debt,
            'posted_at', credits.utc_text(p_line.posted_at),
            'effective_at', credits.utc_text(p_line.effective_at), 'hold_id', p_line.hold_id
        )
    end;
end
$$;
comment on function credits.line_as_json(audit.balance_line) is
'A movement, a hold or a lot of an explained balance, as an object.';

create or replace function credits.balance_as_json(
    p_account_id uuid, p_at timestamptz, p_movements bigint, p_before_seq bigint
)
returns api.balance_explanation
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_explained api.balance_explanation;
begin
    select
        max(l.posted_at) filter (where l.line in ('balance', 'carried')),
        max(l.balance_effective) filter (where l.line = 'balance'),
        max(l.balance_posted) filter (where l.line in ('balance', 'carried')),
        max(l.debt) filter (where l.line in ('balance', 'carried')),
        max(l.held) filter (where l.line = 'balance'),
        max(l.balance_posted) filter (where l.line = 'opening'),
        coalesce(
            jsonb_agg(credits.line_as_json(l) order by l.place)
            filter (where l.line in ('movement', 'late', 'unbooked')), '[]'
        ),
        jsonb_agg(credits.line_as_json(l) order by l.place) filter (where l.line = 'held'),
        jsonb_agg(credits.line_as_json(l) order by l.place) filter (where l.line = 'lot'),
        nullif(min(l.seq) filter (where l.line = 'movement'), 1)
    into
        v_explained.at, v_explained.balance, v_explained.balance_posted, v_explained.debt, v_explained.held,
        v_explained.opening, v_explained.movements, v_explained.holds, v_explained.lots, v_explained.before_seq
    from credits.explained_balance(p_account_id, p_at, p_movements, p_before_seq) as l;
    if p_before_seq is null then
        v_explained.holds := coalesce(v_explained.holds, '[]');
        if v_explained.lots is null and not credits.has_moved_on(p_account_id, p_at) then
            v_explained.lots := '[]';
        end if;
    end if;
    return v_explained;
end
$$;
comment on function credits.balance_as_json(uuid, timestamptz, bigint, bigint) is
'The lines of credits.explained_balance as one object. user_id is null.';

create or replace function credits.has_moved_on(p_account_id uuid, p_at timestamptz)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_at is not null and coalesce((
        select w.seq - credits.seq_at(w.account_id, p_at) > 1000
        from credits.wallets as w
        where w.account_id = p_account_id
    ), false);
end
$$;
comment on function credits.has_moved_on(uuid, timestamptz) is
'Whether so many entries came after p_at that nobody counts back what was in the lots then.';
