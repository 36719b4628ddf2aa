-- Somebody wants to sign up. They are counted before their password is hashed, which takes a tenth of a second of
-- processor time.
create or replace function api.begin_sign_up(
    network_keys text[],
    shared_network boolean default false
)
returns api.admission
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_keys text[];
    v_limits record;
    v_count record;
begin
    perform credits.require_service('may sign users up');
    v_keys := credits.check_guest_keys(begin_sign_up.network_keys);
    select s.* into strict v_limits from credits.settings as s;
    v_count := credits.count_attempt(
        'sign_up:' || v_keys[1],
        v_limits.sign_ups_per_network * case when begin_sign_up.shared_network is true then 10 else 1 end,
        v_limits.sign_in_window, 'sign_up_limit'
    );
    return row(null, v_count.attempts, v_count.reset_at)::api.admission;
end
$$;
comment on function api.begin_sign_up(text[], boolean) is
'Count a sign-up from a network, before the password is hashed. For services.

Raises PT429 sign_up_limit, PT422 bad_guest, PT403 not_yours.';
