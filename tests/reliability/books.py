"""What is stored about all accounts, read in one snapshot."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeAlias

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

Row: TypeAlias = dict[str, Any]

_QUERIES = {
    "entries": "select * from credits.entries order by account_id, seq",
    "wallets": "select account_id, status, balance, held, debt, seq, head_lot, head_taken, head_reserved,"
    " lifetime_granted, lifetime_spent from credits.wallets order by account_id",
    "lots": "select * from credits.lots order by account_id, lot_id",
    "orders": "select * from credits.orders order by created_at",
    "holds": "select * from credits.holds order by created_at",
    "shortfalls": "select * from credits.shortfalls",
    "refunds": "select * from credits.charge_refunds",
    "keys": "select * from credits.idempotency_keys",
    "attempts": "select * from credits.topup_attempts",
    "consents": "select * from credits.topup_consents",
    "stripe_calls": "select * from credits.stripe_calls",
    "status_changes": "select * from credits.status_changes order by changed_at",
    "identities": "select * from credits.identities",
    "findings": "select * from audit.findings",
}


@dataclass
class Books:
    """Rows as they are in the tables; accounts by the text of their id."""

    read_at: datetime
    entries: list[Row]
    wallets: list[Row]
    lots: list[Row]
    orders: list[Row]
    holds: list[Row]
    shortfalls: list[Row]
    refunds: list[Row]
    keys: list[Row]
    attempts: list[Row]
    consents: list[Row]
    stripe_calls: list[Row]
    status_changes: list[Row]
    identities: list[Row]
    findings: list[Row]
    accounts: dict[str, str] = field(init=False)  # by user_id

    def __post_init__(self) -> None:
        self.accounts = {row["subject"]: row["account_id"] for row in self.identities}

    def entries_of(self, account_id: str) -> list[Row]:
        return [entry for entry in self.entries if entry["account_id"] == account_id]

    def copy(self) -> Books:
        return deepcopy(self)


def read(url: str) -> Books:
    """As the superuser."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        set_json_loads(partial(json.loads, parse_float=Decimal), connection)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        (now,) = connection.execute("select clock_timestamp() as now").fetchall()
        tables = {name: connection.execute(query).fetchall() for name, query in _QUERIES.items()}
    for rows in tables.values():
        for row in rows:
            if row.get("account_id") is not None:
                row["account_id"] = str(row["account_id"])
    return Books(now["now"], **tables)
