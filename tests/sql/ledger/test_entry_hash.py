"""The hash chain, frozen: computed a second time in Python, from the ledger's columns alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from callers import Caller, Connection
from psycopg.rows import dict_row

User = Callable[..., Caller]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PAGE = Path(__file__).parents[3] / "docs" / "hash-chain.md"


def hashed_text(previous: bytes, entry: dict[str, Any]) -> str:
    """What is hashed, by docs/hash-chain.md. `entry` has draws, usage, metadata and tags as jsonb's text."""

    def text(value: object) -> str:
        return "null" if value is None else json.dumps(str(value), ensure_ascii=False)

    def number(value: object) -> str:
        return "null" if value is None else str(value)

    def moment(value: datetime) -> str:
        microseconds = (value - EPOCH) // timedelta(microseconds=1)
        return f"{Decimal(microseconds).scaleb(-6):.6f}"

    late = {None: "null", True: "true", False: "false"}[entry["late"]]
    metadata = None if entry["metadata"] == "{}" else sha256(entry["metadata"].encode()).hexdigest()
    fields = (
        "1",
        text(previous.hex()),
        text(entry["account_id"]),
        number(entry["seq"]),
        moment(entry["posted_at"]),
        moment(entry["effective_at"]),
        text(entry["kind"]),
        *(f"{entry[name]:.6f}" for name in ("tokens", "balance_after", "debt_after")),
        number(entry["draws"]),
        text(entry["module_id"]),
        number(entry["usage"]),
        number(entry["price_id"]),
        text(entry["order_id"]),
        text(entry["hold_id"]),
        late,
        number(entry["refunds_seq"]),
        text(entry["campaign_id"]),
        text(entry["package_name"]),
        text(entry["actor"]),
        text(metadata),
    )
    return tagged(f"[{', '.join(fields)}]", entry.get("tags"))


def tagged(first: str, tags: str | None) -> str:
    """Format 2 wraps format 1. An entry without tags has format 1."""
    return first if tags is None else f'[2, "{sha256(tags.encode()).hexdigest()}", {first}]'


def entry_hash(previous: bytes, entry: dict[str, Any]) -> bytes:
    return sha256(hashed_text(previous, entry).encode()).digest()


def test_chain_of_a_real_account_is_what_python_makes_of_it(
    user: User, service: Caller, admin: Connection
) -> None:
    ada = user(Decimal("1000.5"), package_name="Ünïcødé 😀", metadata={"z": "é", "a": [1, None, 2.50]})
    ada.call("consume_tokens", module_id="whisper", metadata={"job": "1:2,3"})
    ada.call("consume_tokens", module_id="unlisted: 3:abc,", usage='{"calls": 3}')
    charged = service.call("consume_tokens", module_id="metube", user_id=ada.user_id)
    service.call("refund_usage", entry_id=charged["entry_id"])
    tags = {"job": 'é "1"', "feature": "chat"}
    held = service.call("hold_tokens", module_id="metube", user_id=ada.user_id, tags=tags)
    captured = service.call("capture_hold", hold_id=held["hold_id"])
    service.call("refund_usage", entry_id=captured["entry_id"], tokens=1)
    # Every character that JSON writes in another way, and some that it could.
    service.call("add_tokens", user_id=ada.user_id, tokens=1, metadata={'\x01\n\t"\\/\x7f\u2028': "</é>"})
    ada.call("consume_tokens", module_id='unlisted: quote ", slash \\ /')
    with admin.cursor(row_factory=dict_row) as cursor:
        entries = cursor.execute(
            "select e.*, e.draws::text as draws, e.usage::text as usage, e.metadata::text as metadata,"
            " e.tags::text as tags, e.kind::text as kind"
            " from credits.entries as e join credits.identities as i using (account_id)"
            " where i.subject = %s order by e.seq",
            (ada.user_id,),
        ).fetchall()
    assert [entry["actor"] for entry in entries] == [
        "service_role",
        "authenticated",
        "authenticated",
        *["service_role"] * 5,
        "authenticated",
    ]
    assert {name for entry in entries for name, value in entry.items() if value is None} == {
        *("module_id", "usage", "price_id", "order_id", "hold_id", "late", "refunds_seq", "campaign_id"),
        "package_name",
        "tags",
        "digests",
    }
    assert [entry["seq"] for entry in entries if entry["tags"]] == [6, 7]
    previous = b""
    for entry in entries:
        assert entry_hash(previous, entry) == entry["hash"]
        previous = entry["hash"]
    head = admin.execute(
        "select head_hash from credits.wallets where account_id = %s", (entries[0]["account_id"],)
    ).fetchone()
    assert head == (previous,)


