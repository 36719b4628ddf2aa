-- Refund a purchase, as a whole or in part. Its tokens are withheld at once, so that they cannot be spent while Stripe
-- is asked. They go when Stripe has refunded the money, and are free again if it refuses.
--
--   1. Refuse what makes no sense.
--   2. Lock. A repeated call gets the request of the first.
--   3. How much? Never more than is left of the payment and of its tokens.
--   4. Write the request, withhold the tokens, and write the call to Stripe. `pgcredits work` makes it.
create or replace function api.request_refund(
    user_id text,
    order_id uuid,
    tokens numeric default null,
    amount bigint default null,
    reason text default null,
    idempotency_key text default null
)
returns api.refund_request
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_request_id constant uuid := gen_random_uuid();
    v_account_id uuid;
    v_known credits.idempotency_keys;
    v_order credits.orders;
    v_amount bigint;
begin
    idempotency_key := coalesce(request_refund.idempotency_key, credits.header_key('request_refund'));
    -- 1. Refuse.
    perform credits.require_service('may refund a purchase');
    if num_nonnulls(request_refund.tokens, request_refund.amount) <> 1 then
        -- An amount that got lost on its way must not refund all.
        perform credits.fail(422, 'bad_amount', 'give tokens or amount; tokens of Infinity are all that is left');
    elsif (request_refund.amount > 0) is false then
        perform credits.fail(422, 'bad_amount', 'amount must be above 0');
    elsif request_refund.tokens is not null and request_refund.tokens is distinct from 'Infinity' then
        perform credits.check_amount(request_refund.tokens);
    end if;
    perform credits.check_reason(request_refund.reason);

    -- 2. Lock.
    v_account_id := credits.account_of(credits.caller_subject(request_refund.user_id), false);
    perform credits.lock_with_referrer(v_account_id);
    if request_refund.idempotency_key is not null then
        v_known := credits.claim_key(
            v_account_id, 'request_refund', request_refund.idempotency_key,
            jsonb_build_array(
                request_refund.order_id, trim_scale(request_refund.tokens), request_refund.amount, request_refund.reason
            ),
            p_made_id => v_request_id
        );
    end if;
    if v_known.account_id is not null then
        return credits.refund_request_receipt(v_account_id, v_known.made_id, request_refund.user_id, true);
    end if;

    -- 3. How much?
    v_order := credits.find_order(v_account_id, request_refund.order_id);
    perform credits.fold_head(v_account_id);
    v_amount := credits.check_refund(v_order, request_refund.tokens, request_refund.amount);

    -- 4. Write.
    perform credits.put_refund_request(v_order, v_request_id, v_amount, request_refund.reason);
    return credits.refund_request_receipt(v_account_id, v_request_id, request_refund.user_id, false);
end
$$;
comment on function api.request_refund(text, uuid, numeric, bigint, text, text) is
'Refund a purchase that was paid through Stripe: an order of a checkout, an automatic top-up or a subscription. For
services.

tokens: so many of the purchase, at what they cost; its bonus goes with them, in proportion. Infinity (in JSON, the text
"Infinity") means all that is not spent. amount: so much money, in minor units; one of the two. The tokens are withheld
at once. They go when Stripe has refunded the money; if it refuses, they are free again: see api.refund_requests.
With an idempotency_key a repeat of the same call gets the same request, as it is now.
Raises PT404 unknown_order or unknown_user, PT409 not_refundable (state) or key_reused, PT422 bad_amount (refundable,
tokens), bad_reason, bad_user or bad_key, PT403 not_yours.';
