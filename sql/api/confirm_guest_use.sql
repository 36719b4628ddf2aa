-- A guest's use succeeded.
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
'Report that a guest''s use succeeded: reserved becomes confirmed, and stays so.

For services. If the use_id came from a client, do the work only once, and only with the module that the answer names: a
second confirmation is answered with replayed: true. Raises PT404 unknown_use, PT409 use_closed (it was released),
PT403 not_yours.';
