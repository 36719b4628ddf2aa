-- How much each account uses.
create or replace view analytics.account_use
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
    date_trunc('month', e.posted_at at time zone interval '0')::date as month,
    e.account_id,
    count(*) filter (where e.kind <> 'refund' and coalesce(c.seq = e.seq, true)) as uses,
    count(*) filter (where e.kind = 'byok') as own_key_uses,
    -sum(e.tokens) as tokens
from credits.entries as e
left join first_captures as c on e.hold_id = c.hold_id
where e.kind in ('spend', 'byok', 'refund')
group by 1, 2;

comment on view analytics.account_use is
'Per month (UTC) and account: uses, and the tokens that were charged for them.';
comment on column analytics.account_use.account_id is 'Says nothing about the person: see people.';
comment on column analytics.account_use.uses is
'Charges, and uses with the user''s own key. A hold counts as one use, in the month of its first capture, however many '
'captures it has.';
comment on column analytics.account_use.own_key_uses is
'How many of the uses were made with the user''s own key, and cost no tokens.';
comment on column analytics.account_use.tokens is 'Tokens charged, less those that were refunded in the month.';
