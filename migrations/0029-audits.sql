-- When the books were last audited and what was found, and the figures that operators watch.
set local role credits_owner;

create table credits.audits (
    one_row boolean not null default true,
    audited_at timestamptz not null,
    checks bigint not null,
    findings bigint not null,
    auditor text not null,
    constraint audits_pkey primary key (one_row),
    constraint audits_are_one_row check (one_row),
    constraint audits_had_checks check (checks > 0 and findings >= 0)
);

create type api.operating_figures as (
    notices_waiting bigint,
    notices_age numeric,
    messages_due bigint,
    messages_age numeric,
    events_waiting bigint,
    events_age numeric,
    audit_age numeric,
    audit_checks bigint,
    audit_findings bigint
);