# The entries of the worked example of docs/hash-chain.md.
EXAMPLE: list[dict[str, Any]] = [
    {
        "account_id": "a1b2c3d4-0000-4000-8000-0123456789ab",
        "seq": 1,
        "posted_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "effective_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "kind": "welcome",
        "tokens": Decimal(100),
        "balance_after": Decimal(100),
        "debt_after": Decimal(0),
        "draws": '[{"lot_id": 1, "tokens": 100}]',
        "module_id": None,
        "usage": None,
        "price_id": None,
        "order_id": None,
        "hold_id": None,
        "late": None,
        "refunds_seq": None,
        "campaign_id": "hello",
        "package_name": 'Café "Hello"',
        "actor": "service_role",
        "metadata": '{"number": 1, "campaign_id": "hello"}',
    },
    {
        "account_id": "a1b2c3d4-0000-4000-8000-0123456789ab",
        "seq": 2,
        "posted_at": datetime(2026, 1, 2, 3, 5, 0, 678901, tzinfo=UTC),
        "effective_at": datetime(2026, 1, 2, 3, 5, 0, 678901, tzinfo=UTC),
        "kind": "spend",
        "tokens": Decimal("-3.0625"),
        "balance_after": Decimal("96.9375"),
        "debt_after": Decimal(0),
        "draws": '[{"lot_id": 1, "tokens": 3.0625}]',
        "module_id": "whisper",
        "usage": '{"calls": 1}',
        "price_id": 42,
        "order_id": None,
        "hold_id": "00000000-1111-4222-8333-444444444444",
        "late": False,
        "refunds_seq": None,
        "campaign_id": None,
        "package_name": None,
        "actor": "authenticated",
        "metadata": "{}",
    },
]
EXAMPLE.append(
    EXAMPLE[1]
    | {
        "seq": 3,
        "posted_at": datetime(2026, 1, 2, 3, 5, 1, tzinfo=UTC),
        "effective_at": datetime(2026, 1, 2, 3, 5, 1, tzinfo=UTC),
        "balance_after": Decimal("93.875"),
        "hold_id": None,
        "late": None,
        "tags": '{"job": "42", "feature": "chat"}',
    }
)
COLUMNS = tuple(EXAMPLE[0])


def in_sql(admin: Connection, previous: bytes, entry: dict[str, Any]) -> bytes:
    values = ", ".join(["%s"] * len(COLUMNS))
    row = admin.execute(
        f"select credits.entry_hash(%s, row({values}, null, %s, %s)::credits.entries)",
        (previous, *(entry[name] for name in COLUMNS), entry.get("tags"), entry.get("digests")),
    ).fetchone()
    assert row is not None
    return bytes(row[0])


def test_page_has_the_fields_in_their_order() -> None:
    rows = re.findall(r"^\| (\d+) \| `?([a-z_ ]+?)`? \|", PAGE.read_text(), re.M)
    assert [int(place) for place, _ in rows] == [*range(1, 23)]
    assert [name for _, name in rows] == ["format", "previous hash", *COLUMNS[:-1], "metadata"]


def test_worked_example_of_the_page_is_right(admin: Connection) -> None:
    texts = re.findall(r"^```json\n(.*?)\n```$", PAGE.read_text(), re.M | re.S)
    hashes = re.findall(r"^([0-9a-f]{64})$", PAGE.read_text(), re.M)
    assert len(texts) == len(hashes) == len(EXAMPLE)
    previous = b""
    for entry, text, found in zip(EXAMPLE, texts, hashes, strict=True):
        assert hashed_text(previous, entry) == text
        assert in_sql(admin, previous, entry) == entry_hash(previous, entry) == bytes.fromhex(found)
        previous = bytes.fromhex(found)


