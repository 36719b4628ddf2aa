-- What stands where, for people and for /schema: the shape itself is in migrations/0011-guests.sql.
comment on table credits.guest_limits is
'How many uses a guest has in any span of sliding_window. Where there is no row, guests have none.';
comment on column credits.guest_limits.per_network is
'Uses of all devices behind one address. Equal to per_device by default: who throws the cookie away gains nothing.';
comment on column credits.guest_limits.per_shared_network is
'The same for the networks that the operator knows to be shared (schools, offices).';
comment on column credits.guest_limits.sliding_window is
'At most 7 days: the keys of the time before are known for that long.';

comment on table credits.guests is 'A device that came without an account.';
comment on column credits.guests.device_key is 'HMAC of its cookie, 64 hex digits; follows the rotation of the salt.';
comment on column credits.guests.linked_to is 'The account that it signed up for.';

comment on table credits.guest_networks is 'The address (IPv6: the /64) that guests came from, as an HMAC.';

comment on table credits.guest_uses is
'reserved → confirmed (it worked) or released (it failed, and is free). Reserved counts as used: who never tells '
'how it ended gains nothing.';
comment on column credits.guest_uses.per_device is
'What was allowed when it was made: with per_network and sliding_window, for the audit.';
