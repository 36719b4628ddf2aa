-- The code that somebody typed, and why it gives nothing.

create or replace function credits.find_code(p_code text)
returns credits.codes
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_code credits.codes;
begin
    -- A code that was defined with a space in it is found as it was written.
    select c.* into v_code
    from credits.codes as c
    where c.code in (credits.normal_code(p_code), upper(btrim(p_code, E' \t\r\n')))
    order by (c.code = credits.normal_code(p_code)) is true desc
    limit 1;
    if not found then
        perform credits.refuse_code('withdrawn');
    end if;
    return v_code;
end
$$;
comment on function credits.find_code(text) is
'The code that somebody typed. Case, white space and invisible characters do not matter. '
'Raises PT404 unknown_code.';

create or replace function credits.refuse_code(p_verdict text, p_reset_at timestamptz default null)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Nobody is told about a campaign that has not begun.
    if p_verdict = 'withdrawn' then
        perform credits.fail(404, 'unknown_code', 'no such code');
    elsif p_verdict = 'ended' then
        perform credits.fail(409, 'code_expired', 'this code is no longer valid');
    elsif p_verdict = 'used' then
        perform credits.fail(409, 'code_used', 'this account has used this code');
    elsif p_verdict = 'exhausted' then
        perform credits.fail(409, 'code_exhausted', 'this code has been used up');
    elsif p_verdict = 'bounded' then
        perform credits.fail(
            429, 'campaign_limit', 'accounts of this device or network have used this code as often as they may',
            json_build_object('reset_at', credits.utc_text(p_reset_at))
        );
    end if;
end
$$;
comment on function credits.refuse_code(text, timestamptz) is
'Refuses a code by the verdict on its campaign; the verdict open passes. Raises PT404 unknown_code, PT409 '
'code_expired, code_used or code_exhausted, PT429 campaign_limit.';
