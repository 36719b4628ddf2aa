-- A shortfall was settled in another way, or is given up. It is part of no balance, so no balance changes.
create or replace function api.close_shortfall(shortfall_id text, state text)
returns api.shortfall_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_uuid constant text := '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
    v_shortfall credits.shortfalls;
    v_subject text;
    v_replayed boolean;
begin
    perform credits.require_service('may close a shortfall');
    if close_shortfall.state is null or close_shortfall.state not in ('settled', 'written_off') then
        perform credits.fail(422, 'bad_state', 'state must be settled or written_off');
    elsif (close_shortfall.shortfall_id ~* ('^' || v_uuid || ':' || v_uuid || '$')) is true then
        select s.* into v_shortfall
        from credits.shortfalls as s
        where
            s.account_id = left(close_shortfall.shortfall_id, 36)::uuid
            and s.shortfall_id = right(close_shortfall.shortfall_id, 36)::uuid;
    end if;
    if v_shortfall.account_id is null then
        perform credits.fail(404, 'unknown_shortfall', 'no such shortfall');
    end if;

    perform credits.lock_wallet(v_shortfall.account_id);
    update credits.shortfalls as s
    set
        state = close_shortfall.state,
        -- Not before its entry, whose time may be slightly ahead of a clock that stands still.
        closed_at = greatest(credits.clock(s.account_id), coalesce((
            select e.posted_at from credits.entries as e where e.account_id = s.account_id and e.seq = s.entry_seq
        ), '-infinity'))
    where s.account_id = v_shortfall.account_id and s.shortfall_id = v_shortfall.shortfall_id and s.state = 'open';
    v_replayed := not found;
    select s.* into v_shortfall
    from credits.shortfalls as s
    where s.account_id = v_shortfall.account_id and s.shortfall_id = v_shortfall.shortfall_id;
    if v_shortfall.state is distinct from close_shortfall.state then
        perform credits.fail(
            409, 'shortfall_closed', 'this shortfall is ' || v_shortfall.state,
            json_build_object('state', v_shortfall.state)
        );
    end if;
    select u.user_id into v_subject from credits.user_of(v_shortfall.account_id) as u;
    return row(
        v_shortfall.account_id || ':' || v_shortfall.shortfall_id, v_subject, trim_scale(v_shortfall.tokens),
        v_shortfall.state, v_replayed
    );
end
$$;
comment on function api.close_shortfall(text, text) is
'Record what became of a shortfall: settled (paid in another way) or written_off. For services. No balance changes.

A repeat gets the same answer, replayed: true. Raises PT404 unknown_shortfall, PT409 shortfall_closed (state),
PT422 bad_state, PT403 not_yours.';
