-- The checks of every line of a price list, and the refusal of a wrong line, with its name.

create or replace function credits.refuse_line(p_what text, p_name text, p_why text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.fail(
        422, 'bad_catalog', format('%s %s: %s', p_what, coalesce(quote_literal(p_name), 'without a name'), p_why),
        json_build_object('line', p_what, 'name', p_name)
    );
end
$$;
comment on function credits.refuse_line(text, text, text) is
'Refuses a line of a price list, by its kind and name. Raises PT422 bad_catalog.';

create or replace function credits.check_line(p_name text, p_title text default null)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- If the name is missing, the table refuses the row.
    if p_name is not null and not credits.is_name(p_name, 200) then
        perform credits.fail(
            422, 'bad_catalog', 'its id has 1 to 200 characters, none of them invisible, and no space at its ends'
        );
    elsif not credits.is_label(p_title, 1000) then
        perform credits.fail(
            422, 'bad_catalog',
            'its title, unit or description has at most 1000 characters, and no control characters'
        );
    end if;
end
$$;
comment on function credits.check_line(text, text) is
'Checks that the id in a line of a price list is a name (credits.is_name), and that its title, unit or description can '
'be shown (credits.is_label). Raises PT422 bad_catalog.';
