-- How the liability to users moved: what they had paid for and not used at the beginning of each month, what changed
-- it, and what is left at its end. A closed month is shown as it was closed: see credits.rollforward.
create or replace view finance.liability_rollforward
with (security_invoker = true)
as
select r.*
from credits.rollforward as r;

comment on view finance.liability_rollforward is
'The liability to users per month (UTC), currency and source of the tokens: opening + sold - recognised - expired '
'- refunded - disputed + reinstated - adjusted = closing, in tokens and in whole minor units of the currency. Tokens '
'that were given away are worth nothing. A closed month is shown as it was closed.';
comment on column finance.liability_rollforward.currency is
'The currency that was paid. Null for tokens that were given away without a purchase.';
comment on column finance.liability_rollforward.source is
'How the tokens came in: purchase, bonus, grant, welcome, promo, referral, allowance or rollover.';
comment on column finance.liability_rollforward.is_closed is
'Whether the month was closed and does not change any more.';
comment on column finance.liability_rollforward.sold_tokens is
'Tokens that came in. For rollover: tokens that went over from the period before, which the source allowance has as '
'expired.';
comment on column finance.liability_rollforward.recognised_tokens is
'Tokens used, less charges that were given back. They include tokens that repaid a debt.';
comment on column finance.liability_rollforward.expired_tokens is 'Tokens that passed their date.';
comment on column finance.liability_rollforward.refunded_tokens is
'Tokens taken back because their money was refunded, credited, or never came.';
comment on column finance.liability_rollforward.disputed_tokens is
'Tokens taken back because their money was disputed.';
comment on column finance.liability_rollforward.reinstated_tokens is
'Tokens given back because their money returned: a dispute was won, or a refund failed.';
comment on column finance.liability_rollforward.adjusted_tokens is
'Tokens that an operator voided, less those restored.';
comment on column finance.liability_rollforward.late_tokens is
'Of the change of this month: tokens that moved in an earlier month, but were booked after that month had been closed. '
'Below zero for tokens that went out.';
comment on column finance.liability_rollforward.sold is
'What was paid for them, without tax that comes on top, in minor units.';
comment on column finance.liability_rollforward.closing is 'The liability at the end of the month, in minor units.';
