-- The accounts of users who were forgotten. Keep this list outside the bank: after a restore from an older backup,
-- their users must be forgotten again.
create or replace view api.forgotten_users
with (security_invoker = true)
as
select
    f.account_id,
    f.forgotten_at,
    f.finished_at
from credits.forgotten_accounts as f;
comment on view api.forgotten_users is
'The accounts of users who were forgotten, without saying who they were. For services.';
comment on column api.forgotten_users.account_id is 'The account, which is closed and has no user.';
comment on column api.forgotten_users.forgotten_at is 'When its user was forgotten.';
comment on column api.forgotten_users.finished_at is 'When the last entry lost what it said. Null: it is under way.';
