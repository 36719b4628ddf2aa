-- Notices that come when they should, calls that are whole, modules that are spelled right, receipts that say which
-- price was taken.
set local role credits_owner;

-- What a percentage is taken of: the larger of the last purchase and the greatest lot that had tokens when some last
-- came, came back or expired.
alter table credits.notice_levels rename column last_grant to basis;
alter table credits.notice_levels add column last_purchase credits.amount not null default 0;
comment on column credits.notice_levels.basis is
'What a percentage is taken of: the larger of the last purchase and the greatest lot that had tokens when some last '
'came, came back or expired.';
comment on column credits.notice_levels.last_purchase is 'Tokens of the last purchase, with what came free with it.';
comment on column credits.notice_levels.percent is 'The same, as percent of the basis.';
comment on table credits.notice_rules is
'When users are told something, in this bank. low_balance: below so many tokens, or so many percent of the last '
'purchase or the greatest lot, whichever is larger. depleted: what is left pays for nothing.';
update credits.notice_levels as n
set last_purchase = p.tokens
from (
    select distinct on (l.account_id)
        l.account_id,
        l.granted + coalesce((
            select sum(b.granted)
            from credits.lots as b
            where b.account_id = l.account_id and b.order_id = l.order_id and b.source = 'bonus'
        ), 0) as tokens
    from credits.lots as l
    where l.source = 'purchase'
    order by l.account_id asc, l.lot_id desc
) as p
where n.account_id = p.account_id;
update credits.notice_levels as n
set basis = greatest(n.last_purchase, n.basis, g.tokens)
from (
    select
        l.account_id,
        max(l.granted) as tokens
    from credits.lots as l
    inner join credits.wallets as w on l.account_id = w.account_id
    where l.live or l.lot_id = w.head_lot
    group by l.account_id
) as g
where n.account_id = g.account_id;
-- Each head lot ended at the threshold before: every account chooses it anew when it is next touched.
update credits.wallets set due_at = '-infinity'
where head_lot is not null;

-- Quantities that come in whole numbers only.
alter table credits.price_components add column whole_quantity boolean not null default false;
comment on column credits.price_components.whole_quantity is
'True: a quantity that is no whole number is refused, as half a call is no call.';

-- The price list knows also where the price comes from, whether half a unit is refused, and the least that a use costs.
alter table credits.price_list
add column price_source text not null default 'module',
add column whole_quantity boolean not null default false,
add column least_cost credits.amount;
comment on column credits.price_list.price_source is
'module: the price is the module''s own; category: its category''s; default: that of every other module.';
comment on column credits.price_list.whole_quantity is 'The one dimension is counted in whole numbers.';
comment on column credits.price_list.least_cost is
'The least that a use costs, of the uses that cost something; null when all are free.';
-- Until it is made anew, the versions themselves are asked.
update credits.price_list set valid_until = '-infinity';

-- A module that is nearly spelled as it is listed: what remains without case, space, hyphen and underscore.
-- A short list: to write it anew takes no time.
alter table credits.modules
-- squawk-ignore adding-field-with-default
add column likeness text generated always as (
    regexp_replace(
        lower(normalize(module_id, nfkc)),
        '[\u0001-\u0020\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F'
        '\u2000-\u2015\u2028-\u202F'
        '\u02D7\u058A\u05BE\u1806\u203F\u2040\u2043\u2054\u2800\u2E17\u2E1A\u2E3A\u2E3B\u2E40\u2E5D\u301C\u3030\u30A0'
        '\uFE33\uFE34\uFE4D-\uFE4F\uFFF9-\uFFFB\U00010EAD\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A'
        '\U000E0000-\U000E0FFF'
        '\u205F-\u206F\u2212\u3000\u3164\uFE00-\uFE0F\uFE58\uFE63\uFEFF\uFF0D\uFFA0_-]',
        '', 'g'
    )
) stored;
create index modules_likeness_idx on credits.modules (likeness);
comment on column credits.modules.likeness is
'The id without case, space, hyphens and underscores: another spelling of it has the same.';

alter type api.spend_receipt add attribute price_source text;
comment on type api.spend_receipt is
'A charge: the entry, what it cost, the balance after it, and the lots it was taken from. price_source: module, '
'category or default, whose price it is.';
alter type api.hold_receipt add attribute price_source text;
comment on type api.hold_receipt is
'Tokens held, the lots they are in, and what is left beside them (available: the balance less all that is held). '
'price_source: module, category or default, whose price it is.';
alter type api.quote add attribute price_source text;
comment on type api.quote is
'What a use would cost now. available: tokens that may be spent on this module; affordable: how many such uses they '
'pay, null when it is free. price_source: module, category or default, whose price it is.';

create type api.refusal_receipt as (
    user_id text,
    module_id text,
    depleted boolean
);
comment on type api.refusal_receipt is
'Whether the tokens of a user do not pay for a use of a module.';
