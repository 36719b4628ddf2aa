"""The run in which each request is a job that holds its worst case first, and captures what it really used.

Some jobs fail, and are free. Some have their worker killed, and are not sent again: their holds expire by
themselves. At the end every job is accounted for.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from pgcredits.bank import admin
from pgcredits.bank.maintenance import maintain
from pgcredits.demo import DemoError, report
from pgcredits.demo.crew import Employer, work_off
from pgcredits.demo.customers import PATIENCE, TOPUP, Customers, User, connected, new_run
from pgcredits.demo.job import TTL, Backend, Fate, Job, draw_fates
from pgcredits.demo.proof import Hold, Outcome, Verdict, prove
from pgcredits.demo.trace import SLICE, Request, read_trace
from pgcredits.local.instance import TOKEN_SECONDS, Running
from pgcredits.tokens import mint

_DRAWN_EVERY = 0.1  # seconds


class Run:
    """One run against a running `up` with the price list appforge and a Stripe simulator."""

    def __init__(self, running: Running, requests: list[Request], seed: int) -> None:
        self.running = running
        self.requests = requests
        self.fates = draw_fates(len(requests), seed)
        # What the model generates at most: the next power of two above what it ever did.
        self.max_tokens = 1 << max(request.usage["output_tokens"] for request in requests).bit_length()
        token = mint(running.jwt_secret, "spender", None, TOKEN_SECONDS, running.jwt_audience)
        self.employer = Employer(running.api_url, new_run(), token)
        self.outcome = Outcome()
        self.people: list[User] = []
        self.retries = 0
        self.seconds = 0.0
        self.purchases = 0
        self._last_loss = 0.0

    async def arrive(self, users: int, progress: Progress) -> None:
        """Sign up so many users. Their repository reads are jobs like the others, but nothing goes wrong."""
        task = progress.add_task("signing up, reading repositories", total=users)

        def arrived() -> None:
            progress.advance(task)
            progress.refresh()

        async with self._connected() as customers:
            backend = Backend(customers, self.employer.token)

            async def read(user: User, request: Request) -> None:
                self.outcome.fates[request.number] = Fate.SUCCEEDS
                job = Job(request, user, self.max_tokens)
                self.outcome.reports[request.number] = await backend.perform(job)

            self.people = await customers.arrive(users, read, arrived)
            self.retries = customers.retries

    def replay(self, workers: int, progress: Progress) -> None:
        """The trace, by so many worker processes."""
        task = progress.add_task("replaying the trace", total=len(self.requests))
        drawn = started = time.monotonic()
        with contextlib.closing(work_off(self._jobs(), workers, self.employer)) as ended:
            for job, told in ended:
                if told is None:
                    self.outcome.lost.add(job.request.number)
                    self._last_loss = time.monotonic()
                else:
                    self.outcome.reports[job.request.number] = told
                    self.retries += told.retries
                    user = self.people[job.request.user]
                    user.purchases = max(user.purchases, told.purchases)
                progress.advance(task)
                if time.monotonic() > drawn + _DRAWN_EVERY:
                    progress.refresh()
                    drawn = time.monotonic()
        self.seconds = time.monotonic() - started

    def _jobs(self) -> Iterator[Job]:
        for request, fate in zip(self.requests, self.fates, strict=True):
            self.outcome.fates[request.number] = fate
            yield Job(request, self.people[request.user], self.max_tokens, fate)

    async def wait_for_lost(self) -> None:
        """Wait until the last hold that a killed worker may have left has expired."""
        # One that was on its way when we noticed may have been made since.
        await asyncio.sleep(self._last_loss + TTL - time.monotonic())
        deadline = time.monotonic() + PATIENCE
        async with self._connected() as customers:
            for user in self.people:
                while await customers.rows("holds", user, state="eq.open", select="hold_id", limit=1):
                    if time.monotonic() > deadline:
                        raise DemoError(f"a hold of {user.user_id} is still open, {PATIENCE:.0f} s too late")
                    await asyncio.sleep(0.05)

    def book(self) -> None:
        """Run maintenance. After it no hold of these users is open on the books."""
        deadline = time.monotonic() + PATIENCE
        users = [user.user_id for user in self.people]
        while True:
            maintain(self.running.database_url)
            with admin.connect(self.running.database_url, "pgcredits demo") as connection:
                row = connection.execute(
                    "select count(*) from credits.holds as h"
                    " join credits.identities as i on i.account_id = h.account_id"
                    " where h.state = 'open' and i.subject = any(%s)",
                    (users,),
                ).fetchone()
            if row == (0,):
                return
            if time.monotonic() > deadline:  # not sooner: the maintenance of `up` may be at it
                raise DemoError(f"after the maintenance, open holds are left: {row}")
            time.sleep(0.05)

    async def judge(self) -> Verdict:
        """Ask the bank how the jobs ended. Raises DemoError."""
        holds: list[Hold] = []
        spent = Decimal(0)
        async with self._connected() as customers:
            for user in self.people:
                holds += map(Hold.of, await customers.all_rows("holds", user, order="hold_id"))
                spent += await customers.lifetime_spent(user)
                self.purchases += await customers.purchases(user)
        return prove(self.outcome, holds, spent)

    def _connected(self) -> contextlib.AbstractAsyncContextManager[Customers]:
        return connected(self.employer.base_url, self.employer.run_id, 4)


def run(
    running: Running, trace: Path | None, workers: int, users: int | None, seed: int | None, console: Console
) -> None:
    """Replay a trace (by default the slice that comes with pgcredits) and print what happened.

    `running` must have the price list appforge and a Stripe simulator. Raises DemoError.
    """
    requests, count = read_trace(trace or SLICE, users)
    if seed is None:
        seed = secrets.randbelow(2**32)
    console.print(f"seed {seed}", highlight=False)
    this = Run(running, requests, seed)
    with report.progress_bar(console, auto_refresh=False) as progress:  # no thread: workers are forked
        asyncio.run(this.arrive(count, progress))
        this.replay(workers, progress)
    if this.outcome.lost:
        console.print("waiting for the holds of killed workers to expire")
        asyncio.run(this.wait_for_lost())
    this.book()
    console.print(_table(this, asyncio.run(this.judge()), workers, seed))


def _table(this: Run, verdict: Verdict, workers: int, seed: int) -> Table:
    refusals: Counter[str] = sum((told.refusals for told in this.outcome.reports.values()), Counter())
    calls: dict[str, list[float]] = {}
    for number, told in this.outcome.reports.items():
        for function, seconds in told.calls if number >= 0 else ():
            calls.setdefault(function, []).append(seconds)
    late = f", {verdict.late} of them late, {report.euros(verdict.shortfall)} unpaid" if verdict.late else ""
    killed = sum(verdict.killed.values())
    rate = sum(map(len, calls.values())) / this.seconds
    return report.table(
        "pgcredits demo --holds",
        (
            ("seed", str(seed)),
            ("users, workers", f"{len(this.people)}, {workers} processes"),
            ("jobs", f"{len(this.outcome.fates):,}: the trace, and a repository read for each user"),
            ("  charged", f"{verdict.charged:,}{late}"),
            ("  failed, charged nothing", f"{verdict.failed.total():,}: {report.counted(verdict.failed)}"),
            ("  lost with their worker", f"{killed:,}: {report.counted(verdict.lost)}"),
            ("workers killed while", report.counted(verdict.killed)),
            ("holds left open", "none, by the clock and on the books"),
            ("held, at worst", report.euros(verdict.held)),
            ("captured, really", f"{report.euros(verdict.captured)}, {verdict.captured / verdict.held:.1%}"),
            ("  of this by lost jobs", report.euros(verdict.captured_by_lost)),
            ("spent, says the bank", f"{report.euros(verdict.captured)}: exactly that"),
            ("refusals", report.counted(refusals)),
            ("sent again", f"{this.retries:,}"),
            ("given at sign-up", f"{len(this.people) * 10} EUR"),
            ("bought", f"{this.purchases} top-ups, {this.purchases * TOPUP // 100} EUR"),
            ("throughput", f"{rate:,.0f} calls/s over {this.seconds:.1f} s"),
            *(
                (f"  {function} p50, p99", f"{report.p50(seconds)}, {report.p99(seconds)}")
                for function, seconds in calls.items()
            ),
        ),
    )
