-- Comments for people and for /schema. The tables themselves are in migrations/0029-audits.sql.
comment on table credits.audits is
'What the last pgcredits audit found: one row. It says nothing about individual accounts.';
comment on column credits.audits.audited_at is 'When it ended.';
comment on column credits.audits.checks is 'How many checks it ran.';
comment on column credits.audits.findings is 'How many rows they found. 0: the books are sound.';
comment on column credits.audits.auditor is 'The SQL login that ran it.';

comment on type api.operating_figures is
'What waits in the bank and for how long, and how the last audit ended. Ages are seconds.';
