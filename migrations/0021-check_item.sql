-- What it checked, credits.spend_many checks itself.
set local role credits_owner;

drop function if exists credits.check_item(jsonb);
