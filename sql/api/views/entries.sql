-- Why the balance is what it is: every movement, by seq within each account.
create or replace view api.entries
with (security_invoker = true)
as
select
    e.account_id || ':' || e.seq as entry_id,
    i.subject as user_id,
    e.seq,
    e.posted_at,
    e.effective_at,
    e.kind::text as kind,
    trim_scale(e.tokens) as tokens,
    trim_scale(e.balance_after - e.tokens) as balance_before,
    trim_scale(e.balance_after) as balance_after,
    e.draws,
    e.module_id,
    e.usage,
    e.price_id,
    coalesce(
        e.order_id::text,
        e.hold_id::text || case when e.late is true then ':late' else '' end,
        e.refunds_seq::text,
        e.campaign_id,
        e.package_name,
        -- A service granted this without naming a package.
        case when e.kind not in ('spend', 'byok', 'refund', 'expire', 'repayment') then e.kind::text end
    ) as reference,
    e.metadata,
    encode(e.hash, 'hex') as hash,
    trim_scale(e.debt_after) as debt_after,
    case
        when p.module_id is not null then 'module'
        when p.category_id is not null then 'category'
        when p.price_id is not null then 'default'
    end as price_source,
    e.tags
from credits.entries as e
left join credits.prices as p on e.price_id = p.price_id
left join lateral (
    select x.subject
    from credits.identities as x
    where x.account_id = e.account_id
    order by x.created_at, x.subject
    limit 1
) as i on true;

comment on view api.entries is 'The ledger of the caller. A service sees every account''s.';
comment on column api.entries.entry_id is 'The name of the entry: account:seq.';
comment on column api.entries.user_id is 'The user id (sub) of the account.';
comment on column api.entries.seq is '1, 2, 3 … per account, without gaps.';
comment on column api.entries.posted_at is 'When it was written.';
comment on column api.entries.effective_at is 'When it happened.';
comment on column api.entries.kind is
'purchase, bonus, grant, welcome, promo, referral, allowance, rollover, spend, byok, refund, expire, reversal, '
'reinstatement, repayment or adjustment.';
comment on column api.entries.tokens is
'The change of the balance. Above zero: tokens came in. Below zero: tokens went out.';
comment on column api.entries.balance_before is 'The balance before the entry.';
comment on column api.entries.balance_after is 'The balance after the entry.';
comment on column api.entries.draws is 'The lots that it changed, and by how much.';
comment on column api.entries.module_id is 'The module that was used.';
comment on column api.entries.usage is 'What was used, per dimension.';
comment on column api.entries.price_id is 'The version of the price.';
comment on column api.entries.price_source is
'Where the price comes from: module, category, or default (for every other module).';
comment on column api.entries.reference is
'The order, reason or package that it belongs to. For a capture: the hold, followed by :late if it had expired.';
comment on column api.entries.debt_after is 'The debt after the entry: tokens used that no lot could pay.';
comment on column api.entries.metadata is 'What the caller noted with it.';
comment on column api.entries.tags is
'What the use was for: small texts by name. A refund has those of the charge. Null for no tags.';
comment on column api.entries.hash is 'The hash chain of the account at this entry.';
