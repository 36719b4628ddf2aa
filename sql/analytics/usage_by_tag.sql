-- What is spent on each conversation, job or feature, over all accounts. Only tags that a service gave count: users
-- write what they like on their own charges, and analysts must not read it. The tags of a hold are its maker's.
create or replace view analytics.usage_by_tag
with (security_invoker = true)
as
with service as (
    select r.rolname as name
    from pg_roles as r
    where pg_has_role(r.oid, 'spender', 'member')
),

movement as (
    select
        e.account_id,
        e.posted_at,
        e.module_id,
        e.tokens,
        e.tags,
        coalesce(h.seqs[1] = e.seq, true) as is_use
    from credits.entries as e
    left join credits.holds as h on e.account_id = h.account_id and e.hold_id = h.hold_id
    where
        e.tags is not null and e.kind in ('spend', 'byok')
        and coalesce(h.by_service, e.actor in (select s.name from service as s))
    union all
    -- A service makes each refund. Who gave the tags is written on the charge, which is looked up by the ledger's key.
    select
        e.account_id,
        e.posted_at,
        e.module_id,
        e.tokens,
        e.tags,
        false as is_use
    from credits.entries as e
    cross join
        lateral (
            select
                x.hold_id,
                x.actor
            from credits.entries as x
            where x.account_id = e.account_id and x.seq = e.refunds_seq and x.posted_at <= e.posted_at
            order by x.seq
            limit 1
        ) as c
    left join credits.holds as h on e.account_id = h.account_id and c.hold_id = h.hold_id
    where
        e.tags is not null and e.kind = 'refund'
        and coalesce(h.by_service, c.actor in (select s.name from service as s))
),

-- Accounts are counted after this step. Counting distinct ones would sort all the tags.
per_account as (
    select
        m.account_id,
        (m.posted_at at time zone interval '0')::date as day,
        t.name,
        t.value,
        m.module_id,
        count(*) filter (where m.is_use) as uses,
        -sum(m.tokens) as tokens
    from movement as m
    cross join lateral jsonb_each_text(m.tags) as t (name, value)
    group by m.account_id, (m.posted_at at time zone interval '0')::date, t.name, t.value, m.module_id
)

select
    p.day,
    p.name,
    p.value,
    p.module_id,
    sum(p.uses)::bigint as uses,
    count(*) filter (where p.uses > 0) as accounts,
    trim_scale(sum(p.tokens)) as tokens
from per_account as p
group by p.day, p.name, p.value, p.module_id;

comment on view analytics.usage_by_tag is
'Uses per day (UTC), tag and module, where a service gave the tag. A charge with several tags counts for each of them, '
'so only rows of one name can be added up.';
comment on column analytics.usage_by_tag.name is 'The name of the tag, such as feature.';
comment on column analytics.usage_by_tag.value is 'The value of the tag, such as chat.';
comment on column analytics.usage_by_tag.uses is
'Charges, and uses with the user''s own key. A hold that is captured in parts is one use, on the day of the first '
'part.';
comment on column analytics.usage_by_tag.accounts is 'How many accounts had these uses.';
comment on column analytics.usage_by_tag.tokens is
'Tokens charged, less those that were refunded on the day. Below zero when more was refunded than charged.';
