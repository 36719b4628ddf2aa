-- What stands where, for people and for /schema: the shape itself is in migrations/0014-releases.sql.
comment on table credits.releases is 'What the last pgcredits migrate left: one row, written in its transaction.';
comment on column credits.releases.program is 'Version of pgcredits.';
comment on column credits.releases.server is 'Major version of PostgreSQL, which decides how it spells definitions.';
comment on column credits.releases.migration is 'The newest migration.';
comment on column credits.releases.digest is
'Digest of everything that decided the outcome: the files, the versions, the month.';
comment on column credits.releases.files is 'Digest of each file of sql/.';
comment on column credits.releases.functions_digest is 'credits.functions_digest() as it was then.';
comment on column credits.releases.columns_digest is 'credits.columns_digest() as it was then.';
comment on column credits.releases.hardened is
'The database is the bank''s own: PUBLIC may neither connect nor make temporary objects (--harden-database).';

comment on table credits.release_objects is
'Every object in the schemas of the bank that pgcredits migrate has made, as credits.standing_objects() shows it.';
comment on column credits.release_objects.definition is 'Digest of what PostgreSQL says it is.';
comment on column credits.release_objects.source is
'Digest of the statement that made it, where migrate leaves it alone while neither has changed; else null.';
