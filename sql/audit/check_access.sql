-- Who may do what is what access.sql says. A dump that was restored where the roles are missing has owners, grants and
-- policies of nobody's choice, and works all the same: functions that run as a superuser, tables without a policy.
create or replace view audit.check_access
with (security_invoker = true)
as
select
    null::uuid as account_id,
    f.expected,
    f.found
from credits.ownership_faults() as f
union all
select
    null as account_id,
    f.expected,
    f.found
from credits.row_security_faults() as f
union all
select
    null as account_id,
    f.expected,
    f.found
from credits.grant_faults() as f
union all
select
    null as account_id,
    f.expected,
    f.found
from credits.call_faults() as f
union all
select
    null as account_id,
    f.expected,
    f.found
from credits.database_faults() as f
union all
select
    null as account_id,
    f.expected,
    f.found
from credits.power_faults() as f;
comment on view audit.check_access is
'credits_owner owns everything; row security is forced, with the policies that it should have and no other; nobody but '
'the roles of the bank may do anything, and they no more than read and call; functions and views run as they should; '
'PUBLIC may do nothing in a database that was hardened.';
