"""One mailbox is one account, however its address is spelt; and what passes for another address is none."""

from __future__ import annotations

import sys
import unicodedata
from uuid import uuid4

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from people import STEADY, Caller, Connection, refused

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"


def normal(admin: Connection, email: str) -> str | None:
    row = admin.execute("select credits.normal_email(%s)", (email,)).fetchone()
    assert row is not None
    return None if row[0] is None else str(row[0])


# What is put in changes nothing that anybody sees.
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
    ],
    ids=ascii,
)
def test_letters_that_pass_for_others_are_refused(email: str, service: Caller) -> None:
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
    ],
    ids=ascii,
)
def test_what_is_no_mailbox_is_refused(email: str, service: Caller) -> None:
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
def test_punycode_is_that_of_the_library(admin: Connection, label: str) -> None:
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


def test_nothing_that_nobody_sees_is_left(admin: Connection) -> None:
    """Every character of Unicode's category Cf between two letters, but those that are drawn."""
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


def test_an_account_of_the_time_before_signs_in_with_the_address_it_had(
    service: Caller, admin: Connection
) -> None:
    """Kept when addresses had no one spelling: its own spelling finds it."""
    old = f"а{uuid4().hex}@exam\u00adple.com"
    user_id = service.call("sign_up", email=f"u{uuid4().hex}@example.com", password_hash=HASH)["user_id"]
    admin.execute("update credits.credentials set email = %s where subject = %s", (old, user_id))
    for spelling in (old, f" {old.upper()}"):
        assert service.call("find_credential", email=spelling)["user_id"] == user_id
    assert service.call("verify_email", email=old)["user_id"] == user_id
