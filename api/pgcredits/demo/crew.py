"""Worker processes that do one job at a time. A killed one is replaced, and only its job is lost.

They are forked, which is cheap and safe as long as this process has neither threads nor a running event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess

from pgcredits.demo import DemoError
from pgcredits.demo.customers import connected
from pgcredits.demo.job import Backend, Job, Report

_PATIENCE = 15.0  # seconds for a worker to end
_JOB_SECONDS = 600.0  # in which at least one worker must end its job


@dataclass(frozen=True, slots=True)
class Employer:
    """What a worker must know to act for the product's backend in a run."""

    base_url: str
    run_id: str
    token: str = field(repr=False)


@dataclass(slots=True)
class _Worker:
    process: ForkProcess
    line: Connection
    job: Job

    def give(self, job: Job) -> None:
        self.job = job
        with contextlib.suppress(OSError):  # it was killed a moment ago: we will see that on its line
            self.line.send(job)

    def dismiss(self) -> None:
        with contextlib.suppress(OSError):
            self.line.send(None)
        self.process.join(_PATIENCE)
        if self.process.exitcode is None:
            self.process.kill()


def work_off(jobs: Iterable[Job], size: int, employer: Employer) -> Generator[tuple[Job, Report | None]]:
    """Have so many workers do the jobs. Yields each job with its report, or None when its worker was killed.

    No job is given out twice. Raises DemoError; however this ends, the workers end with it.
    """
    queue = iter(jobs)
    crew: dict[Connection, _Worker] = {}
    try:
        while True:
            while len(crew) < size and (job := next(queue, None)) is not None:
                with _uninterrupted():
                    worker = _hire(job, employer)
                    crew[worker.line] = worker
            if not crew:
                return
            ready = wait(list(crew), _JOB_SECONDS)
            if not ready:
                raise DemoError(f"no worker has said anything for {_JOB_SECONDS:.0f} s")
            for worker in [worker for line, worker in crew.items() if line in ready]:
                report = _hear(worker)
                yield worker.job, report
                if report is None:
                    del crew[worker.line]
                elif (job := next(queue, None)) is not None:
                    worker.give(job)
                else:
                    del crew[worker.line]
                    worker.dismiss()
    finally:
        for worker in crew.values():
            worker.process.kill()
            worker.process.join(_PATIENCE)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back while a worker is started, so that we know every worker that exists."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _hire(job: Job, employer: Employer) -> _Worker:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_work, args=(ours, theirs, employer))
    process.daemon = True
    process.start()
    theirs.close()  # else the line would stay open when the worker is gone
    worker = _Worker(process, ours, job)
    worker.give(job)
    return worker


def _hear(worker: _Worker) -> Report | None:
    try:
        told = worker.line.recv()
    except (EOFError, OSError):
        worker.process.join(_PATIENCE)
        if worker.process.exitcode != -signal.SIGKILL:
            raise DemoError(f"a worker ended by itself, with exit code {worker.process.exitcode}") from None
        return None
    if isinstance(told, Report):
        return told
    raise DemoError(told)


def _work(ours: Connection, theirs: Connection, employer: Employer) -> None:
    """A worker's life. It ends with the employer: at Ctrl-C it is told, else its line is cut."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ours.close()
    with contextlib.suppress(EOFError, OSError):
        asyncio.run(_perform(theirs, employer))


async def _perform(line: Connection, employer: Employer) -> None:
    async with connected(employer.base_url, employer.run_id, 2) as customers:
        backend = Backend(customers, employer.token)
        while (job := line.recv()) is not None:  # blocks, but there is nothing else to do
            try:
                report = await backend.perform(job)
            except DemoError as error:
                line.send(str(error))
                return
            report.retries, customers.retries = customers.retries, 0
            line.send(report)
