-- Holds, and how they ended. A hold whose time is over is shown as expired, whether or not that is booked.
create or replace view api.holds
with (security_invoker = true)
as
select
    h.account_id || ':' || h.hold_id as hold_id,
    u.user_id,
    h.module_id,
    case when x.lapsed then 'expired' else h.state::text end as state,
    trim_scale(h.tokens) as tokens,
    case when x.lapsed then 0 else trim_scale(h.held) end as held,
    trim_scale(h.captured) as captured,
    trim_scale(h.shortfall) as shortfall,
    h.usage,
    h.price_id,
    h.created_at,
    h.expires_at,
    case when x.lapsed then h.expires_at else h.finished_at end as finished_at,
    round(
        extract(epoch from case when x.lapsed then h.expires_at else h.finished_at end - h.created_at) * 1000, 3
    ) as duration_ms,
    h.late,
    h.reason,
    h.metadata,
    h.price_source,
    h.tags
from credits.holds as h
cross join lateral (select h.state = 'open' and h.expires_at <= credits.clock(h.account_id) as lapsed) as x
left join lateral credits.user_of(h.account_id) as u on true;

comment on view api.holds is 'The holds of the caller. A service sees those of every account.';
comment on column api.holds.hold_id is 'Name of the hold: account:uuid.';
comment on column api.holds.user_id is 'The user id (sub) of the account.';
comment on column api.holds.module_id is 'The module that the hold is for.';
comment on column api.holds.state is 'open, captured, released or expired. A hold that is captured late stays expired.';
comment on column api.holds.tokens is 'Tokens held at the beginning: the worst case.';
comment on column api.holds.held is 'Tokens still held.';
comment on column api.holds.captured is 'Tokens charged so far.';
comment on column api.holds.shortfall is 'The part of the cost of its captures that could not be paid.';
comment on column api.holds.usage is 'The worst case, per dimension.';
comment on column api.holds.price_id is 'The version of the price that applies to its captures.';
comment on column api.holds.created_at is 'When the work began.';
comment on column api.holds.expires_at is 'From this moment on the hold no longer counts.';
comment on column api.holds.finished_at is 'When it was captured or released, or expired.';
comment on column api.holds.duration_ms is 'From created_at to finished_at, in milliseconds.';
comment on column api.holds.late is 'True if it was captured after it had expired.';
comment on column api.holds.reason is 'Why it was released.';
comment on column api.holds.metadata is 'What the caller noted with it.';
comment on column api.holds.tags is 'What it is for: small texts by name. Null for no tags.';
comment on column api.holds.price_source is
'Where its price comes from: module, category, or default (for every other module).';
