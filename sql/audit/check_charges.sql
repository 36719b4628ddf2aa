-- Stripe would charge everything that is for sale. A price list that says otherwise is refused. This check finds a row
-- that is older than this rule, or was written without it.
create or replace view audit.check_charges
with (security_invoker = true)
as
select
    null::uuid as account_id,
    format('%s: an amount that Stripe charges', offer.what) as expected,
    credits.charge_problem(offer.amount, offer.currency) as found
from (
    select
        format('pack %L', p.pack_id) as what,
        p.amount,
        p.currency
    from credits.packs as p
    where p.active
    union all
    select
        format('least top-up in %s', t.currency) as what,
        t.minimum as amount,
        t.currency
    from credits.topups as t
    union all
    select
        format('greatest top-up in %s', t.currency) as what,
        t.maximum as amount,
        t.currency
    from credits.topups as t
    union all
    select
        format('top-up preset in %s', s.currency) as what,
        s.amount,
        s.currency
    from credits.topup_presets as s
) as offer
where credits.charge_problem(offer.amount, offer.currency) is not null;
comment on view audit.check_charges is
'Stripe would charge the price of every pack, and every amount of a top-up.

A row means: Stripe refuses this amount, so nobody can buy the pack or top up with it.

What to do: correct the amount in the price list, and apply it with `pgcredits catalog apply`.';
