-- Which modules are used most.
create or replace view analytics.module_usage
with (security_invoker = true)
as
select
    (e.posted_at at time zone interval '0')::date as day,
    e.module_id,
    count(*) filter (where e.kind <> 'refund' and coalesce(h.seqs[1] = e.seq, true)) as uses,
    count(distinct e.account_id) filter (where e.kind <> 'refund') as accounts,
    -sum(e.tokens) as tokens,
    count(*) filter (where e.kind = 'byok') as own_key_uses
from credits.entries as e
left join credits.holds as h on e.account_id = h.account_id and e.hold_id = h.hold_id
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
