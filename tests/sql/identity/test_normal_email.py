"""One mailbox is one account, however its address is spelled. Look-alike addresses are refused."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import Any
from uuid import uuid4

import idna
import psycopg
import pytest
from callers import STEADY, Caller, Connection, refused
from hypothesis import given
from hypothesis import strategies as st
from idna.idnadata import codepoint_classes
from idna.intranges import intranges_contain

SQL = Path(__file__).parents[3] / "sql/credits"
FILES = (
    "base/plain_text",
    "identity/letters",
    "identity/scripts",
    "identity/punycode",
    "identity/normal_email",
    "campaigns/normal_code",
)
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"


def normal(admin: Connection, email: str) -> str | None:
    row = admin.execute("select credits.normal_email(%s)", (email,)).fetchone()
    assert row is not None
    return None if row[0] is None else str(row[0])


# The inserted character is invisible.
SPELLINGS = {
    "capitals": "ADA.L@EXAMPLE.COM",
    "space around": " ada.l@example.com\t",
    "no-break space around": "\u00a0ada.l@example.com\u2003",
    "a line's end": "ada.l@example.com\u2028",
    "zero-width space": "ada\u200b.l@example.com",
    "zero-width joiners": "a\u200cd\u200da.l@example.com",
    "word joiner": "ada.l\u2060@example.com",
    "byte order mark": "\ufeffada.l@example.com",
    "soft hyphen": "ada.l@exam\u00adple.com",
    "marks of direction": "\u202aada.l\u202c@example.com\u200e",
    "grapheme joiner": "a\u034fda.l@example.com",
    "variation selector": "ada.l\ufe0f@example.com",
    "Mongolian separator": "ada\u180e.l@example.com",
    "Hangul fillers": "ada\u3164\uffa0\u115f.l@example.com",
    "tags": "ada.l\U000e0041\U000e007f@example.com",
    "full width": "ａｄａ．ｌ＠ｅｘａｍｐｌｅ．ｃｏｍ",
    "mathematical letters": "𝐚𝒹𝖆.l@example.com",
    "small at": "ada.l﹫example.com",
    "the domain is whole": "ada.l@example.com.",
    "full stop of East Asia": "ada.l@example。com",
    "half-width full stop": "ada.l@example｡com",
    "long s": "ada.l@example.com".replace("x", "x\u00ad"),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_spellings_of_one_mailbox_are_one_address(spelling: str, admin: Connection) -> None:
    assert normal(admin, spelling) == "ada.l@example.com"


def test_spellings_of_one_mailbox_are_one_account(service: Caller) -> None:
    name = f"u{uuid4().hex}"
    user_id = service.call("sign_up", email=f"{name}@example.com", password_hash=HASH)["user_id"]
    for spelling in SPELLINGS.values():
        email = spelling.replace("ada.l", name).replace("ADA.L", name)
        if name in email:
            with refused("email_taken"):
                service.call("sign_up", email=email, password_hash=HASH)
            assert service.call("find_credential", email=email)["user_id"] == user_id


@pytest.mark.parametrize(
    "email",
    [
        "аda@example.com",  # a Cyrillic а
        "adа1@example.com",
        "ad\u03b1@example.com",  # a Greek alpha
        "\u0430\u0441\u0435@example.com",  # all Cyrillic, and looks like ace
        "\u0430.lovelace@example.com",
        "ada@exаmple.com",
        "ada@\u0430\u0440\u0440\u04cf\u0435.com",
        "ada@xn--80ak6aa92e.com",  # the same in Punycode
        "ada@xn--exmple-4nf.com",  # exаmple
        "ada\u13aa@example.com",  # Cherokee
        "ad\u0561@example.com",  # Armenian
        "\u0251da@example.com",  # letters of phonetics, and small capitals
        "\u1d00da@example.com",
        "a\u1d05a@example.com",
        "\u0261reta@example.com",
        "ada\u0299@example.com",
        "\ua4e5da@example.com",  # Lisu
        "\uab70da@example.com",  # Cherokee, small and whole
        "\uab70\uab91\uab7a@example.com",
        "ad\u0131@example.com",  # i without its dot, and with another one
        "l\u0131sa@example.com",
        "a\u0138a@example.com",  # kra
        "\u00e6da@example.com",  # two letters in one
        "\u0153da@example.com",
        "ada@exam\u0131ple.com",
        "ada@ex\u0251mple.com",
        "ada@\u1d07xample.com",
        "ada\ufffd@example.com",  # no letters at all
        "ada\ue000@example.com",
        "ada\U000f0000@example.com",
        "ada\ufff9@example.com",
        "ada\ufffa@example.com",
        "ada\ufffb@example.com",
        "ada\u0378@example.com",
        "ada\ufdd0@example.com",
        "ada\U0001f600@example.com",
        "ada\u00b7l@example.com",
        "ada\u2010l@example.com",  # dashes
        "ada\u2011l@example.com",
        "ada\u2012l@example.com",
        "ada\u2013l@example.com",
        "ada\u2212l@example.com",
        "ada\u30fcl@example.com",
        "ada\u4e00l@example.com",
        "ada\u2018l@example.com",
        "ada1\u0661@example.com",  # digits that are not ours
        "ada\u06f1@example.com",
        "ada\u0967@example.com",
        "\u0645\u062d\u0645\u062f\u0661@example.com",
        "a\u0335da@example.com",  # marks
        "a\u0338da@example.com",
        "a\u0301\u0301da@example.com",
        "a\u0327\u0301da@example.com",
        "a\u1ab0da@example.com",
        "\u0301ada@example.com",
        "ada\u20dd@example.com",
        "\u0915\u093c\u093c@example.com",
        "\u0e41\u0e40\u0e40\u0e01@example.com",  # Thai ae, twice two e's
        "\u1ea1da@example.com",  # a dot below, as no keyboard of an ASCII mailbox has it
        "\u0430da.\u0431@example.com",  # two scripts in one local part
        "\u0431\u0432.ada@example.com",
    ],
    ids=ascii,
)
def test_lookalike_letters_are_refused(email: str, service: Caller) -> None:
    with refused("bad_email"):
        service.call("sign_up", email=email, password_hash=HASH)


@pytest.mark.parametrize(
    "email",
    [
        '"ada"@example.com',
        "ada(1)@example.com",
        "ada\\@example.com",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        "ada@example..com",
        "ada@.example.com",
        "ada@example.com..",
        "ada@-example.com",
        "ada@exa_mple,com",
        "ada@xn--a",
        "ada@xn--99999999",
        "ada@" + "a" * 64 + ".com",
        "\u200b@example.com",
        "ada@\u200b",
        "a\u00a0da@example.com",
        "ada@exam\u2028ple.com",
        "ada@[127.0.0.1]",
        "ada@example.com" + "\u200b" * 2000,
        "a" * 65 + "@example.com",
        "\u0431" * 33 + "@example.com",  # 66 octets
        "ada@" + "a." * 126 + "com",
        "a" * 64 + "@" + "a." * 95 + "com",
        "ada@127.0.0.1",
        "ada@example.1",
        "ada@exa_mple.com",
        "ada@ab--cd.com",
        "ada@xn--.com",
        "ada@\u2013.com",
        "ada@ex\u2013ample.com",  # no label may have a dash
        "ada@xn--example-45g.com",
        "ada@xn--abc-.com",  # Punycode of ASCII
        "ada@xn--abc.com",
        "ada@xn--example-.com",
        "ada@xn--mnchen-3yA\u00e4.de",
        "ada@xn--mnchen-3y.de",
        "ada@xn--ls8h.com",  # a pile of something
        "ada@xn--lisa-rwc.com",  # an i with two dots
        "ada@\u2665.com",
        "ada@i\u2665ny.com",
        "ada@\u0301abc.com",
        "ada@\u0378abc.com",
        "ada@\U000105c9.com",
        "ada@a\u0661.com",
        "ada@1\u05d0.com",  # from right to left, a digit at the beginning
        "ada@\u05d0a.com",
        "ada@\u05d0.1a.com",
        "ada@" + "\u00fc" * 60 + ".com",  # over 63 octets as it is sent
        "ada@-\u00fc.com",
        "ada@\u00fc-.com",
        "ada@\u00fc\u00fc--a.com",
        "ada@\u30fcabc.com",
        "\u05d0+@example.com",
        "+\u05d0@example.com",
    ],
    ids=ascii,
)
def test_only_mailboxes_are_accepted(email: str, service: Caller) -> None:
    with refused("bad_email"):
        service.call("sign_up", email=email, password_hash=HASH)


@pytest.mark.parametrize(
    ("email", "kept"),
    [
        ("a+b@example.com", "a+b@example.com"),  # another mailbox than a@
        ("o'neil@example.com", "o'neil@example.com"),
        ("вася.пупкин@пример.рф", "вася.пупкин@xn--e1afmkfd.xn--p1ai"),
        ("σίσυφος@παράδειγμα.ελ", "σίσυφοσ@xn--hxajbheg2az3al.xn--qxam"),
        ("田中taro@例え.jp", "田中taro@xn--r8jz45g.jp"),
        ("müller@münchen.de", "müller@xn--mnchen-3ya.de"),
        ("müller@MÜNCHEN.de", "müller@xn--mnchen-3ya.de"),
        ("mu\u0308ller@mu\u0308nchen.de", "müller@xn--mnchen-3ya.de"),
        ("müller@xn--mnchen-3ya.de", "müller@xn--mnchen-3ya.de"),
        ("müller@xn--MNCHEN-3YA.de", "müller@xn--mnchen-3ya.de"),
        ("x@faß.de", "x@xn--fa-hia.de"),
        ("x@localhost", "x@localhost"),
        ("ada+tag!#$%&'*/=?^_`{|}~-@example.com", "ada+tag!#$%&'*/=?^_`{|}~-@example.com"),
        ("ΣΊΣΥΦΟΣ@ΠΑΡΆΔΕΙΓΜΑ.ΕΛ", "σίσυφοσ@xn--hxajbheg2az3al.xn--qxam"),
        ("ВАСЯ@ПРИМЕР.РФ", "вася@xn--e1afmkfd.xn--p1ai"),
        ("а.пушкин@пример.рф", "а.пушкин@xn--e1afmkfd.xn--p1ai"),
        ("संपर्क@डाटामेल.भारत", "संपर्क@xn--c2bd4bq1db8d.xn--h2brj9c"),
        ("ข้อมูล@คน.ไทย", "ข้อมูล@xn--42c6b.xn--o3cw4h"),
        ("דוגמה@דוגמה.ישראל", "דוגמה@xn--6dbbec0c.xn--4dbrk0ce"),
        ("محمد@مثال.مصر", "محمد@xn--mgbh0fb.xn--wgbh1c"),
        ("데이터@한국.kr", "데이터@xn--3e0b707e.kr"),
        ("サーバー@例え.jp", "サーバー@xn--r8jz45g.jp"),
        ("用户@例子.中国", "用户@xn--fsqu00a.xn--fiqs8s"),
        ("x@việtnam.vn", "x@xn--vitnam-jk8b.vn"),
        ("LISA@EXAMPLE.COM", "lisa@example.com"),
        ("L\u0130SA@EXAMPLE.COM", "lisa@example.com"),  # a Turkish telephone's capital letter
        ("li\u0307sa@example.com", "lisa@example.com"),  # and what other programs make of it
        ("x@a-b-c.example.co.uk", "x@a-b-c.example.co.uk"),
        ("x@1und1.de", "x@1und1.de"),
    ],
)
def test_a_domain_has_the_form_that_mail_servers_use(email: str, kept: str, admin: Connection) -> None:
    assert normal(admin, email) == kept


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
@STEADY
def test_a_normal_address_is_its_own_normal_form(admin: Connection, text: str) -> None:
    for email in (f"{text}@example.com", f"ada@{text}.com"):
        kept = normal(admin, email)
        assert kept is None or normal(admin, kept) == kept


@given(
    st.text(
        st.characters(min_codepoint=0xA1, max_codepoint=0x2FFFF, categories=["Ll", "Lo"]),
        min_size=1,
        max_size=12,
    )
)
@STEADY
def test_punycode_agrees_with_the_library(admin: Connection, label: str) -> None:
    encoded = label.encode("punycode").decode()
    row = admin.execute(
        "select credits.punycode_encode(%s), credits.punycode_decode(%s)", (label, encoded)
    ).fetchone()
    assert row == (encoded, label)
    assert idna.encode("münchen") == b"xn--mnchen-3ya"


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789-", max_size=30))
@STEADY
def test_any_punycode_is_read_or_refused(admin: Connection, code: str) -> None:
    row = admin.execute("select credits.punycode_decode(%s)", (code,)).fetchone()
    assert row is not None
    if row[0] is not None:
        again = admin.execute("select credits.punycode_encode(%s)", (row[0],)).fetchone()
        assert again is not None


def test_invisible_characters_are_removed(admin: Connection) -> None:
    """Puts every character of Unicode's category Cf that is not drawn between two letters."""
    drawn = {
        *range(0x600, 0x606),
        0x6DD,
        0x70F,
        0x890,
        0x891,
        0x8E2,
        *range(0xFFF9, 0xFFFC),
        0x110BD,
        0x110CD,
    }
    unseen = [
        chr(code)
        for code in range(0x80, sys.maxunicode)
        if unicodedata.category(chr(code)) == "Cf"
        and code not in drawn
        and not 0x13430 <= code < 0x13460  # how hieroglyphs stand to one another
    ]
    assert len(unseen) > 100
    rows = admin.execute(
        "select c from unnest(%s::text[]) as c where credits.plain_text('a' || c || 'b') <> 'ab'"
        " or credits.normal_code('a' || c || 'b') <> 'AB'",
        (unseen,),
    ).fetchall()
    assert rows == []


