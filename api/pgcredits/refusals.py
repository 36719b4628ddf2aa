"""A use that was refused for want of tokens is reported to the bank, which may owe the user a notice.

The refusal undid its own transaction, so the database could not write anything in it. It does not believe the
report either: it looks for itself.
"""

from __future__ import annotations

import logging
from typing import Any

import psycopg

from pgcredits import rpc
from pgcredits.catalogue import Catalogue
from pgcredits.db import BusyError, Statement, UnavailableError
from pgcredits.errors import ApiError
from pgcredits.jsonbody import JsonObject
from pgcredits.tokens import Caller

log = logging.getLogger("pgcredits")

_FUNCTION = "report_refusal"
_NAMED = ("module_id", "usage", "user_id")


async def ask(
    catalogue: Catalogue,
    caller: Caller,
    statement: Statement,
    body: JsonObject,
    *,
    read_only: bool,
    path: str,
) -> tuple[Any, ...] | None:
    """`Catalogue.ask` for a call with these arguments; a PT402 is reported before it is raised."""
    try:
        return await catalogue.ask(caller, statement, read_only=read_only, path=path)
    except psycopg.Error as error:
        if error.sqlstate == "PT402" and "module_id" in body.members:
            await _report(catalogue, caller, body, path)
        raise


async def _report(catalogue: Catalogue, caller: Caller, body: JsonObject, path: str) -> None:
    """Never fails: the client is told of the refusal, whatever becomes of the notice."""
    arguments = body.pick({name: name for name in _NAMED})
    try:
        function = await rpc.find(catalogue, _FUNCTION, arguments.members)
        await catalogue.ask(
            caller, rpc.call_with_object(function, arguments, None), read_only=False, path=path
        )
    except (psycopg.Error, ApiError, BusyError, UnavailableError) as error:
        log.warning("the refusal of a use was not reported: %s", type(error).__name__)
