-- What the last `pgcredits migrate` left here. By it the next one sees that nothing has changed, and the audit sees
-- what somebody has changed by hand.
set local role credits_owner;

create table credits.releases (
    one_row boolean not null default true,
    program text not null,
    server bigint not null,
    migration text not null,
    digest text not null,
    files jsonb not null,
    functions_digest text not null,
    columns_digest text not null,
    hardened boolean not null,
    released_at timestamptz not null,
    constraint releases_pkey primary key (one_row),
    constraint releases_are_one_row check (one_row)
);
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

create table credits.release_objects (
    kind text not null,
    name text not null,
    definition text not null,
    source text,
    constraint release_objects_pkey primary key (kind, name)
);
comment on table credits.release_objects is
'Every object in the schemas of the bank that pgcredits migrate has made, as credits.standing_objects() shows it.';
comment on column credits.release_objects.definition is 'Digest of what PostgreSQL says it is.';
comment on column credits.release_objects.source is
'Digest of the statement that made it, where migrate leaves it alone while neither has changed; else null.';
