"""The demonstration: a real trace of LLM requests, replayed over HTTP by users who sign up, buy, and run dry.

Each user first has a large repository read, which takes nearly all of the 10 EUR that come with signing up.
Every request of the trace then spends its real input and output tokens at the prices of appforge.
A user whose tokens are used up buys a top-up through the Stripe simulator and goes on. Every spend carries a
key, so that a request whose answer was lost (a killed API, a restarted server) is sent again and counts once.
"""

from __future__ import annotations

import asyncio
import csv
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

SLICE = Path(__file__).parent / "traces" / "azure_llm_code_2023.csv"
_MODELS = ("claude-sonnet-4", "gpt-4o")
_TOPUP = 500  # euro cents
_REPOSITORY = {"input_tokens": 3_400_000, "output_tokens": 0}  # 9.92 EUR of claude-sonnet-4
_PATIENCE = 120.0  # seconds that one request is sent again for, while the API or the database is away

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


@dataclass(frozen=True, slots=True)
class Request:
    """A row of the trace: a charge of `usage` on `module_id`, for the user with that index."""

    number: int
    user: int
    module_id: str
    usage: dict[str, int]


@dataclass(slots=True)
class User:
    """Somebody who signed up in this run."""

    user_id: str
    token: str
    purchases: int = 0
    buying: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Outcome:
    """What the run has seen; amounts in euro cents."""

    latencies: list[float] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    spent: Decimal = Decimal(0)
    charged: Counter[str] = field(default_factory=Counter)
    entries: set[str] = field(default_factory=set)
    input_tokens: int = 0
    output_tokens: int = 0
    retries: int = 0
    seconds: float = 0.0


class DemoError(RuntimeError):
    """The run cannot go on; the message says why."""


def read_trace(path: Path, users: int | None) -> tuple[list[Request], int]:
    """The requests of a trace and the number of users to share them out to.

    The first user makes twice as many requests as the second, three times as many as the third, and so on.
    Raises DemoError for a file that is not such a trace.
    """
    try:
        with path.open(newline="") as file:
            rows = [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(file)]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DemoError(f"{path} is not a trace with ContextTokens and GeneratedTokens: {error!r}") from error
    if not rows:
        raise DemoError(f"{path} holds no request")
    count = users or max(6, len(rows) // 500)
    shares = _shares(count)
    return [
        Request(
            number,
            next(shares),
            _MODELS[number % len(_MODELS)],
            {"input_tokens": context, "output_tokens": generated},
        )
        for number, (context, generated) in enumerate(rows)
    ], count


def _shares(users: int) -> Iterator[int]:
    """Endless user indexes, the k-th in proportion to 1/k: whoever is most behind their share is next."""
    weights = [1 / (index + 1) for index in range(users)]
    given = [0] * users
    while True:
        index = min(range(users), key=lambda i: (given[i] + 1) / weights[i])
        given[index] += 1
        yield index


class Demo:
    """One run against a running API and Stripe simulator."""

    def __init__(self, client: httpx.AsyncClient, outcome: Outcome) -> None:
        self.client = client
        self.outcome = outcome
        self.run_id = uuid.uuid4().hex[:12]

    async def _send(self, method: str, url: str, **more: Any) -> httpx.Response:
        """Send until there is an answer that is not "try again". Only for what may be sent twice."""
        deadline = time.monotonic() + _PATIENCE
        pause = 0.05
        while True:
            try:
                response = await self.client.request(method, url, **more)
                if response.status_code < 500:
                    return response
                reason = f"{response.status_code} {response.text[:200]}"
            except httpx.TransportError as error:
                reason = repr(error)
            if time.monotonic() > deadline:
                raise DemoError(f"{method} {url}: {reason}, for {_PATIENCE:.0f} seconds")
            self.outcome.retries += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)

    async def sign_up(self, index: int) -> User:
        """A new user of this run."""
        login = {"email": f"user{index}.{self.run_id}@demo.example", "password": uuid.uuid4().hex}
        response = await self._send("POST", "/auth/signup", json=login)
        if response.status_code == 409:  # signed up before the answer was lost
            response = await self._send("POST", "/auth/token", json=login)
        answer = _expect(response, 200, 201)
        user = User(answer["user_id"], answer["access_token"])
        await self.spend(user, Request(-1 - index, index, _MODELS[0], _REPOSITORY))
        return user

    async def buy(self, user: User) -> None:
        """Buy one top-up: order, click "pay" at the simulator, wait for the tokens."""
        headers = _headers(user, f"demo:{self.run_id}:buy:{user.purchases + 1}")
        order = _expect(
            await self._send("POST", "/checkout", json={"amount": _TOPUP}, headers=headers), 200, 201
        )
        paid = await self._send("POST", order["url"], data={"action": "pay"})
        if paid.status_code >= 400:
            raise DemoError(f"the simulator refused the payment: {paid.status_code} {paid.text[:200]}")
        deadline = time.monotonic() + _PATIENCE
        while True:
            query = {"order_id": f"eq.{order['order_id']}", "select": "state"}
            rows = _expect(
                await self._send("GET", "/rest/v1/orders", params=query, headers=_headers(user)), 200
            )
            if rows and rows[0]["state"] == "paid":
                user.purchases += 1  # not before: who is refused meanwhile waits for this one
                return
            if time.monotonic() > deadline:
                raise DemoError(f"order {order['order_id']} was paid, but not granted: {rows}")
            await asyncio.sleep(0.02)

    async def spend(self, user: User, request: Request) -> None:
        """One request of the trace, bought for when the user has run dry."""
        body = {"module_id": request.module_id, "usage": request.usage}
        headers = _headers(user, f"demo:{self.run_id}:{request.number}")
        while True:
            purchases = user.purchases
            started = time.perf_counter()
            response = await self._send("POST", "/rest/v1/rpc/consume_tokens", json=body, headers=headers)
            self.outcome.latencies.append(time.perf_counter() - started)
            if response.status_code == 200:
                break
            self.outcome.refusals[_slug(response)] += 1
            if response.status_code != 402:
                raise DemoError(f"{body}: {response.status_code} {response.text[:300]}")
            async with user.buying:
                if user.purchases == purchases:  # else somebody has just bought for us
                    await self.buy(user)
        receipt = _decode(response.content)
        self.outcome.spent += Decimal(receipt["cost"])
        self.outcome.charged[request.module_id] += 1
        self.outcome.entries.add(receipt["entry_id"])
        self.outcome.input_tokens += request.usage["input_tokens"]
        self.outcome.output_tokens += request.usage["output_tokens"]

    async def lifetime_spent(self, user: User) -> Decimal:
        """What the bank says that the user has spent."""
        query = {"select": "lifetime_spent"}
        rows = _expect(await self._send("GET", "/rest/v1/balance", params=query, headers=_headers(user)), 200)
        return Decimal(rows[0]["lifetime_spent"])


