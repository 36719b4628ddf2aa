"""Spends of a backend that wait at the same time share a transaction, by api.consume_tokens_batch.

While one transaction of a caller is under way, the caller's further spends collect. When it has ended, all
that wait go together, at most 64. Nobody waits for company: a spend that comes alone goes alone, at once. Why
this pays, and what it keeps: docs/decisions/shared-transactions.md.

Each spend gets what it would get alone. What a batch has not charged it has not touched. Such a spend goes
alone after all, and gets its own refusal. So does each spend of a batch that failed as a whole. Only when the
connection breaks does nobody know what was done. A spend without a key is told so. A spend with a key is
repeated alone, because the key makes that safe, and is told so if the repeat does not get through either.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest

import msgspec
import psycopg

from pgcredits.http.database.connection import Row
from pgcredits.http.database.pools import BusyError, Database, Statement, UnavailableError
from pgcredits.http.database.schema_cache import KEY, Function
from pgcredits.http.functions.jsonbody import JsonObject, text
from pgcredits.http.operations import logs, metrics
from pgcredits.settings import Settings
from pgcredits.tokens import Caller

log = logging.getLogger("pgcredits")

MOST = 64  # spends of one transaction
QUEUE = 1000  # spends of one caller that may wait
KEPT = 100  # callers whose queue is kept when it is empty
PATIENCE = 0.05  # seconds that a transaction keeps the caller's other spends waiting
FUNCTION = "consume_tokens"
_BUSY = "PT503"  # the SQLSTATE of a wallet that somebody else has locked
_ROLES = {"service_role", "spender"}
_TEXTS = {"user_id", "module_id", KEY}
_OBJECTS = {"usage", "metadata", "tags"}
# A wallet that somebody has locked for long is left out soon: its spends wait on a connection of their own.
_TOGETHER = (
    "select _batch.verdicts::text, 1"
    " from (select set_config('lock_timeout', '50ms', true) as bound offset 0) as _wait,"
    " lateral api.consume_tokens_batch(case when _wait.bound is not null then %s::jsonb end) as _batch"
)
# The answer of consume_tokens, in its order.
_RECEIPT = (
    *("entry_id", "user_id", "module_id", "cost", "balance", "draws", "replayed", "price_source"),
    "refunded",
)
_VERDICTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


@dataclass(frozen=True, slots=True)
class Spend:
    """The arguments of a spend, as an item of a batch."""

    user_id: str  # as JSON text
    text: str
    keyed: bool


def spend_of(caller: Caller, function: Function, body: JsonObject, key: str | None) -> Spend | None:
    """The spend that a call means, or None when the call has to go alone.

    Only plain arguments travel as they are. PostgreSQL reads any others in the call of the function itself.
    """
    members = body.members
    if (
        function.name != FUNCTION
        or caller.role not in _ROLES
        or tuple(field.name for field in function.fields) != _RECEIPT  # another version of the bank
        or "user_id" not in members
        or not members.keys() <= _TEXTS | _OBJECTS
        or (key is not None and KEY in members)
    ):
        return None
    for name, value in members.items():
        if value[0] != ('"' if name in _TEXTS else "{"):
            return None
    parts = [f'"{name}":{value}' for name, value in members.items()]
    if key is not None:
        parts.append(f'"{KEY}":{text(key)}')
    return Spend(members["user_id"], "{" + ",".join(parts) + "}", key is not None or KEY in members)


class Sharing:
    """The transactions that one process shares between the spends of each caller."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._width = max(2, settings.pool_size // 3)  # transactions of one caller under way
        self._seconds = settings.pool_timeout  # the longest wait for a transaction to begin
        self._queues: dict[Caller, _Queue] = {}

    async def spend(
        self, caller: Caller, spend: Spend, alone: Callable[[], Awaitable[Row | None]]
    ) -> Row | None:
        """The answer to a spend, from a transaction that it shares, or from `alone`, which makes the call.

        Raises what `alone` raises, BusyError, and UnavailableError.
        """
        queue = self._queues.get(caller)
        if queue is None:
            queue = self._queues[caller] = _Queue(self._database, caller, self._width)
        try:
            return await queue.spend(spend, alone, self._seconds)
        finally:
            if queue.idle and len(self._queues) > KEPT and self._queues.get(caller) is queue:
                del self._queues[caller]


class _Again(Enum):
    """Why a spend goes alone that was in a batch."""

    REFUSED = 1  # the batch has not charged it, or has failed as a whole
    UNKNOWN = 2  # the connection broke: perhaps it has been charged


