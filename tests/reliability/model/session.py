"""Calling the bank as a service, or as a user over HTTP."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial
from typing import Any

from callers import Connection, Row
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb, set_json_loads


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


def exact_json(value: Any) -> str:
    """JSON with decimals as numbers, to the digit."""
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{json.dumps(name)}: {exact_json(item)}" for name, item in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(exact_json, value)) + "]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value)
