-- Functions and tables belong together: everything in the schemas of the bank is as the last migrate left it.
create or replace view audit.check_release
with (security_invoker = true)
as
select
    null::uuid as account_id,
    d.expected,
    d.found
from credits.release_differences() as d;
comment on view audit.check_release is
'Nothing in the schemas of the bank was made, changed or dropped by anybody but pgcredits migrate.

A row means: an object of the bank is not as the last migration left it.

What to do: find out who changed it. Keep the change in your own schema if you need it, and run `pgcredits migrate
--force`. An object that pgcredits never makes stays: drop it.';
