"""/health: is the process alive, and can it do its work?"""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get
from litestar.di import NamedDependency

from pgcredits.http.errors import refuse
from pgcredits.http.resources import Resources


@get("/live")
async def live() -> dict[str, str]:
    """The process answers; it says nothing about the database."""
    return {"status": "live"}


@get("/ready")
async def ready(resources: NamedDependency[Resources]) -> Response[dict[str, Any]]:
    """Both logins get through, and the database is one that this program can work with; else 503.

    A database that is newer than the program is: while servers are replaced, the old ones work on.
    `payments` is open, or says why nothing is sold.
    """
    if resources.draining.begun:
        raise refuse(503, "unavailable", "The server is shutting down.")
    newer = await resources.readiness.newer()
    answer = {"status": "ready", "payments": resources.settings.why_nothing_is_sold or "open"}
    return Response(answer | ({"database": "newer"} if newer else {}))


router = Router("/health", route_handlers=[live, ready])
