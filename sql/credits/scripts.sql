-- Letters of one script that pass for letters of another: аda with a Cyrillic а is not ada.

create or replace function credits.mixes_scripts(p_word text)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Chinese, Japanese and Korean are left out: they are written with Latin letters among them.
    return (
        select count(*) > 1
        from (
            values
            ('[a-zA-Z\u00AA\u00BA\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02AF\u1D00-\u1D25\u1D2C-\u1D5C\u1D62-\u1D65'
                || '\u1D6B-\u1D77\u1D79-\u1DBE\u1E00-\u1EFF\u2C60-\u2C7F\uA722-\uA787\uA78B-\uA7FF\uAB30-\uAB64]'),
            ('[\u0370-\u03E1\u03F0-\u03FF\u1D26-\u1D2A\u1F00-\u1FFF]'),  -- Greek
            ('[\u03E2-\u03EF\u2C80-\u2CFF]'),  -- Coptic
            ('[\u0400-\u052F\u1C80-\u1C8F\u1D2B\u1D78\u2DE0-\u2DFF\uA640-\uA69F]'),  -- Cyrillic
            ('[\u0531-\u058F\uFB13-\uFB17]'),  -- Armenian
            ('[\u0591-\u05FF\uFB1D-\uFB4F]'),  -- Hebrew
            ('[\u0620-\u065F\u066E-\u06D3\u06FA-\u06FF\u0750-\u077F\u08A0-\u08FF\uFB50-\uFDFF\uFE70-\uFEFC]'),  -- Arabic
            ('[\u0700-\u074F\u0780-\u089F]'),  -- Syriac, Thaana, N'Ko, Samaritan, Mandaic
            ('[\u0900-\u0963\u0966-\u097F\uA8E0-\uA8FF]'),  -- Devanagari
            ('[\u0980-\u0DFF]'),  -- the other scripts of India
            ('[\u0E01-\u0E3A\u0E40-\u0E7F]'),  -- Thai
            ('[\u0E80-\u0FFF]'),  -- Lao, Tibetan
            ('[\u1000-\u109F\uA9E0-\uA9FF\uAA60-\uAA7F]'),  -- Myanmar
            ('[\u10A0-\u10FF\u1C90-\u1CBF\u2D00-\u2D2F]'),  -- Georgian
            ('[\u1200-\u139F\u2D80-\u2DDF\uAB00-\uAB2F]'),  -- Ethiopic
            ('[\u13A0-\u13FF\uAB70-\uABBF]'),  -- Cherokee
            ('[\u1400-\u167F\u18B0-\u18FF]'),  -- Canadian syllabics
            ('[\u1680-\u17FF\u1800-\u18AF\u1900-\u1C7F]'),  -- Ogham, runes, Khmer, Mongolian and their neighbours
            ('[\u2D30-\u2D7F]'),  -- Tifinagh
            ('[\uA4D0-\uA63F\uA6A0-\uA6FF\uA800-\uA8DF\uA900-\uA9DF\uAA00-\uAA5F\uAA80-\uAAFF]'),  -- Lisu, Vai and others
            ('[\U00010280-\U00016FFF\U0001BC00-\U0001BC9F\U0001E000-\U0001EFFF]')  -- what is rare or no longer written
        ) as s (letters)
        where p_word ~ s.letters
    );
end
$$;
comment on function credits.mixes_scripts(text) is
'Has a word letters of more than one script, of those in which some pass for one another?';

create or replace function credits.passes_for_latin(p_word text)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Cyrillic, Greek, Armenian and Cherokee letters that are drawn like a Latin one.
    return p_word ~ '[^\u0001-\u007F]' and p_word ~ ('^['
        || '\u0430\u0433\u0435\u043A\u043C\u043E\u043F\u0440\u0441\u0442\u0443\u0445\u0455\u0456\u0458\u0461\u0475\u04AF'
        || '\u04BB\u04CF\u0501\u051B\u051D\u03B1\u03B3\u03B7\u03B9\u03BA\u03BD\u03BF\u03C1\u03C4\u03C5\u03C7\u03F2\u03F3'
        || '\u0561\u0563\u0566\u0570\u0578\u057D\u0581\u0584\u0585\uAB70-\uABBF'
        || '0-9]+$');
end
$$;
comment on function credits.passes_for_latin(text) is
'Is a word written in letters that are drawn like Latin ones, and are none?';
