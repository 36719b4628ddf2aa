-- Comments for people and for /schema. The tables themselves are in migrations/0039-finance.sql.
comment on table credits.money_returns is
'When the money of an order came back, and when it returned after that: the history of credits.orders.reversed. It is '
'append-only.';
comment on column credits.money_returns.number is '1, 2 … for each order.';
comment on column credits.money_returns.cause is
'What was last said about the order: refund, dispute, credit (a plan''s unused period, which a later invoice credited) '
'or failed_payment.';
comment on column credits.money_returns.amount is
'Minor units, with tax. Above zero: money went back to the user. Below zero: it returned.';
comment on column credits.money_returns.reversed_after is 'How much of the payment had gone back after that.';

comment on table credits.finance_accounts is
'The accounts of the journal, and what the operator calls them. credits.name_account changes them.';

comment on table credits.closed_months is
'The months (UTC) that finance.close_period has closed, without a gap. It is append-only.';
comment on column credits.closed_months.month is 'Its first day.';
comment on column credits.closed_months.closed_at is
'Entries that were posted before this moment are in the sums. Later ones belong to the months after.';
comment on column credits.closed_months.actor is 'The login that closed it.';
comment on column credits.closed_months.accounts is 'How many accounts had an entry.';
comment on column credits.closed_months.entries is 'How many entries the ledger had.';
comment on column credits.closed_months.root_hash is
'The sha256 over the last entry of every account: see credits.ledger_root.';

comment on table credits.closed_sums is
'What finance.liability_rollforward said of the months when they were closed. It is append-only.';
comment on table credits.closed_postings is
'What the journal said of the months, summed up, when they were closed. It is append-only.';
