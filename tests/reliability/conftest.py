"""What the proofs share: a seed, a length, and output that also shows when a test passes."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of a run. RELIABILITY_SEED repeats it, as far as threads and kills can be repeated."""
    return int(os.environ["RELIABILITY_SEED"])  # given, or drawn for all workers by tests/conftest.py


@pytest.fixture(scope="session")
def long_form(request: pytest.FixtureRequest) -> bool:
    """`make prove` instead of `make test`."""
    return bool(request.config.getoption("--prove"))


@pytest.fixture
def say(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Seeds and figures belong into every log: at once, or from a worker at the end."""

    def speak(text: str) -> None:
        if "PYTEST_XDIST_WORKER" in os.environ:
            request.node.user_properties.append(("figures", text))
        else:
            with capsys.disabled():
                print(f"\n{text}", end="", flush=True)

    return speak
