-- One spelling for what people type: addresses and codes that look the same are the same.
create or replace function credits.plain_text(p_text text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Unicode's Default_Ignorable_Code_Point: soft hyphens, zero-width spaces and joiners, marks of direction, fillers,
    -- variation selectors, tags. And the braille pattern without dots.
    v_ignorable constant text := '[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E'
        || '\u2060-\u206F\u2800\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFF8\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A'
        || '\U000E0000-\U000E0FFF]';
    -- Beyond the first plane, only characters are allowed that all versions of PostgreSQL treat alike and that somebody
    -- types.
    v_unknown constant text := '[\U00010000-\U0001BC9F\U0001BCA4-\U0001D172\U0001D17B-\U0001D3FF\U0001D800-\U000DFFFF'
        || '\U000E1000-\U0010FFFF]';
    -- Unicode's White_Space, except what NFKC has already made a plain space.
    v_space constant text := '[\u0009-\u000D\u0020\u0085\u1680\u2028\u2029]+';
    v_text constant text := normalize(
        regexp_replace(
            normalize(case when (p_text ~ v_unknown) is not true then p_text end, nfkc), v_ignorable, '', 'g'
        ), nfkc
    );
begin
    return btrim(regexp_replace(v_text, v_space, ' ', 'g'));
end
$$;
comment on function credits.plain_text(text) is
'A text in Unicode''s form NFKC, without invisible characters (Default_Ignorable_Code_Point) and without space around '
'it. White space inside it becomes one plain space. Null for a text with characters beyond the first plane, except '
'mathematical alphabets: versions of PostgreSQL treat them differently.';
