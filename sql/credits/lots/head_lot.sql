-- The head lot: most spends take from the same lot as the spend before. Its row is not touched by each of them: the
-- wallet's row, which a spend writes anyhow, keeps what is written behind.
--
--   head_lot                     which lot; null: none
--   head_taken, head_reserved    what was taken from it, and held in it, since its row was written: sums with a sign.
--                                credits.current_lots adds them up, and credits.fold_head writes them onto the lot.
--   head_permit                  how much may still be spent or held there without a look at anything else. It never
--                                reaches as far as a limit, the threshold of a notice, or another lot that is next.
--   head_quiet                   what a hold lets go of there calls for nothing more
--
-- The tokens stay where they are. Anything that changes what the permit was given for closes it: credits.lock_wallet,
-- with which everything but a spend and a hold begins, always does. To forget that can pass a limit, which
-- audit.check_heads finds, but it can never create or lose a token. The next spend goes the long way and chooses anew.

create or replace function credits.fold_head(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.lots as l
    set
        remaining = l.remaining - w.head_taken, held = l.held + w.head_reserved, live = l.remaining > w.head_taken
    from credits.wallets as w
    where w.account_id = p_account_id and l.account_id = p_account_id and l.lot_id = w.head_lot;
    update credits.wallets as w
    set head_lot = null, head_permit = 0, head_taken = 0, head_reserved = 0, head_quiet = false
    where w.account_id = p_account_id and w.head_lot is not null;
end
$$;
comment on function credits.fold_head(uuid) is
'Writes onto the head lot of a locked wallet what the wallet''s row keeps for it: then the rows of all lots are right.';

create or replace function credits.close_head(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.wallets as w
    set head_permit = 0, head_quiet = false
    where w.account_id = p_account_id and (w.head_permit > 0 or w.head_quiet);
end
$$;
comment on function credits.close_head(uuid) is
'Takes back the permit of a locked wallet: whatever is spent next looks at limits, notices and lots.';

-- What may go before the long way of a spend has something to do: keep a limit, write a notice.
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
    v_allowance numeric;
begin
    v_next := credits.next_lot(p_account_id, null, p_at);
    -- Some lot is bound to a module, begins later or is frozen: then the next one is not the same for every spend, or
    -- there is more on the balance than can be spent. More debt than there may be: nothing is spent.
    if v_next.lot_id is null or credits.in_default(p_account_id) or exists (
        select
        from credits.lots as l
        where l.account_id = p_account_id and l.live and (l.scope is not null or l.effective_at > p_at or l.frozen)
    ) then
        perform credits.fold_head(p_account_id);
        return;
    end if;

    if not exists (
        select from credits.wallets as w where w.account_id = p_account_id and w.head_lot = v_next.lot_id
    ) then
        perform credits.fold_head(p_account_id);
    end if;
    v_allowance := credits.head_allowance(p_account_id, p_at);
    update credits.wallets as w
    set
        head_lot = v_next.lot_id,
        head_permit = greatest(coalesce(credits.tighter(v_next.free, v_allowance), 0), 0),
        -- Nothing to arm again when tokens come free, and no threshold above that the permit would have to end at.
        head_quiet = l.expires_at is null and n.low_armed and coalesce(n.depleted_armed, true)
            and coalesce(n.low <= w.balance - w.held, true)
    from credits.lots as l
    cross join credits.notice_levels_of(p_account_id) as n
    where w.account_id = p_account_id and l.account_id = p_account_id and l.lot_id = v_next.lot_id;
end
$$;
comment on function credits.choose_head(uuid, timestamptz) is
'Gives a locked wallet on which nothing is due a permit for the lot that is spent next, if that is the same for every '
'module: for all that is free in it, or as much as may go before a limit or a notice is reached.';
