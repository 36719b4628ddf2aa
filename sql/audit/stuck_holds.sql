-- Holds that expired an hour ago and are still not booked as expired. They count for nothing, but pgcredits maintain is
-- not running.
create or replace view audit.stuck_holds
with (security_invoker = true)
as
select
    h.account_id,
    h.hold_id,
    h.module_id,
    h.held,
    h.created_at,
    h.expires_at
from credits.holds as h
where h.state = 'open' and h.expires_at <= credits.clock(h.account_id) - interval '1 hour';
comment on view audit.stuck_holds is
'Holds that expired more than an hour ago and are not booked as expired. The books are right, but pgcredits maintain '
'is not running.';
