-- Every entry changed lots and debt by exactly as much as the balance.
create or replace view audit.check_draws
with (security_invoker = true)
as
select
    e.account_id,
    format('draws of %s in entry %s (%s)', abs(e.tokens + e.owed), e.seq, e.kind) as expected,
    format('draws of %s', d.drawn) as found
from (
    select
        x.account_id,
        x.seq,
        x.kind,
        x.tokens,
        x.draws,
        x.debt_after - coalesce(lag(x.debt_after) over (partition by x.account_id order by x.seq), 0) as owed
    from credits.entries as x
) as e
cross join
    lateral (
        select
            coalesce(sum(x.tokens), 0) as drawn,
            coalesce(min(x.tokens), 0) as smallest
        from jsonb_to_recordset(e.draws) as x (lot_id bigint, tokens numeric)
    ) as d
where
    -- An entry above zero puts tokens into lots; any other takes them out.
    case when e.tokens > 0 then d.drawn else -d.drawn end <> e.tokens + e.owed
    or d.smallest < 0;
comment on view audit.check_draws is
'The draws of an entry add up to its tokens and its change of the debt.

A row means: an entry moved another number of tokens in lots than in the balance, or its draws were changed
afterwards.

What to do: follow "A finding in the ledger" in docs/auditing.md. If the hash chain of the account is sound, the
bank wrote it so: report a bug.';
