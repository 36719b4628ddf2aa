-- How many free uses a guest has left.
create or replace function api.guest_allowance(
    device_keys text[],
    network_keys text[],
    shared_network boolean default false
)
returns api.guest_receipt
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.require_service('may say who a guest is');
    return credits.guest_allowance(
        guest_allowance.device_keys, guest_allowance.network_keys, guest_allowance.shared_network
    );
end
$$;
comment on function api.guest_allowance(text[], text[], boolean) is
'How many free uses a guest has left, and when there will be more. Writes nothing.

For services. The arguments are those of guest_consume. Raises PT403 no_guests or not_yours, PT422 bad_guest.';
