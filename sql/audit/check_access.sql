-- Everybody has the rights that access.sql gives, and no other. A dump that is restored where the roles are missing
-- gets owners, grants and policies that nobody chose, and still works: with functions that run as a superuser, and
-- tables without a policy.
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
'credits_owner owns everything. Row security is forced, with the policies of access.sql and no other. Only the roles
of the bank have rights, and only to read and to call. Functions and views run with the settings that they should
have. PUBLIC has no right on a hardened database.

A row means: an object has another owner, or a right, a policy or a setting that access.sql does not give. Somebody
granted something by hand, or a dump was restored without its roles.

What to do: find out who did it, then run `pgcredits migrate --force`, which makes every grant and policy anew.
After a restore read docs/restoring.md first.';
