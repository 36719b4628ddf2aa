"""What is told of a query that PostgreSQL refused because it does not fit the types of its columns."""

from __future__ import annotations

import psycopg

from pgcredits.http.errors import ApiError

_MISFIT = "An operator or a cast of the query does not fit the type of its column."
_TOLD = {
    "42883": (404, _MISFIT),  # 404, as PostgREST has it
    "42804": (400, _MISFIT),
    "42809": (400, _MISFIT),
    "42846": (400, _MISFIT),
    "42725": (400, _MISFIT),
    "42704": (400, "There is no text search configuration of this name."),
}


def told(error: psycopg.Error) -> ApiError | None:
    """The refusal of a query that does not fit. None for other errors."""
    state = error.sqlstate or ""
    return ApiError(_TOLD[state][0], state, _TOLD[state][1]) if state in _TOLD else None
