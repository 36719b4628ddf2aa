-- What was given away, and what became of it. Gifts are worth nothing, so these are tokens.
create or replace view finance.promotions
with (security_invoker = true)
as
select
    r.month,
    r.source,
    r.is_closed,
    r.opening_tokens,
    r.sold_tokens as given_tokens,
    r.recognised_tokens as used_tokens,
    r.expired_tokens,
    r.refunded_tokens + r.disputed_tokens - r.reinstated_tokens + r.adjusted_tokens as taken_back_tokens,
    r.closing_tokens
from credits.rollforward as r
where r.source in ('bonus', 'grant', 'welcome', 'promo', 'referral');

comment on view finance.promotions is
'Tokens that were given away, per month (UTC) and source: opening + given - used - expired - taken back = closing.';
comment on column finance.promotions.source is
'bonus (free with a pack), grant (by the operator), welcome, promo (a code) or referral.';
comment on column finance.promotions.taken_back_tokens is
'Tokens taken back with the money of an order, or voided, less those given back.';
