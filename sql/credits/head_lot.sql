-- The head lot: most spends take from the same lot as the spend before, so its tokens move up onto the wallet's row,
-- which a spend writes anyhow. Two statements of eight fall away, and with them a third of a spend's work.
--
-- A wallet has a head only while the next lot is the same for every module, no lot is bound to one, and all that is
-- there can be spent. The head holds no
-- more than what may go before a limit or a notice is reached, so that a spend from it need not look. Everything but a
-- spend locks the wallet with credits.lock_wallet, which puts the tokens back first; who only reads asks
-- credits.current_lots. What holds keep of a head stays on the wallet's row as well, beside what is free, where it
-- never expires and calls for no notice when it goes free again: then they, too, need not touch the lot.

create or replace function credits.settle_head(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.lots as l
    set
        remaining = l.remaining + w.head_free + w.head_held, held = l.held + w.head_held,
        live = l.remaining + w.head_free + w.head_held > 0
    from credits.wallets as w
    where w.account_id = p_account_id and l.account_id = p_account_id and l.lot_id = w.head_lot;
    update credits.wallets as w
    set head_lot = null, head_free = 0, head_held = 0
    where w.account_id = p_account_id;
end
$$;
comment on function credits.settle_head(uuid) is
'Puts the tokens of a locked wallet''s head lot back on the lot''s row.';

-- What may go from the head before the long way of a spend has something to do: keep a limit, write a notice.
create or replace function credits.head_allowance(p_account_id uuid, p_at timestamptz)
returns numeric
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_available numeric;
    v_limit numeric;
    v_notice numeric;
begin
    select w.balance - w.held into v_available from credits.wallets as w where w.account_id = p_account_id;
    v_limit := credits.limit_left(p_account_id, p_at);
    v_notice := v_available - credits.next_level(p_account_id, v_available);
    return credits.tighter(v_limit, v_notice);
end
$$;
comment on function credits.head_allowance(uuid, timestamptz) is
'Tokens that an account can spend before a limit stops it or a notice is due; null: any number.';

create or replace function credits.choose_head(p_account_id uuid, p_at timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_next record;
    v_head numeric;
begin
    if exists (
        select
        from credits.lots as l
        where l.account_id = p_account_id and l.live and (l.scope is not null or l.effective_at > p_at or l.frozen)
    ) then
        return;
    end if;
    v_next := credits.next_lot(p_account_id, null, p_at);
    v_head := credits.tighter(v_next.free, credits.head_allowance(p_account_id, p_at));
    if (v_next.lot_id is not null and v_head > 0) is true then
        update credits.lots as l
        set remaining = l.remaining - v_head, live = l.remaining > v_head
        where l.account_id = p_account_id and l.lot_id = v_next.lot_id;
        update credits.wallets as w
        set
            head_lot = v_next.lot_id, head_free = v_head,
            -- Nothing to arm again when tokens come back, and no threshold above that the head would have to end at.
            head_keeps = coalesce((
                select
                    l.expires_at is null and n.low_armed and coalesce(n.depleted_armed, true)
                    and (n.low is null or n.low <= w.balance - w.held)
                from credits.lots as l
                cross join credits.notice_levels_of(p_account_id) as n
                where l.account_id = p_account_id and l.lot_id = v_next.lot_id
            ), false)
        where w.account_id = p_account_id;
    end if;
end
$$;
comment on function credits.choose_head(uuid, timestamptz) is
'Moves tokens of the lot that is spent next onto a locked and settled wallet, if that lot is next for every module: '
'all that are free, or as many as may go before a limit or a notice is reached.';

-- The long way of a spend: put the head back, and draw from the lots.
create or replace function credits.draw_settled(
    p_account_id uuid,
    p_module_id text,
    p_tokens numeric,
    p_at timestamptz,
    out draws jsonb,
    out missing numeric
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_tokens = 0) is true then
        draws := '[]';
        missing := 0;
        return;
    end if;
    perform credits.settle_head(p_account_id);
    select d.draws, d.missing into draws, missing
    from credits.draw_lots(p_account_id, p_module_id, p_tokens, p_at) as d;
end
$$;
comment on function credits.draw_settled(uuid, text, numeric, timestamptz) is
'credits.draw_lots for a wallet that may have a head lot. The caller chooses a new one once the entry is written.';

-- The lots as they are, wherever their tokens are kept.
create or replace view credits.current_lots
with (security_invoker = true)
as
select
    l.account_id,
    l.lot_id,
    l.source,
    l.package_name,
    l.granted,
    l.remaining + coalesce(w.head_free + w.head_held, 0) as remaining,
    l.held + coalesce(w.head_held, 0) as held,
    l.priority,
    l.scope,
    l.effective_at,
    l.expires_at,
    l.unit_cost,
    l.currency,
    l.order_id,
    l.frozen
from credits.lots as l
left join credits.wallets as w on l.account_id = w.account_id and l.lot_id = w.head_lot;
comment on view credits.current_lots is 'The lots with what really remains in them, the head lot''s tokens included.';
