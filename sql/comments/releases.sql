-- Comments for people and for /schema. The tables themselves are in migrations/0014-releases.sql.
comment on table credits.releases is 'What the last pgcredits migrate left: one row, written in its transaction.';
comment on column credits.releases.program is 'Version of pgcredits.';
comment on column credits.releases.server is 'Major version of PostgreSQL, which decides how it spells definitions.';
comment on column credits.releases.migration is 'The newest migration.';
comment on column credits.releases.digest is
'Digest of everything that decides the outcome of migrate: the files, the versions, the month.';
comment on column credits.releases.files is 'Digest of each file of sql/.';
comment on column credits.releases.functions_digest is 'credits.functions_digest() as it was then.';
comment on column credits.releases.columns_digest is 'credits.columns_digest() as it was then.';
comment on column credits.releases.hardened is
'Whether the database is the bank''s own: PUBLIC may neither connect nor make temporary objects (--harden-database).';

comment on table credits.release_objects is
'Every object in the schemas of the bank that pgcredits migrate has made, as credits.standing_objects() shows it.';
comment on column credits.release_objects.definition is 'Digest of its definition as PostgreSQL prints it.';
comment on column credits.release_objects.source is
'Digest of the statement that made it, for objects that migrate leaves alone while neither has changed. Null for '
'others.';
