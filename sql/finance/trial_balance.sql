-- Where each account of the journal stands at a moment. It runs as the owner, as the functions of api do, because
-- nobody else may raise the errors of the bank.
create or replace function finance.trial_balance(at timestamptz default null)
returns table (account text, number text, name text, currency text, debit numeric, credit numeric)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not credits.is_sane_time(trial_balance.at) then
        perform credits.fail(422, 'bad_period', 'a time is from the year 2000 to 9999');
    end if;
    return query
    select
        b.account,
        a.number,
        a.name,
        b.currency,
        case when (b.balance > 0) is true then b.balance else 0 end,
        case when (b.balance < 0) is true then -b.balance else 0 end
    from (
        select p.account, p.currency, sum(p.debit - p.credit) as balance
        from credits.postings('millennium', coalesce(trial_balance.at, 'infinity')) as p
        group by p.account, p.currency
    ) as b
    inner join credits.finance_accounts as a on b.account = a.account
    order by b.currency, a.number, b.account;
end
$$;
comment on function finance.trial_balance(timestamptz) is
'The balance of each account of the journal and each currency at a moment, in minor units. Without a moment: now. The '
'debits of a currency add up to its credits.

at: everything dated until this moment counts, this moment included.

Raises PT422 bad_period.';
