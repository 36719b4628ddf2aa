"""Is the process alive, and can it do its work?"""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Response, Router, get
from litestar.di import NamedDependency

from pgcredits.db import Statement
from pgcredits.door import Door
from pgcredits.errors import refuse
from pgcredits.tokens import ANONYMOUS, SERVICE

_SECONDS = 2.0
_MIGRATED = Statement(
    "select exists (select from pg_proc as p where p.proname = 'consume_tokens'"
    " and p.pronamespace = (select n.oid from pg_namespace as n where n.nspname = 'api'))"
)


@get("/live")
async def live() -> dict[str, str]:
    """The process answers; it says nothing about the database."""
    return {"status": "live"}


@get("/ready")
async def ready(door: NamedDependency[Door]) -> Response[dict[str, Any]]:
    """Both logins get through and the schema is there; else 503."""
    calls = (
        door.database.call(caller, _MIGRATED, read_only=True, method="GET", path="/health/ready")
        for caller in (ANONYMOUS, SERVICE)
    )
    try:
        rows = await asyncio.wait_for(asyncio.gather(*calls), _SECONDS)
    except Exception as error:
        raise refuse(503, "unavailable", "The database cannot be reached.") from error
    if not all(row and row[0] for row in rows):
        raise refuse(503, "unavailable", "The database is not migrated.")
    return Response({"status": "ready"})


router = Router("/health", route_handlers=[live, ready])
