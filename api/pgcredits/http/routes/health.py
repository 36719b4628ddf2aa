"""/health: is the process alive, and can it do its work?"""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
from litestar import Response, Router, get
from litestar.di import NamedDependency

from pgcredits.bank.migrate.files import newest_migration
from pgcredits.http.database.pools import Statement
from pgcredits.http.errors import refuse
from pgcredits.http.resources import Resources
from pgcredits.tokens import ANONYMOUS, SERVICE

_SECONDS = 2.0
_MIGRATED = Statement(
    "select exists (select from pg_proc as p where p.proname = 'consume_tokens'"
    " and p.pronamespace = (select n.oid from pg_namespace as n where n.nspname = 'api'))"
)
_NEWEST = newest_migration()
_NOT_THERE = (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege)
_RELEASE = Statement("select r.migration, r.whole from api.release as r")


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
    calls = (
        resources.database.call(
            caller, question, read_only=True, method="GET", path="/health/ready", ours=True
        )
        for caller, question in ((ANONYMOUS, _MIGRATED), (SERVICE, _RELEASE))
    )
    try:
        migrated, release = await asyncio.wait_for(asyncio.gather(*calls), _SECONDS)
    except _NOT_THERE:
        migrated, release = None, None
    except Exception as error:
        raise refuse(503, "unavailable", "The database cannot be reached.") from error
    if migrated is None or not migrated[0] or release is None:
        raise refuse(503, "unavailable", "The database is not migrated: run `pgcredits migrate`.")
    migration, whole = release
    if migration < _NEWEST:
        raise refuse(
            503,
            "unavailable",
            f"The database is older than this program: it is at {migration}, and {_NEWEST} is needed. "
            "Run `pgcredits migrate`.",
        )
    if not whole:
        raise refuse(
            503,
            "unavailable",
            "Functions and tables of the database do not belong together: something was changed after "
            f"{migration}, and not by `pgcredits migrate`. Run it; `pgcredits audit` says what was changed.",
        )
    answer = {"status": "ready", "payments": resources.settings.why_nothing_is_sold or "open"}
    return Response(answer | ({"database": "newer"} if migration > _NEWEST else {}))


router = Router("/health", route_handlers=[live, ready])
