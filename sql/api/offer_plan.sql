-- What the HTTP API needs to open a subscription at Stripe. Nothing is written but the account of a new user: an order
-- is made by each invoice that is paid.
create or replace function api.offer_plan(plan_id text, user_id text default null)
returns api.plan_offer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.caller_subject(offer_plan.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, true);
    v_plan credits.plans;
    v_terms credits.plan_versions;
    v_wallet record;
    v_subscription_id text;
begin
    select p.* into v_plan from credits.plans as p where p.plan_id = offer_plan.plan_id and p.active;
    if not found then
        perform credits.fail(404, 'unknown_plan', 'no such plan');
    elsif v_plan.free then
        perform credits.fail(422, 'bad_order', 'the free plan is not sold: start_free_plan takes it');
    end if;
    v_wallet := credits.lock_wallet(v_account_id);
    if v_wallet.status = 'closed' then
        perform credits.refuse_status(v_wallet.status);
    end if;
    select s.subscription_id into v_subscription_id
    from credits.subscriptions as s
    where
        s.account_id = v_account_id and s.plan_id = v_plan.plan_id
        and s.status not in ('canceled', 'incomplete', 'incomplete_expired')
    limit 1;
    if found then
        perform credits.fail(
            409, 'already_subscribed', 'this account has this plan already',
            json_build_object('subscription_id', v_subscription_id)
        );
    end if;
    v_terms := credits.plan_terms(v_plan.plan_id);
    return (
        select
            row(
                v_subject, v_account_id, v_plan.plan_id, v_terms.version, v_plan.title, trim_scale(v_terms.allowance),
                v_terms.period_unit, v_terms.period_count, v_terms.amount, v_terms.currency,
                -- A trial is for somebody who has never subscribed.
                case
                    when exists (select from credits.subscriptions as s where s.account_id = v_account_id) then 0
                    else v_terms.trial_days
                end,
                v_terms.stripe_price_id, a.stripe_customer_id
            )::api.plan_offer
        from credits.accounts as a
        where a.account_id = v_account_id
    );
end
$$;
comment on function api.offer_plan(text, text) is
'The terms on which an account can subscribe to a plan now, for a Checkout session in subscription mode. The HTTP API
calls it for POST /checkout with a plan_id.

trial_days: 0 for an account that has had a subscription before. stripe_customer_id: null when it has no customer yet.
Raises PT404 unknown_plan, PT409 already_subscribed (subscription_id), PT422 bad_order for the free plan, PT423
account_frozen, PT403 not_yours, PT401 not_signed_in, PT422 bad_isolation.';
