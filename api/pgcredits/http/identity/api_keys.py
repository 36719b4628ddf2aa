"""Whose an API key is. The database says so, and we remember it for a few seconds.

A key in use costs one question in REMEMBERED seconds, beside the calls. Many questions about wrong keys
together take a third of the strong pool, and those about keys that were right take another third. So a flood
of wrong keys stops neither the calls nor the other keys.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic

from pgcredits import api_key
from pgcredits.http.database.pools import Database, Statement
from pgcredits.tokens import BACKENDS, SERVICE, Caller, TokenError

REMEMBERED = 10.0  # seconds: after so long, a key that was revoked opens nothing
_MOST = 10_000  # keys that we remember, and as many texts that are not keys
_ASK = "select h.key_id, h.role, h.state from api.resolve_api_key(%s, %s) as h"
_UNKNOWN = TokenError("PGRST301", "API key is not known")


@dataclass(frozen=True, slots=True)
class _Known:
    until: float
    caller: Caller | TokenError


class ApiKeys:
    """The API keys that callers of one process have shown."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # By the sha256 of a key. No key itself is kept.
        self._right: OrderedDict[str, _Known] = OrderedDict()
        self._wrong: OrderedDict[str, _Known] = OrderedDict()
        self._asked: dict[str, asyncio.Task[_Known]] = {}

    async def caller(self, text: str) -> Caller:
        """The backend that an API key stands for.

        Raises TokenError, psycopg.Error, BusyError, UnavailableError.
        """
        key_id = api_key.key_id(text)
        if key_id is None:
            raise _refusal(_UNKNOWN)
        digest = sha256(text.encode()).hexdigest()
        known = self._right.get(digest) or self._wrong.get(digest)
        if known is None or monotonic() >= known.until:
            known = await self._ask_once(key_id, digest)
        if isinstance(known.caller, TokenError):
            raise _refusal(known.caller)
        return known.caller

    async def _ask_once(self, key_id: str, digest: str) -> _Known:
        """Calls that come at the same time wait for one answer. A cancelled call does not take it away."""
        task = self._asked.get(digest)
        if task is None:
            task = self._asked[digest] = asyncio.create_task(self._ask(key_id, digest))
            task.add_done_callback(lambda done: self._answered(digest, done))
        return await asyncio.shield(task)

    def _answered(self, digest: str, task: asyncio.Task[_Known]) -> None:
        del self._asked[digest]
        if not task.cancelled():
            task.exception()  # those who waited have it; perhaps nobody waits any more

    async def _ask(self, key_id: str, digest: str) -> _Known:
        began = monotonic()  # what is revoked while we wait for the answer counts as well
        kind = "an API key" if digest in self._right else "an unknown API key"
        statement = Statement(_ASK, (key_id, digest), kind=kind)
        row = await self._database.call(SERVICE, statement, read_only=False, path="api key")
        known = _Known(began + REMEMBERED, _understood(row))
        self._right.pop(digest, None)
        self._wrong.pop(digest, None)
        answers = self._wrong if isinstance(known.caller, TokenError) else self._right
        answers[digest] = known
        if len(answers) > _MOST:
            answers.popitem(last=False)
        return known


def _understood(row: tuple[object, ...] | None) -> Caller | TokenError:
    key_id, role, state = row or (None, None, None)
    if key_id is None or role not in BACKENDS:
        return _UNKNOWN
    if state != "active":
        return TokenError("PGRST303", f"API key is {state}")
    return Caller(str(role), None, json.dumps({"role": role, "key_id": key_id}, separators=(",", ":")))


def _refusal(error: TokenError) -> TokenError:
    """A new exception each time: one that is raised again keeps the frames of all its callers."""
    return TokenError(error.code, error.message)
