"""Functions that a new release no longer makes, and that a call under way may still look for.

A call that began before the commit goes on with the text that it began with, and looks for a function only
when it comes to it. So migrate leaves these functions until all such calls have ended, and drops them in a
transaction of its own. When migrate is killed in between, the database does not count as up to date, and the
next migrate drops them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from pgcredits.bank import admin
from pgcredits.bank.migrate import drops, marks
from pgcredits.bank.migrate.drops import Function
from pgcredits.bank.migrate.files import OWNER

UNFINISHED = "functions are retired"  # instead of the digest of a release
_LONGEST_WAIT = 10.0  # seconds; a call of the bank waits for locks for 4 at most
_LOOK_EVERY = 0.02
# A session that is idle in its transaction is in no call, and its next one finds the new functions.
_UNDER_WAY = """
    select l.pid || ' ' || l.virtualtransaction
    from pg_locks as l
    join pg_stat_activity as a on a.pid = l.pid
    where l.locktype = 'virtualxid' and l.granted and a.datname = current_database()
        and a.backend_type = 'client backend' and l.pid <> pg_backend_pid()
        and coalesce(a.state, '') not like 'idle%'
"""


def wait_for_calls(connection: admin.Connection) -> None:
    """Wait until every transaction that is now in a statement has ended, or for ten seconds."""
    deadline = time.monotonic() + _LONGEST_WAIT
    begun = _under_way(connection)
    while begun and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY)
        begun &= _under_way(connection)


def drop(connection: admin.Connection, retired: Mapping[int, Function], record: Callable[[], None]) -> None:
    """Drop them, and record the objects that are left, unless another migrate has done so meanwhile."""
    with connection.transaction():
        connection.execute(f"lock table {marks.MUTEX} in access exclusive mode".encode())
        connection.execute(f"set local role {OWNER}".encode())
        row = connection.execute("select r.digest from credits.releases as r").fetchone()
        if row != (UNFINISHED,):
            return
        there = drops.functions(connection)
        for oid, function in retired.items():
            if there.get(oid) == function:
                connection.execute(f"drop {function.kind} {function.signature}".encode())
        record()


def _under_way(connection: admin.Connection) -> set[str]:
    return {str(name) for (name,) in connection.execute(_UNDER_WAY.encode()).fetchall()}
