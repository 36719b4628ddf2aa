-- What was spent on each conversation, job or feature. A charge counts once for each of its tags.
create or replace view api.usage_by_tag
with (security_invoker = true)
as
select
    u.user_id,
    t.name,
    t.value,
    t.module_id,
    t.day,
    t.uses,
    t.tokens
from (
    select
        e.account_id,
        x.name,
        x.value,
        e.module_id,
        (e.posted_at at time zone interval '0')::date as day,
        count(*) filter (where e.kind <> 'refund' and coalesce(h.seqs[1] = e.seq, true)) as uses,
        trim_scale(-sum(e.tokens)) as tokens
    from credits.entries as e
    left join credits.holds as h on e.account_id = h.account_id and e.hold_id = h.hold_id
    cross join lateral jsonb_each_text(e.tags) as x (name, value)
    where e.tags is not null
    group by 1, 2, 3, 4, 5
) as t
left join lateral credits.user_of(t.account_id) as u on true;

comment on view api.usage_by_tag is
'What the caller spent, per tag, module and day. A service sees that of every account. A charge with several tags '
'counts for each of them, so only rows of one name can be added up.';
comment on column api.usage_by_tag.user_id is 'The user id (sub) of the account.';
comment on column api.usage_by_tag.name is 'The name of the tag, such as conversation.';
comment on column api.usage_by_tag.value is 'The value of the tag, such as c-17.';
comment on column api.usage_by_tag.module_id is 'The module that was used.';
comment on column api.usage_by_tag.day is 'The day in UTC, of the charge or of its refund.';
comment on column api.usage_by_tag.uses is
'Charges, and uses with the user''s own key. A hold that is captured in parts is one use, on the day of the first '
'part.';
comment on column api.usage_by_tag.tokens is
'Tokens charged, less those that were refunded on the day. Below zero when more was refunded than charged.';
