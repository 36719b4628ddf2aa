-- How the liability to users moved: what they had paid for and not used at the beginning of each month, what changed
-- it, and what is left at its end. A closed month is shown as it was closed.
create or replace view credits.rollforward
with (security_invoker = true)
as
select
    c.month,
    c.currency,
    c.source::text as source,
    true as is_closed,
    c.opening_tokens,
    c.sold_tokens,
    c.recognised_tokens,
    c.expired_tokens,
    c.refunded_tokens,
    c.disputed_tokens,
    c.reinstated_tokens,
    c.adjusted_tokens,
    c.late_tokens,
    c.closing_tokens,
    c.opening,
    c.sold,
    c.recognised,
    c.expired,
    c.refunded,
    c.disputed,
    c.reinstated,
    c.adjusted,
    c.closing
from credits.closed_sums as c
union all
select
    m.month,
    m.currency,
    m.source::text as source,
    false as is_closed,
    m.opening_tokens,
    m.sold_tokens,
    m.recognised_tokens,
    m.expired_tokens,
    m.refunded_tokens,
    m.disputed_tokens,
    m.reinstated_tokens,
    m.adjusted_tokens,
    m.late_tokens,
    m.closing_tokens,
    m.opening,
    m.sold,
    m.recognised,
    m.expired,
    m.refunded,
    m.disputed,
    m.reinstated,
    m.adjusted,
    m.closing
from credits.ledger_months as m
where not exists (
    select from credits.closed_months as c
    where c.month >= m.month
);
comment on view credits.rollforward is
'finance.liability_rollforward, for the other views of finance, which are made before it.';
