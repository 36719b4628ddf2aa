"""A step that must not stay half done, even if its task is cancelled meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio

T = TypeVar("T")

_BOUND = 60.0  # seconds, for each wait; the calls within have shorter bounds of their own


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which runs in a task of its own. A cancellation is raised when it is done.

    asyncio cancels a task once. A scope of anyio, as Starlette uses it, cancels at each await: the shield
    keeps it off.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait({task}, timeout=_BOUND)
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # seen: the cancellation is what the caller learns
        raise cancelled
    return task.result()
