-- What every line of a price list is checked for, and how a wrong line is refused: with its name.

create or replace function credits.refuse_line(p_what text, p_name text, p_why text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(
        422, 'bad_catalogue', format('%s %s: %s', p_what, coalesce(quote_literal(p_name), 'without a name'), p_why),
        json_build_object('line', p_what, 'name', p_name)
    );
end
$$;
comment on function credits.refuse_line(text, text, text) is
'Raises PT422 bad_catalogue with the name of the line that is wrong.';

create or replace function credits.check_line(p_name text, p_title text default null)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A name that is missing is refused by the table.
    if p_name is not null and not credits.is_name(p_name, 200) then
        perform credits.fail(
            422, 'bad_catalogue', 'its id has 1 to 200 characters, none that cannot be seen, and no space at its ends'
        );
    elsif not credits.is_label(p_title, 1000) then
        perform credits.fail(422, 'bad_catalogue', 'what it says to people has at most 1000 characters, and no control characters');
    end if;
end
$$;
comment on function credits.check_line(text, text) is
'Raises PT422 bad_catalogue when a line of a catalogue file has an id that is none (credits.is_name), or a title, unit '
'or description that cannot be shown (credits.is_label).';
