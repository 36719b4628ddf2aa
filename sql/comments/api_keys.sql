-- Comments for people and for /schema. The tables themselves are in migrations/0028-api_keys.sql.
comment on table credits.api_keys is
'API keys of backends. They act for every account, so they have no account_id. Rows are never deleted.';
comment on column credits.api_keys.key_id is
'16 hex digits, which the text of the key contains. They are not secret, and rotation keeps them.';
comment on column credits.api_keys.name is 'What its operator calls it.';
comment on column credits.api_keys.role is 'The role that its calls have: spender, support or service_role.';
comment on column credits.api_keys.made_with is
'The key whose holder made this one. This key ends with that one, at the latest. Null: no key was used.';
comment on column credits.api_keys.made_by is 'The role, and the key if there was one, that made it.';
comment on column credits.api_keys.idempotency_key is 'The idempotency key of the call that made it.';
comment on column credits.api_keys.fingerprint is 'The sha256 of the arguments of that call.';
comment on column credits.api_keys.expires_at is 'From when it opens nothing. Null: it does not expire.';
comment on column credits.api_keys.revoked_at is 'Since when it opens nothing. Null: it is not revoked.';

comment on table credits.api_key_secrets is
'The sha256 of the secrets of API keys. A key has one that lasts, and others for a while after each rotation.';
comment on column credits.api_key_secrets.secret_hash is 'The sha256 of the whole text of the key.';
comment on column credits.api_key_secrets.valid_until is
'Until when this secret works, since another one replaces it. Null: it is the present one.';
comment on column credits.api_key_secrets.last_used_at is
'When it was last used, to the minute. Null: never.';

comment on table credits.api_key_changes is
'What was done to an API key, by whom, when and why. Rows are never changed.';
comment on column credits.api_key_changes.change is 'created, rotated or revoked.';

comment on type api.api_key is
'An API key. state: active, expired or revoked. expires_at: null means never. api_key: the text that a backend sends, '
'only in the answer that made it. replayed: a repeated call made no other key, and does not show the text again.';
comment on type api.api_key_holder is
'Whose an API key is: its role, and its state (active, replaced by a rotation, expired or revoked). Nulls: there is no '
'such key.';
