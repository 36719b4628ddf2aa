-- The names of the journal's accounts are the operator's. They change how the journal is shown, and no amount.
create or replace function credits.name_account(p_account text, p_number text, p_name text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if (length(p_number) between 1 and 40 and length(p_name) between 1 and 200) is not true then
        perform credits.fail(
            422, 'bad_setting', 'an account has a number of 1 to 40 characters and a name of 1 to 200'
        );
    end if;
    update credits.finance_accounts as a
    set number = p_number, name = p_name
    where a.account = p_account;
    if not found then
        perform credits.fail(422, 'bad_setting', 'no such account: see the view finance.accounts');
    end if;
end
$$;
comment on function credits.name_account(text, text, text) is
'For the operator. What an account of the journal (p_account: cash, tax, deferred_revenue, revenue, breakage, refunds, '
'adjustments) is called in the operator''s own books. Raises PT422 bad_setting.';
