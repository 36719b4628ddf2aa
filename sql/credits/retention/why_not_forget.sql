-- A user is not forgotten while money may still move: nobody could be asked any more.
create or replace function credits.why_not_forget(p_account_id uuid, p_give_up_balance boolean)
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select x.reason
        from (
            values
            ('debt', exists (
                select from credits.wallets as w where w.account_id = p_account_id and w.debt > 0
            ) or exists (
                select from credits.shortfalls as s where s.account_id = p_account_id and s.state = 'open'
            )),
            ('hold', exists (
                select from credits.holds as h where h.account_id = p_account_id and h.state = 'open'
            )),
            ('refund', exists (
                select from credits.refund_requests as r where r.account_id = p_account_id and r.state = 'open'
            ) or exists (
                select from credits.orders as o where o.account_id = p_account_id and o.reversal_pending > 0
            )),
            ('dispute', exists (
                select from credits.orders as o where o.account_id = p_account_id and o.disputed
            )),
            ('payment', exists (
                select
                from credits.orders as o
                where o.account_id = p_account_id and o.state in ('pending', 'processing', 'parked')
            ) or exists (
                select from credits.topup_attempts as t where t.account_id = p_account_id and t.state = 'open'
            ) or exists (
                select from credits.stripe_calls as c where c.account_id = p_account_id and c.state = 'due'
            )),
            ('subscription', exists (
                select
                from credits.subscriptions as s
                where s.account_id = p_account_id and s.status not in ('canceled', 'incomplete_expired')
            )),
            ('event', exists (
                select
                from credits.stripe_events as e
                where e.account_id = p_account_id and e.outcome in ('waiting', 'parked')
            ) or exists (
                select
                from credits.stripe_mirror_events as m
                where
                    m.payload is not null
                    and (credits.named_order(m.payload #> '{data,object}')).account_id = p_account_id
            )),
            ('balance', not p_give_up_balance and exists (
                select
                from credits.current_lots as l
                where l.account_id = p_account_id and l.remaining > 0 and (l.unit_cost > 0 or l.source = 'purchase')
            ))
        ) as x (reason, holds)
        where x.holds is true
    );
end
$$;
comment on function credits.why_not_forget(uuid, boolean) is
'Why the user of an account cannot be forgotten now: debt, hold, refund, dispute, payment, subscription, event (one of '
'Stripe''s that waits or is parked), balance (one that was paid, unless p_give_up_balance). Empty if nothing stands in '
'the way.';
