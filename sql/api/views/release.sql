-- The release of pgcredits that this database has. The HTTP API looks here before it reports that it is ready.
create or replace view api.release
with (security_invoker = true)
as
select
    r.migration,
    r.program,
    r.released_at,
    r.functions_digest = credits.functions_digest() and r.columns_digest = credits.columns_digest() as whole
from credits.releases as r;
comment on view api.release is 'What the last pgcredits migrate left in this database: one row, for services.';
comment on column api.release.migration is 'The newest migration.';
comment on column api.release.program is 'Version of the pgcredits program that migrated.';
comment on column api.release.released_at is 'When it migrated.';
comment on column api.release.whole is
'Whether functions and columns are as it left them. False when something was changed by hand, or by an older '
'pgcredits.';
