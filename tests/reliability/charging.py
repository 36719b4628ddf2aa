"""Stripe, as far as automatic top-ups need it: it charges a card once for a key, and repeats its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from threading import Lock
from typing import Any

from reliability.books import Row
from stripe_events import event
from topping import CARD_ERROR, intent

WORDS = "Charge my card 9.99 euros whenever my balance falls below the threshold."


@dataclass
class Cards:
    """The charges that Stripe has made or declined, by their idempotency keys. Clients share it."""

    seed: str
    declined: float = 0.3  # so many of all charges
    charges: dict[str, Row] = field(default_factory=dict)  # payment intents
    params: dict[str, Any] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)  # keys that came with other parameters
    tries: int = 0
    _lock: Lock = field(default_factory=Lock)

    def answer(self, call: Row, account_id: str) -> Row:
        """Stripe's answer to a call. A worker that must look up charges nothing."""
        key = call["idempotency_key"]
        with self._lock:
            self.tries += 1
            if key not in self.charges:
                if call["must_look_up"]:
                    return {"absent": True}
                self.charges[key] = self._charge(call, key, account_id)
                self.params[key] = call["params"]
            if self.params[key] != call["params"]:
                self.contradictions.append(f"{key}: {self.params[key]}, then {call['params']}")
            made = self.charges[key]
        if made["status"] == "succeeded":
            return {"object": made}
        return CARD_ERROR | {"payment_intent": made}

    def _charge(self, call: Row, key: str, account_id: str) -> Row:
        known = {"id": f"pi_{key}", "client_reference_id": account_id}
        if Random(f"{self.seed}:{key}").random() >= self.declined:
            return intent(call, **known)
        declined = {"status": "requires_payment_method", "amount_received": 0, "latest_charge": None}
        return intent(call, **known, **declined, last_payment_error=CARD_ERROR)

    def copy(self) -> Cards:
        return Cards(
            self.seed,
            self.declined,
            dict(self.charges),
            dict(self.params),
            list(self.contradictions),
            self.tries,
        )

    def events(self) -> list[Row]:
        """A new event about each charge, as Stripe sends it."""
        with self._lock:
            charges = list(self.charges.values())
        return [event_of(made) for made in charges]

    def event_about(self, call: Row) -> Row:
        """A new event about the charge that this call has made."""
        with self._lock:
            return event_of(self.charges[call["idempotency_key"]])

    def some_event(self, random: Random) -> Row | None:
        """Mostly about one of the newest charges."""
        with self._lock:
            charges = list(self.charges.values())
        return event_of(random.choice(charges[-3:])) if charges else None


def event_of(made: Row) -> Row:
    kind = "succeeded" if made["status"] == "succeeded" else "payment_failed"
    return event(f"payment_intent.{kind}", made)


def report_of(call: Row, answer: Row) -> Row:
    """The arguments of report_stripe_call."""
    return {name: call[name] for name in ("account_id", "call_id", "lease")} | {"answer": answer}
