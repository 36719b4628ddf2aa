-- Use with the user's own key at the provider. Alone in its transaction: a new value of an enum cannot be used before
-- its commit.
set local role credits_owner;

alter type credits.entry_kind add value 'byok' after 'spend';
