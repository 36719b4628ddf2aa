-- Tokens that nobody uses expire at last, if the price list says so: the account is told first, and each lot then gets
-- an expiry and expires like any other. One spend, purchase or grant in between, and nothing happens. The tokens of a
-- plan are left alone: they end with their period.

create or replace function credits.last_active(p_account_id uuid)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce(
        (
            select e.posted_at
            from credits.entries as e
            where
                e.account_id = p_account_id
                -- What time, Stripe or an operator's correction does is no sign of life. Nor is a period of the free
                -- plan, which begins by itself.
                and e.kind not in (
                    'expire', 'rollover', 'reversal', 'reinstatement', 'repayment', 'adjustment'
                )
                and (e.kind <> 'allowance' or e.order_id is not null)
            order by e.seq desc
            limit 1
        ),
        -- The months in which it was active are archived.
        (select a.created_at from credits.accounts as a where a.account_id = p_account_id)
    );
end
$$;
comment on function credits.last_active(uuid) is
'When an account last spent, bought or was granted something.';

create or replace function credits.next_purge(p_account_id uuid)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_account_id);
    v_rule credits.settings;
    v_lots record;
    v_soonest timestamptz;
    v_active_at timestamptz;
begin
    select s.* into v_rule from credits.settings as s;
    if v_rule.purge_after is null then
        return null;
    end if;
    select
        coalesce(bool_or(l.remaining > 0 and l.source not in ('allowance', 'rollover')), false) as idle,
        -- Work is going on, or a dispute or refund.
        coalesce(bool_or(l.held > 0 or l.withheld > 0 or l.frozen), false) as busy,
        max(l.effective_at) filter (
            where l.effective_at <= v_now and l.source not in ('allowance', 'rollover')
        ) as newest
    into strict v_lots
    from credits.current_lots as l
    where l.account_id = p_account_id and l.live;
    if v_lots.busy is not false or v_lots.idle is not true then
        return null;
    end if;
    -- It was active when it got the newest of its tokens, or later. To find out when takes longer.
    v_soonest := credits.earlier(credits.later(v_lots.newest, v_rule.purge_after), v_rule.purge_ahead);
    if (v_soonest > v_now) is true then
        return v_soonest;
    end if;
    v_active_at := credits.last_active(p_account_id);
    return coalesce(
        (
            select i.purge_at
            from credits.inactive_accounts as i
            where i.account_id = p_account_id and i.active_at = v_active_at
        ),
        credits.earlier(credits.later(v_active_at, v_rule.purge_after), v_rule.purge_ahead)
    );
end
$$;
comment on function credits.next_purge(uuid) is
'When the coming purge of an account is to be announced, or the announced one is to be done, if it stays inactive; or '
'an earlier moment at which to ask again. '
'Null if it has nothing to purge, or nothing is ever purged.';

create or replace function credits.purge_inactive(p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock(p_account_id);
    v_active_at timestamptz;
    v_known credits.inactive_accounts;
begin
    if (credits.next_purge(p_account_id) <= v_now) is not true then
        return;
    end if;
    v_active_at := credits.last_active(p_account_id);
    select i.* into v_known
    from credits.inactive_accounts as i
    where i.account_id = p_account_id and i.active_at = v_active_at;
    if v_known.account_id is null then
        perform credits.announce_purge(p_account_id, v_active_at, v_now);
        return;
    end if;
    perform credits.book_adjustment(
        l, 0,
        jsonb_build_object(
            'expires_at', credits.utc_text(v_known.purge_at),
            'before', coalesce(credits.utc_text(l.expires_at), 'infinity'),
            'reason', format('inactive since %s', credits.utc_text(v_active_at))
        ),
        v_known.purge_at
    )
    from (
        select x.*
        from credits.lots as x
        where
            x.account_id = p_account_id and x.live and x.source not in ('allowance', 'rollover')
            and x.effective_at <= v_now
            and coalesce(x.expires_at > v_known.purge_at, true)
        order by x.lot_id
    ) as l;
    perform credits.expire_lots(p_account_id);
    delete from credits.inactive_accounts as i where i.account_id = p_account_id;
end
$$;
comment on function credits.purge_inactive(uuid) is
'Announces that the tokens of a locked wallet will be purged, or purges them, when that is due. The caller, '
'credits.catch_up, has folded the head.';

create or replace function credits.announce_purge(p_account_id uuid, p_active_at timestamptz, p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule credits.settings;
    v_purge_at timestamptz;
begin
    select s.* into strict v_rule from credits.settings as s;
    v_purge_at := credits.later(p_active_at, v_rule.purge_after);
    -- When maintenance comes late, the user still has the whole time.
    if (v_purge_at < credits.later(p_now, v_rule.purge_ahead)) is true then
        v_purge_at := credits.later(p_now, v_rule.purge_ahead);
    end if;
    insert into credits.inactive_accounts as i (account_id, active_at, announced_at, purge_at)
    values (p_account_id, p_active_at, p_now, v_purge_at)
    on conflict (account_id) do update
    set active_at = excluded.active_at, announced_at = excluded.announced_at, purge_at = excluded.purge_at;
    perform credits.put_notice(
        p_account_id, 'inactive',
        jsonb_build_object(
            'tokens', trim_scale(sum(l.remaining)), 'active_at', credits.utc_text(p_active_at),
            'purge_at', credits.utc_text(v_purge_at)
        )
    )
    from credits.current_lots as l
    where l.account_id = p_account_id and l.live and l.source not in ('allowance', 'rollover');
end
$$;
comment on function credits.announce_purge(uuid, timestamptz, timestamptz) is
'Tells the user of a locked wallet when its tokens will be purged unless they are used.';

create or replace function credits.define_purge(p_after interval, p_ahead interval default '30 days')
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.settings as s
    set purge_after = p_after, purge_ahead = case when p_after is not null then p_ahead end
    where
        (s.purge_after, s.purge_ahead) is distinct from (p_after, case when p_after is not null then p_ahead end);
    if found then
        perform credits.make_due();
    end if;
exception
    when check_violation then
        perform credits.refuse_line(
            'purge', 'inactive tokens', 'it is announced at least a day before, and comes within 1000 years'
        );
end
$$;
comment on function credits.define_purge(interval, interval) is
'From when on the tokens of an inactive account expire: p_after its last spend, purchase or grant. The user is told '
'p_ahead of that, with the notice inactive. Null p_after: never, which is how a bank begins. A changed rule locks '
'every wallet. Raises PT422 bad_catalog.';
