-- Time is UTC, whatever the session's zone is. These functions do everything that depends on a zone. All other code
-- compares moments and adds seconds.
--
-- UTC is written as an offset, because a session can give its name to another zone: with TimeZone = 'UTC-14',
-- PostgreSQL 18 reads `at time zone 'UTC'` as fourteen hours ahead, and timezone_abbreviations does the same in every
-- version.
create or replace function credits.later(p_at timestamptz, p_after interval)
returns timestamptz
language sql
immutable
parallel safe
return (p_at at time zone interval '0' + p_after) at time zone interval '0';
comment on function credits.later(timestamptz, interval) is
'A moment and an interval after it, by the calendar of UTC: a day has 24 hours, a month after 28 February is 28 March.';

create or replace function credits.earlier(p_at timestamptz, p_before interval)
returns timestamptz
language sql
immutable
parallel safe
return (p_at at time zone interval '0' - p_before) at time zone interval '0';
comment on function credits.earlier(timestamptz, interval) is
'A moment and an interval before it, by the calendar of UTC.';

-- For JSON and messages. A column of type timestamptz does not need this: it is a moment, and its reader chooses how to
-- see it.
create or replace function credits.utc_text(p_at timestamptz)
returns text
language sql
immutable
parallel safe
return (to_json(p_at at time zone interval '0') #>> '{}')
|| case when isfinite(p_at) is true then '+00:00' else '' end;
comment on function credits.utc_text(timestamptz) is
'A moment as text, in ISO 8601 and UTC: 2027-02-28T12:00:00+00:00. No setting of the session changes it.';

create or replace function credits.interval_text(p_interval interval)
returns text
language sql
immutable
parallel safe
return case
    when p_interval is not null then concat_ws(
        ' ',
        nullif(extract(year from p_interval), 0)
        || case extract(year from p_interval) when 1 then ' year' else ' years' end,
        nullif(extract(month from p_interval), 0)
        || case extract(month from p_interval) when 1 then ' mon' else ' mons' end,
        nullif(extract(day from p_interval), 0)
        || case extract(day from p_interval) when 1 then ' day' else ' days' end,
        -- The time of day, which may have more than 24 hours.
        case
            when p_interval <> date_trunc('day', p_interval) or p_interval = interval '0'
                then rtrim(rtrim(to_char(p_interval, 'HH24:MI:SS.US'), '0'), '.')
        end
    )
end;
comment on function credits.interval_text(interval) is
'An interval as PostgreSQL writes it by default (1 year 2 mons 30 days 12:00:00), whatever IntervalStyle is.';

create or replace function credits.is_sane_time(p_at timestamptz)
returns boolean
language sql
immutable
parallel safe
return coalesce(p_at >= timestamptz '2000-01-01 00:00+00' and p_at < timestamptz '10000-01-01 00:00+00', true);
comment on function credits.is_sane_time(timestamptz) is
'Whether this is a time from the year 2000 to 9999, or null. Other times are slips, or are not spelled in the same way '
'by every reader of ISO 8601.';
