-- When a lot may expire.
create or replace function credits.check_expiry(p_expires_at timestamptz, p_account_id uuid)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_expires_at >= timestamptz '10000-01-01 00:00+00') is true then
        perform credits.fail(
            422, 'bad_expiry', 'expires_at must be before the year 10000, or infinity, which means never'
        );
    elsif (p_expires_at <= credits.clock(p_account_id)) is true then
        perform credits.fail(422, 'bad_expiry', 'expires_at must not be in the past');
    end if;
end
$$;
comment on function credits.check_expiry(timestamptz, uuid) is
'Checks that a lot of a locked wallet may expire at this moment; null means never. Raises PT422 bad_expiry.';
