-- Comments for people and for /schema. The table itself is in migrations/0037-audit_checkpoints.sql.
comment on table credits.audit_checkpoints is
'How far pgcredits audit --incremental has verified each account: the state of the wallet after entry seq. Only '
'credits.audit_changes writes it, for accounts in which it found no fault.';
comment on column credits.audit_checkpoints.seq is 'The last entry that was verified.';
comment on column credits.audit_checkpoints.posted_at is 'When that entry was posted; -infinity if there was none.';
comment on column credits.audit_checkpoints.hash is 'The hash of that entry; empty if there was none.';
comment on column credits.audit_checkpoints.verified_at is 'When it was verified.';
comment on column credits.audit_checkpoints.balance is 'The balance after that entry.';
comment on column credits.audit_checkpoints.debt is 'The debt after that entry.';
comment on column credits.audit_checkpoints.lifetime_granted is 'The tokens ever granted, after that entry.';
comment on column credits.audit_checkpoints.lifetime_spent is 'The tokens ever spent less refunds, after that entry.';
