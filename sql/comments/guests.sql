-- Comments for people and for /schema. The tables themselves are in migrations/0011-guests.sql.
comment on table credits.guest_limits is
'How many uses a guest has in any span of sliding_window. Without a row, guests have no free uses.';
comment on column credits.guest_limits.per_network is
'Uses of all devices behind one address. Equal to per_device by default, so that throwing the cookie away gains '
'nothing.';
comment on column credits.guest_limits.per_shared_network is
'The same for networks that the operator knows to be shared (schools, offices).';
comment on column credits.guest_limits.sliding_window is
'At most 7 days, because the previous keys are known for that long.';

comment on table credits.guests is 'A device that came without an account.';
comment on column credits.guests.device_key is 'HMAC of its cookie, 64 hex digits. It changes when the salt rotates.';
comment on column credits.guests.linked_to is 'The account that it signed up for.';

comment on table credits.guest_networks is 'The address (IPv6: the /64) that guests came from, as an HMAC.';

comment on table credits.guest_uses is
'Uses of guests. reserved becomes confirmed (it succeeded) or released (it failed, and does not count). reserved '
'counts as used, so that not reporting how a use ended gains nothing.';
comment on column credits.guest_uses.per_device is
'What was allowed when the use was made, with per_network and sliding_window. The audit needs them.';
