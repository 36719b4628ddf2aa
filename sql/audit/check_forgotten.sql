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
    c.account_id,
    'its customer is deleted at Stripe within a week' as expected,
    format('%s since %s: %s', c.state, credits.utc_text(c.created_at), coalesce(c.trouble, 'no answer')) as found
from credits.stripe_calls as c
where
    c.kind = 'delete_customer' and c.state <> 'done'
    and (c.state <> 'due' or c.created_at < credits.clock() - interval '168 hours');
comment on view audit.check_forgotten is
'Only entries of forgotten accounts have digests in place of what they said. Forgotten accounts are closed and have no
user, and their customer at Stripe is deleted.

A row means: somebody changed an entry, or brought a forgotten user back; or the maintenance does not run; or Stripe did
not delete the customer.

What to do: of digests and users, find out who had the rights of the owner, and compare with an anchor
(docs/auditing.md). If it is under way, run `pgcredits maintain`. If it is about Stripe, run `pgcredits work`, or delete
the customer at Stripe by hand.';
