-- When the money of an order came back, and why. The order keeps only the sum; finance needs its history.
create or replace function credits.note_money(p_order credits.orders, p_back bigint)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_order.reversed is not distinct from p_back then
        return;
    end if;
    insert into credits.money_returns (account_id, order_id, number, at, cause, amount, reversed_after)
    select
        p_order.account_id, p_order.order_id,
        1 + (
            select count(*)
            from credits.money_returns as m
            where m.account_id = p_order.account_id and m.order_id = p_order.order_id
        ),
        credits.clock(p_order.account_id),
        coalesce(
            (
                -- What was last said about the order has moved its money.
                select
                    case
                        when starts_with(r.reversal_id, 'credit_') then 'credit'
                        when r.kind in ('dispute', 'failed_payment') then r.kind
                        else 'refund'
                    end
                from credits.reversals as r
                where r.account_id = p_order.account_id and r.order_id = p_order.order_id
                order by r.changed_at desc, r.reversal_id
                limit 1
            ),
            'refund'
        ),
        p_back - p_order.reversed, p_back;
end
$$;
comment on function credits.note_money(credits.orders, bigint) is
'Records that p_back minor units of an order have gone back from now on, on a locked wallet. Does nothing when the '
'order says so already.';

-- Not even the owner changes what was recorded.
create or replace function credits.refuse_money_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(405, 'append_only', 'what came back of a payment cannot be changed: record more of it');
    return null;
end
$$;
comment on function credits.refuse_money_change() is 'Trigger: refuses with PT405 append_only.';

create or replace trigger money_returns_are_never_changed
before update or delete on credits.money_returns
for each row execute function credits.refuse_money_change();
alter table credits.money_returns enable always trigger money_returns_are_never_changed;

create or replace trigger money_returns_are_never_truncated
before truncate on credits.money_returns
for each statement execute function credits.refuse_money_change();
alter table credits.money_returns enable always trigger money_returns_are_never_truncated;
