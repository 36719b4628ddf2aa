-- Events that Stripe has and the bank did not get. Events of types that move nothing are not missed.
create or replace view credits.missed_events
with (security_invoker = true)
as
select
    m.event_id,
    m.type,
    m.object_id,
    m.created_at,
    m.payload is not null as is_there
from credits.stripe_mirror_events as m
inner join credits.event_types as t on m.type = t.type
where not exists (
    select from credits.stripe_events as e
    where e.event_id = m.event_id
);
comment on view credits.missed_events is
'Events at Stripe of types that the bank applies, and that it did not get. is_there: the mirror has the event itself.';
