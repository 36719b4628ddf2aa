"""A connection on which a transaction is one flush and one wait, by libpq's pipeline mode.

psycopg's own pipeline sends each statement by itself: four system calls, and four times the server wakes up.
Here the statements and the final Sync leave together, and the event loop watches the socket as long as the
connection lives. Nothing follows the Sync. A pooler in transaction mode would take it for the beginning of
the next transaction.
"""

from __future__ import annotations

import asyncio
import logging
import re
import select
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

log = logging.getLogger("pgcredits")

Value: TypeAlias = str | int | None
Row: TypeAlias = tuple[Any, ...]

_USES = 5  # after so many uses on a connection, a statement is prepared there
_KNOWN = 200  # statements that a connection remembers, prepared or not
_LONGEST = 10_000  # characters of a statement that is remembered: a query can become a hundred thousand
_PLACEHOLDER = re.compile("%([%s])")


class LostError(psycopg.OperationalError):
    """The connection broke, or the server did not answer in time. What was sent may or may not be done."""


class Connection(psycopg.AsyncConnection[Row]):
    """A psycopg connection that only runs transactions, by `transact`, once `start` was called."""

    prepares = True  # may statements be prepared? Not where a pooler is between us and PostgreSQL

    def start(self) -> None:
        """From now on the event loop reads from this connection. psycopg's methods must not be used."""
        self.pgconn.enter_pipeline_mode()
        self._loop = asyncio.get_running_loop()
        self._fd = self.pgconn.socket
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN | select.POLLHUP)
        self._transformer = Transformer(self)
        self._answer: asyncio.Future[None] | None = None
        self._seconds = self._due = 0.0  # how long an answer may take, and when it has to be there
        self._bell: asyncio.TimerHandle | None = None
        self._results: list[PGresult] = []
        self._known: OrderedDict[str, bytes | int] = OrderedDict()  # a name, or how often it was used
        self._numbers = 0
        self._sent: list[str | None] = []  # for each result to come: what is being prepared, or None
        self._reading = True
        self._loop.add_reader(self._fd, self._readable)

    async def close(self) -> None:
        self._stop_reading()
        await super().close()

    def alive(self) -> bool:
        """Is the server still there, as far as the socket knows? Finding that out takes no round trip."""
        if self._poll.poll(0):  # only a server that says goodbye, or a notice, sends something in between
            self._readable()
        return not self.closed

    async def transact(
        self, statements: Sequence[tuple[str, Sequence[Value]]], seconds: float
    ) -> list[PGresult]:
        """Send statements, and return the result of each when all have succeeded.

        Placeholders are %s, and values go as text without a type.

        Raises LostError, also when there is no answer after `seconds`, or else psycopg.Error for the first
        statement that failed. Those after it were not run.
        """
        texts = [_texts(values) for _, values in statements]
        self._answer = self._loop.create_future()
        self._results, self._sent = [], []
        self._set_bell(seconds)
        try:
            for (sql, _), sent in zip(statements, texts, strict=True):
                self._send(sql, sent)
            self.pgconn.pipeline_sync()
            self._flush()
            await self._answer
        except LostError:
            raise
        except psycopg.OperationalError as error:  # libpq could not send
            self._answer.cancel()
            self._lose(str(error))
            raise LostError(str(error)) from error
        except BaseException:
            self._answer.cancel()
            self._lose("the call was cancelled")  # nobody waits for what still arrives here
            raise
        finally:
            self._answer = None
        return self._checked()

    async def roll_back(self, seconds: float) -> None:
        """End a transaction in which a statement failed. Raises LostError."""
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            await self.transact([("rollback", ())], seconds)

    def row(self, result: PGresult) -> Row | None:
        """The first row of a result, with Python's values."""
        if not result.ntuples:
            return None
        self._transformer.set_pgresult(result)
        return self._transformer.load_row(0, tuple)

    def _send(self, sql: str, texts: list[bytes | None]) -> None:
        short = len(sql) <= _LONGEST
        numbered = _numbered(sql) if short else _numbered.__wrapped__(sql)
        name = self._name(sql, numbered) if self.prepares and short else None
        if name is None:
            self.pgconn.send_query_params(numbered, texts)
        else:
            self.pgconn.send_query_prepared(name, texts)
        self._sent.append(None)

    def _name(self, sql: str, numbered: bytes) -> bytes | None:
        """The name of the prepared statement, if it has been used often enough."""
        known = self._known
        seen = known.get(sql, 0)
        if isinstance(seen, int):
            seen += 1
            if seen > _USES:
                self._numbers += 1
                seen = b"p%d" % self._numbers
                self.pgconn.send_prepare(seen, numbered)
                self._sent.append(sql)
            known[sql] = seen
            if len(known) > _KNOWN:
                self._forget_one()
        known.move_to_end(sql)
        return seen if isinstance(seen, bytes) else None

    def _forget_one(self) -> None:
        _, oldest = self._known.popitem(last=False)
        if isinstance(oldest, bytes):
            self.pgconn.send_close_prepared(oldest)
            self._sent.append("")

    def _flush(self) -> None:
        """Write what fits into the socket, and the rest when there is room."""
        if self.pgconn.flush():
            self._loop.add_writer(self._fd, self._writable)

    def _writable(self) -> None:
        try:
            if not self.pgconn.flush():
                self._loop.remove_writer(self._fd)
        except psycopg.Error as error:
            self._lose(str(error))

    def _readable(self) -> None:
        try:
            self.pgconn.consume_input()
            ended = self._collect()
        except psycopg.Error as error:
            self._lose(str(error))
            return
        if self.pgconn.status == ConnStatus.BAD:
            self._lose("the server closed the connection")
        elif ended and self._answer is not None and not self._answer.done():
            self._answer.set_result(None)

    def _collect(self) -> bool:
        """Take the results that have arrived whole. True at the end of the transaction."""
        between = False  # libpq returns None between the results of two statements, and while it has none
        while not self.pgconn.is_busy():
            result = self.pgconn.get_result()
            if result is None:
                if between:
                    return False
                between = True
                continue
            between = False
            if result.status == ExecStatus.PIPELINE_SYNC:
                return True
            self._results.append(result)
        return False

    def _checked(self) -> list[PGresult]:
        """The results of the statements, without those of their preparation."""
        failed = None
        results = []
        for sent, result in zip(self._sent, self._results, strict=True):
            good = result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
            if failed is None and not good:
                failed = result
            if sent is None:
                results.append(result)
            elif not good:
                self._known.pop(sent, None)  # it is not prepared
        if failed is not None:
            raise error_from_result(failed, encoding="utf-8")
        return results

    def _set_bell(self, seconds: float) -> None:
        """Note when the answer is due. One bell serves many transactions, which saves setting it."""
        self._seconds, self._due = seconds, self._loop.time() + seconds
        if self._bell is None or self._bell.when() > self._due:
            self._stop_bell()
            self._bell = self._loop.call_at(self._due, self._ring)

    def _ring(self) -> None:
        self._bell = None
        if self._answer is None or self._answer.done():
            return
        if self._loop.time() < self._due:  # the bell was set for a transaction that has ended
            self._bell = self._loop.call_at(self._due, self._ring)
            return
        text = "the database has not answered for %g seconds: the connection is given up"
        log.error(text, self._seconds)
        self._lose("the database has not answered in time")

    def _stop_bell(self) -> None:
        if self._bell is not None:
            self._bell.cancel()
            self._bell = None

    def _lose(self, reason: str) -> None:
        """Give the connection up. A transaction under way is then committed or not: nobody knows."""
        self._stop_reading()
        self.pgconn.finish()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LostError(reason))

    def _stop_reading(self) -> None:
        if getattr(self, "_reading", False):
            self._reading = False
            self._stop_bell()
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)


def _texts(values: Sequence[Value]) -> list[bytes | None]:
    """Values as libpq sends them. Raises psycopg.DataError for NUL, at which libpq would end the text."""
    texts = [None if value is None else str(value).encode() for value in values]
    if any(b"\0" in text for text in texts if text):
        raise psycopg.DataError("text with NUL")
    return texts


@lru_cache(maxsize=1000)
def _numbered(sql: str) -> bytes:
    """The SQL with $1, $2, … instead of %s, and % instead of %%."""
    numbers = iter(range(1, 65536))
    return _PLACEHOLDER.sub(lambda found: "%" if found[1] == "%" else f"${next(numbers)}", sql).encode()
