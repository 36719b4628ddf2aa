-- The place in a list.

create or replace function credits.find_list(
    p_list text, out list text, out path text, out kind text, out changes_for interval
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    select l.list, l.path, l.kind, l.changes_for into list, path, kind, changes_for
    from credits.stripe_lists as l
    where l.list = p_list;
    if not found then
        perform credits.fail(422, 'bad_page', 'no such list of Stripe is read');
    end if;
end
$$;
comment on function credits.find_list(text) is 'A list of Stripe by its name. Raises PT422 bad_page.';

create or replace function credits.lock_cursor(p_list text)
returns credits.stripe_cursors
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_before text;
    v_cursor credits.stripe_cursors;
begin
    v_before := credits.bound_wait();
    insert into credits.stripe_cursors (list) values (p_list) on conflict (list) do nothing;
    select c.* into strict v_cursor from credits.stripe_cursors as c where c.list = p_list for no key update;
    perform set_config('lock_timeout', v_before, true);
    return v_cursor;
exception
    when lock_not_available then
        perform credits.refuse_busy('this list');
        return null;
end
$$;
comment on function credits.lock_cursor(text) is 'Locks the place in a list. Raises PT503 busy.';
