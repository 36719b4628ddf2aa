-- Stripe keeps events for 30 days, and objects for ever. For an object whose events are gone, the bank writes the event
-- that says what the object says now. It is applied like any other, so it cannot grant anything twice.
create or replace function credits.event_of_object(p_object_id text)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_object credits.stripe_mirror;
    v_type text;
begin
    select m.* into v_object from credits.stripe_mirror as m where m.object_id = p_object_id;
    v_type := case coalesce(v_object.kind, '')
        when 'checkout.session' then case
            when (v_object.status = 'expired') is true then 'checkout.session.expired'
            else 'checkout.session.completed'
        end
        when 'payment_intent' then 'payment_intent.succeeded'
        when 'invoice' then 'invoice.paid'
        when 'refund' then 'refund.updated'
        when 'dispute' then 'charge.dispute.updated'
    end;
    if v_type is null then
        return null;
    end if;
    return jsonb_build_object(
        -- What the object said decides the id: the same news is the same event.
        'id', format('pulled:%s:%s', p_object_id, left(encode(sha256(convert_to(
            coalesce(v_object.payload ->> 'status', '') || ':' || coalesce(v_object.payload ->> 'payment_status', '')
            || ':' || coalesce(v_object.payload ->> 'balance_transactions', ''), 'UTF8'
        )), 'hex'), 16)),
        'object', 'event', 'type', v_type,
        'created', extract(epoch from v_object.created_at)::bigint,
        'livemode', coalesce(v_object.livemode, (select s.stripe_livemode from credits.settings as s), false),
        'data', jsonb_build_object('object', v_object.payload)
    );
end
$$;
comment on function credits.event_of_object(text) is
'An event that says what the mirror says of an object. Null for an object that no event would book.';
