"""The proof at the end of `demo --holds` finds what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from pgcredits.demo import DemoError
from pgcredits.demo.job import Fate, Report
from pgcredits.demo.proof import CAPTURED, EXPIRED, NEVER, Hold, Outcome, prove

pytestmark = pytest.mark.one_version

WORST, REAL = Decimal(3), Decimal("0.6")
SUCCEEDS, FAILS, HOLDING, HELD, GENERATING, CAPTURING, CAPTURING_TOO = range(7)


class World:
    """A sound run of one job of each fate, and two that died capturing: one too early, one not."""

    def __init__(self) -> None:
        self.outcome = Outcome(
            fates=dict(enumerate([*Fate, Fate.KILLED_CAPTURING])),
            reports={
                SUCCEEDS: Report("captured", WORST, REAL),
                FAILS: Report("released", WORST),
            },
            lost={HOLDING, HELD, GENERATING, CAPTURING, CAPTURING_TOO},
        )
        self.holds = {
            SUCCEEDS: _hold(SUCCEEDS, "captured", REAL),
            FAILS: replace(_hold(FAILS, "released"), reason="failed: no answer"),
            HELD: _hold(HELD, "expired"),
            GENERATING: _hold(GENERATING, "expired"),
            CAPTURING: _hold(CAPTURING, "expired"),
            CAPTURING_TOO: _hold(CAPTURING_TOO, "captured", REAL),
        }
        self.spent = 2 * REAL
        self.more: list[Hold] = []

    def change(self, job: int, **what: object) -> None:
        """Another hold than it was, and the same in the answer, if there was one."""
        self.holds[job] = replace(self.holds[job], **what)  # type: ignore[arg-type]
        if job in self.outcome.reports:
            hold = self.holds[job]
            self.outcome.reports[job] = Report(hold.state, hold.tokens, hold.captured, hold.shortfall)


def _hold(job: int, state: str, captured: Decimal = Decimal(0)) -> Hold:
    zero = Decimal(0)
    return Hold(job, state, WORST, zero, captured, zero, late=False, reason=None)


def test_sound_run_is_proved() -> None:
    world = World()
    verdict = prove(world.outcome, list(world.holds.values()), world.spent)
    assert verdict.charged == 1
    assert verdict.failed == {"released": 1}
    assert verdict.lost == {NEVER: 1, EXPIRED: 3, CAPTURED: 1}
    assert verdict.killed == {"holding": 1, "held": 1, "generating": 1, "capturing": 2}
    assert (verdict.held, verdict.captured, verdict.captured_by_lost) == (6 * WORST, 2 * REAL, REAL)


def test_run_on_a_slow_machine_is_proved() -> None:
    """Finished work is charged late, holds of failed work expire, a killed holder may have held tokens."""
    world = World()
    world.change(SUCCEEDS, state="expired", late=True, captured=REAL / 2, shortfall=REAL / 2)
    world.change(FAILS, state="expired", reason=None)
    world.holds[HOLDING] = _hold(HOLDING, "expired")
    verdict = prove(world.outcome, list(world.holds.values()), world.spent - REAL / 2)
    assert (verdict.charged, verdict.late, verdict.shortfall) == (1, 1, REAL / 2)
    assert verdict.failed == {"expired": 1}
    assert verdict.lost == {NEVER: 0, EXPIRED: 4, CAPTURED: 1}


def test_worker_killed_by_somebody_else_counts_as_lost() -> None:
    world = World()
    world.outcome.lost.add(SUCCEEDS)
    del world.outcome.reports[SUCCEEDS]
    verdict = prove(world.outcome, list(world.holds.values()), world.spent)
    assert verdict.killed["by somebody else"] == 1
    assert verdict.captured_by_lost == 2 * REAL


def _spend(amount: Decimal) -> Callable[[World], None]:
    return lambda world: setattr(world, "spent", world.spent + amount)


def _charge(job: int) -> Callable[[World], None]:
    """Consistently everywhere, but wrong."""

    def change(world: World) -> None:
        world.change(job, state="captured", captured=REAL)
        world.spent += REAL

    return change


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (_spend(Decimal("0.000001")), "but the bank says 1.200001"),
        (_spend(Decimal("-0.000001")), "but the bank says 1.199999"),
        (_charge(FAILS), "job 1 failed, but its hold is captured, with 0.6 captured"),
        (_charge(HELD), "job 3, whose worker was killed while held, ended as captured"),
        (_charge(GENERATING), "job 4, whose worker was killed while generating, ended as captured"),
        (lambda w: w.change(FAILS, reason="cancelled"), "job 1 failed, but its hold was released for"),
        (lambda w: w.change(FAILS, reason=None), "job 1 failed, but its hold was released for"),
        (lambda w: w.change(HELD, state="open", held=WORST), "the hold of job 3 is still open, with 3"),
        (lambda w: w.change(HELD, held=WORST), "the hold of job 3 is still expired, with 3"),
        (lambda w: w.change(HELD, state="released"), "killed while held, ended as released"),
        (lambda w: w.change(SUCCEEDS, state="expired"), "job 0 succeeded, but its hold is expired"),
        (lambda w: w.change(SUCCEEDS, tokens=REAL), "job 0 cost 0.6, with 0.6 held as the worst case"),
        (lambda w: w.change(SUCCEEDS, shortfall=REAL), "job 0 was held in full, and yet 0.6 is unpaid"),
        (lambda w: w.holds.pop(SUCCEEDS), "job 0 was answered, but has no hold"),
        (lambda w: w.holds.pop(CAPTURING), "killed while capturing, ended as held never"),
        (lambda w: w.more.append(_hold(HELD, "expired")), "job 3 has 2 holds"),
        (lambda w: w.more.append(_hold(99, "expired")), "there is a hold for job 99"),
        (lambda w: w.outcome.lost.remove(HELD), "job 3 was neither answered nor lost"),
        (lambda w: w.outcome.reports.pop(FAILS), "job 1 was neither answered nor lost"),
        (lambda w: w.outcome.lost.add(FAILS), "job 1 was answered, and lost as well"),
        (lambda w: w.outcome.fates.update({SUCCEEDS: Fate.KILLED_HELD}), "should have been lost while held"),
        (lambda w: setattr(w.outcome.reports[SUCCEEDS], "captured", REAL + 1), "but its hold says"),
        (lambda w: setattr(w.outcome.reports[SUCCEEDS], "held", WORST + 1), "but its hold says"),
        (lambda w: setattr(w.outcome.reports[FAILS], "state", "expired"), "but its hold says"),
    ],
)
def test_mismatches_are_found(tamper: Callable[[World], object], fault: str) -> None:
    world = World()
    tamper(world)
    with pytest.raises(DemoError) as raised:
        prove(world.outcome, [*world.holds.values(), *world.more], world.spent)
    assert fault in str(raised.value)


def test_report_of_faults_is_bounded() -> None:
    world = World()
    world.more = [_hold(job, "expired") for job in range(100, 120)]
    with pytest.raises(DemoError, match=r"\(and 15 more\)$"):
        prove(world.outcome, [*world.holds.values(), *world.more], world.spent)
