"""Holds around work: what it used is charged once, what failed is free, and no end is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from threading import Event

import httpx
import pytest
from client_calls import MODULE, QUICK, Books, Failing

from pgcredits.client import Bank, HoldClosed, HoldExpired, InsufficientTokens, Unavailable
from pgcredits.client.extender import Extender

pytestmark = pytest.mark.one_version

TTL_NONE = timedelta(0)  # the hold is not extended
THREE = {"calls": 3}  # whisper costs 25 a call


class ProviderFailed(Exception):
    pass


def test_finished_work_is_charged_for_what_it_used(bank: Bank, user: str, books: Books) -> None:
    with bank.hold("whisper", user, usage=THREE) as hold:
        assert books.held(user) == 75
        hold.used({"calls": 2})
    assert hold.captured is not None
    assert (hold.captured.cost, hold.captured.released, hold.captured.late) == (50, 25, False)
    assert (books.charges(user), books.holds(user), books.held(user)) == ([50], ["captured"], 0)


def test_work_that_reports_nothing_is_charged_all_that_was_held(bank: Bank, user: str, books: Books) -> None:
    with bank.hold("whisper", user, usage=THREE):
        pass
    assert books.charges(user) == [75]


def test_work_that_used_more_than_it_held_is_charged(bank: Bank, user: str, books: Books) -> None:
    with bank.hold("whisper", user) as hold:
        hold.used({"calls": 4})
    assert books.charges(user) == [100]


def test_failed_work_is_free(bank: Bank, user: str, books: Books) -> None:
    with pytest.raises(ProviderFailed), bank.hold("whisper", user) as hold:
        hold.used(THREE)
        raise ProviderFailed
    assert (books.charges(user), books.holds(user)) == ([], ["released"])
    reason = books.admin.execute(
        "select h.reason from credits.holds as h where h.hold_id = split_part(%s, ':', 2)::uuid",
        (hold.hold_id,),
    ).fetchone()
    assert reason == ("failed: ProviderFailed",)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A program in the background of a shell ignores SIGINT, and so would the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupted_work_is_free(bank: Bank, user: str, books: Books) -> None:
    with pytest.raises(KeyboardInterrupt), bank.hold("whisper", user):
        signal.raise_signal(signal.SIGINT)
    assert (books.charges(user), books.holds(user)) == ([], ["released"])


def test_interrupt_while_the_hold_is_made_leaves_nothing_held(
    base_url: str, api_key: str, user: str, books: Books
) -> None:
    failing = Failing(after=lambda number: KeyboardInterrupt() if number == 1 else None)  # type: ignore[arg-type,return-value]
    with (
        Bank(base_url, api_key, transport=failing) as bank,
        pytest.raises(KeyboardInterrupt),
        bank.hold("whisper", user),
    ):
        raise AssertionError("the work began")
    assert (books.charges(user), books.holds(user)) == ([], ["released"])


def test_interrupt_while_finished_work_is_charged_charges_it_once(
    base_url: str, api_key: str, user: str, books: Books
) -> None:
    for after in (True, False):
        fault = {"after" if after else "before": lambda number: KeyboardInterrupt() if number == 2 else None}
        failing = Failing(**fault)  # type: ignore[arg-type]
        with (
            Bank(base_url, api_key, transport=failing) as bank,
            pytest.raises(KeyboardInterrupt),
            bank.hold("whisper", user),
        ):
            pass
    assert (books.charges(user), books.held(user)) == ([25, 25], 0)


def test_work_without_tokens_does_not_begin(bank: Bank, user: str, books: Books) -> None:
    with pytest.raises(InsufficientTokens) as caught, bank.hold(MODULE, user, usage=THREE):
        raise AssertionError("the work began")
    assert caught.value.missing == 30
    assert books.holds(user) == []


def test_stream_is_charged_for_what_was_delivered(bank: Bank, user: str, books: Books) -> None:
    with bank.hold("whisper", user, usage={"calls": 4}) as hold:
        for _ in range(3):
            hold.delivered({"calls": 1})
    assert books.charges(user) == [75]
    with pytest.raises(ProviderFailed), bank.hold("whisper", user) as hold:
        hold.delivered({"calls": 1})
        raise ProviderFailed
    assert books.charges(user) == [75, 25]


def test_parts_are_charged_at_once_and_the_rest_at_the_end(bank: Bank, user: str, books: Books) -> None:
    with bank.hold("whisper", user, usage={"calls": 4}) as hold:
        assert hold.capture({"calls": 1}, key="part-1").held == 75
        assert hold.capture({"calls": 1}, key="part-1").replayed
        assert books.charges(user) == [25]
        hold.used({"calls": 2})
    assert (books.charges(user), books.held(user)) == ([25, 50], 0)


def test_parts_stay_charged_and_nothing_else_is(bank: Bank, user: str, books: Books) -> None:
    with bank.hold("whisper", user, usage={"calls": 2}) as hold:
        hold.capture({"calls": 1})
    with pytest.raises(ProviderFailed), bank.hold("whisper", user, usage={"calls": 2}) as hold:
        hold.capture({"calls": 1})
        raise ProviderFailed
    assert (books.charges(user), books.held(user)) == ([25, 25], 0)


def test_late_report_of_the_provider_trues_the_hold_up(bank: Bank, user: str, books: Books) -> None:
    with bank.hold("whisper", user, usage=THREE) as hold:
        hold.capture({"calls": 1})
        hold.keep_open()
    assert books.holds(user) == ["open"]
    receipt = bank.capture(hold.hold_id, {"calls": 1}, key="report of the provider")
    assert (receipt.cost, receipt.released) == (25, 25)
    assert bank.capture(hold.hold_id, {"calls": 1}, key="report of the provider").replayed
    assert books.charges(user) == [25, 25]


def test_hold_that_expired_before_its_capture_is_charged_late(bank: Bank, user: str, books: Books) -> None:
    with bank.hold("whisper", user, ttl=0.02, longest=TTL_NONE) as hold:
        time.sleep(0.03)
    assert hold.captured is not None
    assert hold.captured.late
    assert books.charges(user) == [25]
    with pytest.raises(HoldClosed) as closed:
        bank.capture(hold.hold_id)
    assert closed.value.state == "expired"
    with pytest.raises(HoldExpired):
        bank.extend(hold.hold_id)


def test_long_work_keeps_its_hold(
    bank: Bank, user: str, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgcredits.client.extender._SHARE", 0.01)  # every tenth of a second
    with bank.hold("whisper", user, ttl=10) as hold:
        deadline = time.monotonic() + 60
        while books.expires_at(user) <= hold.receipt.expires_at + timedelta(seconds=0.15):
            assert time.monotonic() < deadline, "it is not extended twice"
            time.sleep(0.01)
    assert (books.charges(user), books.holds(user)) == ([25], ["captured"])
    deadline = time.monotonic() + 60
    while bank._extender._thread is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert bank._extender._thread is None, "there are no holds, but a thread"


def test_short_work_asks_for_no_extension(base_url: str, api_key: str, user: str) -> None:
    failing = Failing()
    with Bank(base_url, api_key, transport=failing) as bank, bank.hold("whisper", user):
        pass
    asked = [request.url.path.rsplit("/", 1)[-1] for request in failing.seen]
    assert asked == ["hold_tokens", "capture_hold"]


def test_hold_used_twice_with_one_key_charges_once(bank: Bank, user: str, books: Books) -> None:
    with pytest.raises(HoldClosed) as caught:  # noqa: SIM117
        with bank.hold("whisper", user, key="job-1") as one:
            with bank.hold("whisper", user, key="job-1") as other:
                assert other.hold_id == one.hold_id
    assert caught.value.state == "captured"
    assert books.charges(user) == [25]
    with pytest.raises(HoldClosed), bank.hold("whisper", user, key="job-1"):
        raise AssertionError("the finished job began again")


def test_worker_killed_before_the_capture_is_replaced(
    bank: Bank, base_url: str, api_key: str, user: str, books: Books
) -> None:
    """Its successor finds the hold by the key of the job."""
    text = (
        "import os, sys\nfrom pgcredits.client import Bank\n"
        f"with Bank({base_url!r}, {api_key!r}).hold('whisper', {user!r}, key='job-2') as hold:\n"
        "    print(hold.hold_id, flush=True)\n    os.kill(os.getpid(), 9)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, books.held(user), books.charges(user)) == (-9, 25, []), ran.stderr
    with bank.hold("whisper", user, key="job-2") as hold:
        assert hold.hold_id == ran.stdout.strip()
    assert (books.charges(user), books.held(user)) == ([25], 0)


def test_lost_answers_of_every_step_charge_once(base_url: str, api_key: str, user: str, books: Books) -> None:
    failing = Failing(after=lambda number: httpx.ReadError("lost") if number % 2 else None)
    with Bank(base_url, api_key, transport=failing, retries=QUICK) as bank:
        with bank.hold("whisper", user, usage={"calls": 2}) as hold:
            hold.capture({"calls": 1})
            hold.used({"calls": 1})
        with pytest.raises(ProviderFailed), bank.hold("whisper", user):
            raise ProviderFailed
    assert len(failing.seen) == 10
    assert (books.charges(user), books.holds(user)) == ([25, 25], ["captured", "released"])


def test_failed_work_is_told_even_if_its_release_is_lost(
    base_url: str, api_key: str, user: str, books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    failing = Failing(before=lambda number: httpx.ConnectError("away") if number > 1 else None)
    with Bank(base_url, api_key, transport=failing, retries=QUICK) as bank:
        with pytest.raises(ProviderFailed), bank.hold("whisper", user) as hold:
            raise ProviderFailed
        assert hold.hold_id in caplog.text
        with pytest.raises(Unavailable), bank.hold("whisper", user):
            raise AssertionError("the work began")
    assert books.holds(user) == ["open"]


def test_ends_of_ones_own_end_the_hold(bank: Bank, user: str, books: Books) -> None:
    with bank.hold("whisper", user) as hold:
        assert hold.extend(60).state == "open"
        assert hold.release("failed: nothing was found").released == 25
    assert books.holds(user) == ["released"]
    assert bank.release(hold.hold_id).replayed
    with pytest.raises(RuntimeError, match="not begun"):
        _ = bank.hold("whisper", user).hold_id


def test_quantities_are_added_exactly(bank: Bank, user: str) -> None:
    with bank.hold("whisper", user) as hold:
        for _ in range(10):
            hold.delivered({"calls": 0.1})
        hold.used({"calls": 1})
    assert hold.captured is not None
    assert hold.captured.cost == Decimal(50)


def test_an_extension_that_fails_leaves_the_other_holds_extended() -> None:
    extender = Extender()
    extended = Event()

    def fail() -> None:
        raise ValueError("a fault of the transport")

    extender.add(0, fail)
    extender.add(0.01, extended.set)  # type: ignore[arg-type,func-returns-value]
    assert extended.wait(30)
