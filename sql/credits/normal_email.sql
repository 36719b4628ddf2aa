-- An e-mail address, as it is kept and compared: one mailbox has one spelling. What cannot be told from another address
-- is none. Dots and +words in the part before the @ are left: for most servers they name other mailboxes.

create or replace function credits.normal_label(p_label text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_label text := p_label;
begin
    -- A label that comes in Punycode is read, and written anew: it may stand for capitals or for what nobody sees.
    if (v_label ~ '^xn--') is true then
        v_label := replace(lower(credits.plain_text(credits.punycode_decode(substr(v_label, 5)))), 'ς', 'σ');
    end if;
    if v_label is null or v_label ~ '[\u0001-\u002C\u002E\u002F\u003A-\u0060\u007B-\u009F]' and v_label !~ '^[a-z0-9_-]+$'
        or v_label ~ '^-|-$' or v_label = '' or length(v_label) > 63
        or credits.mixes_scripts(v_label) or credits.passes_for_latin(v_label) then
        return null;
    elsif v_label ~ '[^\u0001-\u007F]' then
        v_label := 'xn--' || credits.punycode_encode(v_label);
    end if;
    return case when (length(v_label) <= 63) is true then v_label end;
end
$$;
comment on function credits.normal_label(text) is
'A label of a domain in lower case, as mail servers write it (xn--… for one that is not ASCII); null when it is none, '
'mixes scripts, or passes for another one.';

create or replace function credits.normal_email(p_email text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_email constant text := replace(
        lower(credits.plain_text(case when (length(p_email) <= 1000) is true then p_email end)), 'ς', 'σ'
    );
    v_local constant text := normalize(split_part(v_email, '@', 1), nfkc);
    -- A full stop of East Asia is one, and the last one only says that the domain is whole.
    v_domain constant text := regexp_replace(replace(split_part(v_email, '@', 2), '。', '.'), '\.$', '');
    v_labels constant text[] := array(
        select credits.normal_label(l.label)
        from unnest(string_to_array(v_domain, '.')) with ordinality as l (label, place)
        order by l.place
    );
begin
    if (v_email ~ '^[^@]+@[^@]+$') is not true
        -- RFC 5321's dot-atom, and what is not ASCII. Quotes and comments would be other spellings of the same mailbox.
        or (v_local ~ '^[^\u0001-\u0020"(),:;<>@\\\u005B\u005D\u007F-\u00A0]+$') is not true
        or (v_local !~ '^\.|\.\.|\.$') is not true
        or cardinality(v_labels) = 0 or array_position(v_labels, null) is not null
        or exists (
            select from regexp_split_to_table(v_local, '[.+_-]') as w (word)
            where credits.mixes_scripts(w.word) or credits.passes_for_latin(w.word)
        ) then
        return null;
    end if;
    return (
        select case when (length(e.email) between 3 and 320) is true then e.email end
        from (select v_local || '@' || array_to_string(v_labels, '.')) as e (email)
    );
end
$$;
comment on function credits.normal_email(text) is
'An e-mail address in its one spelling: Unicode''s form NFKC in lower case, without characters that nobody sees, the '
'domain as mail servers write it and without a dot at its end. Null when it is none, or is written with letters that '
'pass for others: a word of two scripts, or one that only looks Latin.';
