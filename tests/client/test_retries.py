"""Calls whose answer is lost, and banks that are busy or away: repeated with the same key, within bounds."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from client_calls import MODULE, QUICK, Books, Failing
from support import free_port

from pgcredits.client import Bank, Busy, InsufficientTokens, Retries, Unavailable

pytestmark = pytest.mark.one_version

LOST = httpx.ReadError("the connection was reset")


def once(fault: Exception | httpx.Response) -> Any:
    return lambda number: fault if number == 1 else None


def always(fault: Exception) -> Any:
    return lambda number: fault


def through(base_url: str, api_key: str, failing: Failing, retries: Retries = QUICK) -> Bank:
    return Bank(base_url, api_key, transport=failing, retries=retries)


def keys(failing: Failing) -> set[str]:
    return {json.loads(request.content)["idempotency_key"] for request in failing.seen}


@pytest.mark.parametrize(
    "fault", [LOST, httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut off")], ids=lambda f: str(f)
)
def test_spend_whose_answer_was_lost_counts_once(
    base_url: str, api_key: str, user: str, books: Books, fault: httpx.TransportError
) -> None:
    failing = Failing(after=once(fault))
    with through(base_url, api_key, failing) as bank:
        receipt = bank.spend(MODULE, user)
    assert (receipt.replayed, receipt.balance) == (True, 70)
    assert (len(failing.seen), len(keys(failing))) == (2, 1)
    assert books.charges(user) == [50]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_answer_of_a_broken_proxy_is_repeated(
    base_url: str, api_key: str, user: str, books: Books, status: int
) -> None:
    failing = Failing(after=once(httpx.Response(status, text="Bad Gateway")))
    with through(base_url, api_key, failing) as bank:
        assert bank.spend(MODULE, user).replayed
    assert books.charges(user) == [50]


def test_bank_that_never_answers_leaves_an_unknown_outcome(
    base_url: str, api_key: str, user: str, books: Books
) -> None:
    failing = Failing(after=always(LOST))
    with through(base_url, api_key, failing) as bank, pytest.raises(Unavailable) as caught:
        bank.spend(MODULE, user, key="mine")
    assert (caught.value.outcome, caught.value.status, len(failing.seen)) == ("unknown", 503, QUICK.attempts)
    with through(base_url, api_key, Failing()) as bank:
        assert bank.spend(MODULE, user, key="mine").replayed
    assert books.charges(user) == [50]


def test_bank_that_is_away_has_done_nothing(api_key: str) -> None:
    with (
        Bank(f"http://127.0.0.1:{free_port()}", api_key, retries=QUICK) as bank,
        pytest.raises(Unavailable) as caught,
    ):
        bank.spend(MODULE, "ada")
    assert caught.value.outcome == "nothing"


def test_lost_answer_before_the_bank_goes_away_stays_unknown(
    base_url: str, api_key: str, user: str, books: Books
) -> None:
    gone = httpx.ConnectError("refused")
    failing = Failing(after=once(LOST), before=lambda number: gone if number > 1 else None)
    with through(base_url, api_key, failing) as bank, pytest.raises(Unavailable) as caught:
        bank.spend(MODULE, user)
    assert caught.value.outcome == "unknown"
    assert books.charges(user) == [50]


def test_retry_after_is_respected_and_bounded(
    base_url: str, api_key: str, user: str, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(seconds: str) -> Any:
        body = {"code": "PT503", "message": "busy", "details": '{"error": "busy"}', "hint": None}
        return once(httpx.Response(503, json=body, headers={"Retry-After": seconds}))

    patient = Retries(attempts=2, first=0, longest=1)
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with through(base_url, api_key, Failing(before=busy("1")), patient) as bank:
        bank.spend(MODULE, user)
    assert waits == [0, 1]
    for far in ("2", "Fri, 01 Jan 2100 00:00:00 GMT"):
        failing = Failing(before=busy(far))
        with through(base_url, api_key, failing, patient) as bank, pytest.raises(Busy) as caught:
            bank.spend(MODULE, user)
        assert (caught.value.outcome, len(failing.seen)) == ("nothing", 1)
    assert books.charges(user) == [50]


def test_backoff_grows_is_jittered_and_ends() -> None:
    retries = Retries(attempts=6, first=0.1, longest=0.5)
    for attempt, bound in ((1, 0.1), (2, 0.2), (3, 0.4), (4, 0.5), (5, 0.5)):
        waits = [retries.wait(attempt, None) for _ in range(50)]
        assert all(wait is not None and 0 <= wait <= bound for wait in waits)
        assert len(set(waits)) > 40
    assert retries.wait(6, None) is None
    assert retries.wait(1, 0.4) >= 0.4  # type: ignore[operator]
    with pytest.raises(ValueError, match="at least 1"):
        Retries(attempts=0)


def test_refusal_is_not_repeated(base_url: str, api_key: str, user: str) -> None:
    failing = Failing()
    with through(base_url, api_key, failing) as bank, pytest.raises(InsufficientTokens):
        bank.spend(MODULE, user, usage={"calls": 3})
    assert len(failing.seen) == 1
