-- The head lot: most spends take from the same lot as the spend before. They do not write to its row. They write to the
-- wallet's row, which a spend writes anyway, and the lot is brought up to date later.
--
--   head_lot                     the lot, or null
--   head_taken, head_reserved    tokens taken from it, and held in it, since its row was written: sums with a sign.
--                                credits.current_lots adds them up, and credits.fold_head writes them into the lot.
--   head_permit                  how many tokens may be spent or held there before anything else must be checked. It
--                                never reaches a limit, the threshold of a notice or of an automatic top-up, or the
--                                next lot.
--   head_quiet                   tokens that a hold frees there have no other effect
--
-- The tokens stay on their lot. A call that changes the reasons for a permit takes it back: credits.lock_wallet always
-- does. Most calls begin with it. Spends, holds, ends of holds and batches do not: they keep the permit, and call it
-- only when something is due. Code that forgets to take a permit back can let a spend pass a limit, which
-- audit.check_heads finds. It can never create or lose a token. A spend that finds no permit checks everything, and
-- chooses the head lot anew.

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
'Writes the sums on a locked wallet into its head lot. After that the rows of all lots are up to date.';

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
'Takes back the permit of a locked wallet. The next spend checks limits, notices and lots.';

-- The tokens that can be spent before a limit must be checked, a notice written or an automatic top-up begun.
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
    v_topup numeric;
begin
    select w.balance - w.held into v_available from credits.wallets as w where w.account_id = p_account_id;
    v_limit := credits.limit_left(p_account_id, p_at);
    v_notice := v_available - credits.next_level(p_account_id, v_available);
    v_topup := v_available - credits.topup_level(p_account_id, v_available, p_at);
    return credits.tighter(credits.tighter(v_limit, v_notice), v_topup);
end
$$;
comment on function credits.head_allowance(uuid, timestamptz) is
'How many tokens an account can spend before a limit stops it, a notice is due or an automatic top-up begins. Null: '
'any number.';

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
    -- A lot may be bound to a module, begin later, be frozen or be withheld. Then the next lot is not the same for
    -- every spend, or part of the balance cannot be spent. An account with too much debt can spend nothing. And a
    -- transaction that reads an old snapshot does not know the limits and thresholds that its permit would have to keep
    -- when it has ended.
    if v_next.lot_id is null or credits.in_default(p_account_id)
        or current_setting('transaction_isolation') in ('repeatable read', 'serializable') or exists (
        select
        from credits.lots as l
        where
            l.account_id = p_account_id and l.live
            and (l.scope is not null or l.effective_at > p_at or l.frozen or l.withheld > 0)
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
        -- When tokens become free, there is no notice to arm again, and no threshold above at which the permit must
        -- end.
        head_quiet = l.expires_at is null and n.low_armed and coalesce(n.depleted_armed, true)
            and coalesce(n.low <= w.balance - w.held, true)
            and coalesce(credits.topup_threshold(p_account_id) <= w.balance - w.held, true)
    from credits.lots as l
    cross join credits.notice_levels_of(p_account_id) as n
    where w.account_id = p_account_id and l.account_id = p_account_id and l.lot_id = v_next.lot_id;
end
$$;
comment on function credits.choose_head(uuid, timestamptz) is
'Gives a locked wallet a permit for the next lot, if that lot is the same for every module and the transaction is READ '
'COMMITTED. The permit covers all that is free in the lot, but ends before a limit or a notice is reached. Nothing is '
'due on the wallet.';
