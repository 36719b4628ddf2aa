-- Which tokens go first, and taking them. Callers have locked the wallet.

create or replace function credits.scopes_of(p_module_id text)
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array[
        'module:' || p_module_id,
        (select 'category:' || m.category_id from credits.modules as m where m.module_id = p_module_id)
    ];
end
$$;
comment on function credits.scopes_of(text) is
'The scopes of lots that may be spent on a module: the module''s own scope and its category''s.';

-- Burn order: by priority, then the lot that expires first, bound tokens before unbound ones, given before paid, oldest
-- first. The planner inlines this function, and the statements that use it keep its order.
create or replace function credits.free_lots(p_account_id uuid, p_at timestamptz)
returns table (lot_id bigint, scope text, free numeric)
language sql
stable
begin atomic
    select
        l.lot_id,
        l.scope,
        l.remaining - l.held - l.withheld as free
    from credits.current_lots as l
    where
        l.account_id = p_account_id and l.live and not l.frozen and l.remaining > l.held + l.withheld
        and l.effective_at <= p_at and (l.expires_at is null or l.expires_at > p_at)
    order by l.priority, l.expires_at nulls last, l.scope is null, l.unit_cost > 0, l.effective_at, l.lot_id;
end;
comment on function credits.free_lots(uuid, timestamptz) is
'The lots of an account that may be spent, bound or not, in burn order, with what is free in each.';

create or replace function credits.next_lot(
    p_account_id uuid,
    p_module_id text,
    p_at timestamptz,
    out lot_id bigint,
    out free numeric
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    select f.lot_id, f.free into lot_id, free
    from credits.free_lots(p_account_id, p_at) as f
    where f.scope is null or f.scope = any (credits.scopes_of(p_module_id))
    limit 1;
end
$$;
comment on function credits.next_lot(uuid, text, timestamptz) is
'The next lot that a spend on a module takes from, and what is free in it. Nulls when there is no such lot.';

create or replace function credits.draw_lots(
    p_account_id uuid,
    p_module_id text,
    p_tokens numeric,
    p_at timestamptz,
    p_hold boolean default false,
    out draws jsonb,
    out missing numeric
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_next record;
    v_taken numeric;
begin
    draws := '[]';
    missing := p_tokens;
    while missing > 0 loop
        v_next := credits.next_lot(p_account_id, p_module_id, p_at);
        exit when v_next.free is null;
        v_taken := least(v_next.free, missing);
        if p_hold then
            update credits.lots as l
            set held = l.held + v_taken
            where l.account_id = p_account_id and l.lot_id = v_next.lot_id;
        else
            update credits.lots as l
            set remaining = l.remaining - v_taken, live = l.remaining > v_taken
            where l.account_id = p_account_id and l.lot_id = v_next.lot_id;
        end if;
        draws := draws || jsonb_build_object('lot_id', v_next.lot_id, 'tokens', trim_scale(v_taken));
        missing := missing - v_taken;
    end loop;
end
$$;
comment on function credits.draw_lots(uuid, text, numeric, timestamptz, boolean) is
'Takes p_tokens from the lots of a locked wallet in burn order, or holds them there. draws: from which lots. missing: '
'what the lots could not pay. If that is above 0, the caller pays the rest otherwise, or refuses the call, which '
'undoes the draws.';

-- It is as stable as what it calls, so the planner can inline it.
create or replace function credits.draw_of(p_lot_id bigint, p_tokens numeric)
returns jsonb
language sql
stable
return case
    when (p_tokens > 0) is true
        then jsonb_build_array(jsonb_build_object('lot_id', p_lot_id, 'tokens', trim_scale(p_tokens)))
    else '[]'
end;
comment on function credits.draw_of(bigint, numeric) is 'The draws of so many tokens from one lot.';
