-- balance = tokens in the lots - debt = sum of the entries.
create or replace view audit.check_balance
with (security_invoker = true)
as
with l as (
    select
        x.account_id,
        sum(x.remaining) as remaining,
        sum(x.held) as held
    from credits.current_lots as x
    group by x.account_id
),

e as (
    select
        x.account_id,
        sum(x.tokens) as tokens
    from credits.entries as x
    group by x.account_id
)

select
    w.account_id,
    format('balance %s, held %s', w.balance, w.held) as expected,
    format(
        'lots %s - debt %s, entries %s, held by lots %s',
        coalesce(l.remaining, 0), w.debt, coalesce(e.tokens, 0), coalesce(l.held, 0)
    ) as found
from credits.wallets as w
left join l on w.account_id = l.account_id
left join e on w.account_id = e.account_id
where
    w.balance <> coalesce(l.remaining, 0) - w.debt
    or w.balance <> coalesce(e.tokens, 0)
    or w.held <> coalesce(l.held, 0)
union all
select
    w.account_id,
    format('lifetime granted %s, spent %s', coalesce(e.granted, 0), coalesce(e.spent, 0)) as expected,
    format('%s, %s', w.lifetime_granted, w.lifetime_spent) as found
from credits.wallets as w
left join (
    select
        x.account_id,
        sum(x.tokens) filter (
            where
            x.tokens > 0 and x.kind not in ('spend', 'refund', 'reinstatement')
            -- An adjustment that grants a lot, and not one that gives back what was voided.
            and (x.kind <> 'adjustment' or (x.draws -> 0 -> 'lot_id')::bigint = x.seq)
        ) as granted,
        -sum(x.tokens) filter (where x.kind in ('spend', 'refund')) as spent
    from credits.entries as x
    group by x.account_id
) as e on w.account_id = e.account_id
where w.lifetime_granted <> coalesce(e.granted, 0) or w.lifetime_spent <> coalesce(e.spent, 0)
union all
select
    w.account_id,
    format('next expiry not after %s', credits.utc_text(min(l.expires_at))) as expected,
    credits.utc_text(w.due_at) as found
from credits.wallets as w
inner join credits.current_lots as l on w.account_id = l.account_id
where l.remaining > l.held and l.expires_at < w.due_at
group by w.account_id, w.due_at
union all
-- What was announced comes when it was announced.
select
    w.account_id,
    format('purge due at %s', credits.utc_text(i.purge_at)) as expected,
    credits.utc_text(w.due_at) as found
from credits.inactive_accounts as i
inner join credits.wallets as w on i.account_id = w.account_id
where
    w.due_at > i.purge_at
    and exists (
        select
        from credits.current_lots as l
        where
            l.account_id = i.account_id and l.live and l.remaining > 0
            and l.source not in ('allowance', 'rollover')
    )
    and not exists (
        select
        from credits.entries as x
        where x.account_id = i.account_id and x.posted_at >= i.announced_at
    )
    and not exists (
        select
        from credits.current_lots as l
        where l.account_id = i.account_id and l.live and (l.held > 0 or l.withheld > 0 or l.frozen)
    );
comment on view audit.check_balance is
'The balance equals the lots minus the debt, and the sum of the entries. held, the lifetime sums, the next expiry and
an announced purge are right.

A row means: the wallet, the lots and the entries of an account disagree. The sums are kept in three places, so at
least one was changed by hand or is damaged.

What to do: follow "A finding in the ledger" in docs/auditing.md. If the hash chain of the account is sound, the
entries are right.';
