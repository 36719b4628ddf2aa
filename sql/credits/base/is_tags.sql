-- Tags: what a charge or a hold was for, such as {"conversation": "c-17", "feature": "chat"}. Sums are made per name
-- and value, so a name has one spelling, and a value is a text. A row without tags has null.
create or replace function credits.is_tags(p_tags jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_name text;
    v_value jsonb;
    v_count integer not null := 0;
begin
    -- The value is built anew: one that was read from a table may be compressed.
    if jsonb_typeof(p_tags) is distinct from 'object' or (pg_column_size('{}' || p_tags) > 2048) is true then
        return false;
    end if;
    for v_name, v_value in
        select t.name, t.value from jsonb_each(p_tags) as t (name, value)
    loop
        v_count := v_count + 1;
        if v_count > 8 or not credits.is_name(v_name, 40) or jsonb_typeof(v_value) is distinct from 'string'
            or v_value = '""' or not credits.is_label(v_value #>> '{}', 100) then
            return false;
        end if;
    end loop;
    return v_count > 0;
end
$$;
comment on function credits.is_tags(jsonb) is
'Whether this is an object of 1 to 8 tags, of at most 2 kB. The name of a tag is a name (credits.is_name) of at most '
'40 characters. Its value is a text of 1 to 100 characters without control characters (credits.is_label).';

create or replace function credits.check_tags(p_tags jsonb)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_tags is null or p_tags = '{}' or credits.is_tags(p_tags) then
        return;
    end if;
    perform credits.fail(
        422, 'bad_tags',
        'tags is an object of at most 8 texts and 2 kB: names have 1 to 40 characters, values 1 to 100, none of them '
        'control characters'
    );
end
$$;
comment on function credits.check_tags(jsonb) is
'Checks tags: null and {} mean no tags, and anything else is as credits.is_tags says. Raises PT422 bad_tags.';
