-- A refund belongs to a charge. It gives back no more than the charge took, to the lots that it took from
-- and to those that repaid debt.
create or replace view audit.check_refunds
with (security_invoker = true)
as
with refunds as (
    select
        e.account_id,
        e.refunds_seq as charge_seq,
        e.seq,
        e.tokens,
        e.draws
    from credits.entries as e
    where e.kind = 'refund'
),

given_back as (
    select
        r.account_id,
        r.charge_seq,
        sum(r.tokens) as tokens,
        min(r.seq) as first_seq,
        array_agg(r.seq order by r.seq) as seqs
    from refunds as r
    group by r.account_id, r.charge_seq
),

-- What went back into each lot, for each charge, and what that charge took from it.
returned as (
    select
        r.account_id,
        r.charge_seq,
        d.lot_id,
        sum(d.tokens) as tokens
    from refunds as r
    cross join lateral jsonb_to_recordset(r.draws) as d (lot_id bigint, tokens numeric)
    group by r.account_id, r.charge_seq, d.lot_id
),

taken as (
    select
        g.account_id,
        g.charge_seq,
        d.lot_id,
        sum(d.tokens) as tokens
    from given_back as g
    inner join credits.entries as e on g.account_id = e.account_id and g.charge_seq = e.seq
    cross join lateral jsonb_to_recordset(e.draws) as d (lot_id bigint, tokens numeric)
    group by g.account_id, g.charge_seq, d.lot_id
),

-- Debt of a charge that a purchase repaid goes back into that purchase's lot.
repaid as (
    select
        e.account_id,
        e.seq,
        d.lot_id,
        sum(d.tokens) as tokens
    from credits.entries as e
    cross join lateral jsonb_to_recordset(e.draws) as d (lot_id bigint, tokens numeric)
    where e.kind = 'repayment'
    group by e.account_id, e.seq, d.lot_id
),

-- What is recorded as refunded, of charges and of repayments.
noted as (
    select
        c.account_id,
        c.seq,
        c.refunded,
        c.refund_seqs,
        p.tokens as repaid
    from credits.charge_refunds as c
    left join repaid as p on c.account_id = p.account_id and c.seq = p.seq
)

select
    coalesce(g.account_id, c.account_id) as account_id,
    format(
        'entry %s charged %s, refunds of it %s by the entries %s',
        coalesce(g.charge_seq, c.seq), coalesce(-e.tokens, 0), coalesce(g.tokens, 0), coalesce(g.seqs, '{}')
    ) as expected,
    format('%s refunded by the entries %s', coalesce(c.refunded, 0), coalesce(c.refund_seqs, '{}')) as found
from given_back as g
full join (
    select x.*
    from noted as x
    where x.repaid is null
) as c on g.account_id = c.account_id and g.charge_seq = c.seq
left join credits.entries as e
    on
        coalesce(g.account_id, c.account_id) = e.account_id and coalesce(g.charge_seq, c.seq) = e.seq
        and e.kind = 'spend'
where
    g.tokens is distinct from c.refunded
    or c.refunded > -coalesce(e.tokens, 0)
    or g.first_seq < e.seq
    or g.seqs is distinct from c.refund_seqs
union all
select
    r.account_id,
    format('entry %s took %s from lot %s', r.charge_seq, coalesce(t.tokens, 0), r.lot_id) as expected,
    format('%s went back', r.tokens) as found
from returned as r
left join taken as t on r.account_id = t.account_id and r.charge_seq = t.charge_seq and r.lot_id = t.lot_id
left join (
    select
        x.account_id,
        x.lot_id,
        sum(x.tokens) as tokens
    from repaid as x
    group by x.account_id, x.lot_id
) as p on r.account_id = p.account_id and r.lot_id = p.lot_id
where r.tokens > coalesce(t.tokens, 0) + coalesce(p.tokens, 0)
union all
select
    c.account_id,
    format('at most %s of repayment %s gone back', c.repaid, c.seq) as expected,
    format('%s', c.refunded) as found
from noted as c
where c.refunded > c.repaid
union all
select
    e.account_id,
    format('entry %s (%s) refunds no charge', e.seq, e.kind) as expected,
    format('entry %s', e.refunds_seq) as found
from credits.entries as e
where e.kind <> 'refund' and e.refunds_seq is not null;
comment on view audit.check_refunds is
'The refunds of a charge add up to what is recorded as refunded, and to no more than the charge took. They went into
the lots that the charge took from, or that repaid debt.

A row means: a charge gave back more or less than the refunds of it say, or to other lots.

What to do: follow "A finding in the ledger" in docs/auditing.md. Correct the balance with api.add_tokens or
api.void_lot, and name the entry as the reason.';
