-- What a payment earned for others: the reward of the user who brought the buyer, and the buyer's own. When the money
-- goes back, these tokens go in the same proportion, as far as they are still there. Nobody owes a gift, so they make
-- no debt. Tokens that are held stay with their hold; when it frees them, they are withheld.
create or replace function credits.settle_rewards(p_account_id uuid, p_order_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_order credits.orders;
    v_reward record;
    v_lot credits.lots;
    v_for credits.orders;
    v_back bigint;
    v_target numeric;
    v_move numeric;
    v_before numeric;
begin
    select o.* into v_order from credits.orders as o where o.account_id = p_account_id and o.order_id = p_order_id;
    if (v_order.paid > 0) is not true then
        return;
    end if;
    v_back := case
        when coalesce((select s.reverse_rewards from credits.settings as s), true) then v_order.reversed
        else 0
    end;
    for v_reward in
        select r.account_id, r.lot_id
        from credits.reward_lots(p_account_id, p_order_id) as r
        order by r.account_id, r.lot_id
    loop
        perform credits.close_head(v_reward.account_id);
        perform credits.fold_head(v_reward.account_id);
        select l.* into strict v_lot
        from credits.lots as l
        where l.account_id = v_reward.account_id and l.lot_id = v_reward.lot_id;
        v_target := credits.share_of(v_lot.granted, v_back, v_order.paid);
        v_move := least(v_target, v_lot.remaining - v_lot.held + v_lot.reversed) - v_lot.reversed;
        select w.balance into v_before from credits.wallets as w where w.account_id = v_lot.account_id;
        v_for.account_id := v_lot.account_id;
        v_for.package_name := v_lot.package_name;
        update credits.lots as l
        set withheld = v_target - v_lot.reversed - v_move
        where l.account_id = v_lot.account_id and l.lot_id = v_lot.lot_id;
        perform credits.take_back(v_for, credits.draw_of(v_lot.lot_id, v_move), 0);
        perform credits.expire_lots(v_lot.account_id, g.given_at)
        from credits.give_back(v_for, credits.draw_of(v_lot.lot_id, -v_move), 0) as g (given_at)
        where g.given_at is not null;
        perform credits.write_notices(v_lot.account_id, v_before, w.balance)
        from credits.wallets as w
        where w.account_id = v_lot.account_id and w.balance is distinct from v_before;
        perform credits.set_due(v_lot.account_id);
    end loop;
end
$$;
comment on function credits.settle_rewards(uuid, uuid) is
'Takes back, or gives back, the rewards that an order earned, in proportion to its money that has gone back. The '
'setting reverse_rewards turns it off. The caller holds the locks of credits.lock_with_referrer.';

create or replace function credits.reward_lots(p_account_id uuid, p_order_id uuid)
returns table (account_id uuid, lot_id bigint)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    -- The referrer's reward for this account, and what the account got for having been brought, which is number 0.
    select x.account_id, x.lot_id
    from credits.referrals as r
    join credits.redemptions as x
        on
            r.campaign_id = x.campaign_id
            and (
                (x.account_id = r.account_id and x.number = 0)
                or (x.account_id = r.referrer_id and x.lot_id = r.reward_lot_id)
            )
    where r.account_id = p_account_id and r.order_id = p_order_id and r.state = 'paid';
end
$$;
comment on function credits.reward_lots(uuid, uuid) is
'The lots that were granted because this order was paid: the referrer''s reward and the buyer''s own.';

create or replace function credits.reverse_rewards(p_reverse boolean)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_reverse is null then
        perform credits.fail(422, 'bad_setting', 'whether rewards go back must be true or false');
    end if;
    update credits.settings as s set reverse_rewards = p_reverse;
end
$$;
comment on function credits.reverse_rewards(boolean) is
'For the operator. Whether the rewards that a purchase earned are taken back when its money goes back: by default they '
'are. It counts for reversals from now on. Raises PT422 bad_setting for null.';
