-- Where the balance comes from, and when each part of it expires.
create or replace view api.lots
with (security_invoker = true)
as
select
    l.lot_id,
    i.subject as user_id,
    l.source::text as source,
    l.package_name,
    trim_scale(l.granted) as granted,
    trim_scale(
        case when (l.expires_at <= credits.clock(l.account_id)) is true then h.held else l.remaining end
    ) as remaining,
    trim_scale(h.held) as held,
    l.priority,
    l.scope,
    l.effective_at as granted_at,
    l.expires_at,
    coalesce(l.expires_at <= credits.clock(l.account_id), false) as expired,
    l.frozen,
    l.order_id,
    trim_scale(l.withheld) as withheld,
    trim_scale(l.reversed) as reversed
from credits.current_lots as l
cross join
    lateral (
        select l.held - coalesce(sum(d.tokens), 0) as held
        from credits.held_draws as d
        where
            l.held > 0 and d.account_id = l.account_id and d.lot_id = l.lot_id
            and d.expires_at <= credits.clock(l.account_id)
    ) as h
left join lateral (
    select x.subject
    from credits.identities as x
    where x.account_id = l.account_id
    order by x.created_at, x.subject
    limit 1
) as i on true;

comment on view api.lots is 'The lots of the caller. A service sees every account''s.';
comment on column api.lots.lot_id is 'The seq of the entry that granted it.';
comment on column api.lots.user_id is 'The user id (sub) of the account.';
comment on column api.lots.source is 'Where it came from: purchase, bonus, grant, welcome …';
comment on column api.lots.package_name is 'The package as which it was bought.';
comment on column api.lots.granted is 'Tokens that came in.';
comment on column api.lots.remaining is 'Tokens left in it.';
comment on column api.lots.held is 'How many of these are reserved by open holds.';
comment on column api.lots.priority is 'Lower is spent first.';
comment on column api.lots.scope is 'The module:ID or category:ID that it is bound to. Null: not bound.';
comment on column api.lots.granted_at is 'When it was granted.';
comment on column api.lots.expires_at is 'From this moment on it counts for nothing. Null: it never expires.';
comment on column api.lots.expired is 'Whether that moment has come.';
comment on column api.lots.frozen is
'True while its payment is disputed. The tokens cannot be spent.';
comment on column api.lots.order_id is 'The order that paid for it.';
comment on column api.lots.withheld is
'Tokens that cannot be spent, because their money may go back: a refund is under way.';
comment on column api.lots.reversed is 'Tokens that were taken back with their money.';
