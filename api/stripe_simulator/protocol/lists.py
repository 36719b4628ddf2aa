"""Lists, newest first: ``limit``, ``starting_after``, ``ending_before``, ``created`` and equality filters."""

import json
from typing import Any

from stripe_simulator.core.errors import StripeError, missing_object
from stripe_simulator.core.store import Json, column
from stripe_simulator.protocol.endpoint import Call
from stripe_simulator.protocol.parameters import Check, fields, integer, text

_BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def moments(value: Any, param: str) -> dict[str, int]:
    """A moment, or bounds of it."""
    if isinstance(value, dict):
        bounds: dict[str, int] = fields({name: integer() for name in _BOUNDS})(value, param)
        return bounds
    exactly = integer()(value, param)
    return {"gte": exactly, "lte": exactly}


page_size = integer(1, 100)

LIST_PARAMETERS: dict[str, Check] = {
    "limit": page_size,
    "starting_after": text(),
    "ending_before": text(),
    "created": moments,
}


def chosen(call: Call, *names: str) -> dict[str, Any]:
    """The filters of the request among ``names``."""
    return {name: call.params[name] for name in names if name in call.params}


def list_objects(
    call: Call, kind: str, filters: dict[str, Any], where: str = "", args: list[Any] | None = None
) -> Json:
    """One page of ``kind``. ``filters`` are fields of the object that must equal a value; ``where`` is
    further SQL over ``body`` with ``args``."""
    params = call.params
    conditions = ["kind = ?"]
    values: list[Any] = [kind]
    for field, value in filters.items():
        conditions.append(f"{column(field)} = ?")
        values.append(value)
    for field, asked in params.items():
        if field in ("created", "arrival_date"):
            conditions += [f"{column(field)} {_BOUNDS[name]} ?" for name in asked]
            values += asked.values()
    if where:
        conditions.append(where)
        values += args or []
    backwards = "ending_before" in params
    if backwards and "starting_after" in params:
        raise StripeError("You may only specify one of these parameters: starting_after, ending_before.")
    for name, sign in (("starting_after", "<"), ("ending_before", ">")):
        if name in params:
            conditions.append(f"seq {sign} ?")
            values.append(_place(call, kind, name))
    limit = params.get("limit", 10)
    rows = call.store.db.execute(
        f"select body from objects where {' and '.join(conditions)} "  # noqa: S608  # texts of ours, values bound
        f"order by seq {'asc' if backwards else 'desc'} limit ?",
        [*values, limit + 1],
    ).fetchall()
    data = [json.loads(row[0]) for row in rows[:limit]]
    if backwards:
        data.reverse()
    return {"object": "list", "data": data, "has_more": len(rows) > limit, "url": call.path}


def _place(call: Call, kind: str, name: str) -> int:
    id = call.params[name]
    row = call.store.db.execute("select seq from objects where id = ? and kind = ?", (id, kind)).fetchone()
    if row is None:
        raise missing_object(kind, id, name)
    return int(row[0])
