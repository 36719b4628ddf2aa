-- Use with the user's own key at the provider. A bank of before has the value added ahead of the transaction of its
-- migrations: a new value of an enum cannot be used before its commit.
set local role credits_owner;

alter type credits.entry_kind add value if not exists 'byok' after 'spend';
