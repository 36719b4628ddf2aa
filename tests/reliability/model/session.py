"""Calling the bank by SQL, as a service or as a user, and what it says when it refuses a call."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
from callers import Connection, Row
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb, set_json_loads
from reliability.exact_json import exact_json

# What is read after every step: a view, and its columns.
VIEWS = {
    "balances": (
        "balance",
        "user_id, balance, held, available, debt, lifetime_granted, lifetime_spent, status",
    ),
    "lots": ("lots", "user_id, lot_id, remaining, held, withheld, frozen, reversed, expires_at"),
    "holds": ("holds", "hold_id, state, tokens, held, captured, shortfall, expires_at, late"),
}


class RefusedOverHttp(Exception):
    """The API told a refusal of the bank. `code` is an SQLSTATE; `details` has the facts as JSON text."""

    def __init__(self, code: str, details: str | None) -> None:
        super().__init__(code, details)
        self.code = code
        self.details = details


def refusal_of(error: psycopg.Error | RefusedOverHttp) -> tuple[str | None, str | None]:
    """The SQLSTATE and the DETAIL of a refusal, however the call was made."""
    if isinstance(error, RefusedOverHttp):
        return error.code, error.details
    return error.sqlstate, error.diag.message_detail


class BankSession:
    """Calls the bank in one long transaction that is rolled back. So every run begins with empty books."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        set_json_loads(partial(json.loads, parse_float=Decimal), connection)
        self.cursor = connection.cursor(row_factory=dict_row)

    def act_as(self, user_id: str | None) -> None:
        """Act as this user; None means a service."""
        login, role = ("pgcredits_api", "authenticated") if user_id else ("pgcredits_service", "service_role")
        claims = json.dumps({"role": role, "sub": user_id})
        self.cursor.execute(f"set local session authorization {login}".encode())
        self.cursor.execute(
            "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)", (role, claims)
        )

    def act_as_superuser(self) -> None:
        self.cursor.execute(b"reset session authorization")
        self.cursor.execute(b"set local role none")

    def call(self, function: str, arguments: Row) -> Row:
        named = ", ".join(f"{name} => %({name})s" for name in arguments)
        values = {
            name: Jsonb(value, dumps=exact_json) if isinstance(value, dict | list) else value
            for name, value in arguments.items()
        }
        with self.connection.transaction():
            row = self.cursor.execute(f"select * from api.{function}({named})".encode(), values).fetchone()
        assert row
        return row

    def rows(self, query: str, *parameters: Any) -> list[Row]:
        return self.cursor.execute(query.encode(), parameters).fetchall()

    def read(self) -> dict[str, list[Row]]:
        """The rows of all VIEWS."""
        self.act_as_superuser()
        return {name: self.rows(f"execute {name}") for name in VIEWS}
