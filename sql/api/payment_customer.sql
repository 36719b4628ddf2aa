-- The customer at Stripe of an account, for a link to Stripe's portal.
create or replace function api.payment_customer(user_id text default null)
returns api.stripe_customer
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject constant text := credits.caller_subject(payment_customer.user_id);
    v_account_id constant uuid := credits.account_of(v_subject, false);
    v_customer_id text;
begin
    select a.stripe_customer_id into v_customer_id from credits.accounts as a where a.account_id = v_account_id;
    if v_customer_id is null then
        perform credits.fail(404, 'no_customer', 'this account has never been to a checkout');
    end if;
    return row(v_subject, v_account_id, v_customer_id)::api.stripe_customer;
end
$$;
comment on function api.payment_customer(text) is
'The Stripe customer of an account. The HTTP API calls it for POST /portal.

Raises PT404 no_customer if the account has none yet, unknown_user, PT403 not_yours, PT401 not_signed_in.';
