-- What the operator decides for the whole bank.
create or replace function credits.allow_test_clocks(p_allowed boolean)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update credits.settings as s set test_clocks = p_allowed where s.test_clocks <> p_allowed;
end
$$;
comment on function credits.allow_test_clocks(boolean) is
'Whether services may put accounts on test clocks (api.set_test_clock). `pgcredits up` allows it beside the Stripe '
'simulator and forbids it with a real Stripe key.';
