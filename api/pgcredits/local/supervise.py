"""Wait until everything answers, and keep it running until somebody stops it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from pgcredits.local import embedded
from pgcredits.local.options import Say, UpError
from pgcredits.local.parts import Part

_READY = 60.0  # seconds until the API must answer
_LONGEST_PAUSE = 10.0  # seconds between two starts of a part that keeps ending


def wait_until_ready(port: int, parts: Sequence[Part]) -> None:
    """Wait until the API says that it is ready. Raises UpError when it does not, or when a part ends."""
    deadline = time.monotonic() + _READY
    with httpx.Client(timeout=5, trust_env=False) as client:  # one, because each reads all certificates
        while True:
            for part in parts:
                if how := part.ended():
                    raise UpError(f"{part.name} {how} ({part.log}):\n{tail(part.log)}")
            answer = "no answer"
            try:
                response = client.get(f"http://127.0.0.1:{port}/health/ready")
                if response.is_success:
                    return
                answer = response.text
            except httpx.HTTPError as error:
                answer = str(error)
            if time.monotonic() > deadline:
                raise UpError(f"the API is not ready after {_READY:.0f} s: {answer} ({parts[-1].log})")
            time.sleep(0.05)


def supervise(parts: Sequence[Part], say: Say) -> None:
    """Start a part again when it ends: at once at first, then after a pause that doubles. Never returns."""
    started = dict.fromkeys((part.name for part in parts), time.monotonic())
    pause = dict.fromkeys(started, 0.0)
    while True:
        time.sleep(0.2)
        for part in parts:
            how, lived = part.ended(), time.monotonic() - started[part.name]
            if how is None or lived < pause[part.name]:
                continue
            pause[part.name] = (
                0.0 if lived > 2 * _LONGEST_PAUSE else min(2 * pause[part.name] + 0.5, _LONGEST_PAUSE)
            )
            say(f"{part.name} {how}: starting it again ({part.log})")
            try:
                part.start()
            except (embedded.EmbeddedError, OSError) as error:
                say(str(error))
            started[part.name] = time.monotonic()


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """SIGTERM acts like Ctrl-C."""

    def interrupt(signum: int, frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second signal must not disturb the stopping in order
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tail(log: Path) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
