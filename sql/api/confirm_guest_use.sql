-- A guest's use worked.
create or replace function api.confirm_guest_use(use_id uuid)
returns api.guest_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return credits.finish_guest_use(confirm_guest_use.use_id, 'confirmed');
end
$$;
comment on function api.confirm_guest_use(uuid) is
'A guest''s use worked: reserved becomes confirmed, once and for all.

For services. A use_id that came from a client is good for one piece of work, on the module it names: a second
confirmation is answered with replayed: true. Raises PT404 unknown_use, PT409 use_closed (it was released),
PT403 not_yours.';
