"""Compare the workers' answers with the bank's books: every job must have ended once, as it should."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pgcredits.demo import DemoError
from pgcredits.demo.job import DEATHS, Fate, Report

_SHOWN = 5
NEVER, EXPIRED, CAPTURED = "held never", "expired and charged nothing", "captured"
_ENDS = {  # of a job whose worker was killed at that moment
    Fate.KILLED_HOLDING: {NEVER, EXPIRED},
    Fate.KILLED_HELD: {EXPIRED},
    Fate.KILLED_GENERATING: {EXPIRED},
    Fate.KILLED_CAPTURING: {EXPIRED, CAPTURED},
}


@dataclass(slots=True)
class Outcome:
    """The jobs of a run by number: their fates, what the bank answered, and which of them were lost."""

    fates: dict[int, Fate] = field(default_factory=dict)
    reports: dict[int, Report] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Hold:
    """A row of api.holds, and the job that it was made for."""

    job: int
    state: str
    tokens: Decimal
    held: Decimal
    captured: Decimal
    shortfall: Decimal
    late: bool
    reason: str | None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Hold:
        tokens, held, captured, shortfall = (
            Decimal(row[name]) for name in ("tokens", "held", "captured", "shortfall")
        )
        job, state = row["metadata"]["job"], row["state"]
        return cls(job, state, tokens, held, captured, shortfall, row["late"], row["reason"])

    @property
    def end(self) -> str:
        """This end in words."""
        if self.captured or self.shortfall:
            return CAPTURED
        return EXPIRED if self.state == "expired" else self.state


@dataclass(slots=True)
class Verdict:
    """How the jobs ended. Amounts are in euro cents."""

    charged: int = 0
    late: int = 0  # of these, after the hold had expired
    shortfall: Decimal = Decimal(0)
    failed: Counter[str] = field(default_factory=Counter)  # by how their holds ended
    lost: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys((NEVER, EXPIRED, CAPTURED), 0)))
    killed: Counter[str] = field(default_factory=Counter)  # by the moment
    held: Decimal = Decimal(0)
    captured: Decimal = Decimal(0)
    captured_by_lost: Decimal = Decimal(0)


def prove(outcome: Outcome, holds: Sequence[Hold], spent: Decimal) -> Verdict:
    """How the jobs ended, by all holds of their users. Raises DemoError when anything does not fit."""
    faults = list(_faults(outcome, holds, spent))
    if faults:
        more = f" (and {len(faults) - _SHOWN} more)" if len(faults) > _SHOWN else ""
        raise DemoError("; ".join(faults[:_SHOWN]) + more)
    return _verdict(outcome, {hold.job: hold for hold in holds})


def _faults(outcome: Outcome, holds: Sequence[Hold], spent: Decimal) -> Iterator[str]:
    by_job: dict[int, list[Hold]] = defaultdict(list)
    for hold in holds:
        by_job[hold.job].append(hold)
        if hold.state == "open" or hold.held:
            yield f"the hold of job {hold.job} is still {hold.state}, with {hold.held}"
    for number in by_job.keys() - outcome.fates.keys():
        yield f"there is a hold for job {number}, which there is not"
    for number, fate in outcome.fates.items():
        found, report = by_job[number], outcome.reports.get(number)
        if len(found) > 1:
            yield f"job {number} has {len(found)} holds"
        elif report is None and number not in outcome.lost:
            yield f"job {number} was neither answered nor lost"
        elif report is None:
            end = found[0].end if found else NEVER
            if fate in _ENDS and end not in _ENDS[fate]:
                yield f"job {number}, whose worker was killed while {fate}, ended as {end}"
        elif number in outcome.lost:
            yield f"job {number} was answered, and lost as well"
        elif not found:
            yield f"job {number} was answered, but has no hold"
        else:
            yield from _faults_of(number, fate, report, found[0])
    told = sum((report.captured for report in outcome.reports.values()), Decimal(0))
    unread = sum((hold.captured for hold in holds if hold.job in outcome.lost), Decimal(0))
    if spent != told + unread:
        yield f"answered captures are {told}, those of lost jobs {unread}, but the bank says {spent}"


def _faults_of(number: int, fate: Fate, report: Report, hold: Hold) -> Iterator[str]:
    """Check a job that was answered."""
    answered = (report.state, report.held, report.captured, report.shortfall)
    found = (hold.state, hold.tokens, hold.captured, hold.shortfall)
    if answered != found:
        yield f"job {number} was answered {answered}, but its hold says {found}"
    if fate in DEATHS:
        yield f"job {number} should have been lost while {fate}, but was answered"
    elif fate is Fate.FAILS:
        if hold.captured or hold.shortfall or hold.state not in ("released", "expired"):
            yield f"job {number} failed, but its hold is {hold.state}, with {hold.captured} captured"
        elif hold.state == "released" and not (hold.reason or "").startswith("failed"):
            yield f"job {number} failed, but its hold was released for: {hold.reason}"
    elif hold.state != "captured" and not hold.late:
        yield f"job {number} succeeded, but its hold is {hold.state}"
    elif hold.captured + hold.shortfall >= hold.tokens:
        yield f"job {number} cost {hold.captured + hold.shortfall}, with {hold.tokens} held as the worst case"
    elif hold.shortfall and not hold.late:
        yield f"job {number} was held in full, and yet {hold.shortfall} is unpaid"


def _verdict(outcome: Outcome, holds: dict[int, Hold]) -> Verdict:
    verdict = Verdict()
    for number, fate in outcome.fates.items():
        hold = holds.get(number)
        if number in outcome.lost:
            verdict.killed[fate if fate in DEATHS else "by somebody else"] += 1
            verdict.lost[hold.end if hold else NEVER] += 1
            verdict.captured_by_lost += hold.captured if hold else 0
        elif fate is Fate.FAILS:
            verdict.failed[holds[number].state] += 1
        else:
            verdict.charged += 1
            verdict.late += holds[number].late
        if hold:
            verdict.held += hold.tokens
            verdict.captured += hold.captured
            verdict.shortfall += hold.shortfall
    return verdict
