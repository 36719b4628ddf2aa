"""Chaos on purpose: events come twice, late, in another order, or never, as they can from Stripe.

A seed and the number of an event since chaos began decide what happens to it, so that a run can be repeated.
Nothing is lost at the source: ``/v1/events`` has every event."""

import random
from dataclasses import dataclass
from typing import Annotated

import msgspec

from stripe_simulator.core.store import Store

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_OVERTAKEN_WITHIN = 0.5


class Chaos(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The share of the events that meet each fate. ``retry``: the endpoint's good answer is lost, so that the
    event is sent again. ``delay`` waits up to ``longest_delay`` seconds, ``reorder`` up to half a second."""

    seed: int = 0
    duplicate: _Share = 0.0
    reorder: _Share = 0.0
    drop: _Share = 0.0
    delay: _Share = 0.0
    retry: _Share = 0.0
    longest_delay: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 3.0


@dataclass(frozen=True)
class Delivery:
    """One sending of an event: after ``wait`` seconds, and again after each of ``lost`` good answers."""

    wait: float = 0.0
    lost: int = 0


def begin(store: Store, chaos: Chaos | None) -> None:
    """From the next event on there is chaos; None ends it."""
    last = store.db.execute("select coalesce(max(seq), 0) from objects").fetchone()[0]
    store.change_settings({"chaos": None if chaos is None else {**msgspec.to_builtins(chaos), "since": last}})


def parse(text: str) -> Chaos:
    """``seed=7,duplicate=0.3``. Raises ValueError."""
    pairs = [part.partition("=") for part in text.split(",")]
    try:
        return msgspec.convert({name.strip(): value for name, _, value in pairs}, Chaos, strict=False)
    except msgspec.ValidationError as error:
        known = ", ".join(field.name for field in msgspec.structs.fields(Chaos))
        raise ValueError(f"{error}. Write some of {known} as in seed=7,duplicate=0.3.") from None


def plan(store: Store, seq: int) -> list[Delivery]:
    """How the event of a number is sent: once, more often, or not at all."""
    settings = store.settings["chaos"]
    if settings is None:
        return [Delivery()]
    chaos = msgspec.convert({name: value for name, value in settings.items() if name != "since"}, Chaos)
    dice = random.Random(f"{chaos.seed}:{seq - settings['since']}")  # noqa: S311  # not a secret
    if dice.random() < chaos.drop:
        return []
    copies = 1 + (dice.randint(1, 2) if dice.random() < chaos.duplicate else 0)
    return [_delivery(dice, chaos) for _ in range(copies)]


def _delivery(dice: random.Random, chaos: Chaos) -> Delivery:
    wait = dice.uniform(0, _OVERTAKEN_WITHIN) if dice.random() < chaos.reorder else 0.0
    if dice.random() < chaos.delay:
        wait += dice.uniform(0, chaos.longest_delay)
    return Delivery(wait, dice.randint(1, 2) if dice.random() < chaos.retry else 0)
