-- Who the accounts are, for the analysts who may know.
create or replace view analytics.people
with (security_invoker = true)
as
select
    i.account_id,
    i.subject as user_id,
    credits.analyst_email(i.subject) as email,
    i.created_at as known_since
from credits.identities as i;

comment on view analytics.people is
'Which user an account is. Only analysts who were added with --personal-data see rows, and only those of their '
'segments. An account has several rows if several user ids lead to it.';
comment on column analytics.people.account_id is 'The account, as in running_out and account_use.';
comment on column analytics.people.user_id is 'The user id (sub) of the identity provider.';
comment on column analytics.people.email is
'The e-mail address with which the user signs in here. Null where another issuer signs the tokens.';
comment on column analytics.people.known_since is 'When the bank first heard of this user id.';
