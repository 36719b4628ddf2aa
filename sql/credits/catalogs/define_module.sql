-- What tokens can be spent on, and the categories that modules are grouped in.

create or replace function credits.define_category(p_category_id text, p_title text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform credits.check_line(p_category_id, p_title);
    insert into credits.module_categories as c (category_id, title) values (p_category_id, p_title)
    on conflict (category_id) do update set title = excluded.title where c.title <> excluded.title;
exception
    when check_violation or not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('category', p_category_id, sqlerrm);
end
$$;
comment on function credits.define_category(text, text) is 'Defines a group of modules. Raises PT422 bad_catalog.';

create or replace function credits.define_module(
    p_module_id text, p_title text, p_category_id text default null, p_active boolean default true
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_other text;
begin
    if p_category_id is not null
        and not exists (select from credits.module_categories as c where c.category_id = p_category_id) then
        perform credits.fail(422, 'bad_catalog', format('no category %L', p_category_id));
    end if;
    perform credits.check_line(p_module_id, p_title);
    -- If two modules looked alike, a slip of the pen would cost the price of the other one.
    v_other := (
        select m.module_id
        from credits.modules as m
        where
            m.likeness = credits.likeness(p_module_id) and m.module_id is distinct from p_module_id
            and not exists (select from credits.modules as x where x.module_id = p_module_id)
        order by m.module_id
        limit 1
    );
    if v_other is not null then
        perform credits.fail(422, 'bad_catalog', format('it looks like module %L, which is listed', v_other));
    elsif (credits.likeness(p_module_id) = '') is true then
        perform credits.fail(422, 'bad_catalog', 'an id has letters or digits');
    end if;
    insert into credits.modules as m (module_id, title, category_id, active)
    values (p_module_id, p_title, p_category_id, p_active)
    on conflict (module_id) do update
    set title = excluded.title, category_id = excluded.category_id, active = excluded.active
    where (m.title, m.category_id, m.active) is distinct from (excluded.title, excluded.category_id, excluded.active);
    perform credits.list_prices(array[p_module_id]);
exception
    when check_violation or not_null_violation or sqlstate 'PT422' then
        perform credits.refuse_line('module', p_module_id, sqlerrm);
end
$$;
comment on function credits.define_module(text, text, text, boolean) is
'Defines something that tokens can be spent on. A module that is not active is withdrawn, and can no longer be '
'charged. A new id must not look like the id of another module, withdrawn or not: by case, accents, letters of other '
'scripts, white space, hyphens or underscores. Raises PT422 bad_catalog.';
