"""A client's record of its calls: the arguments before each call, and the answer after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from threading import Condition
from typing import Protocol

import httpx
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb, set_json_loads
from reliability.books import Row
from reliability.exact_json import exact_json

UNAVAILABLE = "unavailable"  # how the API refuses a call while it has no database
ONCE = "once"  # in the metadata of a spend without a key, with a value of its own


def marked_once(row: Row) -> str | None:
    """The mark of a spend without a key, in its arguments or on its entry."""
    mark: str | None = (row.get("metadata") or {}).get(ONCE)
    return mark


class Lost(Exception):
    """The connection broke. Nobody knows whether the call was done."""


class Refused(Exception):
    """The bank refused the call."""

    def __init__(self, facts: Row) -> None:
        super().__init__(str(facts))
        self.facts = facts  # what DETAIL has: error, …


@dataclass
class Call:
    """One call. Without an answer or a refusal its outcome is unknown."""

    role: str
    function: str
    arguments: Row
    sent_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None
    answer: Row | None = None
    refusal: Row | None = None
    error: Exception | None = None  # an error that the bank did not raise
    lost: bool = False  # somebody was told that nobody knows the outcome


@dataclass
class Told:
    """The answer to one call, or to one item of a batch."""

    call: Call
    function: str
    arguments: Row
    answer: Row | None
    refusal: Row | None
    place: int = 0  # in the batch

    @property
    def said(self) -> Row:
        return self.answer or {}

    @property
    def unknown(self) -> bool:
        return self.answer is None and self.refusal is None

    @property
    def new(self) -> bool:
        """True unless it repeats an earlier answer."""
        return self.answer is not None and not self.answer.get("replayed", False)

    @property
    def key(self) -> str | None:
        return self.arguments.get("idempotency_key")


def told(calls: list[Call]) -> Iterator[Told]:
    """The calls, with the items of batches in place of the batches."""
    for call in calls:
        if call.function != "consume_tokens_batch":
            yield Told(call, call.function, call.arguments, call.answer, call.refusal)
            continue
        items = call.arguments["items"]
        for place, item in enumerate(items):
            answer, refusal = None, call.refusal
            if call.answer is not None:
                facts = dict(call.answer["verdicts"][place])
                answer, refusal = (facts, None) if facts.pop("ok") else (None, facts)
            yield Told(call, "consume_tokens", item, answer, refusal, place)


class Log:
    """The calls of all clients, in the order in which the clients recorded them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._acknowledged = 0
        self._changed = Condition()

    def send(self, channel: Channel, function: str, arguments: Row) -> Call:
        """Record a call, send it, and record the answer. Raises Lost."""
        call = Call(channel.role, function, arguments)
        self.calls.append(call)
        try:
            call.answer = channel.send(function, arguments)
        except Refused as refused:
            call.refusal = refused.facts
        except Lost:
            with self._changed:
                call.lost = True
                self._changed.notify_all()
            raise
        except Exception as error:
            call.error = error
        call.ended_at = datetime.now(UTC)
        with self._changed:
            self._acknowledged += call.refusal is None or call.refusal["error"] != UNAVAILABLE
            self._changed.notify_all()
        return call

    def wait_for(self, more: int, seconds: float = 60) -> None:
        """Wait until so many more calls have been answered."""
        with self._changed:
            enough = self._acknowledged + more
            assert self._changed.wait_for(lambda: self._acknowledged >= enough, seconds), (
                "nothing is answered"
            )

    def wait_for_refusal(self, slug: str) -> None:
        """Wait until one more call has been refused with this slug."""
        self._wait_for_one(lambda call: call.refusal is not None and call.refusal["error"] == slug, slug)

    def wait_for_loss(self) -> None:
        """Wait until one more client has been told that nobody knows what became of its call."""
        self._wait_for_one(lambda call: call.lost, "lost")

    def _wait_for_one(self, wanted: Callable[[Call], bool], name: str, seconds: float = 60) -> None:
        def number() -> int:
            return sum(map(wanted, list(self.calls)))

        with self._changed:
            known = number()
            assert self._changed.wait_for(lambda: number() > known, seconds), f"no call is {name}"

    def errors(self) -> list[str]:
        return [f"{call.function}: {call.error!r}" for call in self.calls if call.error is not None]


class Channel(Protocol):
    """A way to call the bank, as one role."""

    role: str

    def send(self, function: str, arguments: Row) -> Row:
        """The answer. Raises Refused, Lost."""
        ...

    def close(self) -> None: ...


class SqlChannel(Channel):
    """A session; each call is a transaction. `before_commit` is done in it, after the call."""

    def __init__(
        self,
        url: str,
        role: str = "service_role",
        sub: str | None = None,
        setting: str = "",
        before_commit: str = "",
    ) -> None:
        self.role = role
        self.before_commit = before_commit
        try:
            self.connection = psycopg.connect(url, autocommit=True, row_factory=dict_row, connect_timeout=10)
            set_json_loads(partial(json.loads, parse_float=Decimal), self.connection)
            claims = {"role": role} | ({"sub": sub} if sub else {})
            for name, value in (("role", role), ("request.jwt.claims", json.dumps(claims))):
                self.connection.execute("select set_config(%s, %s, false)", (name, value))
            if setting:
                self.connection.execute(setting.encode())
        except psycopg.OperationalError as error:
            raise Lost from error

    def send(self, function: str, arguments: Row) -> Row:
        named = ", ".join(f"{name} => %({name})s" for name in arguments)
        values = {
            name: Jsonb(value) if isinstance(value, (dict, list)) else value
            for name, value in arguments.items()
        }
        try:
            with self.connection.transaction():
                query = f"select * from api.{function}({named})"
                (row,) = self.connection.execute(query.encode(), values).fetchall()
                if self.before_commit:
                    self.connection.execute(self.before_commit.encode())
        except psycopg.Error as error:
            if (error.sqlstate or "").startswith("PT"):
                raise Refused(json.loads(error.diag.message_detail or "", parse_float=Decimal)) from error
            if self.connection.closed or (error.sqlstate or "").startswith("57P"):  # it shuts down
                raise Lost from error
            raise
        return dict(row)

    def close(self) -> None:
        self.connection.close()


class HttpChannel(Channel):
    """A client of the API; a key goes as the header Idempotency-Key."""

    def __init__(self, url: str, token: str, role: str = "service_role") -> None:
        self.role = role
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False, verify=False)

    def send(self, function: str, arguments: Row) -> Row:
        body = {name: value for name, value in arguments.items() if name != "idempotency_key"}
        key = arguments.get("idempotency_key")
        try:
            response = self.http.post(
                f"/rest/v1/rpc/{function}",
                content=exact_json(body),
                headers={} if key is None else {"Idempotency-Key": key},
            )
        except httpx.TransportError as error:
            raise Lost from error
        answer = response.json(parse_float=Decimal)
        if response.is_success:
            return dict(answer)
        facts = None
        with suppress(TypeError, ValueError):
            facts = json.loads(answer["details"], parse_float=Decimal)
        if not str(answer["code"]).startswith("PT") or facts is None:
            raise RuntimeError(f"{response.status_code} {response.text}")
        if facts.get("outcome") == "unknown":
            raise Lost(response.text)
        raise Refused(facts)

    def close(self) -> None:
        self.http.close()
