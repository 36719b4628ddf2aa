-- Tags are what their writers may write. A charge of a hold has the hold's, and a refund those of the charge,
-- unless their user is being forgotten at this moment.
create or replace view audit.check_tags
with (security_invoker = true)
as
select
    e.account_id,
    format('entry %s has 1 to 8 small texts as tags, or none', e.seq) as expected,
    e.tags::text as found
from credits.entries as e
where e.tags is not null and credits.is_tags(e.tags) is not true
union all
select
    h.account_id,
    format('hold %s has 1 to 8 small texts as tags, or none', h.hold_id) as expected,
    h.tags::text as found
from credits.holds as h
where h.tags is not null and credits.is_tags(h.tags) is not true
union all
select
    e.account_id,
    format('entry %s has the tags of hold %s: %s', e.seq, e.hold_id, coalesce(h.tags::text, 'none')) as expected,
    coalesce(e.tags::text, 'none') as found
from credits.entries as e
inner join credits.holds as h on e.account_id = h.account_id and e.hold_id = h.hold_id
where
    e.tags is distinct from h.tags
    and not exists (
        select from credits.forgotten_accounts as f
        where f.account_id = e.account_id and f.finished_at is null
    )
union all
select
    e.account_id,
    format('entry %s has the tags of entry %s: %s', e.seq, e.refunds_seq, coalesce(c.tags::text, 'none')) as expected,
    coalesce(e.tags::text, 'none') as found
from credits.entries as e
inner join credits.entries as c on e.account_id = c.account_id and e.refunds_seq = c.seq
where
    e.kind = 'refund' and e.tags is distinct from c.tags
    and not exists (
        select from credits.forgotten_accounts as f
        where f.account_id = e.account_id and f.finished_at is null
    )
union all
select
    e.account_id,
    format('entry %s (%s) has no tags', e.seq, e.kind) as expected,
    e.tags::text as found
from credits.entries as e
where e.tags is not null and e.kind not in ('spend', 'byok', 'refund');
comment on view audit.check_tags is
'Tags are small texts on charges and on their refunds. A charge of a hold has the tags of the hold, and a refund
those of its charge.

A row means: tags were written by hand, or a capture or refund does not have those of its hold or charge. Tags move
no tokens.

What to do: follow "A finding in the ledger" in docs/auditing.md. The hash chain says whether the tags of an entry
were changed.';
