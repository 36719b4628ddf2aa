-- Which modules are used most.
create or replace view analytics.module_usage
with (security_invoker = true)
as
with first_captures as (
    -- Of holds that were captured in parts.
    select
        h.hold_id,
        h.seqs[1] as seq
    from credits.holds as h
    where cardinality(h.seqs) > 1
)

select
    (e.posted_at at time zone interval '0')::date as day,
    e.module_id,
    count(*) filter (where e.kind <> 'refund' and coalesce(c.seq = e.seq, true)) as uses,
    count(distinct e.account_id) filter (where e.kind <> 'refund') as accounts,
    -sum(e.tokens) as tokens,
    count(*) filter (where e.kind = 'byok') as own_key_uses
from credits.entries as e
left join first_captures as c on e.hold_id = c.hold_id
where e.kind in ('spend', 'byok', 'refund')
group by 1, 2;

comment on view analytics.module_usage is
'Uses per day (UTC) and module: how many, by how many accounts, for how many tokens.';
comment on column analytics.module_usage.uses is
'Charges, and uses with the user''s own key. A hold that is captured in parts is one use, on the day of the first '
'part.';
comment on column analytics.module_usage.tokens is
'Tokens charged, less those that were refunded on the day. Below zero when more was refunded than charged.';
comment on column analytics.module_usage.own_key_uses is
'How many of the uses were made with the user''s own key, and cost no tokens.';