# The result of every character after a Latin letter, and alone in a domain; only some of Han and Hangul.
DIGEST = "29ba9d612e37255be7b17428fac0546c"
EVERY = """
select md5(string_agg(
    concat_ws('|', c.code, credits.normal_email('a' || chr(c.code) || '@example.com'),
        credits.normal_email('a@' || chr(c.code) || '.com'), credits.capital_letters(chr(c.code))),
    ' ' order by c.code
))
from generate_series(1, 65535) as c (code)
where c.code < 13312 or c.code between 42192 and 44031 or c.code between 63744 and 65535 or c.code % 97 = 0
    and c.code not between 55296 and 63743
"""


@pytest.mark.slow
@pytest.mark.parametrize("locale", ["locale 'C'", "locale 'C.UTF-8'", "locale_provider icu icu_locale 'tr'"])
def test_an_address_is_the_same_in_every_locale_and_version(
    locale: str, admin: Connection, cluster: Any
) -> None:
    """PostgreSQL 15 knows Unicode 14, 18 knows Unicode 16; lower() of I is another letter in Turkish."""
    with psycopg.connect(cluster.url(), autocommit=True) as server:
        try:
            server.execute(f"create database elsewhere template template0 encoding utf8 {locale}")
        except psycopg.errors.FeatureNotSupported:
            pytest.skip("this PostgreSQL was built without ICU")
        try:
            with psycopg.connect(cluster.url("elsewhere"), autocommit=True) as other:
                other.execute("create schema credits")
                for name in FILES:
                    other.execute((SQL / f"{name}.sql").read_text())
                row = other.execute(EVERY).fetchone()
                assert row == (DIGEST,)
        finally:
            server.execute("drop database elsewhere with (force)")


