"""No test measures how long something takes: figures belong into bench/, as ratios against a peer.

Where a wait must end, the waiting code has a time-out, and the test sees that the time-out is not reached.
A wait for what must happen gives a busy machine time: it ends with the condition, and costs nothing more.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_version

TESTS = Path(__file__).parents[1]
CLOCKS = {"time.monotonic", "time.perf_counter", "time.process_time", "time.thread_time"}
# These print how much was tried, and assert nothing about it.
FIGURES = {
    "reliability/servers.py",
    "reliability/model/test_reliability_model.py",
    "reliability/model/test_reliability_model_http.py",
}
SHORTEST = 20  # seconds until a test gives up
ATTACKS = {"http/test_server.py"}  # it sends for a second, and waits for nothing


def measured(text: str) -> set[int]:
    """The lines that take the difference of two readings of a clock."""
    if not any(clock.removeprefix("time.") in text for clock in CLOCKS):
        return set()
    tree = ast.parse(text)
    readings = {
        ast.unparse(target)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _reads(node.value)
        for target in node.targets
    }
    return {
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
        if _reads(node.left) or ast.unparse(node.right) in readings
    }


def _reads(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).removesuffix("_ns") in CLOCKS


def hurried(text: str) -> set[int]:
    """The lines that set a deadline which a busy machine may miss."""
    if "time.monotonic" not in text:
        return set()
    return {
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and _reads(node.left)
        if isinstance(node.right, ast.Constant) and node.right.value < SHORTEST
    }


def test_every_deadline_gives_a_busy_machine_time() -> None:
    found = {
        path.relative_to(TESTS).as_posix()
        for path in sorted(TESTS.rglob("*.py"))
        if hurried(path.read_text())
    }
    assert found == ATTACKS


def test_a_hurried_deadline_is_seen() -> None:
    assert hurried("deadline = time.monotonic() + 5") == {1}
    assert hurried("until, found = time.monotonic() + 0.5, {}") == {1}
    assert hurried(f"deadline = time.monotonic() + {SHORTEST}") == set()


def test_no_test_measures_a_duration() -> None:
    found = {
        path.relative_to(TESTS).as_posix(): lines
        for path in sorted(TESTS.rglob("*.py"))
        if (lines := measured(path.read_text()))
    }
    assert {path: lines for path, lines in found.items() if path not in FIGURES} == {}
    assert found.keys() >= FIGURES, "an exemption that nothing needs any more"


@pytest.mark.parametrize(
    "text",
    [
        "began = time.monotonic()\nassert time.monotonic() - began < 1",
        "began = time.perf_counter()\ntimes.append(time.perf_counter() - began)",
        "began = time.monotonic()\nend = time.monotonic()\nassert end - began < 1",
        "self.began = time.perf_counter_ns()\nx = time.perf_counter_ns() - self.began",
    ],
)
def test_a_measurement_is_seen(text: str) -> None:
    assert measured(text)


@pytest.mark.parametrize(
    "text",
    [
        "deadline = time.monotonic() + 10\nassert time.monotonic() < deadline",
        "assert abs(session.expires_at - time.time() - 86400) < 5",
    ],
)
def test_waiting_for_a_condition_is_allowed(text: str) -> None:
    assert measured(text) == set()
