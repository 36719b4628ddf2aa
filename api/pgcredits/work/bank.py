"""The worker's calls to the bank. Each is a transaction of its own, as service_role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

from psycopg.rows import dict_row

from pgcredits.bank import admin
from pgcredits.bank.maintenance import refuse_newer

Row = dict[str, Any]


class Bank:
    """A connection that is opened when it is needed, and again after it was lost."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: admin.Connection | None = None

    def rows(self, query: LiteralString, values: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query.

        Raises psycopg.Error when nothing was done, or a COMMIT got no answer, and MigrationError for a bank
        that a newer program has migrated.
        """
        if self._connection is None or self._connection.closed:
            self._connection = self._connected()
        with self._connection.transaction(), self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute("set local role service_role")  # the login does not inherit it
            return cursor.execute(query, values).fetchall()

    def _connected(self) -> admin.Connection:
        connection = admin.connect(
            self._url, "pgcredits work", autocommit=True, lock_seconds=10, statement_seconds=30
        )
        try:
            with connection.transaction():
                connection.execute("set local role service_role")
                refuse_newer(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
