"""The race over HTTP, with spends that share transactions: nothing is lost, doubled or invented either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import pytest
from reliability.calls import Channel
from reliability.racing import MOSTLY_SPENDS, PRICES, WORKERS, Race, race, sat_on
from reliability.refusals import Refusals
from reliability.replay import faults
from reliability.servers import Api
from reliability.topups import topup_faults
from reliability.verdicts import Verdicts

pytestmark = [pytest.mark.xdist_group("race over HTTP"), pytest.mark.one_version]

STEPS, MANY_STEPS = 70, 2500  # of each worker
SHARED = 40  # so many spends, at least, share transactions in the short form


@pytest.fixture(scope="module")
def apis(own_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Api]]:
    """Two servers of one bank: what they share meets in the database."""
    folder: Path = tmp_path_factory.mktemp("race")
    with ExitStack() as stack:
        started = []
        for number in range(2):
            started.append(Api(own_url, folder / f"{number}.log"))
            stack.callback(started[-1].stop)
        yield started


@pytest.fixture(scope="module")
def run(own_url: str, apis: list[Api], seed: int, long_form: bool) -> Race:
    turns = cycle(apis)

    def connect(role: str, sub: str | None) -> Channel:
        return next(turns).connect(role, sub)

    return race(own_url, seed, MANY_STEPS if long_form else STEPS, connect, MOSTLY_SPENDS)


@pytest.fixture(scope="module")
def verdicts(run: Race) -> Verdicts:
    return Verdicts(run.calls, run.books)


@pytest.fixture(scope="module")
def refusals(run: Race, verdicts: Verdicts) -> Refusals:
    return Refusals(verdicts, PRICES, sat_on(run))


def test_race_over_http_ends_without_unexpected_errors(
    run: Race,
    verdicts: Verdicts,
    refusals: Refusals,
    apis: list[Api],
    long_form: bool,
    say: Callable[[str], None],
) -> None:
    shared = sum(api.shared_spends() for api in apis)
    acknowledged = sum(one.answer is not None for one in verdicts.told)
    say(
        f"race over HTTP: RELIABILITY_SEED={run.seed}: {WORKERS} workers, {len(run.calls)} calls"
        f" in {run.seconds:.1f} s, {run.repeats} of them repeats; {shared:.0f} spends shared a transaction;"
        f" {acknowledged} acknowledged, refused {dict(refusals.counts())};"
        f" entries {dict(Counter(entry['kind'] for entry in run.books.entries))}"
    )
    assert run.errors == []
    assert not any(one.unknown for one in verdicts.told)
    assert shared >= (SHARED * MANY_STEPS // STEPS if long_form else SHARED)
    done = {call.function for call in run.calls if call.answer}
    assert {"consume_tokens", "hold_tokens", "capture_hold"} <= done
    if long_form:  # a short race may lack one of these
        assert {"release_hold", "extend_hold", "refund_usage", "consume_tokens_batch"} <= done
    assert any(one.answer and one.answer.get("replayed") for one in verdicts.told)


def test_race_over_http_leaves_sound_books(run: Race) -> None:
    assert faults(run.books) == []
    assert run.books.findings == []
    assert topup_faults(run.books, run.cards) == []


def test_answers_over_http_are_in_the_ledger_as_told_and_once(verdicts: Verdicts) -> None:
    assert verdicts.untold() == []
    assert verdicts.lost() == []
    assert verdicts.keyed_twice() == []
    assert verdicts.ghosts() == []
    assert verdicts.wrong_holds() == []
    assert verdicts.wrong_orders() == []
    assert verdicts.unfollowed_money() == []


def test_refusals_and_charges_over_http_were_right(refusals: Refusals) -> None:
    assert refusals.untrue() == []
    assert refusals.charged_while_frozen() == []
    assert refusals.misdrawn() == []
    assert refusals.captured_while_frozen() == []
    assert refusals.overdrawn_by_users() == []
    assert refusals.mispriced() == []
