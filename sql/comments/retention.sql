-- Comments for people and for /schema. The tables themselves are in migrations/0035-retention.sql.
comment on table credits.retention_periods is
'How long the bank keeps what the books do not need. api.maintain forgets what is older.';
comment on column credits.retention_periods.kind is
'idempotency_keys, networks (where accounts were opened and signed in from), sessions, webhook_deliveries, notices, '
'guests, or stripe_payloads.';
comment on column credits.retention_periods.at_least is
'The shortest period that may be chosen: what callers were promised, or what other rules read.';

comment on column credits.stripe_events.slimmed_at is
'When its payload was reduced to what the audit reads (credits.without_person). Null: it is whole.';

comment on table credits.forgotten_accounts is
'Accounts whose users were forgotten. Nothing here says who they were. api.forget_user writes it, and nothing '
'removes a row.';
comment on column credits.forgotten_accounts.finished_at is
'When the last of its entries lost what it said. Null: api.maintain goes on with it.';
comment on column credits.forgotten_accounts.gave_up is 'The balance that expired because the user was forgotten.';

comment on column credits.entries.digests is
'Null, or for an entry of a forgotten account the sha256 of what is gone, in hex: metadata, tags. The hash of the '
'entry is computed with these.';

comment on type api.forgotten_user is
'A user who was forgotten. state: forgotten, or under_way while entries still have metadata. given_up: the balance '
'that expired. sql_logins: logins of the user that an administrator must still drop.';