async def replay(
    base_url: str, requests: list[Request], users: int, workers: int, console: Console
) -> tuple[Outcome, list[User]]:
    """Replay the requests with so many workers at once. Raises DemoError."""
    outcome = Outcome()
    limits = httpx.Limits(max_connections=workers, max_keepalive_connections=workers)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    async with httpx.AsyncClient(base_url=base_url, limits=limits, timeout=30.0) as client:
        demo = Demo(client, outcome)
        with progress:
            task = progress.add_task("signing up, reading repositories", total=users)
            people: list[User] = []
            for batch in _batches(users):
                people += await asyncio.gather(*(demo.sign_up(index) for index in batch))
                progress.advance(task, len(batch))

            task = progress.add_task("replaying the trace", total=len(requests))
            queue = iter(requests)
            outcome.latencies.clear()
            started = time.perf_counter()

            async def work() -> None:
                for request in queue:
                    await demo.spend(people[request.user], request)
                    progress.advance(task)

            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(work())
            outcome.seconds = time.perf_counter() - started
        said = sum([await demo.lifetime_spent(user) for user in people], Decimal(0))
        sent = len(requests) + len(people)
        if said != outcome.spent or len(outcome.entries) != sent:
            raise DemoError(
                f"{sent} requests were answered with {len(outcome.entries)} entries "
                f"for {outcome.spent}, but the bank says {said}"
            )
    return outcome, people


def run(base_url: str, trace: Path | None, workers: int, users: int | None, console: Console) -> None:
    """Replay a trace (by default the slice that comes with pgcredits) and print what happened.

    The API at `base_url` must have the catalogue appforge and a Stripe simulator. Raises DemoError.
    """
    requests, count = read_trace(trace or SLICE, users)
    try:
        outcome, people = asyncio.run(replay(base_url, requests, count, workers, console))
    except* DemoError as group:
        raise next(_leaves(group)) from None
    console.print(_table(outcome, people, workers))


def _table(outcome: Outcome, people: list[User], workers: int) -> Table:
    ordered = sorted(outcome.latencies)
    bought = sum(user.purchases for user in people)
    refused = ", ".join(f"{count} {slug}" for slug, count in outcome.refusals.most_common()) or "none"
    table = Table(title="pgcredits demo", show_header=False)
    for name, value in (
        ("users, workers", f"{len(people)}, {workers}"),
        ("requests charged", f"{len(outcome.entries):,}: the trace, and a repository read for each user"),
        *((f"  {module}", f"{count:,}") for module, count in sorted(outcome.charged.items())),
        ("refusals", refused),
        ("sent again", f"{outcome.retries:,}"),
        ("LLM tokens", f"{outcome.input_tokens:,} in, {outcome.output_tokens:,} out"),
        ("charged", f"{outcome.spent / 100:.8f} EUR"),
        ("given at sign-up", f"{len(people) * 10} EUR"),
        ("bought", f"{bought} top-ups, {bought * _TOPUP // 100} EUR"),
        ("throughput", f"{len(ordered) / outcome.seconds:,.0f} calls/s over {outcome.seconds:.1f} s"),
        ("latency p50", f"{statistics.median(ordered) * 1000:.1f} ms"),
        ("latency p99", f"{ordered[int(len(ordered) * 0.99)] * 1000:.1f} ms"),
    ):
        table.add_row(name, value)
    return table


def _headers(user: User, key: str | None = None) -> dict[str, str]:
    return {"authorization": f"Bearer {user.token}"} | ({"idempotency-key": key} if key else {})


def _slug(response: httpx.Response) -> str:
    try:
        return str(_decode(_decode(response.content)["details"])["error"])
    except (KeyError, TypeError, msgspec.DecodeError):
        return str(response.status_code)


def _expect(response: httpx.Response, *statuses: int) -> Any:
    if response.status_code not in statuses:
        raise DemoError(f"{response.request.url}: {response.status_code} {response.text[:300]}")
    return _decode(response.content)


def _batches(count: int) -> Iterator[range]:
    """Four at a time: each sign-up hashes a password."""
    return (range(first, min(first + 4, count)) for first in range(0, count, 4))


def _leaves(group: BaseExceptionGroup[DemoError]) -> Iterator[DemoError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
