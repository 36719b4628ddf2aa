-- What usage can be measured in. A dimension may be a part of another one, its parent.
--
--   1. Refuse what makes no sense. A parent has no parent of its own, so nothing can go round in a circle.
--   2. Write. A parent that was named stays: versions of prices rely on it, and they are never edited.

create or replace function credits.define_dimension(p_dimension text, p_description text, p_parent text default null)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- 1. Refuse.
    perform credits.check_line(p_dimension, p_description);
    if p_parent is not null then
        perform credits.check_parent(p_dimension, p_parent);
    end if;

    -- 2. Write.
    insert into credits.dimensions as d (dimension, description, parent) values (p_dimension, p_description, p_parent)
    on conflict (dimension) do update
    set description = excluded.description, parent = coalesce(excluded.parent, d.parent)
    where (d.description, d.parent) is distinct from (excluded.description, coalesce(excluded.parent, d.parent));
exception
    when check_violation or not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('dimension', p_dimension, sqlerrm);
end
$$;
comment on function credits.define_dimension(text, text, text) is
'Defines something that usage is measured in, so that prices can name it. p_parent: the dimension that it is a part '
'of, and whose rate it costs where a price has no rate for it. Null: no parent, or the one that it has. A parent has '
'no parent, and is not changed. Raises PT422 bad_catalog.';

create or replace function credits.check_parent(p_dimension text, p_parent text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_parent credits.dimensions;
    v_before text;
    v_problem text;
begin
    -- One writer. Two at once could make a chain.
    lock table credits.dimensions in share row exclusive mode;
    select d.* into v_parent from credits.dimensions as d where d.dimension = p_parent;
    select d.parent into v_before from credits.dimensions as d where d.dimension = p_dimension;
    v_problem := case
        when p_parent is not distinct from p_dimension then 'its parent is another dimension'
        when v_parent.dimension is null then format('no dimension %L to be its parent', left(p_parent, 100))
        when v_parent.parent is not null
            then format('its parent %s has a parent, %s: name that one', p_parent, v_parent.parent)
        when exists (select from credits.dimensions as d where d.parent = p_dimension)
            then 'it is a parent itself, and a parent has no parent'
        when (v_before <> p_parent) is true then format('its parent is %s, and stays so', v_before)
    end;
    if v_problem is not null then
        perform credits.fail(422, 'bad_catalog', v_problem);
    end if;
end
$$;
comment on function credits.check_parent(text, text) is
'Checks that p_parent may be the parent of p_dimension. Raises PT422 bad_catalog.';
