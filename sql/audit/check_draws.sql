-- Every entry moved lots by exactly what it moved the balance.
create or replace view audit.check_draws
with (security_invoker = true)
as
select
    e.account_id,
    format('draws of %s in entry %s (%s)', abs(e.tokens), e.seq, e.kind) as expected,
    format('draws of %s', d.drawn) as found
from credits.entries as e
cross join
    lateral (
        select
            coalesce(sum(x.tokens), 0) as drawn,
            coalesce(min(x.tokens), 0) as smallest
        from jsonb_to_recordset(e.draws) as x (lot_id bigint, tokens numeric)
    ) as d
where d.drawn <> abs(e.tokens) or d.smallest < 0;
comment on view audit.check_draws is 'The draws recorded on an entry add up to its tokens.';
