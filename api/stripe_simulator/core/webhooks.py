"""Signed webhooks, delivered in the background until the endpoint answers 2xx.

Events that are not delivered stay in the store, so their delivery continues after a restart. Deliveries run
in parallel and arrive in any order, now and then more than once. Stripe promises no more."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass

import httpx
import stripe

from stripe_simulator.core.store import Json, Store

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_GIVE_UP_AFTER = 3 * 24 * 3600
_AT_ONCE = 16
_TIMEOUT = 20.0
_Sending = tuple[str, int]
"""An event, and which of its copies."""


@dataclass(frozen=True)
class Answer:
    """The endpoint's answer: an HTTP status, or the reason why it sent no status."""

    status: int | None
    error: str | None = None

    @property
    def accepted(self) -> bool:
        """Only 2xx counts; everything else is tried again."""
        return self.status is not None and 200 <= self.status < 300

    def __str__(self) -> str:
        return self.error or f"HTTP {self.status}"


class Courier:
    """Delivers the events of a store to one endpoint. Call :meth:`wake` when there may be new ones."""

    def __init__(self, store: Store, url: str, secret: str) -> None:
        self.url = url
        self._store = store
        self._secret = secret
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False)
        self._woken = asyncio.Event()
        self._under_way: dict[_Sending, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Look for due deliveries now."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                self._woken.clear()
                for sending in self._due():
                    self._under_way[sending] = asyncio.create_task(self._deliver(sending))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), self._time_to_next())
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)
            await self._client.aclose()

    async def send(self, event: Json) -> Answer:
        """Send an event once, signed, whether or not it was sent before."""
        payload = json.dumps(event, indent=2)
        signature = stripe.WebhookSignature.generate_signature_header(payload, self._secret)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature,
            "User-Agent": "Stripe/1.0 (stripe-simulator)",
        }
        try:
            response = await self._client.post(self.url, content=payload.encode(), headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Answer(None, f"{type(error).__name__}: {error}".rstrip(": "))
        return Answer(response.status_code)

    def _due(self) -> list[_Sending]:
        free = _AT_ONCE - len(self._under_way)
        rows = self._store.db.execute(
            "select event_id, copy from deliveries where state = 'pending' and next_at <= ? "
            "order by next_at limit ?",
            (self._store.clock(), _AT_ONCE),
        )
        return [sending for sending in rows if sending not in self._under_way][:free]

    def _time_to_next(self) -> float | None:
        if len(self._under_way) >= _AT_ONCE:
            return None  # a delivery that ends wakes us
        waiting = self._store.db.execute(
            "select event_id, copy, next_at from deliveries where state = 'pending' order by next_at limit ?",
            (_AT_ONCE,),
        )
        times = [next_at for id, copy, next_at in waiting if (id, copy) not in self._under_way]
        return max(0.0, min(times) - self._store.clock()) if times else None

    async def _deliver(self, sending: _Sending) -> None:
        try:
            self._note(sending, await self.send(self._store.get("event", sending[0])))
        finally:
            del self._under_way[sending]
            self.wake()

    def _note(self, sending: _Sending, answer: Answer) -> None:
        db, now = self._store.db, self._store.clock()
        attempts, since, lost = db.execute(
            "select attempts + 1, since, lost from deliveries where event_id = ? and copy = ?", sending
        ).fetchone()
        wait = min(_FIRST_WAIT * 2.0 ** min(attempts - 1, 30), _LONGEST_WAIT)
        state = "delivered" if answer.accepted else "given_up" if now - since > _GIVE_UP_AFTER else "pending"
        shown = str(answer)
        if state == "delivered" and lost:  # chaos: the answer does not come back
            state, shown, wait, lost = "pending", f"{answer}, lost on purpose", _FIRST_WAIT, lost - 1
        db.execute(
            "update deliveries set state = ?, attempts = ?, next_at = ?, answer = ?, lost = ?"
            " where event_id = ? and copy = ?",
            (state, attempts, now + wait, shown, lost, *sending),
        )
