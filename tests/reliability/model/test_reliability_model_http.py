"""The bank over HTTP against the model: calls that come at once answer as if one came after another."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import hypothesis
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from psycopg.conninfo import make_conninfo
from reliability.model.machine import CALLED, OPENINGS
from reliability.model.over_http import READ, HttpMachine
from reliability.model.setting_up import set_up
from reliability.model.world import MODULES, USERS

from pgcredits.http.database import sharing
from pgcredits.http.database.connection import Row
from pgcredits.http.operations import metrics

pytestmark = pytest.mark.one_version

STEPS_OF_A_RUN, RUNS_OF_AN_OPENING = 60, 3
STEPS, MANY_STEPS = 150, 6_000  # in the short and in the long form
SHARED = 40  # so many spends, at least, share transactions; a short form that has fewer goes on


@pytest.fixture(scope="module")
def copied(own_url: str) -> str:
    """The name of a database with what the model knows. Nobody is connected to it, so it can be copied."""
    with psycopg.connect(own_url, autocommit=True) as connection:
        set_up(connection)
        return connection.info.dbname


def machine(own_url: str, copied: str, counts: Counter[str], opening: str) -> type[HttpMachine]:
    shared = {
        "server_url": make_conninfo(own_url, dbname="postgres"),
        "template": copied,
        "counts": counts,
        "fault": "",
        "audited": 20,
        "opening": opening,
    }
    return type("HttpMachine", (HttpMachine,), shared)


def shared_spends() -> float:
    """How many spends have shared a transaction in this process, by the figures of the API."""
    found = re.search(r"^pgcredits_batch_size_sum ([0-9.]+)$", metrics.page().decode(), re.M)
    assert found is not None
    return float(found[1])


def test_the_bank_over_http_answers_as_the_model_does(
    own_url: str, copied: str, seed: int, long_form: bool, say: Callable[[str], None]
) -> None:
    began, counts, before = time.monotonic(), Counter[str](), shared_spends()
    say(f"model over HTTP: RELIABILITY_SEED={seed}")
    for number in count(seed):
        most = MANY_STEPS if long_form else STEPS
        if counts["step"] >= (most if counts["spends that shared one"] >= SHARED else 3 * most):
            break
        run_state_machine_as_test(
            hypothesis.seed(number)(machine(own_url, copied, counts, OPENINGS[number % len(OPENINGS)])),
            settings=settings(
                max_examples=RUNS_OF_AN_OPENING,
                stateful_step_count=STEPS_OF_A_RUN,
                deadline=None,
                database=None,
                phases=(Phase.generate,),  # calls that come at once may take another order when repeated
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
    steps = counts.pop("step")
    say(f"model over HTTP: {steps:,} steps in {time.monotonic() - began:.0f} s: {dict(counts.most_common())}")
    assert counts["spends that shared one"] == shared_spends() - before
    assert counts["spends that shared one"] >= (steps // 5 if long_form else SHARED)
    if long_form:
        assert {name for name in {*CALLED, READ} if not counts[name]} == set()


def spend(number: int) -> tuple[str, dict[str, Any]]:
    """A spend of a service. Every other one has a key."""
    return "spend", {
        "who": USERS[number % len(USERS)],
        "module": MODULES[0],
        "quantity": Decimal(number),
        "byok": False,
        "user": False,
        "metadata_size": 0,
        "tags": None,
        "keyed": bool(number % 2),
    }


@contextmanager
def begun(own_url: str, copied: str) -> Iterator[HttpMachine]:
    """A run whose steps are made by hand."""
    run = machine(own_url, copied, Counter(), "none")()
    try:
        yield run
    finally:
        run._end()


def spend_at_once(run: HttpMachine) -> None:
    """Spends that share a transaction, and then the same again with their keys."""
    run.come_together([spend(number) for number in range(1, 11)])
    run.come_together([("repeat_call", {"which": which}) for which in range(len(run.keyed_calls))])


def test_a_run_by_hand_shares_transactions(
    own_url: str, copied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "PATIENCE", 60)  # no second transaction begins on a busy machine
    with begun(own_url, copied) as run:
        spend_at_once(run)
        assert [len(batch) for batch in run.bank.database.batches] == [9, 4]


def test_extensions_that_come_together_may_take_any_order(own_url: str, copied: str) -> None:
    with begun(own_url, copied) as run:
        run.hold("ada", MODULES[0], Decimal(1), timedelta(hours=1), False, 0, None, False)
        for _ in range(5):
            run.come_together(
                [
                    ("extend", {"which": 0, "ttl": timedelta(minutes=minutes), "user": False})
                    for minutes in (1, 15, 360)
                ]
            )


Charge = Callable[..., Awaitable[list[bytes | str]]]


def swapped(charge: Charge) -> Charge:
    async def wrong(self: Any, spends: list[sharing.Spend]) -> list[bytes | str]:
        return (await charge(self, spends))[::-1]

    return wrong


def without_keys(charge: Charge) -> Charge:
    async def wrong(self: Any, spends: list[sharing.Spend]) -> list[bytes | str]:
        items = [json.loads(spend.text) for spend in spends]
        texts = [json.dumps(item | {"idempotency_key": None}) for item in items]
        return await charge(
            self, [replace(spend, text=text) for spend, text in zip(spends, texts, strict=True)]
        )

    return wrong


def made_twice(spend: Callable[..., Awaitable[Row | None]]) -> Callable[..., Awaitable[Row | None]]:
    async def wrong(self: Any, one: sharing.Spend, alone: Any, seconds: float) -> Row | None:
        shared = await spend(self, one, alone, seconds)
        await alone()
        return shared

    return wrong


FAULTS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "each spend is told the answer of another one": ("_charge", swapped),
    "spends that share forget their keys": ("_charge", without_keys),
    "each spend is also made alone": ("spend", made_twice),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_model_finds_a_fault_of_shared_transactions(
    fault: str, own_url: str, copied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, bend = FAULTS[fault]
    with begun(own_url, copied) as run:
        monkeypatch.setattr(sharing._Queue, name, bend(getattr(sharing._Queue, name)))
        with pytest.raises(AssertionError):
            spend_at_once(run)
