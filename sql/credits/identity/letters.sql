-- Capital and small letters of the scripts that credits.script_of knows, the same in every database. lower() and
-- upper() depend on the locale of the database and on the version of PostgreSQL.

create or replace function credits.letter_cases(out capitals text, out small text)
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    capitals := 'ABCDEFGHIJKLMNOPQRSTUVWXYZÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŸĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮĴĶĹĻĽŁŃŅŇŊŌŎŐŒŔŖŘŚŜ'
        || 'ŞŠŤŦŨŪŬŮŰŲŴŶŹŻŽƠƯȚƏẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸΆΈΉΊΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪΫΌΎΏАБВ'
        || 'ГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏҐҒҖҘҚҠҢҪҮҰҲҶҺӘӢӨӮԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖ'
        || 'ᲐᲑᲒᲓᲔᲕᲖᲗᲘᲙᲚᲛᲜᲝᲞᲟᲠᲡᲢᲣᲤᲥᲦᲧᲨᲩᲪᲫᲬᲭᲮᲯᲰ';
    small := 'abcdefghijklmnopqrstuvwxyzàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįĵķĺļľłńņňŋōŏőœŕŗřśŝ'
        || 'şšťŧũūŭůűųŵŷźżžơưțəạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹάέήίαβγδεζηθικλμνξοπρστυφχψωϊϋόύώабв'
        || 'гдежзийклмнопрстуфхцчшщъыьэюяѐёђѓєѕіїјљњћќѝўџґғҗҙқҡңҫүұҳҷһәӣөӯաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ'
        || 'აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ';
end
$$;
comment on function credits.letter_cases() is
'The letters that have two cases. Each place of capitals has its small letter at the same place of small.';

create or replace function credits.small_letters(p_text text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_cases constant record := credits.letter_cases();
begin
    -- Greek has a second small sigma for the end of a word, and German has a capital double s. Turkish telephones write
    -- a capital i with a dot, whose small letter becomes two characters elsewhere.
    return replace(translate(p_text, v_cases.capitals || 'ςẞİ', v_cases.small || 'σßi'), 'i' || chr(775), 'i');
end
$$;
comment on function credits.small_letters(text) is
'A text in small letters, the same in every database.';

create or replace function credits.capital_letters(p_text text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_cases constant record := credits.letter_cases();
begin
    return translate(p_text, v_cases.small, v_cases.capitals);
end
$$;
comment on function credits.capital_letters(text) is
'A text in capital letters, the same in every database.';
