-- Forgotten users stay forgotten, and only their entries have digests in place of what they said.
create or replace view audit.check_forgotten
with (security_invoker = true)
as
select
    e.account_id,
    format('entry %s says what it said: nobody forgot this account', e.seq) as expected,
    'digests' as found
from credits.entries as e
where
    e.digests is not null
    and not exists (
        select from credits.forgotten_accounts as f
        where f.account_id = e.account_id
    )
union all
select
    e.account_id,
    format('entry %s says nothing but what the bank noted: its digests stand for the rest', e.seq) as expected,
    'it says more' as found
from credits.entries as e
where
    e.digests is not null
    and (
        (e.digests ? 'tags' and e.tags is not null)
        or (e.digests ? 'metadata' and e.metadata is distinct from credits.bank_metadata(e))
        or e.digests - array['metadata', 'tags'] <> '{}'
    )
union all
select
    f.account_id,
    'a closed account without a user' as expected,
    format('%s, %s user ids', w.status, n.identities) as found
from credits.forgotten_accounts as f
inner join credits.wallets as w on f.account_id = w.account_id
cross join
    lateral (
        select count(*) as identities from credits.identities as i
        where i.account_id = f.account_id
    ) as n
where w.status <> 'closed' or n.identities > 0
union all
select
    f.account_id,
    'entries lose what they say within a day' as expected,
    format('under way since %s: does anything call api.maintain?', credits.utc_text(f.forgotten_at)) as found
from credits.forgotten_accounts as f
where f.finished_at is null and f.forgotten_at < credits.clock() - interval '24 hours'
union all
select
    f.account_id,
    'no tokens, and no open shortfalls' as expected,
    format('%s tokens, %s open shortfalls', w.balance + w.debt, n.shortfalls) as found
from credits.forgotten_accounts as f
inner join credits.wallets as w on f.account_id = w.account_id
cross join
    lateral (
        select count(*) as shortfalls from credits.shortfalls as s
        where s.account_id = f.account_id and s.state = 'open'
    ) as n
where w.balance + w.debt > 0 or n.shortfalls > 0
union all
select
    c.account_id,
    'its customer is deleted at Stripe within a week' as expected,
    format('%s since %s: %s', c.state, credits.utc_text(c.created_at), coalesce(c.trouble, 'no answer')) as found
from credits.stripe_calls as c
where
    c.kind = 'delete_customer' and c.state <> 'done'
    and (c.state <> 'due' or c.created_at < credits.clock() - interval '168 hours');
comment on view audit.check_forgotten is
'Only entries of forgotten accounts have digests in place of what they said, and these say nothing else. Forgotten
accounts are closed. They have no user, no tokens and no open shortfalls, and their customer at Stripe is deleted. They
may have debt: Stripe may take money back later.

A row means: somebody changed an entry, or brought a forgotten user back; or a call was booked after its user was
forgotten; or the maintenance does not run; or Stripe did not delete the customer.

What to do: of what entries say, digests and users, find out who had the rights of the owner, and compare with an anchor
(docs/auditing.md). Void the lots that have tokens (`void_lot`), and write off the shortfalls (`close_shortfall`). If it
is under way, run `pgcredits maintain`. If it is about Stripe, run `pgcredits work`, or delete the customer at Stripe by
hand.';
