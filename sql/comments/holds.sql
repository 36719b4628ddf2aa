-- Comments for people and for /schema. The tables themselves are in migrations/0009-holds.sql.
comment on domain credits.hold_state is
'A hold is open until it is captured or released, or expires. It never changes after that.';

comment on table credits.holds is
'Tokens reserved for work under way. A hold changes its state once: open → captured, released or expired. From '
'expires_at on, an open hold counts for nothing, booked or not. There are no foreign keys, which would lock more '
'rows. Only definer functions write this table, under the wallet''s lock.';
comment on column credits.holds.price_id is
'The version of the price at which it was made. Captures are charged by it.';
comment on column credits.holds.price_source is
'Where its price comes from: module, category, or default (for every other module).';
comment on column credits.holds.usage is 'The worst case that tokens were reserved for, per dimension.';
comment on column credits.holds.usage_left is
'The part of usage that captures have not recorded yet. Below 0 when they recorded more.';
comment on column credits.holds.tokens is 'Tokens reserved at first.';
comment on column credits.holds.held is 'Tokens still reserved.';
comment on column credits.holds.captured is 'Tokens charged: the sum of its entries.';
comment on column credits.holds.shortfall is 'The part of the cost of its captures that could not be paid.';
comment on column credits.holds.draws is
'The lots in which the held tokens are reserved, in the order in which they will be charged. The form is that of '
'credits.entries.';
comment on column credits.holds.seqs is 'The seqs of its captures in the ledger.';
comment on column credits.holds.late is 'True if it was captured after it had expired, by a fresh debit.';
comment on column credits.holds.failed is 'True if it was released for a reason that says that the work failed.';
comment on column credits.holds.by_service is
'True if a service made it. Then only a service may end it, because a user could release it while the work is done.';
comment on column credits.holds.actor is 'The role or SQL login that made it, or ended it.';
comment on column credits.holds.tags is
'What it is for, as in credits.entries. Its captures get them. Null for no tags.';
comment on column credits.holds.ttl is
'The ttl that it was made with, in seconds. This and the first_ columns are for a repeat of the call that made it.';
comment on column credits.holds.first_balance is 'The balance of the account when it was made.';
comment on column credits.holds.first_held is 'Tokens that all holds of the account kept then, this one included.';
comment on column credits.holds.first_available is
'What the account could spend then beside the hold. Null for holds of before this column.';
comment on column credits.holds.first_draws is 'The lots in which it reserved tokens at first, as in draws.';

comment on table credits.shortfalls is
'The part of the cost of finished work that neither lots nor debt could pay. It is not part of any balance. The '
'operator settles it or writes it off.';
comment on column credits.shortfalls.entry_seq is 'The capture that charged what could be paid.';

comment on table credits.failures is 'Uses of a module that failed. Nothing was charged for them.';