VECTOR = (
    "decode('00ff', 'hex'), row('11111111-2222-3333-4444-555555555555', 7, '2026-01-02 03:04:05.678901Z',"
    " '1969-12-31 23:59:59.999999Z', 'spend', -3.0625, 996.9375, 0,"
    """ '[{"tokens": 3.0625, "lot_id": 1}]', 'café', '{"calls": 1}', 42,"""
    " '22222222-2222-3333-4444-555555555555', '33333333-2222-3333-4444-555555555555', true, 6, 'hello', 'ü',"
    """ 'authenticated', '{"job": "é"}', null, null, null)::credits.entries"""
)
# Never to be changed: chains that were written with it must be proved for ever.
FROZEN_ENTRY: dict[str, Any] = {
    "account_id": "11111111-2222-3333-4444-555555555555",
    "seq": 7,
    "posted_at": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    "effective_at": datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    "kind": "spend",
    "tokens": Decimal("-3.0625"),
    "balance_after": Decimal("996.9375"),
    "debt_after": Decimal(0),
    "draws": '[{"lot_id": 1, "tokens": 3.0625}]',
    "module_id": "café",
    "usage": '{"calls": 1}',
    "price_id": 42,
    "order_id": "22222222-2222-3333-4444-555555555555",
    "hold_id": "33333333-2222-3333-4444-555555555555",
    "late": True,
    "refunds_seq": 6,
    "campaign_id": "hello",
    "package_name": "ü",
    "actor": "authenticated",
    "metadata": '{"job": "é"}',
}
FROZEN = entry_hash(b"\x00\xff", FROZEN_ENTRY).hex()
FROZEN_TAGGED = "f1bdb3f2336035de116946e082435ac1c757c61834a622870d739c7e132524b6"


def test_format_is_frozen(admin: Connection) -> None:
    """One vector, from Python and by hand. A change of the format must change this page."""
    assert FROZEN == "9da3728faa59be925618135f27bbc30151b18b59ed8fd3757d7710a700be5071"
    assert admin.execute(f"select encode(credits.entry_hash({VECTOR}), 'hex')").fetchone() == (FROZEN,)


# The same with tags: format 2, never to be changed either.
TAGGED = VECTOR.replace("null, null, null)::credits", """null, '{"job": "é"}', null)::credits""")


def test_second_format_is_frozen(admin: Connection) -> None:
    text = tagged(hashed_text(b"\x00\xff", FROZEN_ENTRY), '{"job": "é"}')
    assert sha256(text.encode()).hexdigest() == FROZEN_TAGGED
    assert admin.execute(f"select encode(credits.entry_hash({TAGGED}), 'hex')").fetchone() == (FROZEN_TAGGED,)


def test_no_entry_without_tags_has_the_hash_of_one_with_tags(admin: Connection) -> None:
    """Other tags have another hash. Tags cannot move to the metadata, nor to another field."""
    odd = ({}, {"tags": '{"a": "b"}'}, {"tags": '{"a": "c"}'}, {"metadata": '{"a": "b"}'})
    assert len({in_sql(admin, b"", EXAMPLE[1] | other) for other in odd}) == 4


def test_digests_stand_for_forgotten_metadata_and_tags(admin: Connection) -> None:
    said = {"metadata": '{"a": "b"}', "tags": '{"c": "d"}'}
    digests = {name: sha256(text.encode()).hexdigest() for name, text in said.items()}
    for names in (["metadata"], ["tags"], ["metadata", "tags"]):
        whole = EXAMPLE[1] | {name: said[name] for name in names}
        gone = EXAMPLE[1] | {"digests": json.dumps({name: digests[name] for name in names})}
        assert in_sql(admin, b"", gone) == in_sql(admin, b"", whole) == entry_hash(b"", whole)
        assert in_sql(admin, b"", gone) != in_sql(admin, b"", EXAMPLE[1])


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("timezone", "Asia/Kathmandu"),
        ("datestyle", "German"),
        ("intervalstyle", "iso_8601"),
        ("extra_float_digits", "-15"),
        ("bytea_output", "escape"),
        ("standard_conforming_strings", "off"),
        ("escape_string_warning", "off"),
        ("lc_numeric", "C"),
        ("search_path", "audit"),
        ("client_encoding", "LATIN1"),
        ("client_encoding", "EUC_JP"),
        ("client_encoding", "SQL_ASCII"),
    ],
)
def test_settings_of_a_session_do_not_change_the_hash(setting: str, value: str, admin_url: str) -> None:
    with psycopg.connect(admin_url) as connection:
        vector = VECTOR.encode()
        connection.execute("select set_config(%s, %s, true)", (setting, value))
        if setting == "client_encoding":
            vector = VECTOR.encode({"LATIN1": "latin1", "EUC_JP": "euc_jp"}.get(value, "utf-8"))
        answer = connection.pgconn.exec_(b"select encode(credits.entry_hash(" + vector + b"), 'hex')")
        assert answer.error_message == b""
        assert answer.get_value(0, 0) == FROZEN.encode()


