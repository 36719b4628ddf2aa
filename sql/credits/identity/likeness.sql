-- Whether an id is a listed module with a slip of the pen in it, spelled or drawn almost like the listed one. A slip
-- must not cost the default price.

-- Letters that are drawn like a Latin letter become that letter: Latin letters with strokes, hooks and tails, small
-- capitals, and letters of Cyrillic, Greek, Coptic, Armenian, Cherokee and Lisu (by Unicode's UTS 39 and by eye).
-- Accents and invisible characters are removed. Both cases are in the list, because lower() knows different letters in
-- different databases.
create or replace function credits.likeness(p_module_id text)
returns text
language sql
immutable
-- The generated column credits.modules.likeness has the same expression; a test compares the two.
return regexp_replace(
    lower(translate(
        normalize(p_module_id, nfkd),
        U&'\023A\0251\0391\03B1\0410\0430\13AA\1D00\1D8F\2C65\2C6D\2C80\2C81\A4EE\AB7A'
        || U&'\00DF\0180\0181\0182\0183\0184\0185\0243\0253\0299\0392\03B2\0412\042A\042C\0432'
        || U&'\044A\044C\13CF\13F4\13FC\1D6C\1D80\1E9E\2C82\2C83\A4D0\A796\A797\AB9F'
        || U&'\0187\0188\023B\023C\0255\03A3\03C2\0421\0441\04AA\04AB\13DF\1D04\2CA4\2CA5\A4DA'
        || U&'\A792\A793\A794\A7C4\ABAF'
        || U&'\0110\0111\018A\018B\018C\0221\0256\0257\0500\0501\13A0\13E7\1D05\1D6D\1D81\1D91'
        || U&'\A4D3\A779\A77A\A7C7\A7C8\AB70\ABB7'
        || U&'\0246\0247\0395\03B5\0404\0415\0435\0454\04BC\04BD\04BE\04BF\0510\0511\13AC\1D07'
        || U&'\1D92\212E\2C78\2C88\2C89\A4F0\AB32\AB34\AB7C'
        || U&'\0191\0192\03DC\03DD\0492\0493\0584\1D6E\1D82\1E9D\A4DD\A730\A77B\A77C\A798\A799'
        || U&'\0193\01E4\01E5\0260\0261\0262\029B\050C\050D\0581\13C0\1D83\A4D6\A77D\A7A0\A7A1'
        || U&'\A7AC\AB90'
        || U&'\0126\0127\0266\029C\0397\0402\040B\041D\043D\0452\045B\04A2\04A3\04A4\04A5\04BA'
        || U&'\04BB\04C7\04C8\04C9\04CA\0570\13BB\13C2\2C67\2C68\2C8E\2C8F\A4E7\A795\A7AA\AB8B'
        || U&'\AB92'
        || U&'\0131\0196\0197\0268\0269\026A\0399\03B9\0406\0456\0582\13A5\1D7C\1D96\2C92\2C93'
        || U&'\A4F2\AB75'
        || U&'\0237\0248\0249\029D\037F\03F3\0408\0458\0575\13AB\1D0A\A4D9\A7B2\AB7B'
        || U&'\0198\0199\039A\03BA\041A\043A\049A\049B\049C\049D\049E\049F\04A0\04A1\04C3\04C4'
        || U&'\051E\051F\13E6\1D0B\1D84\2C69\2C6A\2C94\2C95\A4D7\A740\A741\A742\A743\A744\A745'
        || U&'\A7A2\A7A3\ABB6'
        || U&'\0141\0142\019A\01C0\0234\023D\026B\026C\026D\029F\04C0\04CF\053C\056C\13DE\1D0C'
        || U&'\1D85\2C60\2C61\2C62\A4E1\A748\A749\A78E\A7AD\AB37\AB38\AB39\ABAE'
        || U&'\0271\039C\041C\043C\04CD\04CE\13B7\1D0D\1D6F\1D86\2C6E\2C98\2C99\A4DF\AB3A\AB87'
        || U&'\019D\019E\0220\0235\0272\0273\0274\039D\03B7\041F\043F\0578\057C\1D70\1D87\2C9A'
        || U&'\2C9B\A4E0\A790\A791\A7A4\A7A5\AB3B'
        || U&'\00D8\00F8\019F\039F\03BF\03C3\041E\043E\0472\0473\04E8\04E9\0555\0585\1D0F\2C7A'
        || U&'\2C9E\2C9F\A4F3\A74A\A74B\A74C\A74D\AB3D'
        || U&'\01A4\01A5\03A1\03C1\0420\0440\048E\048F\13E2\1D18\1D71\1D7D\1D88\2C63\2CA2\2CA3'
        || U&'\A4D1\A750\A751\A752\A753\A754\A755\ABB2'
        || U&'\024B\02A0\051A\051B\0533\0563\0566\A756\A757\A758\A759\A7AF'
        || U&'\024C\024D\027C\027D\027E\0280\0413\0433\0490\0491\13A1\13D2\1D72\1D73\1D89\2C64'
        || U&'\A4E3\A775\A782\A783\A7A6\A7A7\AB46\AB47\AB48\AB49\AB4B\AB71\ABA2'
        || U&'\023F\0282\0405\0455\054F\13D5\13DA\1D74\1D8A\2C7E\A4E2\A731\A784\A785\A7A8\A7A9'
        || U&'\A7C5\A7C9\A7CA\ABA5\ABAA'
        || U&'\0166\0167\01AB\01AC\01AD\01AE\0236\023E\0288\03A4\03C4\0422\0442\04AC\04AD\13A2'
        || U&'\1D1B\1D75\2C66\2CA6\2CA7\A4D4\A786\A787\AB72'
        || U&'\01B1\028A\03BC\03C5\040F\045F\054D\057D\1D1C\1D7F\1D99\A4F4\A7B8\A7B9\AB4E\AB52'
        || U&'\01B2\0245\028B\028C\03BD\0474\0475\13D9\1D20\1D8C\2C71\2C74\A4E6\A75E\A75F\ABA9'
        || U&'\03C9\0428\0429\0448\0449\0460\0461\051C\051D\0561\13B3\13D4\1D21\2C72\2C73\2CB0'
        || U&'\2CB1\A4EA\AB83\ABA4'
        || U&'\03A7\03C7\0425\0445\04B2\04B3\04FC\04FD\04FE\04FF\1D8D\2CAC\2CAD\A4EB\AB56\AB57'
        || U&'\AB58\AB59'
        || U&'\01B3\01B4\024E\024F\028F\03A5\03B3\0423\0443\04AE\04AF\04B0\04B1\13A9\13BD\1EFE'
        || U&'\1EFF\2CA8\2CA9\A4EC\AB5A\AB79\AB8D'
        || U&'\01B5\01B6\0224\0225\0240\0290\0291\0396\13C3\1D22\1D76\1D8E\2C6B\2C6C\2C7F\A4DC'
        || U&'\A7C6\AB93',
        'aaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbcccccccccccccccccccccdddddddddddddddddddddddeeeeeee'
        || 'eeeeeeeeeeeeeeeeeeffffffffffffffffgggggggggggggggggghhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhiiiiiiiiiii'
        || 'iiiiiiijjjjjjjjjjjjjjkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkklllllllllllllllllllllllllllllmmmmmmmmmmm'
        || 'mmmmmnnnnnnnnnnnnnnnnnnnnnnnooooooooooooooooooooooooppppppppppppppppppppppppqqqqqqqqqqqqrrrrrrrr'
        || 'rrrrrrrrrrrrrrrrrrrrrssssssssssssssssssssstttttttttttttttttttttttttuuuuuuuuuuuuuuuuvvvvvvvvvvvvv'
        || 'vvvwwwwwwwwwwwwwwwwwwwwxxxxxxxxxxxxxxxxxxyyyyyyyyyyyyyyyyyyyyyyyzzzzzzzzzzzzzzzzzz'
    ) collate "C"),
    '[\u0001-\u0020\u007F-\u00A0\u00AD\u02D7\u0300-\u036F\u0483-\u0489\u058A\u05BE\u061C\u115F\u1160\u1680\u17B4'
    '\u17B5\u1806\u180B-\u180F\u1AB0-\u1AFF\u1DC0-\u1DFF\u2000-\u2015\u2028-\u202F\u203F\u2040\u2043\u2054'
    '\u205F-\u206F\u20D0-\u20FF\u2212\u2800\u2E17\u2E1A\u2E2F\u2E3A\u2E3B\u2E40\u2E5D\u3000\u301C\u3030\u30A0\u3164'
    '\uFE00-\uFE0F\uFE20-\uFE2F\uFE33\uFE34\uFE4D-\uFE4F\uFE58\uFE63\uFEFF\uFF0D\uFFA0\uFFF9-\uFFFB\U00010EAD'
    '\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF_-]',
    '', 'g'
);
comment on function credits.likeness(text) is
'The id of a module in the Latin letters that its letters look like, in small letters, without accents, white space, '
'invisible characters, hyphens and underscores.';

-- No table of look-alikes is complete, so an unlisted id that mixes Latin letters with others is refused as well.
-- Chinese, Japanese and Korean are often written with Latin letters among theirs, and do not look like them.
create or replace function credits.mixes_letters(p_module_id text, p_likeness text)
returns boolean
language sql
immutable
return (
    normalize(p_module_id, nfkd) ~ '[A-Za-z]'
    and p_likeness ~ '[^\u0001-\u007F\u1100-\u11FF\u2E80-\u2FDF\u3005\u3007\u3040-\u318F\u31A0-\u31FF\u3400-\u4DBF'
    '\u4E00-\u9FFF\U00020000-\U0003FFFF]'
) is true;
comment on function credits.mixes_letters(text, text) is
'Whether an id with this likeness has, besides Latin letters, other letters that could be mistaken for them.';

create or replace function credits.is_misspelled(p_module_id text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_likeness constant text := credits.likeness(p_module_id);
begin
    return not credits.is_name(p_module_id, 200)
        or coalesce(v_likeness, '') = ''
        or credits.mixes_letters(p_module_id, v_likeness)
        or exists (
            select from credits.modules as m where m.likeness = v_likeness and m.module_id is distinct from p_module_id
        );
end
$$;
comment on function credits.is_misspelled(text) is
'Whether an id that is not listed looks like a listed module: by letters of other scripts, accents, case, white space, '
'hyphens or underscores. An id that consists of nothing else, that mixes Latin letters with others, or that could not '
'be listed (credits.is_name) is misspelled, too.';
