-- Which modules are used most.
create or replace view analytics.module_usage
with (security_invoker = true)
as
select
    (e.posted_at at time zone 'UTC')::date as day,
    e.module_id,
    count(*) as uses,
    count(distinct e.account_id) as accounts,
    -sum(e.tokens) as tokens
from credits.entries as e
where e.kind = 'spend'
group by 1, 2;

comment on view analytics.module_usage is
'Charges per day (UTC) and module: how many, by how many accounts, for how many tokens.';
