-- A time-out as PostgreSQL stores it for a role: a number with a unit, or a number of milliseconds.
create or replace function credits.timeout(p_setting text)
returns interval
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_parts constant text[] := regexp_match(p_setting, '^\s*(\d{1,12}(?:\.\d{1,9})?)\s*(us|ms|s|min|h|d)?\s*$');
begin
    return v_parts[1]::numeric * case coalesce(v_parts[2], 'ms')
        when 'us' then interval '1 microsecond'
        when 's' then interval '1 second'
        when 'min' then interval '1 minute'
        when 'h' then interval '1 hour'
        when 'd' then interval '24 hours'
        else interval '1 millisecond'
    end;
end
$$;
comment on function credits.timeout(text) is
'The length of a time-out such as 15s, 5min or 500 (milliseconds). 0 means no time-out. Null when it is spelled in '
'another way.';
