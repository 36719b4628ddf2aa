"""The hash chain, format 1, frozen: told again in Python, from the columns of the ledger alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from struct import pack
from typing import Any
from uuid import UUID

import psycopg
import pytest
from callers import Caller, Connection
from psycopg.rows import dict_row

User = Callable[..., Caller]
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's


def array_send(fields: tuple[bytes | None, ...]) -> bytes:
    """PostgreSQL's binary form of bytea[]: 20 bytes, then each field's length and octets; null is -1."""
    nulls, bytea = int(None in fields), 17
    parts = [pack("!iiiii", 1, nulls, bytea, len(fields), 1)]
    for field in fields:
        parts.append(pack("!i", -1 if field is None else len(field)) + (field or b""))
    return b"".join(parts)


def entry_hash(previous: bytes, entry: dict[str, Any]) -> bytes:
    """`entry` has draws, usage and metadata as PostgreSQL writes jsonb."""

    def number(value: int | None) -> bytes | None:
        return None if value is None else pack("!q", value)

    def moment(value: datetime) -> bytes:
        return pack("!q", (value - EPOCH) // timedelta(microseconds=1))

    def text(value: object) -> bytes | None:
        return None if value is None else str(value).encode()

    fields = (
        b"\x01",
        previous,
        UUID(str(entry["account_id"])).bytes,
        number(entry["seq"]),
        moment(entry["posted_at"]),
        moment(entry["effective_at"]),
        text(entry["kind"]),
        *(text(f"{entry[name]:.6f}") for name in ("tokens", "balance_after", "debt_after")),
        text(entry["draws"]),
        text(entry["module_id"]),
        text(entry["usage"]),
        number(entry["price_id"]),
        text(entry["reference"]),
        text(entry["actor"]),
        sha256(entry["metadata"].encode()).digest(),
    )
    return sha256(array_send(fields)).digest()


def test_chain_of_a_real_account_is_what_python_makes_of_it(
    user: User, service: Caller, admin: Connection
) -> None:
    ada = user(Decimal("1000.5"), package_name="Ünïcødé 😀", metadata={"z": "é", "a": [1, None, 2.50]})
    ada.call("consume_tokens", module_id="whisper", metadata={"job": "1:2,3"})
    ada.call("consume_tokens", module_id="unlisted: 3:abc,", usage='{"calls": 3}')
    service.call("consume_tokens", module_id="metube", user_id=ada.user_id)
    with admin.cursor(row_factory=dict_row) as cursor:
        entries = cursor.execute(
            "select e.*, e.draws::text as draws, e.usage::text as usage, e.metadata::text as metadata,"
            " e.kind::text as kind from credits.entries as e join credits.identities as i using (account_id)"
            " where i.subject = %s order by e.seq",
            (ada.user_id,),
        ).fetchall()
    assert [entry["actor"] for entry in entries] == [
        "service_role",
        "authenticated",
        "authenticated",
        "service_role",
    ]
    previous = b""
    for entry in entries:
        assert entry_hash(previous, entry) == entry["hash"]
        previous = entry["hash"]
    head = admin.execute(
        "select head_hash from credits.wallets where account_id = %s", (entries[0]["account_id"],)
    ).fetchone()
    assert head == (previous,)


VECTOR = (
    "decode('00ff', 'hex'), '11111111-2222-3333-4444-555555555555', 7, '2026-01-02 03:04:05.678901Z',"
    " '1969-12-31 23:59:59.999999Z', 'spend', -3.0625, 996.9375, 0,"
    """ '[{"tokens": 3.0625, "lot_id": 1}]', 'café', '{"calls": 1}', 42, null, 'authenticated',"""
    """ '{"job": "é"}'"""
)
# Never to be changed: chains that were written with it must be proved for ever.
FROZEN = entry_hash(
    b"\x00\xff",
    {
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
        "reference": None,
        "actor": "authenticated",
        "metadata": '{"job": "é"}',
    },
).hex()


def test_format_is_frozen(admin: Connection) -> None:
    """One vector, from Python and by hand: whoever changes the format must change this page."""
    assert FROZEN == "5e7505dd69e30974f92ade166a147335961618236b1956f0b44d540aef8b8fc9"
    assert admin.execute(f"select encode(credits.entry_hash({VECTOR}), 'hex')").fetchone() == (FROZEN,)


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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("'a', null, null, 'b'", "'ab', null, null, null"),
        ("'1:a,', null, null, null", "null, null, null, '1:a,'"),
        ("null, null, null, ''", "null, null, null, null"),
        ("'', null, null, null", "null, null, null, null"),
        ("'12', null, 3, null", "'1', null, 23, null"),
    ],
)
def test_bytes_cannot_move_between_fields(one: str, other: str, admin: Connection) -> None:
    """module_id, usage, price_id, reference: null and empty differ, and texts that read alike in a row."""
    call = (
        "credits.entry_hash('', '11111111-2222-3333-4444-555555555555', 1, 'epoch', 'epoch', 'spend',"
        " -1, 0, 0, '[]', {}, 'x', '{{}}')"
    )
    row = admin.execute(f"select {call.format(one)} <> {call.format(other)}").fetchone()
    assert row == (True,)


def test_scale_of_an_amount_does_not_matter(admin: Connection) -> None:
    vector = VECTOR.replace("-3.0625, 996.9375, 0,", "-3.06250, 996.937500, 0.00,")
    assert admin.execute(f"select encode(credits.entry_hash({vector}), 'hex')").fetchone() == (FROZEN,)
