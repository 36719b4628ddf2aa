-- Requests of refunds: how they begin, and how they end.
--
-- A request is among the reversals of its order as a refund with the status requested, which withholds its tokens. When
-- the refund itself is known by its event, it takes the place of the request, whose status is dropped then.

create or replace function credits.check_refund(p_order credits.orders, p_tokens numeric, p_amount bigint)
returns bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_most bigint;
    v_amount bigint;
begin
    if (p_order.state = 'paid' and p_order.paid > 0 and p_order.payment_intent_id is not null) is not true then
        perform credits.fail(
            409, 'not_refundable', 'nothing was paid for this order through Stripe',
            json_build_object('state', p_order.state)
        );
    end if;
    v_most := credits.refundable(p_order);
    v_amount := case
        when (p_tokens < 'Infinity') is true then trunc(p_order.paid * p_tokens / p_order.tokens)
        else coalesce(p_amount, v_most)
    end;
    if (v_amount between 1 and v_most) is not true then
        perform credits.fail(
            422, 'bad_amount', 'this is not left of the payment and its tokens',
            json_build_object(
                'refundable', v_most, 'currency', p_order.currency,
                'tokens', trim_scale(credits.share_of(p_order.tokens, v_most, p_order.paid))
            )
        );
    end if;
    return v_amount;
end
$$;
comment on function credits.check_refund(credits.orders, numeric, bigint) is
'The amount of a refund, of an order whose wallet is locked: for so many tokens, or of so much money, or of all that '
'is left. Raises PT409 not_refundable (state), PT422 bad_amount (refundable, tokens).';

create or replace function credits.put_refund_request(
    p_order credits.orders, p_request_id uuid, p_amount bigint, p_reason text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := credits.clock();
begin
    insert into credits.refund_requests (
        account_id, request_id, order_id, tokens, amount, reason, actor, requested_at
    )
    values (
        p_order.account_id, p_request_id, p_order.order_id, credits.refund_needs(p_order, p_amount), p_amount, p_reason,
        credits.agent(), v_now
    );
    insert into credits.reversals (
        account_id, reversal_id, order_id, kind, amount, status, created_at, changed_at
    )
    values (
        p_order.account_id, 'request:' || p_request_id, p_order.order_id, 'refund', p_amount, 'requested', v_now, v_now
    );
    perform credits.settle_order(p_order.account_id, p_order.order_id);
    perform credits.put_call(
        p_order.account_id, 'refund', p_request_id,
        jsonb_build_object(
            'payment_intent', p_order.payment_intent_id,
            'amount', p_amount,
            'metadata', jsonb_build_object(
                'request_id', p_request_id, 'account_id', p_order.account_id, 'order_id', p_order.order_id
            )
        )
    );
end
$$;
comment on function credits.put_refund_request(credits.orders, uuid, bigint, text) is
'Writes a request to refund so many minor units of an order, withholds the tokens, and writes the call to Stripe.';

create or replace function credits.drop_request(p_account_id uuid, p_request_id uuid)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.reversals as r
    set status = 'dropped', changed_at = credits.clock()
    where r.account_id = p_account_id and r.reversal_id = 'request:' || p_request_id and r.status = 'requested';
    return found;
end
$$;
comment on function credits.drop_request(uuid, uuid) is
'A request of a refund no longer withholds tokens by itself. False when that was so before. The caller settles the '
'order.';

create or replace function credits.refund_answered(
    p_call credits.stripe_calls, p_verdict text, p_reason text, p_answer jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_status constant text not null := coalesce(p_answer #>> '{object,status}', '');
    v_done constant boolean not null := p_verdict = 'done' and v_status not in ('failed', 'canceled');
    v_request credits.refund_requests;
begin
    -- Its event may have been here before. Then the request has ended.
    update credits.refund_requests as r
    set
        state = case when v_done then 'refunded' else 'failed' end, ended_at = credits.clock(),
        refund_id = credits.stripe_id(p_answer -> 'object'),
        trouble = case when not v_done then left(coalesce(p_answer ->> 'message', p_reason), 500) end
    where r.account_id = p_call.account_id and r.request_id = p_call.made_for and r.state = 'open'
    returning r.* into v_request;
    if found and not v_done then
        perform credits.drop_request(v_request.account_id, v_request.request_id);
        perform credits.settle_order(v_request.account_id, v_request.order_id);
    end if;
end
$$;
comment on function credits.refund_answered(credits.stripe_calls, text, text, jsonb) is
'Ends the request of a refund by Stripe''s answer. If it was refused, its tokens are free again; otherwise they are '
'withheld until the event of the refund takes them. The caller holds the locks of credits.lock_with_referrer.';

create or replace function credits.match_request(p_event credits.stripe_events)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_refund constant jsonb := p_event.payload #> '{data,object}';
    v_status constant text not null := coalesce(v_refund ->> 'status', '');
    v_failed constant boolean not null := v_status in ('failed', 'canceled');
    v_request_id uuid;
begin
    update credits.refund_requests as r
    set
        state = case when v_failed then 'failed' else 'refunded' end,
        refund_id = p_event.object_id, ended_at = coalesce(r.ended_at, credits.clock()),
        trouble = case
            when v_failed then left(coalesce(v_refund ->> 'failure_reason', v_refund ->> 'status'), 500)
        end
    where
        r.account_id = p_event.account_id and r.order_id = p_event.order_id and p_event.object_id is not null
        and (
            r.refund_id = p_event.object_id
            or r.request_id::text = v_refund #>> '{metadata,request_id}'
        )
        -- A refund that failed stays failed, in whatever order its events come.
        and (r.state <> 'failed' or r.refund_id is distinct from p_event.object_id)
    returning r.request_id into v_request_id;
    return found and credits.drop_request(p_event.account_id, v_request_id);
end
$$;
comment on function credits.match_request(credits.stripe_events) is
'An event of a refund that we requested ends the request, also before the worker has reported its answer. True when '
'the request withheld tokens until now. The caller notes the refund and settles the order.';

create or replace function credits.refund_request_receipt(
    p_account_id uuid, p_request_id uuid, p_user_id text, p_replayed boolean
)
returns api.refund_request
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_receipt api.refund_request;
begin
    select r.request_id, r.order_id, p_user_id, r.state, trim_scale(r.tokens), r.amount, o.currency, p_replayed
    into v_receipt
    from credits.refund_requests as r
    inner join credits.orders as o on r.account_id = o.account_id and r.order_id = o.order_id
    where r.account_id = p_account_id and r.request_id = p_request_id;
    return v_receipt;
end
$$;
comment on function credits.refund_request_receipt(uuid, uuid, text, boolean) is 'The answer of api.request_refund.';
