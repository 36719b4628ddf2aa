-- The sums of a month that has just been closed.
create or replace function credits.store_sums(p_month date)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into credits.closed_sums
    select x.*
    from credits.ledger_months as x
    where x.month = p_month;
    insert into credits.closed_postings (month, currency, event, account, debit, credit)
    select p_month, p.currency, p.event, p.account, p.debit, p.credit
    from credits.postings(
        'month',
        credits.later(p_month::timestamp at time zone interval '0', interval '1 month') - interval '1 microsecond'
    ) as p
    where p.period = p_month;
end
$$;
comment on function credits.store_sums(
    date
) is 'Stores what the ledger says of a month in the tables of closed months.';

-- Not even the owner changes a closed month.
create or replace function credits.refuse_closed_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(405, 'append_only', 'a closed month does not change');
    return null;
end
$$;
comment on function credits.refuse_closed_change() is 'Trigger: refuses with PT405 append_only.';

create or replace trigger closed_months_are_never_changed
before update or delete on credits.closed_months
for each row execute function credits.refuse_closed_change();
alter table credits.closed_months enable always trigger closed_months_are_never_changed;

create or replace trigger closed_months_are_never_truncated
before truncate on credits.closed_months
for each statement execute function credits.refuse_closed_change();
alter table credits.closed_months enable always trigger closed_months_are_never_truncated;

create or replace trigger closed_sums_are_never_changed
before update or delete on credits.closed_sums
for each row execute function credits.refuse_closed_change();
alter table credits.closed_sums enable always trigger closed_sums_are_never_changed;

create or replace trigger closed_sums_are_never_truncated
before truncate on credits.closed_sums
for each statement execute function credits.refuse_closed_change();
alter table credits.closed_sums enable always trigger closed_sums_are_never_truncated;

create or replace trigger closed_postings_are_never_changed
before update or delete on credits.closed_postings
for each row execute function credits.refuse_closed_change();
alter table credits.closed_postings enable always trigger closed_postings_are_never_changed;

create or replace trigger closed_postings_are_never_truncated
before truncate on credits.closed_postings
for each statement execute function credits.refuse_closed_change();
alter table credits.closed_postings enable always trigger closed_postings_are_never_truncated;
