-- No event of Stripe is lying about, and no payment that we were told of is without its tokens or a note for a
-- person.
create or replace view audit.check_events
with (security_invoker = true)
as
select
    e.account_id,
    format('event %s (%s) has an outcome', e.event_id, e.type) as expected,
    format('none since %s', credits.utc_text(e.received_at)) as found
from credits.stripe_events as e
where e.outcome is null
union all
select
    e.account_id,
    format('session %s, paid by event %s, is granted or parked', e.object_id, e.event_id) as expected,
    format('order %s is %s', e.order_id, o.state) as found
from credits.stripe_events as e
inner join credits.orders as o on e.account_id = o.account_id and e.order_id = o.order_id
where
    e.type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
    and e.payload #>> '{data,object,payment_status}' in ('paid', 'no_payment_required')
    and o.state not in ('paid', 'parked');
comment on view audit.check_events is
'Every Stripe event was applied, and every payment it tells of was granted or parked.';
