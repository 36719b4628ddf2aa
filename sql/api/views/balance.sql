-- What an account has now. Expired lots and holds count for nothing, booked or not. Reading writes nothing. A user
-- without an account reads zeros, even if opening one (by api.open_account or the first spend) will bring a welcome.
create or replace view api.balance
with (security_invoker = true)
as
select
    i.subject as user_id,
    trim_scale(b.balance) as balance,
    trim_scale(b.held) as held,
    trim_scale(
        case when w.debt > a.overdraft_limit then 0 else greatest(b.balance + w.debt - b.held - b.blocked, 0) end
    ) as available,
    trim_scale(w.debt) as debt,
    trim_scale(w.lifetime_granted) as lifetime_granted,
    trim_scale(w.lifetime_spent) as lifetime_spent,
    w.status,
    l.package_name,
    l.effective_at as purchased_at,
    nullif(w.posted_at, '-infinity') as updated_at
from credits.wallets as w
inner join credits.accounts as a on w.account_id = a.account_id
cross join lateral (select coalesce(w.test_clock, credits.clock()) as shows) as c
cross join
    lateral (
        select
            w.balance - case when w.due_at <= c.shows then (
                select coalesce(sum(x.remaining - x.held), 0)
                from credits.current_lots as x
                where x.account_id = w.account_id and x.expires_at <= c.shows
            ) + (
                -- The lot is past its date, and only holds that are past their time keep it.
                select coalesce(sum(d.tokens), 0)
                from credits.held_draws as d
                inner join credits.lots as x on d.account_id = x.account_id and d.lot_id = x.lot_id
                where
                    d.account_id = w.account_id
                    and d.expires_at <= c.shows and x.expires_at <= c.shows
            ) else 0 end as balance,
            w.held - case when w.due_at <= c.shows then (
                select coalesce(sum(h.held), 0)
                from credits.holds as h
                where h.account_id = w.account_id and h.state = 'open' and h.expires_at <= c.shows
            ) else 0 end as held,
            -- The money of these tokens may go back, or they count from a later day on.
            (
                select
                    coalesce(sum(
                        case
                            when x.frozen or x.effective_at > c.shows then f.free
                            else least(x.withheld, f.free)
                        end
                    ), 0)
                from credits.current_lots as x
                cross join
                    lateral (
                        select x.remaining - x.held + coalesce(sum(d.tokens), 0) as free
                        from credits.held_draws as d
                        where
                            x.held > 0 and d.account_id = x.account_id and d.lot_id = x.lot_id
                            and d.expires_at <= c.shows
                    ) as f
                where
                    x.account_id = w.account_id and (x.frozen or x.withheld > 0 or x.effective_at > c.shows)
                    and (x.expires_at is null or x.expires_at > c.shows)
            ) as blocked
    ) as b
left join lateral (
    select x.subject
    from credits.identities as x
    where x.account_id = w.account_id
    order by x.created_at, x.subject
    limit 1
) as i on true
left join lateral (
    select
        x.package_name,
        x.effective_at
    from credits.lots as x
    where x.account_id = w.account_id and x.source = 'purchase'
    order by x.lot_id desc
    limit 1
) as l on true
union all
select
    credits.subject() as user_id,
    0 as balance,
    0 as held,
    0 as available,
    0 as debt,
    0 as lifetime_granted,
    0 as lifetime_spent,
    'active' as status,
    null as package_name,
    null as purchased_at,
    null as updated_at
where current_user = 'authenticated' and credits.me() is null and credits.subject() is not null;

comment on view api.balance is 'The balance of the caller. A service sees every account''s.';
comment on column api.balance.user_id is 'The user id (sub) of the account.';
comment on column api.balance.balance is 'Tokens, without expired ones. Below zero only with debt.';
comment on column api.balance.held is 'Tokens reserved by open holds.';
comment on column api.balance.available is
'Tokens that can be spent now, on whatever they are bound to: not held, and not frozen or withheld because their money '
'may go back. 0 while the debt is above the overdraft limit.';
comment on column api.balance.debt is 'Tokens used that no lot could pay.';
comment on column api.balance.lifetime_granted is 'All tokens that ever came in.';
comment on column api.balance.lifetime_spent is 'All tokens ever charged, less refunds.';
comment on column api.balance.status is 'active, frozen or closed.';
comment on column api.balance.package_name is 'The package that was bought last.';
comment on column api.balance.purchased_at is 'When that package was bought.';
comment on column api.balance.updated_at is 'The time of the last entry.';
