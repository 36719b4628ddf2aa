"""One transaction of the login for price lists, beside that of the administrator who holds the lock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

from pgcredits.bank import admin, strangers
from pgcredits.bank.catalogs import catalog_file, catalog_login
from pgcredits.bank.migrate import locks, marks
from pgcredits.bank.migrate.files import newest_migration

PURPOSE = "pgcredits catalog"
WAIT_SECONDS = 60.0
T = TypeVar("T")


def as_catalog(
    url: str,
    work: Callable[[admin.Connection], T],
    wait_seconds: float,
    say: Callable[[str], None],
    *,
    dry_run: bool = False,
) -> T:
    """Do the work in one transaction of a login that may only define, and return its result.

    It is tried again, from the beginning, while others keep locks that it needs: locks.py says how.
    `dry_run`: roll it back. Raises MigrationError.
    """
    with ExitStack() as stack:
        administrator = stack.enter_context(admin.connect(url, PURPOSE, autocommit=True))
        strangers.refuse(administrator, (), strangers.BOOKKEEPING)
        marks.refuse_newer(administrator, newest_migration())
        connection = stack.enter_context(catalog_login.opened(url, PURPOSE, catalog_file.SECONDS))

        def attempt() -> T:
            with administrator.transaction():
                strangers.refuse(administrator, (), strangers.BOOKKEEPING)
                marks.refuse_newer(administrator, newest_migration())
                marks.prepare(administrator)
                administrator.execute(f"lock table {marks.MUTEX} in access exclusive mode".encode())
                with connection.transaction(force_rollback=dry_run):
                    return work(connection)

        sessions = (administrator.info.backend_pid, connection.info.backend_pid)
        return locks.persist(attempt, url, sessions, wait_seconds, say)
