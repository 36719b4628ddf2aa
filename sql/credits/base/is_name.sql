-- Names: of users, modules, packs, keys. They come from programs, so they are kept as they come, in any script. A text
-- with characters that nobody can see, or that can be written in two ways, is not a name. Texts for people have fewer
-- rules.

create or replace function credits.is_name(p_text text, p_longest bigint)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Unicode's controls, all spaces but the plain one, Default_Ignorable_Code_Point, and braille without dots.
    v_unseen constant text := '\u0001-\u001F\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F'
        || '\u2000-\u200F\u2028-\u202F\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0';
    -- Code points that are not characters, or that every program draws in its own way. Beyond the first plane only Han
    -- and emoji are left.
    v_undrawn constant text := '\uE000-\uF8FF\uFDD0-\uFDEF\uFFF0-\uFFFF\U00010000-\U0001EFFF\U0001FB00-\U0001FFFF'
        || '\U0002FFFE-\U0010FFFF';
    -- Marks that combine with the character before them.
    v_marks constant text := '\u0300-\u036F\u0483-\u0489\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF\u3099\u309A\uFE20-\uFE2F';
begin
    if (length(p_text) between 1 and p_longest) is not true then
        return false;
    elsif p_text ~ '^[!-~]+$' then
        return true;
    end if;
    return coalesce(
        p_text !~ ('[' || v_unseen || v_undrawn || ']') and p_text !~ ('(^|[ -@\u005B-\u0060{-~])[' || v_marks || ']')
        and p_text !~ '^ | $|  ' and p_text is nfc normalized,
        false
    );
end
$$;
comment on function credits.is_name(text, bigint) is
'Whether a text may name something: 1 to p_longest characters in Unicode''s form NFC, without control, invisible and '
'private characters, without marks that have no letter, and without space at its ends or twice in a row. Case matters, '
'and letters that look alike are different letters: names come from programs.';

create or replace function credits.check_key(p_key text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not credits.is_name(p_key, 200) then
        perform credits.fail(
            422, 'bad_key', 'an idempotency key must have 1 to 200 characters, none of them invisible'
        );
    end if;
end
$$;
comment on function credits.check_key(text) is
'Checks that a text is an idempotency key: a name (credits.is_name) of at most 200 characters. Raises PT422 bad_key.';
