-- Modules that are nearly spelled as they are listed: a slip of the pen, which must not cost the default price.

create or replace function credits.likeness(p_module_id text)
returns text
language sql
immutable
-- As the column credits.modules.likeness is generated; a test compares the two.
return regexp_replace(
    lower(normalize(p_module_id, nfkc)),
    '[\u0001-\u0020\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u2015\u2028-\u202F'
    '\u02D7\u058A\u05BE\u1806\u203F\u2040\u2043\u2054\u2800\u2E17\u2E1A\u2E3A\u2E3B\u2E40\u2E5D\u301C\u3030\u30A0'
    '\uFE33\uFE34\uFE4D-\uFE4F\uFFF9-\uFFFB\U00010EAD\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A'
    '\U000E0000-\U000E0FFF'
    '\u205F-\u206F\u2212\u3000\u3164\uFE00-\uFE0F\uFE58\uFE63\uFEFF\uFF0D\uFFA0_-]',
    '', 'g'
);
comment on function credits.likeness(text) is
'The id of a module without case, white space and other characters that nobody sees, hyphens and underscores.';

create or replace function credits.is_misspelled(p_module_id text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_likeness constant text := credits.likeness(p_module_id);
begin
    return coalesce(v_likeness, '') = '' or exists (
        select from credits.modules as m where m.likeness = v_likeness and m.module_id is distinct from p_module_id
    );
end
$$;
comment on function credits.is_misspelled(text) is
'Is there a listed module whose id differs from this one only by case, white space, hyphens or underscores? Asked of '
'an id that is not listed. An id of nothing else is misspelled, too.';

create or replace function credits.refuse_module(p_module_id text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_meant constant text := (
        select m.module_id
        from credits.modules as m
        where m.likeness = credits.likeness(p_module_id) and m.module_id is distinct from p_module_id and m.active
        order by m.module_id
        limit 1
    );
begin
    if v_meant is not null then
        perform credits.fail(
            404, 'unknown_module', format('no such module: did you mean %s?', v_meant),
            json_build_object('did_you_mean', v_meant)
        );
    end if;
    perform credits.fail(404, 'unknown_module', 'no such module');
end
$$;
comment on function credits.refuse_module(text) is
'Raises PT404 unknown_module; did_you_mean is the listed module whose id differs only by case, white space, hyphens or '
'underscores.';
