"""Nothing in the program waits without a bound: for another program, a server, a thread or a lock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pgcredits
import stripe_simulator

pytestmark = pytest.mark.one_version

PACKAGES = (Path(pgcredits.__file__).parent, Path(stripe_simulator.__file__).parent)
# Where a wait ends by itself, and why.
EXEMPT = {
    ("demo/crew.py", "line.recv"): "a worker waits for work; its line is cut when the employer ends",
    ("http/operations/live.py", "self._news.wait"): "asyncio.timeout ends it",
    ("http/operations/bank_figures.py", "asyncio.Lock"): "the first asks; the others find its answer",
    ("http/server.py", "listener.accept"): "the server has made the socket one that does not block",
    ("client/litellm/charging.py", "_mark.get"): "a context variable",
    ("client/to_the_end.py", "task.result"): "a task that is done",
    ("http/database/sharing.py", "one.outcome.result"): "a future that is done",
    ("demo/crew.py", "worker.line.recv"): "multiprocessing.connection.wait has said that something is there",
}
_PROGRAMS = {f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "getoutput")}
_REQUESTS = {
    f"httpx.{name}" for name in ("get", "post", "put", "delete", "head", "request", "stream", "Client")
}
_TIMED = _PROGRAMS | _REQUESTS | {"httpx.AsyncClient", "socket.create_connection", "stripe.HTTPXClient"}
_TIMED_ENDS = ("urlopen", "HTTPConnection", "HTTPSConnection", "ConnectionPool")
_LOCKS = {f"asyncio.{name}" for name in ("Lock", "Condition", "Semaphore", "BoundedSemaphore")}
_BARE = {"wait", "join", "communicate", "acquire", "result", "get", "recv", "accept"}


def unbounded(text: str) -> list[tuple[int, str]]:
    """The line and the name of each call that may wait for ever."""
    tree = ast.parse(text)
    inside = {  # x.wait() in asyncio.wait_for(x.wait(), seconds)
        id(call)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.Call) and ast.unparse(outer.func).endswith("wait_for") and bounded(outer, 2)
        for call in ast.walk(outer)
        if call is not outer
    }
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and id(node) not in inside]
    return [(call.lineno, ast.unparse(call.func)) for call in calls if waits(call)]


def waits(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    last = name.rsplit(".", 1)[-1]
    if name in _TIMED or last.endswith(_TIMED_ENDS):
        return not bounded(call, 99)
    if name.endswith("wait_for"):
        return not bounded(call, 2)
    if name in ("wait", "multiprocessing.connection.wait", "asyncio.wait", "select.select"):
        return not bounded(call, 4 if name == "select.select" else 2)
    if name in _LOCKS:  # the last of a hundred waits for the work of all others, however short each is
        return True
    if last == "flock":
        return "LOCK_NB" not in ast.unparse(call) and "LOCK_UN" not in ast.unparse(call)
    if name == "uvicorn.run":
        return not any(k.arg in (None, "timeout_graceful_shutdown") for k in call.keywords)
    return isinstance(call.func, ast.Attribute) and last in _BARE and not bounded(call, 1)


def bounded(call: ast.Call, place: int) -> bool:
    """Has it a time-out, by name or as its argument of that place?"""
    given = [k.value for k in call.keywords if k.arg == "timeout"]
    given += call.args[place - 1 : place]
    return any(not (isinstance(value, ast.Constant) and value.value is None) for value in given)


@pytest.mark.parametrize("root", [*PACKAGES, Path(__file__).parents[1]], ids=lambda path: path.name)
def test_every_stripe_client_says_how_often_it_repeats(root: Path) -> None:
    """By itself stripe-python repeats nothing, also when an idle connection closes under a request."""
    silent = [
        f"{path.relative_to(root)}:{call.lineno}"
        for path in sorted(root.rglob("*.py"))
        if "StripeClient" in (text := path.read_text())
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).endswith("StripeClient")
        and "max_network_retries" not in {keyword.arg for keyword in call.keywords}
    ]
    assert silent == []


def test_every_wait_of_the_program_has_a_bound() -> None:
    found = {
        (path.relative_to(package).as_posix(), name): line
        for package in PACKAGES
        for path in sorted(package.rglob("*.py"))
        for line, name in unbounded(path.read_text())
    }
    assert set(found) - set(EXEMPT) == set(), found
    assert set(EXEMPT) <= set(found), "an exemption that nothing needs any more"


@pytest.mark.parametrize(
    "line",
    [
        "subprocess.run(['initdb'])",
        "subprocess.run(['initdb'], timeout=None)",
        "subprocess.check_output(['ps'])",
        "process.wait()",
        "process.wait(None)",
        "process.communicate()",
        "thread.join()",
        "lock.acquire()",
        "future.result()",
        "queue.get()",
        "connection.recv()",
        "listener.accept()",
        "wait([line])",
        "asyncio.wait(tasks)",
        "asyncio.wait_for(event.wait(), None)",
        "select.select([], [], [])",
        "urlopen('http://127.0.0.1')",
        "urllib.request.urlopen('http://127.0.0.1')",
        "httpx.get('http://127.0.0.1')",
        "httpx.AsyncClient(base_url='http://127.0.0.1')",
        "httpx.Client(timeout=None)",
        "socket.create_connection(('127.0.0.1', 1))",
        "psycopg_pool.AsyncConnectionPool(url)",
        "fcntl.flock(file, fcntl.LOCK_EX)",
        "uvicorn.run(app)",
        "asyncio.Lock()",
    ],
)
def test_a_wait_without_a_bound_is_seen(line: str) -> None:
    assert {number for number, _ in unbounded(f"x = 1\n{line}\n")} == {2}


@pytest.mark.parametrize(
    "line",
    [
        "subprocess.run(['initdb'], timeout=5)",
        "process.wait(5)",
        "thread.join(timeout=5)",
        "', '.join(words)",
        "environ.get('x')",
        "wait([line], 5)",
        "asyncio.wait_for(event.wait(), 5)",
        "httpx.AsyncClient(timeout=5)",
        "AsyncConnectionPool(url, timeout=5)",
        "fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "uvicorn.run(app, **defaults)",
    ],
)
def test_bounded_wait_is_allowed(line: str) -> None:
    assert unbounded(line) == []
