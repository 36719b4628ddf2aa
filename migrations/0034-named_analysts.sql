-- What an analyst may know beside figures: which user an account is. And who gave an analyst their reach, and when;
-- null for a grant that is older than these columns, or that somebody wrote by hand.
set local role credits_owner;

alter table credits.analyst_grants add column personal_data boolean not null default false;
alter table credits.analyst_grants add column granted_by text;
alter table credits.analyst_grants add column granted_at timestamptz;
