-- Which tokens go first, and taking them. Called under the wallet's lock.

-- Burn order: priority, then what expires first, bound before free to use, given before paid, oldest first.
create or replace function credits.next_lot(
    p_account_id uuid,
    p_module_id text,
    p_category_id text,
    p_at timestamptz,
    out lot_id bigint,
    out free numeric
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    select l.lot_id, l.remaining - l.held into lot_id, free
    from credits.lots as l
    where
        l.account_id = p_account_id and l.live and not l.frozen and l.remaining > l.held
        and l.effective_at <= p_at and (l.expires_at is null or l.expires_at > p_at)
        and (l.scope is null or l.scope = 'module:' || p_module_id or l.scope = 'category:' || p_category_id)
    order by l.priority, l.expires_at nulls last, l.scope is null, l.unit_cost > 0, l.effective_at, l.lot_id
    limit 1;
end
$$;
comment on function credits.next_lot(uuid, text, text, timestamptz) is
'The lot that a spend on a module takes from next, and what is free in it; nulls when there is none.';

create or replace function credits.draw_lots(
    p_account_id uuid,
    p_module_id text,
    p_category_id text,
    p_tokens numeric,
    p_at timestamptz,
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
        v_next := credits.next_lot(p_account_id, p_module_id, p_category_id, p_at);
        exit when v_next.lot_id is null;
        v_taken := least(v_next.free, missing);
        update credits.lots as l
        set remaining = l.remaining - v_taken, live = l.remaining > v_taken
        where l.account_id = p_account_id and l.lot_id = v_next.lot_id;
        draws := draws || jsonb_build_object('lot_id', v_next.lot_id, 'tokens', trim_scale(v_taken));
        missing := missing - v_taken;
    end loop;
end
$$;
comment on function credits.draw_lots(uuid, text, text, numeric, timestamptz) is
'Takes p_tokens from the lots of a settled wallet in burn order and says from which. '
'missing > 0: the lots did not reach, '
'and the caller must refuse, which puts them back.';

create or replace function credits.spendable(p_account_id uuid, p_module_id text, p_category_id text, p_at timestamptz)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(sum(l.remaining - l.held), 0)
        from credits.current_lots as l
        where
            l.account_id = p_account_id and l.remaining > l.held and not l.frozen
            and l.effective_at <= p_at and (l.expires_at is null or l.expires_at > p_at)
            and (l.scope is null or l.scope = 'module:' || p_module_id or l.scope = 'category:' || p_category_id)
    );
end
$$;
comment on function credits.spendable(uuid, text, text, timestamptz) is
'Tokens that an account may spend on a module now: not held, frozen, expired or bound to something else.';
