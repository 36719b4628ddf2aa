"""`pgcredits work`: calls to Stripe are made, and made once, whatever happens to the worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from callers import Caller, Connection, Row
from http_calls import serving
from support import PASSWORD
from topping import agree, with_customer
from work.card_desk import Desk

from pgcredits.database_urls import as_login

pytestmark = pytest.mark.slow

DECLINED = {
    "status": 402,
    "error": {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"},
}
OUT_OF_ORDER = {"status": 500, "error": {"type": "api_error", "message": "sorry"}}
BUSY = {"status": 429, "error": {"type": "invalid_request_error"}, "headers": {"Retry-After": "1"}}


class Worker:
    """A worker's process, and its log."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self.log = process, log

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


Hire = Callable[[], Worker]


@pytest.fixture
def desk() -> Iterator[tuple[Desk, str]]:
    desk = Desk()
    with serving(desk.app()) as url:
        yield desk, url
        desk.release.set()


@pytest.fixture
def hire(url: str, desk: tuple[Desk, str], tmp_path: Path) -> Iterator[Hire]:
    """hire(): another worker."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(working(url, desk[1], tmp_path / f"{time.monotonic_ns()}.log"))


@contextmanager
def working(url: str, stripe_url: str, log: Path) -> Iterator[Worker]:
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PGCREDITS_", "STRIPE_"))
        },
        "PGCREDITS_DATABASE_URL": as_login(url, "pgcredits_service", PASSWORD),
        "STRIPE_SECRET_KEY": "sk_test_of_the_desk",
        "STRIPE_API_BASE": stripe_url,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pgcredits.cli", "work", "--every", "0.05"],
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        yield Worker(process, log)
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
def bank(db: Connection) -> Caller:
    return Caller(db, "none")


def topped(bank: Caller, user_id: str) -> None:
    """Somebody whose balance has just fallen below the threshold."""
    with_customer(bank, user_id)
    agree(bank, user_id)
    bank.call("add_tokens", user_id=user_id, tokens=100)
    bank.call("consume_tokens", user_id=user_id, module_id="metube")


def calls(bank: Caller) -> list[Row]:
    return bank.rows(
        "select state, tries, result, trouble, must_look_up from credits.stripe_calls order by created_at"
    )


def until(check: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def all_done(bank: Caller) -> bool:
    return bank.rows("select from credits.stripe_calls where state = 'due'") == []


def due_now(bank: Caller) -> None:
    """The lease and the pause are over."""
    bank.rows("update credits.stripe_calls set due_at = now() where state = 'due' returning 1")


def test_charge_is_made_with_the_key_of_the_bank(bank: Caller, desk: tuple[Desk, str], hire: Hire) -> None:
    topped(bank, "ada")
    worker = hire()
    until(lambda: all_done(bank), "the call is made")
    ((path, key, form),) = desk[0].asked
    assert path == "POST /v1/payment_intents"
    assert key == bank.row("select idempotency_key from credits.stripe_calls")["idempotency_key"]
    assert {
        "amount": "999",
        "currency": "eur",
        "off_session": "true",
        "confirm": "true",
    }.items() <= form.items()
    assert form["metadata"]["kind"] == "auto_topup"
    attempt = bank.row("select state, payment_intent_id from credits.topup_attempts")
    assert attempt == {"state": "open", "payment_intent_id": "pi_1"}
    assert worker.stop() == 0
    assert worker.log.read_text().endswith("stopped\n")
    assert "sk_test" not in worker.log.read_text()


def test_decline_is_reported_as_such(bank: Caller, desk: tuple[Desk, str], hire: Hire) -> None:
    desk[0].script = [DECLINED]
    topped(bank, "ada")
    hire()
    until(lambda: all_done(bank), "the call is made")
    state = bank.row("select state, reason from credits.topup_attempts")
    assert state == {"state": "declined", "reason": "insufficient_funds"}


def test_busy_and_broken_stripe_is_asked_again_with_the_same_key(
    bank: Caller, desk: tuple[Desk, str], hire: Hire
) -> None:
    desk[0].script = [BUSY, OUT_OF_ORDER]
    topped(bank, "ada")
    hire()
    for tries in (1, 2):
        until(lambda: len(desk[0].keys()) == tries, "another try")  # noqa: B023
        until(lambda: bank.row("select lease from credits.stripe_calls")["lease"] is None, "the report")
        due_now(bank)
    until(lambda: all_done(bank), "the call is made")
    assert len(set(desk[0].keys())) == 1
    assert calls(bank)[0]["tries"] == 3
    assert len(desk[0].made) == 1


def test_worker_killed_between_the_answer_and_our_commit_doubles_nothing(
    bank: Caller, desk: tuple[Desk, str], hire: Hire
) -> None:
    desk[0].script = ["silent"]
    topped(bank, "ada")
    first = hire()
    assert desk[0].began.wait(20)  # the card is charged, and nobody has noted it
    first.kill()
    assert calls(bank)[0]["state"] == "due"
    hire()
    time.sleep(0.3)
    assert len(desk[0].keys()) == 1  # the lease of the first has not ended
    due_now(bank)
    until(lambda: all_done(bank), "the call is made")
    assert len(desk[0].made) == 1
    assert len(set(desk[0].keys())) == 1
    assert bank.row("select payment_intent_id from credits.topup_attempts")["payment_intent_id"] == "pi_1"


def test_old_call_is_looked_up_and_found(bank: Caller, desk: tuple[Desk, str], hire: Hire) -> None:
    desk[0].script = ["silent"]
    topped(bank, "ada")
    first = hire()
    assert desk[0].began.wait(20)
    first.kill()
    bank.rows("update credits.stripe_calls set first_tried_at = now() - interval '24 hours' returning 1")
    due_now(bank)
    hire()
    until(lambda: all_done(bank), "the call is looked up")
    assert [path for path, _, _ in desk[0].asked] == ["POST /v1/payment_intents", "GET /v1/payment_intents"]
    assert bank.row("select payment_intent_id from credits.topup_attempts")["payment_intent_id"] == "pi_1"


def test_several_workers_share_the_calls(bank: Caller, desk: tuple[Desk, str], hire: Hire) -> None:
    for number in range(20):
        topped(bank, f"user {number}")
    for _ in range(3):
        hire()
    until(lambda: all_done(bank), "all calls are made")
    assert len(desk[0].made) == 20
    assert len(desk[0].keys()) == 20


def test_worker_waits_for_a_call_that_it_makes_and_then_stops(
    bank: Caller, desk: tuple[Desk, str], hire: Hire
) -> None:
    desk[0].script = ["silent"]
    topped(bank, "ada")
    worker = hire()
    assert desk[0].began.wait(20)
    worker.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert worker.process.poll() is None
    desk[0].release.set()
    assert worker.process.wait(20) == 0
    assert all_done(bank)


def test_card_that_wants_authentication_gets_a_page(bank: Caller, desk: tuple[Desk, str], hire: Hire) -> None:
    wanted = {"type": "card_error", "code": "authentication_required"}
    desk[0].script = [{"status": 402, "error": wanted}]
    topped(bank, "ada")
    hire()
    until(lambda: len(calls(bank)) == 2 and all_done(bank), "both calls are made")
    _, _, form = desk[0].asked[-1]
    assert (form["mode"], form["cancel_url"]) == ("setup", "http://127.0.0.1:8000/checkout/cancelled")
    state = bank.row("select state, reason, link from api.auto_topup")
    assert state == {"state": "paused", "reason": "authentication_required", "link": "https://pay.example/1"}
