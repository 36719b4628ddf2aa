-- How a code is stored, and compared with what somebody typed. Defining and redeeming a code use the same function.
create or replace function credits.normal_code(p_code text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_plain constant text := credits.plain_text(case when (length(p_code) <= 1000) is true then p_code end);
    -- Spaces are removed (except where a mark would fall on another letter), a dash of any kind becomes a hyphen, and
    -- the dotless i of Turkish keyboards becomes an i.
    v_typed constant text := regexp_replace(
        translate(regexp_replace(v_plain, ' (?![\u0300-\u036F\u3099\u309A])', '', 'g'), 'ı', 'i'),
        '[\u02D7\u058A\u05BE\u1806\u2010-\u2015\u2043\u2212\u2E3A\u2E3B]', '-', 'g'
    );
    v_small constant text := normalize(credits.small_letters(v_typed), nfkc);
begin
    return case
        when (
            v_small ~ '^[^\u0001-\u0020"#$''()*,/:-@\u005B-\u005E\u0060\u007B-\u007F]+$'
            and credits.script_of(v_small) is not null and not credits.passes_for_latin(v_small, true)
        ) is true then credits.capital_letters(v_small)
    end;
end
$$;
comment on function credits.normal_code(text) is
'A code as it is stored: capital letters of one script (credits.script_of), digits, and - _ . + % & !, in Unicode''s '
'form NFKC. White space and invisible characters are left out, and every dash is a hyphen. Null for a code with '
'anything else in it, and for an empty one.';
