-- What happens in a bank before it is frozen: a little of everything that leaves rows. Called as service_role, on the
-- catalog iahome.
select api.add_tokens('ada', 200::numeric, 'Standard');
select api.consume_tokens('ada', 'whisper', 'Whisper', 25);
select api.consume_tokens('ada', 'metube', 'MeTube', 10);
select api.create_order('standard', user_id => 'ada');

select api.add_tokens('bob', 100::numeric, 'Standard');
select api.consume_tokens('whisper', user_id => 'bob', idempotency_key => 'charge');
select api.set_spend_limit('month', 90, 'bob');
select api.set_low_balance(60, user_id => 'bob');

-- A hold of 25 of which 10 are captured, one that is kept, and one that is let go.
select api.hold_tokens('whisper', user_id => 'bob', idempotency_key => 'captured');
select api.capture_hold(h.hold_id, final => true, idempotency_key => 'capture')
from api.hold_tokens('metube', user_id => 'bob') as h;
select api.release_hold(h.hold_id) from api.hold_tokens('whisper', user_id => 'bob') as h;
-- A charge given back.
select api.refund_usage(c.entry_id, 5) from api.consume_tokens('metube', user_id => 'bob') as c;

-- A purchase that Stripe tells of, and an event that waits.
select api.sign_up('cyd@example.com', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA');
with o as (
    select a.*
    from api.create_order('standard', user_id => 'cyd') as c
    cross join lateral api.attach_checkout(c.account_id, c.order_id, 'cs_frozen') as a
)

select
    api.apply_stripe_event(jsonb_build_object(
        'id', 'evt_frozen', 'object', 'event', 'type', 'checkout.session.completed', 'livemode', false,
        'created', 1795200001, 'data', jsonb_build_object('object', jsonb_build_object(
            'id', 'cs_frozen', 'object', 'checkout.session', 'mode', 'payment', 'status', 'complete',
            'payment_status', 'paid', 'payment_intent', 'pi_frozen', 'livemode', false,
            'amount_subtotal', o.amount, 'amount_total', o.amount, 'currency', o.currency,
            'client_reference_id', o.account_id, 'metadata', jsonb_build_object('order_id', o.order_id)
        ))
    ))
from o;
select api.report_failure('whisper', user_id => 'cyd');
select api.freeze_account('cyd', 'asked for');
