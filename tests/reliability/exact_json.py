"""JSON as the bank reads it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID


def exact_json(value: Any) -> str:
    """JSON with decimals as numbers, to the digit. PostgreSQL reads its moments and durations."""
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{json.dumps(name)}: {exact_json(item)}" for name, item in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(exact_json, value)) + "]"
    if isinstance(value, timedelta):
        return f'"{value.total_seconds()} seconds"'
    if isinstance(value, datetime):
        return f'"{value.isoformat()}"'
    if isinstance(value, UUID):
        return f'"{value}"'
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value)
