-- Uses that failed and were not charged.
create or replace view api.failures
with (security_invoker = true)
as
select
    f.failure_id,
    u.user_id,
    f.failed_at,
    f.module_id,
    m.title as module_title,
    trim_scale(f.duration_ms) as duration_ms,
    f.metadata
from credits.failures as f
left join credits.modules as m on f.module_id = m.module_id
left join lateral credits.user_of(f.account_id) as u on true;

comment on view api.failures is
'Uses of the caller that failed and were not charged. A service sees those of every account.';
comment on column api.failures.failure_id is 'The name of the failure.';
comment on column api.failures.user_id is 'The user id (sub) of the account.';
comment on column api.failures.failed_at is 'When it was reported.';
comment on column api.failures.module_id is 'The module that failed.';
comment on column api.failures.module_title is 'Its title, if the module is listed.';
comment on column api.failures.duration_ms is 'How long it took, in milliseconds; null when it was not reported.';
comment on column api.failures.metadata is 'What the service noted with it.';
