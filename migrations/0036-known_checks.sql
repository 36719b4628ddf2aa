-- A CHECK that is NULL passes. Where a column may be null, these say so.
set local role credits_owner;

-- squawk-ignore ban-drop-constraint
alter table credits.campaigns drop constraint campaigns_bounds_are_sane;
alter table credits.campaigns add constraint campaigns_bounds_are_sane check (
    num_nonnulls(per_device, per_network, per_shared_network) = 0
    or (
        per_device >= 1 and per_network >= per_device and per_shared_network >= per_network
        and per_shared_network <= 1000000
    ) is true
);
-- squawk-ignore ban-drop-constraint
alter table credits.currencies drop constraint currencies_minimum_is_sane;
alter table credits.currencies add constraint currencies_minimum_is_sane check (
    minimum is null or (minimum > 0 and minimum <= maximum and minimum % step = 0)
);
