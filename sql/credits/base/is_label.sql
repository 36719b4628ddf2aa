-- Texts that are shown to people.
create or replace function credits.is_label(p_text text, p_longest bigint, p_lines boolean default false)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Control characters, characters that change the direction of the text that follows, and code points that stand for
    -- no character.
    return coalesce(
        length(p_text) <= p_longest
        and case when p_lines is true then translate(p_text, e'\t\r\n', '') else p_text end
        !~ '[\u0001-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069\uFFF0-\uFFFB\uFFFE\uFFFF]',
        true
    );
end
$$;
comment on function credits.is_label(text, bigint, boolean) is
'Whether a text may be shown to people: at most p_longest characters, without control characters or changes of '
'direction. p_lines: it may have several lines. True for null, which shows nothing.';
