-- The operator decides how long a payment may be under way.
create or replace function credits.bound_stripe_delay(p_longest interval)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_seconds constant numeric := extract(epoch from p_longest);
begin
    if (v_seconds between 0 and 259200) is not true then
        perform credits.fail(422, 'bad_limit', 'the delay must be from 0 to 72 hours');
    end if;
    update credits.settings as s set stripe_delay = make_interval(secs => v_seconds::double precision);
end
$$;
comment on function credits.bound_stripe_delay(interval) is
'For the operator. How long after its creation an object at Stripe may be missing from the books before '
'audit.check_stripe reports it: 0 to 72 hours, by default an hour. Raises PT422 bad_limit.';
