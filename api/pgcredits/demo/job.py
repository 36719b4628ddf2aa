"""One job: hold the worst case, generate, capture what was used. It may fail, or have its worker killed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

import httpx

from pgcredits.demo import DemoError
from pgcredits.demo.customers import Customers, User, bearer, decode, expect, slug
from pgcredits.demo.trace import Request

TTL = 5  # seconds that a hold outlives a job that nobody ends
_PER_TOKEN = 0.0002  # seconds; a real model takes a hundred times as long
_FAILING, _KILLED = 0.05, 0.01  # of all jobs
_REASON = "failed: the model gave no answer"


class Fate(StrEnum):
    """How a job will end. All but two fates name the moment at which its worker is killed."""

    SUCCEEDS = "succeeds"
    FAILS = "fails"
    KILLED_HOLDING = "holding"  # the call is sent, its answer not read
    KILLED_HELD = "held"
    KILLED_GENERATING = "generating"
    KILLED_CAPTURING = "capturing"  # the call is sent, its answer not read


DEATHS = tuple(fate for fate in Fate if fate.name.startswith("KILLED"))


@dataclass(frozen=True, slots=True)
class Job:
    """A request of the trace, generating at most `max_tokens`. Nobody knows before how many it will be."""

    request: Request
    user: User
    max_tokens: int
    fate: Fate = Fate.SUCCEEDS


@dataclass(slots=True)
class Report:
    """What the bank answered to a job; `state` is how its hold ended."""

    state: str = "open"
    held: Decimal = Decimal(0)
    captured: Decimal = Decimal(0)
    shortfall: Decimal = Decimal(0)
    calls: list[tuple[str, float]] = field(default_factory=list)  # function and seconds
    refusals: Counter[str] = field(default_factory=Counter)
    purchases: int = 0
    retries: int = 0


def draw_fates(count: int, seed: int) -> list[Fate]:
    """The same for the same seed."""
    dice = random.Random(seed)  # noqa: S311 (no secret)

    def one() -> Fate:
        roll = dice.random()
        if roll < _KILLED:
            return dice.choice(DEATHS)
        return Fate.FAILS if roll < _KILLED + _FAILING else Fate.SUCCEEDS

    return [one() for _ in range(count)]


class Backend:
    """The product's backend: a service, which names the user. Only buying is the user's own."""

    def __init__(self, customers: Customers, token: str) -> None:
        self.customers = customers
        self.token = token

    async def perform(self, job: Job) -> Report:
        """Do the job, and report what the bank answered. Raises DemoError."""
        report = Report()
        hold_id = await self._hold(job, report)
        _die(job, Fate.KILLED_HELD)
        seconds = job.request.usage["output_tokens"] * _PER_TOKEN
        await asyncio.sleep(seconds / 2)
        _die(job, Fate.KILLED_GENERATING)
        await asyncio.sleep(seconds / 2)
        if job.fate is Fate.FAILS:
            await self._release(job, hold_id, report)
        else:
            await self._capture(job, hold_id, report)
        report.purchases = job.user.purchases
        return report

    async def _hold(self, job: Job, report: Report) -> str:
        """Hold the worst case, and buy tokens when the user has run dry."""
        body = {
            "module_id": job.request.module_id,
            "usage": job.request.usage | {"output_tokens": job.max_tokens},
            "ttl": f"{TTL} seconds",
            "user_id": job.user.user_id,
            "metadata": {"job": job.request.number},
        }
        while True:
            purchases = job.user.purchases
            response = await self._call("hold_tokens", body, job, report, Fate.KILLED_HOLDING)
            refusal = slug(response)
            if refusal is None:
                break
            report.refusals[refusal] += 1
            if response.status_code != 402:
                raise DemoError(f"{body}: {response.status_code} {response.text[:300]}")
            await self.customers.buy(job.user, purchases)
        receipt = decode(response.content)
        report.held = Decimal(receipt["held"])
        return str(receipt["hold_id"])

    async def _capture(self, job: Job, hold_id: str, report: Report) -> None:
        body = {"hold_id": hold_id, "usage": job.request.usage}
        response = await self._call("capture_hold", body, job, report, Fate.KILLED_CAPTURING)
        receipt = expect(response, 200)
        report.state = receipt["state"]
        report.captured = Decimal(receipt["paid"])
        report.shortfall = Decimal(receipt["shortfall"])

    async def _release(self, job: Job, hold_id: str, report: Report) -> None:
        response = await self._call("release_hold", {"hold_id": hold_id, "reason": _REASON}, job, report)
        if slug(response) == "hold_closed":  # it took longer than the hold lasts
            report.state = decode(decode(response.content)["details"])["state"]
        else:
            report.state = expect(response, 200)["state"]

    async def _call(
        self, function: str, body: dict[str, Any], job: Job, report: Report, deadly: Fate | None = None
    ) -> httpx.Response:
        """A call with a key of its own. If that is the job's fate, the worker dies waiting for the answer."""
        url = f"/rest/v1/rpc/{function}"
        headers = bearer(self.token, self.customers.key(function, job.request.number))
        extensions = {"trace": _die_when_sent} if job.fate is deadly else {}
        started = time.perf_counter()
        response = await self.customers.send("POST", url, json=body, headers=headers, extensions=extensions)
        report.calls.append((function, time.perf_counter() - started))
        return response


def _die(job: Job, moment: Fate) -> None:
    if job.fate is moment:
        os.kill(os.getpid(), signal.SIGKILL)


async def _die_when_sent(event: str, info: dict[str, Any]) -> None:
    if event.endswith(".send_request_body.complete"):
        os.kill(os.getpid(), signal.SIGKILL)
