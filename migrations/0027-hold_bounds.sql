-- How long holds last and how many there are.
set local role credits_owner;

alter table credits.settings
add column longest_service_hold interval not null default '168 hours',
add column most_open_holds bigint not null default 100;
comment on column credits.settings.longest_service_hold is
'How long after it was made a hold of a service can last at most: see credits.bound_holds.';
comment on column credits.settings.most_open_holds is 'How many open holds an account may have.';
