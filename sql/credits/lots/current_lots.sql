-- The lots as they are: their rows, with the sums that the wallet keeps for its head lot (see head_lot.sql).
create or replace view credits.current_lots
with (security_invoker = true)
as
select
    l.account_id,
    l.lot_id,
    l.source,
    l.package_name,
    l.granted,
    l.remaining - coalesce(w.head_taken, 0) as remaining,
    l.held + coalesce(w.head_reserved, 0) as held,
    l.priority,
    l.scope,
    l.effective_at,
    l.expires_at,
    l.unit_cost,
    l.currency,
    l.order_id,
    l.frozen,
    l.live,
    l.announced,
    l.reversed,
    l.withheld
from credits.lots as l
left join credits.wallets as w on l.account_id = w.account_id and l.lot_id = w.head_lot;
comment on view credits.current_lots is
'The lots, with the tokens that really remain and are held in them. live: the row still has tokens. A lot that is not '
'live has no tokens. withheld: how many of them cannot be spent, because money may go back. reversed: how many were '
'taken back with their money.';
