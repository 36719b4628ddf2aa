-- How long charged uses took. The number is in the metadata of the charge, which analysts must not see. So this
-- function runs as the owner, checks which accounts the analyst may count, and returns nothing but the number.
create or replace function credits.charge_durations()
returns table (account_id uuid, seq bigint, duration_ms numeric)
language plpgsql
stable
parallel safe
security definer
rows 10000
set search_path = pg_catalog, pg_temp
as $$
declare
    v_all constant boolean := '*' = any (credits.analyst_segments())
        or pg_has_role(credits.actor(), 'auditor', 'member');
    -- Users write what they like on their own charges: only a service's word counts.
    v_services constant text[] := array(
        select r.rolname from pg_roles as r where pg_has_role(r.oid, 'spender', 'member')
    );
begin
    return query
    select e.account_id, e.seq, credits.quantity(e.metadata -> 'duration_ms')
    from credits.entries as e
    where
        e.kind in ('spend', 'byok') and e.metadata ? 'duration_ms' and e.actor = any (v_services)
        and credits.quantity(e.metadata -> 'duration_ms') < 1000000000000
        and (v_all or e.account_id in (select a.account_id from credits.analyst_accounts() as a (account_id)));
end
$$;
comment on function credits.charge_durations() is
'How many milliseconds uses took: the number duration_ms in the metadata of charges by services, for the accounts '
'that the analyst of this session may count. An auditor gets all.';
