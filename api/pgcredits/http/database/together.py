"""One question at a time: all who come while it is asked wait for the same answer.

A lock would let them ask one after the other. While the database is away, the last of a hundred would wait a
hundred times as long as the first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


class Together(Generic[Answer]):
    """`ask` has to end by itself. What it raises, everybody who waits for it gets."""

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, Answer]]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[Answer] | None = None

    async def answer(self) -> Answer:
        """The answer. A caller that is cancelled takes it away from nobody."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(self._answered)
        return await asyncio.shield(self._asking)

    def _answered(self, task: asyncio.Task[Answer]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # those who waited have it; perhaps nobody waits any more
