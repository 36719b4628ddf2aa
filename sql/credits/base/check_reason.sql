-- Why a person or a program did something, in its own words. It is shown to people and written into the books.
create or replace function credits.check_reason(p_reason text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not credits.is_label(p_reason, 200, true) then
        perform credits.fail(422, 'bad_reason', 'reason may have at most 200 characters, and no control characters');
    end if;
end
$$;
comment on function credits.check_reason(text) is
'Checks the reason of freezing, releasing or refunding: null, or text of at most 200 characters without control '
'characters. Raises PT422 bad_reason.';
