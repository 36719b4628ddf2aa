"""Argon2 hashes of passwords, computed beside the event loop."""

from __future__ import annotations

from typing import Any

import anyio
from anyio.to_thread import run_sync
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pgcredits.http.errors import refuse

_AT_ONCE = 2  # hashes computed at the same time: each takes 64 MB and 0.1 s of a processor
_WAITING = 50  # when more wait, we answer that we are busy


class Passwords:
    """Hashes and compares, in threads, a few at a time. Raises ApiError 503 when too many wait."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash("nobody has this password")
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def hash(self, password: str) -> str:
        hashed: str = await self._run(self._hasher.hash, password)
        return hashed

    async def matches(self, password: str, known: str | None) -> bool:
        """Compare a password. It takes as long for a user who does not exist (`known` is None)."""
        return await self._run(self._matches, known or self._nobody, password) and known is not None

    def _matches(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, function: Any, *args: str) -> Any:
        if self._limiter.statistics().tasks_waiting >= _WAITING:
            raise refuse(503, "unavailable", "Too many sign-ins at once. Try again.")
        return await run_sync(function, *args, limiter=self._limiter)
