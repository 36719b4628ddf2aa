-- A device or a network is known by a key, which is an HMAC under a salt that rotates. So a guest may come with two
-- keys. The first is the one to keep; the second is the key under the salt before or after.
create or replace function credits.check_guest_keys(p_keys text[])
returns text[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_keys constant text[] := array(select k.key from unnest(p_keys) as k (key));
begin
    if cardinality(v_keys) not between 1 and 2 or array_to_string(v_keys, ',', '') !~ '^[0-9a-f]{64}(,[0-9a-f]{64})?$' then
        perform credits.fail(
            422, 'bad_guest', 'a guest must have one or two keys, each of 64 hex digits in lower case'
        );
    end if;
    return v_keys;
end
$$;
comment on function credits.check_guest_keys(text[]) is
'Checks the keys of a device or network, and returns them as a plain array. Raises PT422 bad_guest.';

create or replace view credits.guest_keys
with (security_invoker = true)
as
select
    'device' as kind,
    g.guest_id as id,
    g.device_key as key
from credits.guests as g
union all
select
    'network' as kind,
    n.network_id as id,
    n.network_key as key
from credits.guest_networks as n;
comment on view credits.guest_keys is 'The keys of all guests: of their devices and of the networks they come from.';