def test_text_is_escaped_as_json_asks_and_no_further(admin: Connection) -> None:
    odd = "".join(map(chr, range(1, 256))) + "\u2028\u2029\ufeff€😀</script>"
    entry = EXAMPLE[0] | {"module_id": odd, "actor": odd}
    assert in_sql(admin, b"", entry) == entry_hash(b"", entry)


@pytest.mark.parametrize("column", COLUMNS)
def test_each_field_changes_the_hash(column: str, admin: Connection) -> None:
    """Null is not empty, and different values have different hashes."""
    other: dict[str, Any] = {
        "account_id": "b1b2c3d4-0000-4000-8000-0123456789ab",
        "kind": "byok",
        "draws": "[]",
        "usage": "{}",
        "late": True,
        "metadata": '{"a": 1}',
    }
    moments = {name: EXAMPLE[1][name] + timedelta(microseconds=1) for name in ("posted_at", "effective_at")}
    amounts = {
        name: EXAMPLE[1][name] + Decimal("0.000001") for name in ("tokens", "balance_after", "debt_after")
    }
    ids = dict.fromkeys(("order_id", "hold_id"), "00000000-0000-4000-8000-000000000000")
    numbers = dict.fromkeys(("seq", "price_id", "refunds_seq"), 0)
    values = other | moments | amounts | ids | numbers
    hashes = {
        in_sql(admin, b"", EXAMPLE[1]),
        in_sql(admin, b"", EXAMPLE[1] | {column: values.get(column, "")}),
    }
    known = 2
    if (
        column in COLUMNS[COLUMNS.index("module_id") : COLUMNS.index("actor")]
        and EXAMPLE[1][column] is not None
    ):
        hashes.add(in_sql(admin, b"", EXAMPLE[1] | {column: None}))
        known = 3
    assert len(hashes) == known


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"module_id": "a", "package_name": "b"}, {"module_id": "ab"}),
        ({"module_id": '1, "a"'}, {"package_name": '1, "a"'}),
        ({"module_id": 'a", null, "b'}, {"module_id": "a", "campaign_id": "b"}),
        ({"campaign_id": 'a", "b'}, {"campaign_id": "a", "package_name": "b"}),
        ({"package_name": ""}, {}),
        ({"package_name": "null"}, {}),
        ({"module_id": ""}, {}),
        ({"module_id": "\\"}, {"module_id": "\\\\"}),
        ({"module_id": "12", "price_id": 3}, {"module_id": "1", "price_id": 23}),
        ({"price_id": 3}, {"refunds_seq": 3}),
        ({"usage": '"a"'}, {"module_id": "a"}),
        ({"order_id": EXAMPLE[0]["account_id"]}, {"hold_id": EXAMPLE[0]["account_id"]}),
        ({"late": False}, {}),
    ],
)
def test_bytes_cannot_move_between_fields(
    one: dict[str, Any], other: dict[str, Any], admin: Connection
) -> None:
    """Null and empty differ, and so do texts that read alike in a row."""
    bare = EXAMPLE[0] | {"campaign_id": None, "package_name": None}
    assert in_sql(admin, b"", bare | one) != in_sql(admin, b"", bare | other)


def test_scale_of_an_amount_does_not_matter(admin: Connection) -> None:
    vector = VECTOR.replace("-3.0625, 996.9375, 0,", "-3.06250, 996.937500, 0.00,")
    assert vector != VECTOR
    assert admin.execute(f"select encode(credits.entry_hash({vector}), 'hex')").fetchone() == (FROZEN,)
