"""Lines of a catalog that give tokens away can be repeated; mistakes are refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection, refused


@pytest.fixture
def author(admin: Connection, admin_url: str) -> Iterator[Caller]:
    """The owner of the tables in a transaction that is rolled back, as `pgcredits catalog apply` acts."""
    with psycopg.connect(admin_url) as connection:
        connection.execute("begin")
        yield Caller(connection, "credits_owner")
        connection.rollback()


def define(author: Caller, call: str, *params: Any) -> None:
    author.rows(f"select credits.{call}", params)


def campaign(author: Caller) -> dict[str, Any]:
    row = author.row("select to_jsonb(c) as fields from credits.campaigns as c where campaign_id = 'c'")
    return dict(row["fields"])


def test_campaign_line_applied_again_keeps_its_count(author: Caller) -> None:
    define(author, "define_campaign('c', 'promo', 'C', 40, p_budget => 5)")
    define(author, "define_code('abc', 'c')")
    service = Caller(author.connection, "service_role")
    service.call("redeem_code", code="abc", user_id="somebody")
    before = campaign(author)
    assert (before["grants"], before["per_account"]) == (1, 1)
    assert (before["valid_from"], before["valid_until"], before["active"]) == ("-infinity", "infinity", True)
    define(author, "define_campaign('c', 'promo', 'C', 40, p_budget => 5)")
    assert campaign(author) == before
    define(
        author,
        "define_campaign('c', 'promo', 'D', 7, p_budget => 1, p_per_account => 2,"
        " p_valid_until => '2099-01-01Z', p_expires_after => '1 day', p_priority => 3,"
        " p_scope => 'module:whisper', p_active => false)",
    )
    changed = campaign(author)
    assert {name for name in changed if changed[name] != before[name]} == {
        "title",
        "tokens",
        "budget",
        "per_account",
        "valid_until",
        "expires_after",
        "priority",
        "scope",
        "active",
    }
    assert changed["grants"] == 1


@pytest.mark.parametrize(
    "line",
    [
        "define_campaign(null, 'promo', 'C', 40)",
        "define_campaign('', 'promo', 'C', 40)",
        "define_campaign('c', null, 'C', 40)",
        "define_campaign('c', 'purchase', 'C', 40)",
        "define_campaign('c', 'present', 'C', 40)",
        "define_campaign('c', 'promo', null, 40)",
        "define_campaign('c', 'promo', '', 40)",
        "define_campaign('c', 'promo', repeat('C', 201), 40)",
        *(
            f"define_campaign('c', 'promo', 'C', {tokens})"
            for tokens in ("null", "0", "-1", "'NaN'", "'Infinity'", "0.0000001", "1e13")
        ),
        "define_campaign('c', 'promo', 'C', 40, 5)",
        "define_campaign('c', 'welcome', 'C', 40, 5)",
        "define_campaign('c', 'referral', 'C', 40, -5)",
        "define_campaign('c', 'referral', 'C', 40, 'NaN')",
        "define_campaign('c', 'referral', 'C', 40, null)",
        "define_campaign('c', 'promo', 'C', 40, p_budget => 0)",
        "define_campaign('c', 'promo', 'C', 40, p_budget => -1)",
        "define_campaign('c', 'promo', 'C', 40, p_per_account => 0)",
        "define_campaign('c', 'promo', 'C', 40, p_per_account => null)",
        "define_campaign('c', 'welcome', 'C', 40, p_per_account => 2)",
        "define_campaign('c', 'promo', 'C', 40, p_valid_from => '2030-01-02', p_valid_until => '2030-01-01')",
        "define_campaign('c', 'promo', 'C', 40, p_expires_after => '0')",
        "define_campaign('c', 'promo', 'C', 40, p_expires_after => '-1 day')",
        "define_campaign('c', 'promo', 'C', 40, p_expires_after => '200000 years')",
        "define_campaign('c', 'promo', 'C', 40, p_scope => 'module:nothing')",
        "define_campaign('c', 'promo', 'C', 40, p_scope => 'whisper')",
        "define_campaign('c', 'promo', 'C', 40, p_active => null)",
    ],
)
def test_senseless_campaign_is_refused_by_name(line: str, author: Caller) -> None:
    with refused("bad_catalog") as facts:
        define(author, line)
    assert (facts["line"], facts["name"]) == (
        "campaign",
        {"(null": None, "(''": ""}.get(line[15:].split(",")[0], "c"),
    )


def test_campaign_cannot_change_below_what_it_has_given(author: Caller) -> None:
    define(author, "define_campaign('c', 'promo', 'C', 40, p_per_account => 2)")
    define(author, "define_code('abc', 'c')")
    service = Caller(author.connection, "service_role")
    for _ in range(2):
        service.call("redeem_code", code="abc", user_id="somebody")
    for line in (
        "define_campaign('c', 'welcome', 'C', 40)",
        "define_campaign('c', 'referral', 'C', 40)",
        "define_campaign('c', 'promo', 'C', 40, p_per_account => 2, p_budget => 1)",
        "define_campaign('c', 'promo', 'C', 40, p_per_account => 1)",
    ):
        with refused("bad_catalog"), author.connection.transaction():
            define(author, line)
    define(author, "define_campaign('c', 'promo', 'C', 40, p_per_account => 3, p_budget => 2)")


@pytest.mark.parametrize(
    ("code", "campaign_id"),
    [
        (None, "c"),
        ("", "c"),
        ("  ab  ", "c"),
        ("x" * 65, "c"),
        ("ab\x1fc", "c"),
        ("ab\x00c".replace("\x00", "\x7f"), "c"),
        ("abc\x85d".replace("\x85", "\x9f"), "c"),
        ("abc\ufff9", "c"),
        ("abc\ufffd", "c"),
        ("abc\ue000", "c"),
        ("abc\U000f0000", "c"),
        ("abc\u0378", "c"),
        ("abc\u0251", "c"),
        ("ab\u0441", "c"),  # Cyrillic among Latin
        ("\u0441\u043e\u0441", "c"),  # Cyrillic that is drawn like coc
        ("\u0412\u041d\u041a", "c"),  # and like BHK
        ("\u0391\u0392\u0395", "c"),  # Greek like ABE
        ("\uab70bc", "c"),
        ("a\u0335bc", "c"),
        ("\u0301abc", "c"),
        ("abc\u0661", "c"),
        ("abc\U0001f600", "c"),
        ("a\u02dbbc", "c"),  # an ogonek of its own
        ("a \u0301bc", "c"),
        ("a'bc", "c"),
        ("a/bc", "c"),
        ("abc" + "\u200b" * 10_000, "c"),
        ("abc", None),
        ("abc", "nothing"),
        ("abc", "w"),
        ("abc", "r"),
        ("taken", "c"),
    ],
)
def test_senseless_code_is_refused_by_name(code: str | None, campaign_id: str | None, author: Caller) -> None:
    define(author, "define_campaign('c', 'promo', 'C', 40)")
    define(author, "define_campaign('d', 'promo', 'D', 40)")
    define(author, "define_campaign('w', 'welcome', 'W', 40)")
    define(author, "define_campaign('r', 'referral', 'R', 40)")
    define(author, "define_code(' Taken ', 'd')")
    define(author, "define_code('TAKEN', 'd')")
    with refused("bad_catalog") as facts:
        define(author, "define_code(%s, %s)", code, campaign_id)
    assert (facts["line"], facts["name"]) == ("code", code)


@pytest.mark.parametrize(
    ("defined", "typed"),
    [
        (
            "SPRING-26",
            [
                "spring\u201326",
                " Spring\u201126\u00a0",
                "SPRING\u221226",
                "spr\u00ading-26",
                "ｓｐｒｉｎｇ－２６",
            ],
        ),
        ("spring\u201426", ["SPRING-26"]),
        ("SPRING 26", ["spring26", "spring\u200b26", "spring\u202826"]),
        ("\u0130ND\u0130R\u0130M", ["indirim", "\u0131nd\u0131r\u0131m", "INDIRIM", "i\u0307ndirim"]),
        ("no\u00ebl", ["NOE\u0308L", "NO\u00cbL", "noe\u0308l"]),
        (
            "\u0432\u0435\u0441\u043d\u0430\u0437\u0438\u043c\u0430",
            ["\u0412\u0415\u0421\u041d\u0410 \u0417\u0418\u041c\u0410"],
        ),
        ("\u03c4\u03ad\u03bb\u03bf\u03c2", ["\u03a4\u0388\u039b\u039f\u03a3"]),
        ("50%+A&B!", ["50%+a&b!"]),
        ("stra\u00dfe", ["STRA\u1e9eE", "Stra\u00dfe"]),
    ],
    ids=ascii,
)
def test_a_code_has_one_spelling(defined: str, typed: list[str], author: Caller) -> None:
    service = Caller(author.connection, "service_role")
    define(author, "define_campaign('c', 'promo', 'C', 40, p_per_account => 100)")
    define(author, "define_code(%s, 'c')", defined)
    for number, code in enumerate([defined, *typed]):
        define(author, "define_code(%s, 'c')", code)
        receipt = service.call("redeem_code", code=code, user_id=f"u{number}")
        assert receipt["tokens"] == 40
    assert len(author.rows("select from credits.codes where campaign_id = 'c'")) == 1


@pytest.mark.parametrize("code", ["abc\ufff9", "abc\x1f", "\u0430bc", "abc\ue000", "a\u0335bc"], ids=ascii)
def test_code_with_lookalike_letters_is_refused(code: str, author: Caller) -> None:
    service = Caller(author.connection, "service_role")
    define(author, "define_campaign('c', 'promo', 'C', 40)")
    define(author, "define_code('abc', 'c')")
    with refused("unknown_code"):
        service.call("redeem_code", code=code, user_id="ada")
    with refused("unknown_code"):
        service.call("open_account", referral_code=code, user_id="ada")
