-- An account has one customer at Stripe.
create or replace function credits.note_customer(p_account_id uuid, p_customer_id text, p_replaces text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Two calls at once may each name a customer. The first one stays, unless it is the one that no longer exists.
    update credits.accounts as a
    set stripe_customer_id = p_customer_id
    where
        a.account_id = p_account_id and p_customer_id is not null
        and (a.stripe_customer_id is null or (a.stripe_customer_id = p_replaces) is true)
        -- An event may come after its user was forgotten.
        and not exists (select from credits.forgotten_accounts as f where f.account_id = p_account_id);
end
$$;
comment on function credits.note_customer(uuid, text, text) is
'Records the Stripe customer of an account that has none, or whose customer p_replaces names as no longer existing.';
