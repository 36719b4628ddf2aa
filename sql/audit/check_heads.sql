-- A permit ends at the next limit, notice or lot. Before anything is spent, what is due on the wallet is booked, which
-- takes the permit back.
create or replace view audit.check_heads
with (security_invoker = true)
as
select
    w.account_id,
    format(
        'a permit for at most %s tokens of lot %s',
        case when w.debt > o.overdraft_limit then 0 else credits.tighter(a.allowed, coalesce(n.free, 0)) end, n.lot_id
    ) as expected,
    format('%s of lot %s', w.head_permit, w.head_lot) as found
from credits.wallets as w
inner join credits.accounts as o on w.account_id = o.account_id
cross join lateral (select coalesce(w.test_clock, credits.clock()) as shows) as c
cross join lateral (select credits.head_allowance(w.account_id, c.shows) as allowed) as a
left join lateral (
    select
        f.lot_id,
        f.free
    from credits.free_lots(w.account_id, c.shows) with ordinality as f (lot_id, scope, free, place)
    order by f.place
    limit 1
) as n on true
where
    w.head_permit > 0 and w.due_at > c.shows
    and (
        w.head_permit > a.allowed or n.lot_id is distinct from w.head_lot or w.head_permit > n.free
        or w.debt > o.overdraft_limit
    )
union all
select
    w.account_id,
    'tokens that a hold frees in the head lot have no other effect' as expected,
    format(
        'lot %s expires at %s, low balance armed: %s, depleted armed: %s, threshold %s, of a top-up %s',
        w.head_lot, credits.utc_text(l.expires_at), n.low_armed, n.depleted_armed, n.low,
        credits.topup_threshold(w.account_id)
    ) as found
from credits.wallets as w
cross join lateral (select coalesce(w.test_clock, credits.clock()) as shows) as c
cross join lateral credits.notice_levels_of(w.account_id) as n
left join credits.lots as l on w.account_id = l.account_id and w.head_lot = l.lot_id
where
    w.head_quiet and w.due_at > c.shows
    and (
        l.lot_id is null or l.expires_at is not null or n.low_armed is not true or n.depleted_armed is false
        or (n.low > w.balance - w.held) is true
        or (credits.topup_threshold(w.account_id) > w.balance - w.held) is true
    );
comment on view audit.check_heads is
'The permit of a wallet ends before the next limit or threshold of a notice or of an automatic top-up, and is for the
next lot. So no spend can pass a limit or a threshold unnoticed, or take from the wrong lot. No notice or expiry is
missed when a hold frees tokens in the head lot.

A row means: a spend of this account may pass a limit, miss a notice, or take from the wrong lot, until its next
full check.

What to do: freeze the account with api.freeze_account and thaw it: both take the permit back. If the row comes back
without a change of the tables by hand, report a bug.';
