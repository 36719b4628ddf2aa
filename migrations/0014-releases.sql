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

create table credits.release_objects (
    kind text not null,
    name text not null,
    definition text not null,
    source text,
    constraint release_objects_pkey primary key (kind, name)
);
