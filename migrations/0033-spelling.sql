-- Two rules, spelled so that they read the same after a dump and its restore: of `a between 1 and 9 and b > 0` a dump
-- drops a pair of brackets, and the audit would say that somebody changed the table.
set local role credits_owner;

alter table credits.campaigns
-- squawk-ignore ban-drop-constraint
drop constraint campaigns_bounds_are_sane,
add constraint campaigns_bounds_are_sane check (
    (per_device is null) = (per_network is null) and (per_network is null) = (per_shared_network is null)
    and (
        per_device is null
        or per_device >= 1 and per_network >= per_device and per_shared_network >= per_network
        and per_shared_network <= 1000000
    )
);

alter table credits.guest_limits
-- squawk-ignore ban-drop-constraint
drop constraint guest_limits_are_sane,
add constraint guest_limits_are_sane check (
    per_device >= 1 and per_network >= per_device and per_shared_network >= per_network
    and per_shared_network <= 1000000
);
