-- consume_tokens learns byok: a service says that the user's own key was used. Recorded, not charged.
set local role credits_owner;

insert into credits.entry_kinds (kind, counter_account, description) values
('byok', 'usage', 'use with the user''s own key: recorded, not charged');

drop function if exists api.consume_tokens(text, jsonb, text, text, jsonb);
drop function if exists credits.spend(uuid, text, text, jsonb, text, jsonb, numeric);
