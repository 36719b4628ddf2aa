"""A call is sent again after a 503 or a broken connection, with the same key, and not for ever."""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import httpx

from pgcredits.client.answers import Answer, understand
from pgcredits.client.calls import Call
from pgcredits.client.errors import BankError, Unavailable

# The request was not sent.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# It is not the bank's fault, and is the same the next time.
_OURS = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.TooManyRedirects)


@dataclass(frozen=True, slots=True)
class Retries:
    """A call is sent at most `attempts` times.

    The wait after attempt n is a random part of `first` × 2ⁿ⁻¹ seconds, at most `longest`, and at least what
    the bank asks for with Retry-After. If that is more than `longest`, the call is not sent again.
    """

    attempts: int = 5
    first: float = 0.1
    longest: float = 5.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.first < 0 or self.longest < 0:
            raise ValueError("attempts must be at least 1, and waits not below 0")

    def wait(self, attempt: int, asked: float | None) -> float | None:
        """Seconds to wait after this attempt, counted from 1. None: do not send it again."""
        if attempt >= self.attempts or (asked or 0) > self.longest:
            return None
        backoff: float = min(self.longest, self.first * 2.0 ** (attempt - 1))
        return max(asked or 0.0, random.uniform(0, backoff))  # noqa: S311 -- jitter, and not a secret


def attempts(call: Call[Any], retries: Retries) -> Generator[float, Answer | httpx.HTTPError, bytes]:
    """Yields how long to wait before each attempt, takes what became of it, and returns the body at last.

    Raises BankError. The programs that wait and send are in http.py.
    """
    wait: float | None = 0.0
    unsure = False  # whether an attempt may have been done
    attempt = 0
    while True:
        assert wait is not None  # noqa: S101
        got = yield wait
        attempt += 1
        if isinstance(got, _OURS):
            raise got
        if isinstance(got, httpx.HTTPError):
            unsure = unsure or not isinstance(got, _UNSENT)
            error: BankError = _unreachable(got, unsure)
        else:
            refused = understand(got)
            if refused is None:
                return got.body
            if not isinstance(refused, Unavailable):
                raise refused
            unsure = unsure or refused.outcome != "nothing"
            error = _with_outcome(refused, unsure)
        wait = retries.wait(attempt, error.retry_after) if call.repeatable else None
        if wait is None:
            raise error from (got if isinstance(got, httpx.HTTPError) else None)


def _unreachable(error: httpx.HTTPError, unsure: bool) -> Unavailable:
    outcome = "unknown" if unsure else "nothing"
    text = f"the bank did not answer: {type(error).__name__}"
    return Unavailable(text, status=503, slug="unavailable", facts={"outcome": outcome})


def _with_outcome(error: Unavailable, unsure: bool) -> Unavailable:
    """The last refusal. If an attempt before may have been done, the outcome is unknown all the same."""
    if not unsure or error.outcome == "unknown":
        return error
    return Unavailable(
        error.message,
        status=error.status,
        slug="unavailable",
        facts={**error.facts, "outcome": "unknown"},
        retry_after=error.retry_after,
    )
