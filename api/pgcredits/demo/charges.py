"""The run in which each request is charged when it is done.

Every spend carries a key, so that a request whose answer was lost (a killed API, a restarted server) is sent
again and counts once.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pgcredits.demo import DemoError, report
from pgcredits.demo.customers import TOPUP, Customers, User, bearer, connected, decode, new_run, slug
from pgcredits.demo.trace import SLICE, Request, read_trace


@dataclass(slots=True)
class Outcome:
    """What the run has seen. Amounts are in euro cents."""

    latencies: list[float] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    spent: Decimal = Decimal(0)
    charged: Counter[str] = field(default_factory=Counter)
    entries: set[str] = field(default_factory=set)
    input_tokens: int = 0
    output_tokens: int = 0
    retries: int = 0
    seconds: float = 0.0


async def spend(customers: Customers, outcome: Outcome, user: User, request: Request) -> None:
    """Do one request, and buy tokens when the user has run dry."""
    body = {"module_id": request.module_id, "usage": request.usage}
    headers = bearer(user.token, customers.key(request.number))
    while True:
        purchases = user.purchases
        started = time.perf_counter()
        response = await customers.send("POST", "/rest/v1/rpc/consume_tokens", json=body, headers=headers)
        outcome.latencies.append(time.perf_counter() - started)
        refusal = slug(response)
        if refusal is None:
            break
        outcome.refusals[refusal] += 1
        if response.status_code != 402:
            raise DemoError(f"{body}: {response.status_code} {response.text[:300]}")
        await customers.buy(user, purchases)
    receipt = decode(response.content)
    outcome.spent += Decimal(receipt["cost"])
    outcome.charged[request.module_id] += 1
    outcome.entries.add(receipt["entry_id"])
    outcome.input_tokens += request.usage["input_tokens"]
    outcome.output_tokens += request.usage["output_tokens"]


async def replay(
    base_url: str, requests: list[Request], users: int, workers: int, console: Console
) -> tuple[Outcome, list[User]]:
    """Replay the requests with so many workers at once. Raises DemoError."""
    outcome = Outcome()
    async with connected(base_url, new_run(), workers) as customers:
        with report.progress_bar(console) as progress:
            task = progress.add_task("signing up, reading repositories", total=users)
            people = await customers.arrive(
                users,
                lambda user, request: spend(customers, outcome, user, request),
                lambda: progress.advance(task),
            )

            task = progress.add_task("replaying the trace", total=len(requests))
            queue = iter(requests)
            outcome.latencies.clear()
            started = time.perf_counter()

            async def work() -> None:
                for request in queue:
                    await spend(customers, outcome, people[request.user], request)
                    progress.advance(task)

            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(work())
            outcome.seconds = time.perf_counter() - started
        outcome.retries = customers.retries
        said = sum([await customers.lifetime_spent(user) for user in people], Decimal(0))
        sent = len(requests) + len(people)
        if said != outcome.spent or len(outcome.entries) != sent:
            raise DemoError(
                f"{sent} requests were answered with {len(outcome.entries)} entries "
                f"for {outcome.spent}, but the bank says {said}"
            )
    return outcome, people


def run(base_url: str, trace: Path | None, workers: int, users: int | None, console: Console) -> None:
    """Replay a trace (by default the slice that comes with pgcredits) and print what happened.

    The API at `base_url` must have the price list appforge and a Stripe simulator. Raises DemoError.
    """
    requests, count = read_trace(trace or SLICE, users)
    try:
        outcome, people = asyncio.run(replay(base_url, requests, count, workers, console))
    except* DemoError as group:
        raise next(_leaves(group)) from None
    console.print(_table(outcome, people, workers))


def _table(outcome: Outcome, people: list[User], workers: int) -> Table:
    bought = sum(user.purchases for user in people)
    calls = outcome.latencies
    return report.table(
        "pgcredits demo",
        (
            ("users, workers", f"{len(people)}, {workers}"),
            (
                "requests charged",
                f"{len(outcome.entries):,}: the trace, and a repository read for each user",
            ),
            *((f"  {module}", f"{count:,}") for module, count in sorted(outcome.charged.items())),
            ("refusals", report.counted(outcome.refusals)),
            ("sent again", f"{outcome.retries:,}"),
            ("LLM tokens", f"{outcome.input_tokens:,} in, {outcome.output_tokens:,} out"),
            ("charged", report.euros(outcome.spent)),
            ("given at sign-up", f"{len(people) * 10} EUR"),
            ("bought", f"{bought} top-ups, {bought * TOPUP // 100} EUR"),
            ("throughput", f"{len(calls) / outcome.seconds:,.0f} calls/s over {outcome.seconds:.1f} s"),
            ("latency p50", report.p50(calls)),
            ("latency p99", report.p99(calls)),
        ),
    )


def _leaves(group: BaseExceptionGroup[DemoError]) -> Iterator[DemoError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
