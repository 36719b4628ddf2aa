-- An e-mail address as it is stored and compared: a mailbox has one spelling. A text that cannot be told from another
-- address is not accepted as an address. Dots and +words in the part before the @ are kept: on most servers they name
-- other mailboxes.
--
-- RFC 5321 says what an address is, RFC 6531 and RFC 5890 to 5893 say what it may contain beyond ASCII, and UTS 39 says
-- what can be mistaken for something else. This rule is narrower than all of them, and accepts every address that mail
-- providers give out.
--
-- One person can still have many addresses: with +words and dots, where their provider delivers them to one mailbox,
-- and with names in a domain of their own. Against that there are bounds per device and network, and a welcome that
-- waits until the address is verified.

create or replace function credits.normal_label(p_label text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_label text := p_label;
    v_encoded text;
begin
    -- A label in Punycode stands for a label that is written in exactly this way: not for ASCII, and not for capitals.
    if (v_label ~ '^xn--') is true then
        v_label := case
            when length(v_label) <= 63 and v_label ~ '^[a-z0-9-]+$' then credits.punycode_decode(substr(v_label, 5))
        end;
        v_encoded := 'xn--' || case
            when (v_label ~ '[^\u0001-\u007F]') is true then credits.punycode_encode(v_label)
        end;
        if (
            v_encoded = p_label
            and replace(v_label, 'ς', 'σ') = normalize(credits.small_letters(credits.plain_text(v_label)), nfkc)
        ) is not true then
            return null;
        end if;
        v_label := replace(v_label, 'ς', 'σ');
    end if;

    -- Letters, digits and hyphens. No hyphen stands at either end, nor in the third and fourth place.
    if (
        length(v_label) <= 63 and v_label ~ '^[^\u0001-\u002C\u002E\u002F\u003A-\u0060\u007B-\u007F]+$'
        and v_label !~ '^-|-$|^..--'
        and credits.script_of(v_label) is not null and not credits.passes_for_latin(v_label)
    ) is not true then
        return null;
    elsif v_label !~ '[^\u0001-\u007F]' then
        return v_label;
    end if;
    v_encoded := 'xn--' || credits.punycode_encode(v_label);
    return case when (length(v_encoded) <= 63) is true then v_encoded end;
end
$$;
comment on function credits.normal_label(text) is
'A label of a domain, given in small letters, as mail servers write it (xn--… if it is not ASCII). A label has letters '
'of one script (credits.script_of), digits and hyphens, and at most 63 octets; Punycode must stand for such a label. '
'Null for anything else.';

create or replace function credits.normal_domain(p_domain text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- An East Asian full stop counts as one. A full stop at the end only says that the domain is complete.
    v_labels constant text[] := string_to_array(regexp_replace(replace(p_domain, '。', '.'), '\.$', ''), '.');
    v_normal constant text[] := array(
        select credits.normal_label(l.label)
        from unnest(v_labels) with ordinality as l (label, place)
        order by l.place
    );
    v_domain constant text := array_to_string(v_normal, '.');
begin
    if cardinality(v_normal) = 0 or array_position(v_normal, null) is not null or length(v_domain) > 253
        -- Digits alone are a network address, or a part of one.
        or v_domain ~ '(^|\.)[0-9]+$'
        -- Next to a label that is read from right to left, digits at the beginning of another label change places with
        -- it.
        or v_domain ~ '(^|\.)[0-9]' and exists (
            select
            from unnest(v_normal) as n (label)
            where n.label ~ '^xn--' and credits.punycode_decode(substr(n.label, 5)) ~ '[\u0590-\u06FF]'
        ) then
        return null;
    end if;
    return v_domain;
end
$$;
comment on function credits.normal_domain(text) is
'A domain, given in small letters, as mail servers write it, without a dot at its end. Null when it is not a domain.';

create or replace function credits.normal_local_part(p_local text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case
        when (
            octet_length(p_local) <= 64 and p_local !~ '^\.|\.\.|\.$'
            and (
                -- RFC 5321's dot-atom. Quotes and comments would be other spellings of the same mailbox.
                p_local ~ '^[a-z0-9.!#$%&''*+/=?^_`{|}~-]+$'
                or p_local ~ '^[^\u0001-\u0026\u0028-\u002A\u002C\u002F\u003A-\u005E\u0060\u007B-\u007F]+$'
                and p_local !~ '[\u00E6\u0153\u0180-\u024F\u0259\u1E00-\u1EFF]'
                and credits.script_of(p_local) is not null and not credits.passes_for_latin(p_local)
            )
        ) is true then p_local
    end;
end
$$;
comment on function credits.normal_local_part(text) is
'The part of an address before the @, given in small letters: the characters of RFC 5321, or letters of one script '
'(credits.script_of) with digits, . _ + - and apostrophes, at most 64 octets. Latin letters are those of European '
'keyboards, except ae and oe written as one letter. Null for anything else.';

create or replace function credits.normal_email(p_email text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_email constant text := normalize(
        credits.small_letters(credits.plain_text(case when (length(p_email) <= 1000) is true then p_email end)), nfkc
    );
    v_local constant text := credits.normal_local_part(split_part(v_email, '@', 1));
    v_normal constant text := v_local || '@' || credits.normal_domain(split_part(v_email, '@', 2));
begin
    return case
        when (v_email ~ '^[^@]+@[^@]+$' and octet_length(v_normal) between 3 and 254) is true then v_normal
    end;
end
$$;
comment on function credits.normal_email(text) is
'An e-mail address in its one spelling: Unicode''s form NFKC in small letters, without invisible characters, the '
'domain as mail servers write it and without a dot at its end. The result is the same on every version of PostgreSQL '
'and in every locale. Null when the text is not an address, or has anything that credits.normal_local_part and '
'credits.normal_label do not allow: letters that can be mistaken for others, or two scripts in a word.';
