-- Most functions of api are for services alone. The grants already say so; this check also holds when a grant is wrong.
create or replace function credits.require_service(p_what text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not credits.is_service() then
        perform credits.fail(403, 'not_yours', 'only a service ' || p_what);
    end if;
end
$$;
comment on function credits.require_service(text) is
'Refuses anyone who is not a service. p_what completes the message "only a service …": may grant tokens. '
'Raises PT403 not_yours.';
