-- Comments for people and for /schema. The tables themselves are in migrations/0009-holds.sql.
comment on domain credits.hold_state is 'open until it is captured or released, or has expired: one transition.';

comment on table credits.holds is
'Tokens reserved for work under way. One transition: open → captured, released or expired. From expires_at on an '
'open one counts for nothing, booked or not. No foreign keys, which would lock more rows: only definer functions '
'write it, under the wallet''s lock.';
comment on column credits.holds.price_id is 'The version of the price that it was made at: captures are charged by it.';
comment on column credits.holds.price_source is
'Whose price it keeps: module, category, or default, that of every other module.';
comment on column credits.holds.usage is 'The worst case that tokens were reserved for, per dimension.';
comment on column credits.holds.usage_left is
'Of this, what captures have not recorded yet; below 0 when they recorded more.';
comment on column credits.holds.tokens is 'Tokens reserved at first.';
comment on column credits.holds.held is 'Tokens still reserved.';
comment on column credits.holds.captured is 'Tokens charged: what its entries add up to.';
comment on column credits.holds.shortfall is 'What its captures cost beyond that.';
comment on column credits.holds.draws is
'The lots that held is reserved in, first to be charged first: as in credits.entries.';
comment on column credits.holds.seqs is 'Its entries: the captures.';
comment on column credits.holds.late is 'Captured after it had expired, by a fresh debit.';
comment on column credits.holds.failed is 'Released for a reason that says that the work failed.';
comment on column credits.holds.by_service is
'Made by a service, which alone may then end it: a user could let go of it while the work is done.';
comment on column credits.holds.actor is 'The role or SQL login that made it, or ended it.';
comment on column credits.holds.ttl is
'Seconds that it was made for. This and the first_ columns are for a repeat of the call that made it.';
comment on column credits.holds.first_balance is 'Balance of the account when it was made.';
comment on column credits.holds.first_held is 'Tokens that all holds of the account kept then, this one included.';
comment on column credits.holds.first_draws is 'The lots that it reserved tokens in at first: as draws.';

comment on table credits.shortfalls is
'What finished work cost beyond what lots and debt could pay. Not part of any balance: for the operator to settle '
'or to write off.';
comment on column credits.shortfalls.entry_seq is 'The capture that charged what could be paid.';

comment on table credits.failures is 'Uses of a module that failed: nothing was charged for them.';
