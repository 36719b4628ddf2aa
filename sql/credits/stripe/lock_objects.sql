-- An event and the transaction that makes its payment known may be open at the same moment. Neither sees the other. The
-- event would wait, and nobody would apply it before the next maintenance. So both lock the objects at Stripe that they
-- name. The later one waits until the earlier one has committed, and then sees it.
--
-- A lock is a row of credits.awaited_objects that its own transaction has deleted again. Others wait for the end of
-- that transaction, and nothing is left behind. An advisory lock would do the same, but any login could take it first.
--
--   Locks: a transaction that makes a payment known holds its wallet, and locks the objects as it learns of them. So an
--   event that waits for some of its objects gives the others back every few milliseconds, and when it has found its
--   payment, it gives all of them back before it locks the wallet.

create or replace function credits.lock_objects(p_object_ids text[], p_longest interval default '2 seconds')
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text;
begin
    v_before := credits.bound_wait(p_longest);
    insert into credits.awaited_objects (object_id)
    select distinct o.object_id
    from unnest(p_object_ids) as o (object_id)
    where o.object_id is not null
    order by o.object_id
    on conflict (object_id) do nothing;
    delete from credits.awaited_objects as a where a.object_id = any (p_object_ids);
    perform set_config('lock_timeout', v_before, true);
    return true;
exception
    when lock_not_available then
        return false;
end
$$;
comment on function credits.lock_objects(text[], interval) is
'Waits until no other open transaction has locked one of these objects at Stripe, and locks them until the end of this '
'one. False if a wait took longer than p_longest. Then nothing is locked, and maintenance applies what was missed.';

create or replace function credits.meet_payment(p_family text, p_event credits.stripe_events)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_found record;
begin
    for v_try in 1 .. 100 loop
        exit when credits.lock_objects(p_event.names, interval '20 milliseconds');
    end loop;
    v_found := credits.find_subject(p_family, p_event);
    if v_found.account_id is not null then
        -- This gives the locks back.
        perform credits.stop_waiting();
    end if;
    return false;
exception
    when lock_not_available then
        return true;
end
$$;
comment on function credits.meet_payment(text, credits.stripe_events) is
'Waits, for 2 seconds at most, for the transactions that make known what an event names. True when one of them has '
'done so. False otherwise; then the objects stay locked until the event is stored, so that those that come later see '
'it, unless the wait took too long.';
