-- The operator decides which Stripe events are for this bank.
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
'For the operator. The connected Stripe accounts (acct_…) whose events are accepted in addition to those of the own '
'account; null or empty means none. An event of any other connected account is refused.';

create or replace function credits.has_test_purchases_only()
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A bank that has an event of real money stays in use, whatever it had before. Its first one is found at once.
    if exists (select from credits.stripe_events as e where e.livemode) then
        return false;
    end if;
    return exists (select from credits.stripe_events as e where not e.livemode and e.outcome = 'granted');
end
$$;
comment on function credits.has_test_purchases_only() is
'Whether a bank has granted tokens for payments of test mode or of a simulator, and has no event of real money.';

create or replace function credits.accept_stripe_livemode(p_livemode boolean)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_livemode is null then
        perform credits.fail(422, 'wrong_mode', 'Stripe events are live (true) or of test mode (false): null is neither');
    elsif not p_livemode and exists (select from credits.stripe_events as e where e.livemode) then
        perform credits.fail(
            422, 'wrong_mode', 'this bank has events of real money: payments of test mode must not grant its tokens'
        );
    elsif p_livemode and credits.has_test_purchases_only() then
        perform credits.fail(
            422, 'wrong_mode', 'this bank has tokens that were bought in test mode or from a simulator: begin a new bank'
        );
    end if;
    update credits.settings as s set stripe_livemode = p_livemode where s.stripe_livemode is distinct from p_livemode;
end
$$;
comment on function credits.accept_stripe_livemode(boolean) is
'For the operator. Which Stripe events are accepted: live events (true), or events of test mode (false). Until this is '
'called, both are. `pgcredits up` calls it, by the Stripe key. Raises PT422 wrong_mode for null, for false in a bank '
'that has events of real money, and for true in a bank that has purchases of test mode or of a simulator, and no '
'event of real money.';
