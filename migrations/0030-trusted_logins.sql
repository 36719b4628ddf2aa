-- Logins of other programs whose claims count: a PostgREST of one's own, or Supabase's authenticator.
set local role credits_owner;

create table credits.trusted_logins (
    login name not null,
    role_oid oid,
    roles text[] not null,
    trusted_by text not null,
    trusted_at timestamptz not null,
    constraint trusted_logins_pkey primary key (login),
    constraint trusted_logins_act_as_something check (cardinality(roles) > 0)
);
