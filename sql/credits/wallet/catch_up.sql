-- Writes what time has made due on an account: expired holds, expired lots, lots that expire soon, tokens that nobody
-- uses, a new day or a new month for a limit, a new period of the free plan. A call that locks the wallet does this
-- first, if something is due. api.maintain does it for accounts that nobody uses.
create or replace function credits.catch_up(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fold_head(p_account_id);
    -- Holds come first: the tokens that they free may be past their date, or owed because their money went back.
    perform credits.expire_holds(p_account_id);
    perform credits.settle_debts(p_account_id);
    perform credits.expire_lots(p_account_id);
    perform credits.purge_inactive(p_account_id);
    perform credits.announce_expiries(p_account_id);
    perform credits.begin_periods(p_account_id);
    perform credits.begin_free_period(p_account_id);
    perform credits.set_due(p_account_id);
end
$$;
comment on function credits.catch_up(uuid) is
'Brings a locked wallet up to date: writes what time has made due.';

create or replace function credits.set_due(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_account_id);
    v_ahead constant interval := (select r.ahead from credits.notice_rules as r where r.kind = 'expiring_soon');
begin
    update credits.wallets as w
    set due_at = least(
        coalesce((
            -- The expiry of a lot that is held as a whole is announced when part of it becomes free.
            select min(
                case
                    when l.announced or l.remaining = l.held then l.expires_at
                    else credits.earlier(l.expires_at, coalesce(v_ahead, '0'))
                end
            )
            from credits.current_lots as l
            where
                l.account_id = p_account_id and l.live and l.remaining > 0
                -- Time has gone on since the wallet was locked. What has expired meanwhile is due at once.
                and (l.expires_at > v_now or l.remaining > l.held)
        ), 'infinity'),
        coalesce((
            select min(credits.next_period(s.period, s.period_starts))
            from credits.spend_limits as s
            where s.account_id = p_account_id
        ), 'infinity'),
        coalesce((
            select min(h.expires_at)
            from credits.holds as h
            where h.account_id = p_account_id and h.state = 'open'
        ), 'infinity'),
        coalesce((
            -- The next period of the free plan, while there is such a plan.
            select max(f.period_ends_at)
            from credits.free_periods as f
            where f.account_id = p_account_id and exists (select from credits.plans as p where p.free and p.active)
        ), 'infinity'),
        -- From then on the next spend tries to top up again, so the permit must end.
        coalesce((
            select t.next_try_at
            from credits.auto_topups as t
            where t.account_id = p_account_id and t.state = 'on' and t.wanted and t.next_try_at > v_now
        ), 'infinity'),
        coalesce(credits.next_purge(p_account_id), 'infinity')
    )
    where w.account_id = p_account_id;
end
$$;
comment on function credits.set_due(uuid) is 'Writes on a locked wallet when something will next be due.';

create or replace function credits.make_due()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- The next call on each wallet applies the new rule. Until then its permit follows the old one. A call that is
    -- booking what is due has read the old rule. So wait for every wallet, also for those due already.
    update credits.wallets as w
    set due_at = '-infinity'
    from (
        select x.account_id from credits.wallets as x order by x.account_id for no key update
    ) as o
    where w.account_id = o.account_id;
end
$$;
comment on function credits.make_due() is
'Makes every wallet due, because a rule about notices or dates has changed. Locks all of them.';