@given(
    st.text(st.characters(min_codepoint=0x61, max_codepoint=0xFFFD, exclude_categories=["Cs"]), max_size=6)
)
@STEADY
def test_every_accepted_domain_is_valid_idna(admin: Connection, label: str) -> None:
    kept = normal(admin, f"ada@{label}.com")
    if kept is not None:
        domain = kept.removeprefix("ada@")
        assert idna.encode(idna.decode(domain)).decode() == domain


@pytest.mark.slow
def test_every_accepted_letter_may_stand_in_a_domain(admin: Connection) -> None:
    """Compared with another library's tables: PVALID, and in NFKC. A mark is tried on each script."""
    rows = admin.execute(
        "select chr(c.code) from generate_series(128, 65535) as c (code)"
        " where c.code not between 55296 and 57343"
        " and (c.code not between 13312 and 55295 or c.code %% 7 = 0) and exists ("
        "   select from regexp_split_to_table(%s, ',') as b (base)"
        "   where credits.script_of(b.base || chr(c.code)) is not null)",
        (",क,ক,ਕ,ક,କ,க,క,ಕ,ക,ක,ກ,ก,က,ក,か",),
    ).fetchall()
    letters = [letter for (letter,) in rows if letter == letter.lower()]
    assert len(letters) > 5000
    others = [
        letter
        for letter in letters
        if unicodedata.normalize("NFKC", letter) != letter
        or unicodedata.category(letter)[0] not in "LM"
        or not intranges_contain(ord(letter), codepoint_classes["PVALID"])
    ]
    assert others == ["\u3007"]  # zero, as Chinese and Japanese write it: PVALID by an exception


def test_older_account_signs_in_with_its_old_address(service: Caller, admin: Connection) -> None:
    """The address was kept before addresses had one spelling. Its old spelling still finds it."""
    old = f"а{uuid4().hex}@exam\u00adple.com"
    user_id = service.call("sign_up", email=f"u{uuid4().hex}@example.com", password_hash=HASH)["user_id"]
    admin.execute("update credits.credentials set email = %s where subject = %s", (old, user_id))
    for spelling in (old, f" {old.upper()}"):
        assert service.call("find_credential", email=spelling)["user_id"] == user_id
    assert service.call("verify_email", email=old)["user_id"] == user_id
