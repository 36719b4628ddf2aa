-- Finished work that could not be paid for.
create or replace view api.shortfalls
with (security_invoker = true)
as
select
    s.account_id || ':' || s.shortfall_id as shortfall_id,
    u.user_id,
    s.account_id || ':' || s.hold_id as hold_id,
    s.account_id || ':' || s.entry_seq as entry_id,
    trim_scale(s.tokens) as tokens,
    s.state,
    s.created_at,
    s.closed_at
from credits.shortfalls as s
left join lateral credits.user_of(s.account_id) as u on true;

comment on view api.shortfalls is
'What captures of the caller cost beyond what could be paid. A service sees those of every account.';
comment on column api.shortfalls.shortfall_id is 'Name of the shortfall: account:uuid.';
comment on column api.shortfalls.user_id is 'The user id (sub) of the account.';
comment on column api.shortfalls.hold_id is 'The hold that was captured.';
comment on column api.shortfalls.entry_id is 'The entry that charged what could be paid.';
comment on column api.shortfalls.tokens is 'Tokens that were not paid.';
comment on column api.shortfalls.state is 'open, settled or written_off.';
comment on column api.shortfalls.created_at is 'When the work was captured.';
comment on column api.shortfalls.closed_at is 'When it was settled or written off.';
