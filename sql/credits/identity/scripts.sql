-- What a word may consist of: letters of one script, out of the scripts in which people have addresses today. This is a
-- list of what is allowed, because nobody can list everything that can be mistaken for something else. It is our own
-- list, because the tables of PostgreSQL differ from version to version.
--
-- The letters are those of Unicode 14 that RFC 5892 allows in a domain (PVALID) and UTS 39 allows in identifiers, from
-- the scripts of the root zone of the DNS. Left out are letters that no language needs today (polytonic Greek, Pinyin,
-- two of Thai), and Latin letters that cannot be told from another one: dotless i, kra, t with cedilla, s with comma.
-- The only digits are 0 to 9.

create or replace function credits.script_of(p_word text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_letters constant text := regexp_replace(p_word, '[\u0001-\u0040\u005B-\u0060\u007B-\u007F]', '', 'g');
begin
    if v_letters ~ '^[a-z]*$' then
        return 'Latin';
    elsif not credits.is_well_written(p_word) then
        return null;
    end if;
    return (
        select s.script
        from (
            values
            ('Latin', 97, 7929, 'a-z\u00DF-\u00F6\u00F8-\u012F\u0135-\u0137\u013A-\u013E\u0142-\u0148\u014B-\u0161'
                || '\u0165-\u0177\u017A-\u017E\u01A1\u01B0\u021B\u0259\u1EA1-\u1EF9'),
            ('Greek', 912, 974, '\u0390\u03AC-\u03C1\u03C3-\u03CE'),
            ('Cyrillic', 1072, 1263, '\u0430-\u045F\u0491-\u0493\u0497-\u049B\u04A1-\u04A3\u04AB\u04AF-\u04B3\u04B7'
                || '\u04BB\u04D9\u04E3\u04E9\u04EF'),
            ('Armenian', 1377, 1414, '\u0561-\u0586'),
            ('Georgian', 4304, 4336, '\u10D0-\u10F0'),
            ('Hebrew', 1488, 1514, '\u05D0-\u05EA'),
            ('Arabic', 1569, 1746, '\u0621-\u063A\u0641-\u064A\u0679\u067E\u0686\u0688\u0691\u0698\u06A9\u06AF\u06BA'
                || '\u06BE\u06C1\u06CC\u06D2'),
            ('Devanagari', 2305, 2381, '\u0901-\u0903\u0905-\u090B\u090D\u090F-\u0911\u0913-\u0939\u093C\u093E-\u0943'
                || '\u0945\u0947-\u0949\u094B-\u094D'),
            ('Bengali', 2433, 2558, '\u0981-\u0983\u0985-\u098C\u098F-\u0990\u0993-\u09A8\u09AA-\u09B0\u09B2'
                || '\u09B6-\u09B9\u09BC-\u09C4\u09C7-\u09C8\u09CB-\u09CE\u09D7\u09E0-\u09E3'
                || '\u09F0-\u09F1\u09FE'),
            ('Gurmukhi', 2561, 2676, '\u0A01-\u0A03\u0A05-\u0A0A\u0A0F-\u0A10\u0A13-\u0A28\u0A2A-\u0A30\u0A32\u0A35'
                || '\u0A38-\u0A39\u0A3C\u0A3E-\u0A42\u0A47-\u0A48\u0A4B-\u0A4D\u0A5C\u0A70-\u0A74'),
            ('Gujarati', 2689, 2815, '\u0A81-\u0A83\u0A85-\u0A8D\u0A8F-\u0A91\u0A93-\u0AA8\u0AAA-\u0AB0\u0AB2-\u0AB3'
                || '\u0AB5-\u0AB9\u0ABC-\u0AC5\u0AC7-\u0AC9\u0ACB-\u0ACD\u0AD0\u0AE0-\u0AE3'
                || '\u0AFA-\u0AFF'),
            ('Oriya', 2817, 2929, '\u0B01-\u0B03\u0B05-\u0B0C\u0B0F-\u0B10\u0B13-\u0B28\u0B2A-\u0B30\u0B32-\u0B33'
                || '\u0B35-\u0B39\u0B3C-\u0B43\u0B47-\u0B48\u0B4B-\u0B4D\u0B55-\u0B57\u0B5F-\u0B61'
                || '\u0B71'),
            ('Tamil', 2946, 3031, '\u0B82-\u0B83\u0B85-\u0B8A\u0B8E-\u0B90\u0B92-\u0B95\u0B99-\u0B9A\u0B9C'
                || '\u0B9E-\u0B9F\u0BA3-\u0BA4\u0BA8-\u0BAA\u0BAE-\u0BB9\u0BBE-\u0BC2\u0BC6-\u0BC8'
                || '\u0BCA-\u0BCD\u0BD0\u0BD7'),
            ('Telugu', 3073, 3169, '\u0C01-\u0C0C\u0C0E-\u0C10\u0C12-\u0C28\u0C2A-\u0C33\u0C35-\u0C39\u0C3C-\u0C44'
                || '\u0C46-\u0C48\u0C4A-\u0C4D\u0C55-\u0C56\u0C5D\u0C60-\u0C61'),
            ('Kannada', 3200, 3314, '\u0C80\u0C82-\u0C83\u0C85-\u0C8C\u0C8E-\u0C90\u0C92-\u0CA8\u0CAA-\u0CB3'
                || '\u0CB5-\u0CB9\u0CBC-\u0CC4\u0CC6-\u0CC8\u0CCA-\u0CCD\u0CD5-\u0CD6\u0CDD'
                || '\u0CE0-\u0CE3\u0CF1-\u0CF2'),
            ('Malayalam', 3328, 3455, '\u0D00\u0D02-\u0D03\u0D05-\u0D0C\u0D0E-\u0D10\u0D12-\u0D3A\u0D3D-\u0D43'
                || '\u0D46-\u0D48\u0D4A-\u0D4E\u0D54-\u0D57\u0D60-\u0D61\u0D7A-\u0D7F'),
            ('Sinhala', 3458, 3570, '\u0D82-\u0D83\u0D85-\u0D8E\u0D91-\u0D96\u0D9A-\u0DA5\u0DA7-\u0DB1\u0DB3-\u0DBB'
                || '\u0DBD\u0DC0-\u0DC6\u0DCA\u0DCF-\u0DD4\u0DD6\u0DD8-\u0DDE\u0DF2'),
            ('Lao', 3713, 3807, '\u0E81-\u0E82\u0E84\u0E86-\u0E8A\u0E8C-\u0EA3\u0EA5\u0EA7-\u0EB2\u0EB4-\u0EBD'
                || '\u0EC0-\u0EC4\u0EC6\u0EC8-\u0ECD\u0EDE-\u0EDF'),
            ('Thai', 3585, 3661, '\u0E01-\u0E02\u0E04\u0E06-\u0E32\u0E34-\u0E39\u0E40-\u0E44\u0E46-\u0E4D'),
            ('Myanmar', 4096, 4158, '\u1000-\u1021\u1023-\u1027\u1029-\u102A\u102C-\u1032\u1036-\u103E'),
            ('Khmer', 6016, 6098, '\u1780-\u17A2\u17A5-\u17A7\u17A9-\u17B3\u17B6-\u17CD\u17D2'),
            ('Ethiopic', 4608, 4954, '\u1200-\u1248\u124A-\u124D\u1250-\u1256\u1258\u125A-\u125D\u1260-\u1288'
                || '\u128A-\u128D\u1290-\u12B0\u12B2-\u12B5\u12B8-\u12BE\u12C0\u12C2-\u12C5'
                || '\u12C8-\u12D6\u12D8-\u1310\u1312-\u1315\u1318-\u135A'),
            ('Japanese', 97, 40959, 'a-z\u3005-\u3007\u3400-\u4DBF\u4E00-\u9FFF\u3041-\u3096\u309D-\u309E\u30A1-\u30FA\u30FC-\u30FE'),
            ('Korean', 97, 55203, 'a-z\u3005-\u3007\u3400-\u4DBF\u4E00-\u9FFF\uAC00-\uD7A3')
        ) as s (script, first, last, letters)
        -- One pattern for most words: PostgreSQL caches 32 patterns.
        where
            case
                when (ascii(v_letters) between s.first and s.last) is true then v_letters ~ ('^[' || s.letters || ']+$')
                else false
            end
        limit 1
    );
end
$$;
comment on function credits.script_of(text) is
'The script of a word in small letters. Japanese and Korean may contain Latin letters, and Chinese counts as Japanese. '
'ASCII characters that are not letters may stand anywhere. Null for a letter that this function does not know, and for '
'letters of two scripts.';

create or replace function credits.is_well_written(p_word text)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_marks constant text := '['
        || '\u0901-\u0903\u093C\u093E-\u0943\u0945\u0947-\u0949\u094B-\u094D\u0981-\u0983\u09BC'
        || '\u09BE-\u09C4\u09C7-\u09C8\u09CB-\u09CD\u09D7\u09E2-\u09E3\u09FE\u0A01-\u0A03\u0A3C'
        || '\u0A3E-\u0A42\u0A47-\u0A48\u0A4B-\u0A4D\u0A70-\u0A71\u0A81-\u0A83\u0ABC\u0ABE-\u0AC5'
        || '\u0AC7-\u0AC9\u0ACB-\u0ACD\u0AE2-\u0AE3\u0AFA-\u0AFF\u0B01-\u0B03\u0B3C\u0B3E-\u0B43'
        || '\u0B47-\u0B48\u0B4B-\u0B4D\u0B55-\u0B57\u0B82\u0BBE-\u0BC2\u0BC6-\u0BC8\u0BCA-\u0BCD\u0BD7'
        || '\u0C01-\u0C04\u0C3C\u0C3E-\u0C44\u0C46-\u0C48\u0C4A-\u0C4D\u0C55-\u0C56\u0C82-\u0C83\u0CBC'
        || '\u0CBE-\u0CC4\u0CC6-\u0CC8\u0CCA-\u0CCD\u0CD5-\u0CD6\u0CE2-\u0CE3\u0D00\u0D02-\u0D03'
        || '\u0D3E-\u0D43\u0D46-\u0D48\u0D4A-\u0D4D\u0D57\u0D82-\u0D83\u0DCA\u0DCF-\u0DD4\u0DD6'
        || '\u0DD8-\u0DDE\u0DF2\u0E31\u0E34-\u0E39\u0E47-\u0E4D\u0EB1\u0EB4-\u0EBC\u0EC8-\u0ECD'
        || '\u102C-\u1032\u1036-\u103E\u17B6-\u17CD\u17D2'
        || ']';
begin
    return coalesce(
        -- A mark stands on a letter, and not twice. The long ae of Thai is one letter, not two e.
        p_word !~ ('(^|[\u0001-\u007F])' || v_marks) and p_word !~ ('(' || v_marks || ')\1') and p_word !~ '\u0E40\u0E40'
        -- The long vowel sign of Japanese follows a Japanese letter; elsewhere it passes for a hyphen. Next to Latin
        -- letters, signs made of one stroke pass for strokes, and a square passes for an o.
        and p_word !~ '(^|[^\u3041-\u3096\u30A1-\u30FE])\u30FC'
        and not (
            p_word ~ '[a-z]'
            and p_word ~ ('[\u3006\u3007\u4E00\u4E28\u4E36\u4E3F\u4E59\u4E85\u4E8C\u5DE5\u53E3\u56D7'
                || '\u30A8\u30CB\u30CE\u30ED\u30FD\u30FE\u3078\u30D8]')
        )
        -- A word that is read from right to left has no digit or sign at its beginning, and no sign at its end: they
        -- would be displayed in another place.
        and p_word !~ '^[^a-z\u0080-\uFFFF].*[\u0590-\u06FF]' and p_word !~ '[\u0590-\u06FF].*[^a-z0-9\u0080-\uFFFF]$',
        false
    );
end
$$;
comment on function credits.is_well_written(text) is
'Whether the letters of a word stand where such letters can stand: for example, marks on letters.';

create or replace function credits.passes_for_latin(p_word text, p_capitals boolean default false)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Letters of other scripts that are drawn like a Latin letter.
    v_small constant text := '\u0430\u0433\u0435\u043A\u043C\u043E\u043F\u0440\u0441\u0442\u0443\u0445\u0455\u0456\u0458'
        || '\u0461\u0475\u04AF\u04BB\u04CF\u0501\u051B\u051D\u03B1\u03B3\u03B7\u03B9\u03BA\u03BD\u03BF\u03C1\u03C3'
        || '\u03C4\u03C5\u03C7\u03C9\u03F2\u03F3\u0561\u0563\u0566\u0570\u0578\u057C\u057D\u0581\u0584\u0585'
        || '\u05D5\u05D8\u05D9\u05DF\u05E1\u0627\u0647\u06BE\u06C1\u0B03\u0B20\u0D20\u101D\u10E7\u10FF\u1200\u12D0'
        || '\u3007\u4E00\u4E28\u4E36\u4E3F';
    -- Letters whose capital is drawn like one, though they are not: Cyrillic, Greek, Armenian.
    v_capital constant text := '\u0432\u043D\u04AF\u04B1\u03B2\u03B5\u03B6\u03BC\u056C\u057F';
begin
    return p_word ~ '[^\u0001-\u007F]'
        and p_word ~ ('^[\u0001-\u0040\u005B-\u0060\u007B-\u007F' || v_small
            || case when p_capitals is true then v_capital else '' end || ']+$');
end
$$;
comment on function credits.passes_for_latin(text, boolean) is
'Whether a word in small letters consists of letters that are drawn like Latin ones but are not Latin. p_capitals: '
'letters whose capitals are drawn like Latin ones count, too.';
