"""A loop does one kind of work until the worker stops."""

from __future__ import annotations

import logging
from threading import Event
from typing import Protocol

import psycopg

from pgcredits.bank.migrate import MigrationError

log = logging.getLogger("pgcredits.work")

_LONGEST_PAUSE = 30.0  # seconds between two tries while the database is away


class Work(Protocol):
    """One kind of work. To add another, write a class like `StripeCalls`, and name it in `run.works`."""

    name: str

    def do_some(self) -> int:
        """Take what is due, do it and report it. Returns how much was done; 0 when nothing is due.

        Raises psycopg.Error when the bank cannot be reached or refuses. What was taken is due again later.
        """
        ...

    def close(self) -> None: ...


def keep_working(work: Work, stopping: Event, every: float) -> None:
    """Work until `stopping` is set. When nothing is due, look again after `every` seconds."""
    pause = every
    try:
        while not stopping.is_set():
            try:
                done = work.do_some()
            except psycopg.Error as error:
                log.warning("%s: the bank: %s", work.name, str(error).strip())
                stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            except MigrationError as error:
                log.error("%s: %s", work.name, error)
                return
            pause = every
            if done == 0:
                stopping.wait(every)
    finally:
        work.close()
