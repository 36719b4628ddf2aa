-- What was used, and what it cost.
create or replace view api.usage
with (security_invoker = true)
as
select
    e.account_id || ':' || e.seq as entry_id,
    i.subject as user_id,
    e.posted_at as used_at,
    e.module_id,
    m.title as module_title,
    e.usage,
    trim_scale(-e.tokens) as cost,
    trim_scale(e.balance_after) as balance_after,
    e.price_id,
    e.metadata,
    e.kind = 'byok' as own_key,
    h.account_id || ':' || h.hold_id as hold_id,
    coalesce(
        round(extract(epoch from h.finished_at - h.created_at) * 1000, 3),
        trim_scale(credits.quantity(e.metadata -> 'duration_ms'))
    ) as duration_ms,
    trim_scale(coalesce(r.refunded, 0)) as refunded,
    case
        when p.module_id is not null then 'module'
        when p.category_id is not null then 'category'
        when p.price_id is not null then 'default'
    end as price_source,
    e.tags
from credits.entries as e
left join credits.prices as p on e.price_id = p.price_id
left join credits.charge_refunds as r on e.account_id = r.account_id and e.seq = r.seq
left join credits.modules as m on e.module_id = m.module_id
left join credits.holds as h
    on
        e.account_id = h.account_id and e.hold_id = h.hold_id
left join lateral (
    select x.subject
    from credits.identities as x
    where x.account_id = e.account_id
    order by x.created_at, x.subject
    limit 1
) as i on true
where e.kind in ('spend', 'byok');

comment on view api.usage is 'The charges of the caller. A service sees those of every account.';
comment on column api.usage.entry_id is 'The name of the entry: account:seq.';
comment on column api.usage.user_id is 'The user id (sub) of the account.';
comment on column api.usage.used_at is 'When it was charged.';
comment on column api.usage.module_id is 'The module that was used.';
comment on column api.usage.module_title is 'The title of the module, if the catalog lists it.';
comment on column api.usage.usage is 'What was used, per dimension.';
comment on column api.usage.cost is 'Tokens charged, whether or not they were refunded later.';
comment on column api.usage.balance_after is 'The balance after the charge.';
comment on column api.usage.price_id is 'The version of the price.';
comment on column api.usage.price_source is
'Where the price comes from: module, category, or default (for every other module).';
comment on column api.usage.metadata is 'What the caller noted with the charge.';
comment on column api.usage.tags is 'What it was for: small texts by name. Null for no tags.';
comment on column api.usage.own_key is
'True when the user''s own key at the provider was used. Such a use is not charged.';
comment on column api.usage.hold_id is 'The hold that this charge captured; null for a charge without a hold.';
comment on column api.usage.duration_ms is
'How long the use took, in milliseconds. For a hold: from its beginning to its end. Otherwise: what the caller noted '
'in metadata.';
comment on column api.usage.refunded is 'How much of the cost was given back.';
