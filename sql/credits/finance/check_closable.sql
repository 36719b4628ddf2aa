-- Which month may be closed: the one after the last closed month; at first, that of the first entry.
create or replace function credits.month_to_close()
returns date
language sql
stable
return coalesce(
    (select (max(m.month) + interval '1 month')::date from credits.closed_months as m),
    (
        select date_trunc('month', min(e.effective_at) at time zone interval '0')::date
        from credits.entries as e
    )
);
comment on function credits.month_to_close() is 'The first month that is not closed. Null while the ledger is empty.';

-- Entries are dated by the test clock of their account. With an earlier time than that of the close, the account would
-- write entries that the close counts already.
create or replace function credits.check_test_clocks(p_moment timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_accounts bigint;
begin
    select count(*) into v_accounts from credits.wallets as w where w.test_clock < p_moment;
    if v_accounts > 0 then
        perform credits.fail(
            409, 'month_not_over', 'test clocks of accounts show an earlier time than this close: move them ahead first',
            json_build_object('accounts', v_accounts, 'closed_at', credits.utc_text(p_moment))
        );
    end if;
end
$$;
comment on function credits.check_test_clocks(timestamptz) is
'Refuses to close a month at a moment that has not come by the test clock of an account. Raises PT409 month_not_over '
'(with the number of accounts, and the moment).';

create or replace function credits.check_closable(p_month date)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_end constant timestamptz := credits.later(p_month::timestamp at time zone interval '0', interval '1 month');
    v_first date;
    v_late bigint;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        perform credits.fail(
            422, 'bad_isolation', 'a month is closed in READ COMMITTED, which sees what others have just written'
        );
    end if;
    begin
        lock table credits.closed_months in share row exclusive mode nowait;
    exception
        when lock_not_available then
            perform credits.fail(503, 'busy', 'somebody else is closing a month: try again');
    end;
    v_first := credits.month_to_close();
    if (
        p_month between date '2000-01-01' and date '9999-11-01' and extract(day from p_month) = 1
        and (p_month >= v_first or exists (select from credits.closed_months as m where m.month = p_month))
    ) is not true then
        perform credits.fail(
            422, 'bad_period', 'a month is named by its first day, and the ledger has an entry in it or before',
            json_build_object('first', v_first)
        );
    elsif exists (select from credits.closed_months as m where m.month = p_month) then
        perform credits.fail(409, 'month_closed', 'this month is closed');
    elsif (p_month > v_first) is true then
        perform credits.fail(
            409, 'month_open', 'an earlier month is open: close it first', json_build_object('month', v_first)
        );
    elsif (v_end > credits.clock()) is true then
        perform credits.fail(
            409, 'month_not_over', 'this month is not over', json_build_object('ends_at', credits.utc_text(v_end))
        );
    end if;
    perform credits.check_test_clocks(credits.clock());
    select count(*) into v_late
    from credits.current_lots as l
    where l.live and l.expires_at < v_end and l.remaining > l.held;
    if v_late > 0 then
        perform credits.fail(
            409, 'books_behind', 'lots that expired in this month are not booked: run `pgcredits maintain` first',
            json_build_object('lots', v_late)
        );
    end if;
end
$$;
comment on function credits.check_closable(date) is
'Refuses to close a month that cannot be closed now, and keeps others from closing one at the same time. Raises PT409 '
'month_closed, month_open, month_not_over, books_behind, PT422 bad_period, bad_isolation, PT503 busy.';
