"""Audit again and again."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg


def watch(once: Callable[[], bool], seconds: float, times: int | None, say: Callable[[str], None]) -> bool:
    """Call `once` every so many seconds, until Ctrl-C or so many times. True if each call was.

    `once` audits, and says whether the books are sound. A database that is away is said and asked again.
    """
    good, done = True, 0
    try:
        while True:
            began = time.monotonic()
            try:
                good &= once()
            except psycopg.OperationalError as error:
                good = False
                say(f"no audit: {str(error).strip()}")
            done += 1
            if times is not None and done >= times:
                return good
            time.sleep(max(0.0, seconds - (time.monotonic() - began)))
    except KeyboardInterrupt:
        return good
