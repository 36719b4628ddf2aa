"""Every view of api is also CSV: the same rows and columns as JSON, whatever their texts hold."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx
import psycopg
import pytest
from http_calls import User

pytestmark = pytest.mark.one_version

CSV = {"Accept": "text/csv"}
ODD = '=1+1, "quoted"; Grüße 🎉\nsecond line \\ and back'
VIEWS = """
    select c.relname, has_table_privilege('authenticated', c.oid, 'select')
    from pg_class as c where c.relnamespace = 'api'::regnamespace and c.relkind = 'v' order by 1
"""


def same(told: str, value: Any) -> bool:
    """Whether a field of CSV says what a member of JSON says."""
    if value is None:
        return told == ""
    if isinstance(value, bool):
        return told == ("t" if value else "f")
    if isinstance(value, list | dict):
        try:
            return bool(json.loads(told, parse_float=Decimal) == value)
        except ValueError:
            return told.startswith("{")  # an array of PostgreSQL, which JSON spells in its own way
    try:
        return Decimal(told) == Decimal(str(value))
    except InvalidOperation:
        # Times have a T in JSON.
        return told in (value, value.replace("T", " ")) or told.removesuffix("+00") in value.replace("T", " ")


def test_every_view_has_the_same_rows_as_csv_and_as_json(
    client: httpx.Client, user: User, service: dict[str, str], admin: psycopg.Connection[Any]
) -> None:
    """The user has texts with commas, quotes, line breaks and a formula, and columns that are null."""

    def call(function: str, **given: Any) -> dict[str, Any]:
        response = client.post(f"/rest/v1/rpc/{function}", json=given, headers=service)
        assert response.status_code == 200, response.text
        return dict(response.json())

    about = {"user_id": user.user_id}
    call("add_tokens", **about, tokens=1000, package_name="=SUM(A1), net")
    entry = call("consume_tokens", **about, module_id="whisper", metadata={"note": ODD})["entry_id"]
    call("refund_usage", entry_id=entry, tokens=1, reason=ODD)
    hold = call("hold_tokens", **about, module_id="whisper", metadata={"note": ODD})["hold_id"]
    call("release_hold", hold_id=hold, reason=ODD)
    call("set_spend_limit", **about, period="day", tokens=500)
    filled, odd = set(), 0
    rows = admin.execute(VIEWS).fetchall()
    assert len(rows) > 20
    for view, is_users in rows:
        who = user.headers if is_users else service
        found = client.get(f"/rest/v1/{view}?limit=20", headers=who)
        table = client.get(f"/rest/v1/{view}?limit=20", headers=who | CSV)
        assert (found.status_code, table.status_code) in ((200, 200), (206, 206)), (view, table.text)
        assert table.headers["content-type"] == "text/csv; charset=utf-8"
        head, *lines = csv.reader(io.StringIO(table.text, newline=""))
        objects = json.loads(found.text, parse_float=Decimal)
        assert len(lines) == len(objects), view
        for line, told in zip(lines, objects, strict=True):
            assert head == list(told), view
            wrong = [name for name, text in zip(head, line, strict=True) if not same(text, told[name])]
            assert wrong == [], (view, line, told)
            odd += ODD in line
            filled.add(view)
    assert filled >= {"balance", "entries", "usage", "lots", "holds", "spend_limits", "packs", "modules"}
    assert odd == 1
