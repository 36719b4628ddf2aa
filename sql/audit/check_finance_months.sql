-- A closed month is what it was when it was closed.
create or replace view audit.check_finance_months
with (security_invoker = true)
as
with ledger as materialized (
    select m.*
    from credits.ledger_months as m
),

postings as materialized (
    select
        p.period as month,
        p.currency,
        p.event,
        p.account,
        p.debit,
        p.credit
    from credits.postings('month', 'infinity') as p
),

last_close as (
    select m.*
    from credits.closed_months as m
    order by m.month desc
    limit 1
)

select
    null::uuid as account_id,
    format('%s, closed with %s', to_char(c.month::timestamp, 'YYYY-MM'), to_jsonb(c)) as expected,
    coalesce(to_jsonb(m)::text, 'nothing in the ledger') as found
from credits.closed_sums as c
left join ledger as m
    on c.month = m.month and c.source = m.source and coalesce(c.currency, '') = coalesce(m.currency, '')
where to_jsonb(c) is distinct from to_jsonb(m)
union all
select
    null as account_id,
    format(
        '%s has no tokens of %s, as when it was closed', to_char(m.month::timestamp, 'YYYY-MM'), m.source
    ) as expected,
    to_jsonb(m)::text as found
from ledger as m
inner join credits.closed_months as x on m.month = x.month
where
    not exists (
        select from credits.closed_sums as c
        where c.month = m.month and c.source = m.source and coalesce(c.currency, '') = coalesce(m.currency, '')
    )
union all
select
    null as account_id,
    format(
        '%s, %s of %s in %s: debit %s, credit %s', to_char(coalesce(c.month, p.month)::timestamp, 'YYYY-MM'),
        coalesce(c.event, p.event),
        coalesce(c.account, p.account), coalesce(c.currency, p.currency), coalesce(c.debit, 0), coalesce(c.credit, 0)
    ) as expected,
    format('debit %s, credit %s', coalesce(p.debit, 0), coalesce(p.credit, 0)) as found
from credits.closed_postings as c
full join (
    select x.*
    from postings as x
    inner join credits.closed_months as m on x.month = m.month
) as p on c.month = p.month and c.currency = p.currency and c.event = p.event and c.account = p.account
where
    coalesce(c.debit, 0) is distinct from coalesce(p.debit, 0)
    or coalesce(c.credit, 0) is distinct from coalesce(p.credit, 0)
union all
-- Anyone who writes a chain anew changes the last entries of all later closes, too.
select
    null as account_id,
    format('%s accounts with %s entries and the root %s', c.accounts, c.entries, encode(c.root_hash, 'hex'))
        as expected,
    format('%s, %s and %s', r.accounts, r.entries, encode(r.root, 'hex')) as found
from last_close as c
cross join lateral credits.ledger_root(c.closed_at) as r
where
    r.root is distinct from c.root_hash or r.accounts is distinct from c.accounts
    or r.entries is distinct from c.entries;
comment on view audit.check_finance_months is
'What finance.close_period stored of each closed month is what the ledger still says of it, and the last entries '
'that it closed over are the same. An entry that was changed while its hash was left is a finding of check_hash_chain.

A row means: entries of a closed month, or what was stored of it, were changed behind the bank''s back, or an entry was '
'written with an earlier time than its close.

What to do: run `pgcredits audit verify` with an anchor from before, and look for the accounts whose chains it names. '
'Restore the ledger from a backup if it was rewritten. Until then, believe the export of the month.';
