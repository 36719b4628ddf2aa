-- A guest's use failed, and does not count.
create or replace function api.release_guest_use(use_id uuid)
returns api.guest_receipt
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return credits.finish_guest_use(release_guest_use.use_id, 'released');
end
$$;
comment on function api.release_guest_use(uuid) is
'Report that a guest''s use failed: it no longer counts.

For services. A repeat gets the same answer, replayed: true. Raises PT404 unknown_use,
PT409 use_closed (it was confirmed), PT403 not_yours.';
