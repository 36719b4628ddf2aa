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
