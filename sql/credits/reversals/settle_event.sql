-- What follows from an event that takes money back: the tokens follow, and the charge is remembered, by which later
-- events may name the payment.
create or replace function credits.settle_event(p_event credits.stripe_events)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before bigint;
    v_entry_id text;
    v_charges text[];
begin
    with told as (
        insert into credits.stripe_objects (object_id, account_id, order_id)
        select n.name, p_event.account_id, p_event.order_id
        from unnest(p_event.names) as n (name)
        join credits.orders as o on o.account_id = p_event.account_id and o.order_id = p_event.order_id
        where n.name ~ '^(ch|py)_' and o.state = 'paid'
        on conflict (object_id) do nothing
        returning object_id
    )

    select array_agg(t.object_id) into v_charges from told as t;
    select w.seq into v_before from credits.wallets as w where w.account_id = p_event.account_id;
    perform credits.settle_order(p_event.account_id, p_event.order_id);
    select e.account_id || ':' || e.seq into v_entry_id
    from credits.entries as e
    where
        e.account_id = p_event.account_id and e.seq > v_before and e.kind in ('reversal', 'reinstatement')
    order by e.seq
    limit 1;
    if v_charges is not null then
        perform credits.apply_waiting_for(v_charges);
    end if;
    return v_entry_id;
end
$$;
comment on function credits.settle_event(credits.stripe_events) is
'Lets the tokens of an order follow its money, after an event has been noted. Returns the first entry that this made, '
'or null.';