class _Turn:
    """A transaction under way. The spends that wait go when it has ended, or when it has taken too long."""

    __slots__ = ("_queue", "apart", "due", "user_id")

    def __init__(self, queue: _Queue, user_id: str | None, *, apart: bool = False) -> None:
        self._queue = queue
        self.user_id = user_id  # of a spend that goes alone
        self.apart = apart  # only other spends of this user wait for it
        self.due = 0.0  # the others wait for it no longer than until then

    def end(self, *, busy: bool = False) -> None:
        """`busy`: the wallet was locked to the end."""
        self._queue.ended(self, busy)


@dataclass(slots=True, eq=False)
class _Waiting:
    """A spend, and what becomes of it: a receipt, a turn of its own, or a second try without a turn."""

    spend: Spend
    outcome: asyncio.Future[bytes | _Turn | _Again]
    request_id: str
    late: bool = False  # it has waited as long as it may


class _Queue:
    """The spends of one caller.

    A user whose wallet somebody else keeps locked is apart: one of the user's spends waits for the wallet,
    and the others wait for that one. They come back when it has got through.
    """

    def __init__(self, database: Database, caller: Caller, width: int) -> None:
        self._database = database
        self._caller = caller
        self._width = width
        self._turn: _Turn | None = None  # the one that the others wait for
        self._under_way = 0
        self._loop = asyncio.get_running_loop()
        self._bell: asyncio.TimerHandle | None = None
        self._waiting: deque[_Waiting] = deque()
        self._apart: dict[str, deque[_Waiting]] = {}  # by user
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> bool:
        return not (self._under_way or self._waiting or self._apart)

    async def spend(
        self, spend: Spend, alone: Callable[[], Awaitable[Row | None]], seconds: float
    ) -> Row | None:
        outcome: bytes | _Turn | _Again
        if self._free and spend.user_id not in self._apart:
            outcome = self._begin(spend.user_id)
        else:
            outcome = await self._wait(spend, seconds)
        if isinstance(outcome, bytes):
            return outcome.decode(), 1
        if outcome is _Again.REFUSED:
            return await alone()
        if outcome is _Again.UNKNOWN:
            return await _once_more(alone)
        busy = False
        try:
            return await alone()
        except psycopg.Error as error:
            busy = error.sqlstate == _BUSY
            raise
        finally:
            outcome.end(busy=busy)

    @property
    def _free(self) -> bool:
        return self._turn is None and self._under_way < self._width

    def _begin(self, user_id: str | None) -> _Turn:
        self._under_way += 1
        turn = self._turn = _Turn(self, user_id)
        turn.due = self._loop.time() + PATIENCE
        if self._bell is None:
            self._bell = self._loop.call_at(turn.due, self._ring)
        return turn

    def _ring(self) -> None:
        """Look whether the turn has taken too long. One bell serves many turns: to set it takes longer."""
        self._bell = None
        if self._turn is None:
            return
        if self._loop.time() < self._turn.due:
            self._bell = self._loop.call_at(self._turn.due, self._ring)
        else:
            self._pass_by(self._turn)

    def _pass_by(self, turn: _Turn) -> None:
        """Wait no longer for a transaction: another one begins beside it, on a connection of its own."""
        self._turn = None
        if turn.user_id is not None:
            self._under_way -= 1
            turn.apart = True
            self._apart.setdefault(turn.user_id, deque())
        self._go()

    def ended(self, turn: _Turn, busy: bool) -> None:
        if self._turn is turn:
            self._turn = None
        if turn.apart and turn.user_id is not None:
            self._come_back(turn.user_id, busy)
        else:
            self._under_way -= 1
        self._go()

    def _come_back(self, user_id: str, busy: bool) -> None:
        """The spends of a user who was apart join the others; or the next one waits for the wallet."""
        waiting = self._apart.get(user_id, deque())
        while busy and waiting:
            one = waiting.popleft()
            if not one.outcome.done():
                one.outcome.set_result(_Turn(self, user_id, apart=True))
                return
        self._apart.pop(user_id, None)
        self._waiting.extend(waiting)

    def _set_apart(self, one: _Waiting) -> None:
        user_id = one.spend.user_id
        if one.late:
            one.outcome.set_exception(_too_late())
        elif user_id in self._apart:
            self._apart[user_id].append(one)
        else:
            self._apart[user_id] = deque()
            one.outcome.set_result(_Turn(self, user_id, apart=True))

    def _go(self) -> None:
        """Begin the next transaction, if spends wait and it may begin."""
        if not (self._free and self._waiting):
            return
        together: list[_Waiting] = []
        while self._waiting and len(together) < MOST:
            one = self._waiting.popleft()
            if not one.outcome.done():
                together.append(one)
        if len(together) == 1:
            together[0].outcome.set_result(self._begin(together[0].spend.user_id))
        elif together:
            self._tasks.add(task := asyncio.create_task(self._run(together, self._begin(None))))
            task.add_done_callback(self._tasks.discard)

    async def _run(self, together: list[_Waiting], turn: _Turn) -> None:
        """Make the spends, and tell each what became of it."""
        logs.of_several(together[0].request_id, len(together) - 1)  # not for the request that has ended
        verdicts: list[bytes | str] = []
        lost: UnavailableError | None = None
        try:
            verdicts = await self._charge([one.spend for one in together])
        except UnavailableError as error:
            lost = error
        except psycopg.Error as error:  # nothing was done
            log.warning("%d spends go alone: %s", len(together), type(error).__name__)
        except Exception as error:  # a fault of ours: nobody may wait for ever
            log.exception("a shared transaction failed")
            lost = UnavailableError(type(error).__name__, unsure=True)
        finally:
            turn.end()
        for one, verdict in zip_longest(together, verdicts):
            if one.outcome.done():
                continue
            if lost is not None and not (lost.unsure and one.spend.keyed):
                one.outcome.set_exception(UnavailableError(str(lost), unsure=lost.unsure))
            elif lost is not None:
                one.outcome.set_result(_Again.UNKNOWN)
            elif verdict == _BUSY:
                self._set_apart(one)
            else:
                one.outcome.set_result(verdict if isinstance(verdict, bytes) else _Again.REFUSED)

    async def _charge(self, spends: list[Spend]) -> list[bytes | str]:
        """For each spend the answer of consume_tokens, or the SQLSTATE of its refusal."""
        metrics.batch_sent(len(spends))
        statement = Statement(_TOGETHER, ("[" + ",".join(spend.text for spend in spends) + "]",))
        row = await self._database.call(
            self._caller, statement, read_only=False, path=f"/rest/v1/rpc/{FUNCTION}"
        )
        try:
            verdicts = [_told(verdict) for verdict in _VERDICTS.decode(row[0] if row else "[]")]
        except (msgspec.MsgspecError, KeyError) as error:
            raise UnavailableError("verdicts that cannot be read", unsure=True) from error
        if len(verdicts) != len(spends):
            raise UnavailableError("some spends have no verdict", unsure=True)
        return verdicts

    async def _wait(self, spend: Spend, seconds: float) -> bytes | _Turn | _Again:
        queue = self._apart.get(spend.user_id, self._waiting)
        if len(queue) >= QUEUE:
            raise BusyError("too many spends wait")
        loop = asyncio.get_running_loop()
        one = _Waiting(spend, loop.create_future(), logs.request_id.get(""))
        queue.append(one)
        timer = loop.call_later(seconds, self._give_up, one)
        try:
            return await one.outcome
        except asyncio.CancelledError:
            if one.outcome.done() and not one.outcome.cancelled() and one.outcome.exception() is None:
                outcome = one.outcome.result()
                if isinstance(outcome, _Turn):  # it came while the call was cancelled
                    outcome.end()
            raise
        finally:
            timer.cancel()

    def _give_up(self, one: _Waiting) -> None:
        """A spend has waited too long. If it is on its way, its transaction has the last word."""
        one.late = True
        for queue in (self._waiting, self._apart.get(one.spend.user_id, self._waiting)):
            if one in queue:
                queue.remove(one)
                one.outcome.set_exception(_too_late())


async def _once_more(alone: Callable[[], Awaitable[Row | None]]) -> Row | None:
    """The answer to a spend that has a key, and that has perhaps been charged.

    The bank looks for the key first, so a spend that it refuses now has not been charged. Whatever else keeps
    the repeat from its answer says nothing about the first try. Raises UnavailableError then.
    """
    try:
        return await alone()
    except (BusyError, UnavailableError) as error:
        raise UnavailableError(str(error), unsure=True) from error
    except psycopg.Error as error:
        if (error.sqlstate or "").startswith("PT4"):
            raise
        raise UnavailableError(f"SQLSTATE {error.sqlstate}", unsure=True) from error


def _too_late() -> BusyError:
    return BusyError("the spends before this one have not ended")


def _told(verdict: dict[str, msgspec.Raw]) -> bytes | str:
    if bytes(verdict["ok"]) != b"true":
        return str(msgspec.json.decode(verdict["code"]))
    return b"{" + b",".join(b'"%b":%b' % (name.encode(), verdict[name]) for name in _RECEIPT) + b"}"
