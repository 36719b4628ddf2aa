-- Stripe has made a customer for an account. An account has only one customer.
create or replace function api.attach_customer(
    account_id uuid,
    customer_id text,
    replaces_customer_id text default null
)
returns api.stripe_customer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.require_service('may attach a customer');
    if credits.is_name(attach_customer.customer_id, 255) is not true then
        perform credits.fail(422, 'bad_order', 'the id of a customer must have 1 to 255 characters, none invisible');
    end if;
    if attach_customer.account_id is null then
        perform credits.refuse_unknown_user();
    end if;
    -- Take the locks of a payment, because events of the customer may have come already.
    perform credits.lock_with_referrer(attach_customer.account_id);
    perform credits.note_customer(
        attach_customer.account_id, attach_customer.customer_id, attach_customer.replaces_customer_id
    );
    perform credits.apply_waiting_for(array[attach_customer.customer_id]);
    return (
        select row(u.user_id, a.account_id, a.stripe_customer_id)::api.stripe_customer
        from credits.accounts as a
        left join lateral credits.user_of(a.account_id) as u on true
        where a.account_id = attach_customer.account_id
    );
end
$$;
comment on function api.attach_customer(uuid, text, text) is
'Record the Stripe customer of an account. For services.

The first customer stays, unless replaces_customer_id says that it no longer exists. stripe_customer_id: the customer
that the account has now.
Raises PT404 unknown_user, PT422 bad_order, PT403 not_yours.';
