-- One attempt to charge a card: its order, the attempt itself, and the call to Stripe with its key.
create or replace function credits.begin_attempt(
    p_topup credits.auto_topups,
    p_offer credits.orders,
    p_before numeric,
    p_after numeric,
    p_at timestamptz,
    p_entry_seq bigint,
    p_hold_id uuid
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_account_id constant uuid not null := p_topup.account_id;
    v_order_id constant uuid not null := gen_random_uuid();
    v_attempt_id constant uuid not null := gen_random_uuid();
begin
    insert into credits.orders (
        account_id, order_id, kind, state, pack_id, package_name, scope, tokens, bonus_tokens, expires_after,
        amount, currency, stripe_price_id, created_at
    )
    values (
        v_account_id, v_order_id, 'auto_topup', 'processing', p_offer.pack_id, p_offer.package_name, p_offer.scope,
        p_offer.tokens, p_offer.bonus_tokens, p_offer.expires_after, p_offer.amount, p_offer.currency,
        p_offer.stripe_price_id, p_at
    );
    insert into credits.topup_attempts (
        account_id, attempt_id, consent_id, order_id, entry_seq, hold_id, balance_before, balance_after, threshold,
        amount, currency, fired_at
    )
    values (
        v_account_id, v_attempt_id, p_topup.consent_id, v_order_id, p_entry_seq, p_hold_id, p_before, p_after,
        p_topup.threshold, p_offer.amount, p_offer.currency, p_at
    );
    update credits.auto_topups as t set wanted = false where t.account_id = v_account_id;
    perform credits.put_call(
        v_account_id, 'charge', v_attempt_id,
        jsonb_build_object(
            'amount', p_offer.amount,
            'currency', p_offer.currency,
            'customer', p_topup.customer_id,
            'payment_method', p_topup.payment_method_id,
            'off_session', true,
            'confirm', true,
            'description', p_offer.package_name,
            'metadata', jsonb_build_object(
                'kind', 'auto_topup', 'account_id', v_account_id, 'order_id', v_order_id, 'attempt_id', v_attempt_id
            )
        )
    );
end
$$;
comment on function credits.begin_attempt(
    credits.auto_topups, credits.orders, numeric, numeric, timestamptz, bigint, uuid
) is 'Writes an attempt to top up a locked wallet, its order and its call to Stripe.';
