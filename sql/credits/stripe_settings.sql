-- Which of Stripe's events are for this bank: what the operator decides.
create or replace function credits.accept_stripe_accounts(p_accounts text[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.settings as s set stripe_accounts = coalesce(p_accounts, '{}');
end
$$;
comment on function credits.accept_stripe_accounts(text[]) is
'The connected Stripe accounts (acct_…) whose events are accepted beside our own; null or empty: none. An event of any '
'other connected account is refused.';

create or replace function credits.accept_stripe_livemode(p_livemode boolean)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.settings as s set stripe_livemode = p_livemode where s.stripe_livemode is distinct from p_livemode;
end
$$;
comment on function credits.accept_stripe_livemode(boolean) is
'Which Stripe events are accepted: live ones (true), those of test mode (false), or both (null). `pgcredits up` says '
'which, from the Stripe key.';
