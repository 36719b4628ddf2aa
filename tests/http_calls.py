"""Calls over HTTP: a server for the tests, its users, and the headers of their requests."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import stripe
import uvicorn
from litestar import Litestar
from support import free_port

from pgcredits.http.server import defaults
from pgcredits.tokens import mint

SECRET = "a secret of the tests, of forty characters"
WEBHOOK_SECRET = "whsec_of_the_tests_0123456789abcdef"
OLD_WEBHOOK_SECRET = "whsec_before_rotation_0123456789abcdef"


@dataclass(frozen=True)
class User:
    """Somebody with a token. `headers` signs their requests."""

    user_id: str
    headers: dict[str, str] = field(repr=False)


def bearer(role: str, subject: str | None = None, seconds: int = 3600) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(SECRET, role, subject, seconds)}"}


def slug(response: httpx.Response) -> str | None:
    """The slug of an error, after a look at its shape."""
    body = response.json()
    assert {"code", "message", "details", "hint"} <= set(body), body
    try:
        facts = json.loads(body["details"])
    except (TypeError, ValueError):
        return None
    return str(facts["error"])


@contextmanager
def serving(app: Litestar, port: int | None = None) -> Iterator[str]:
    """Runs the app in a thread, on a port of its own; gives its URL."""
    port = port or free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", **defaults()))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline, "the server is slow to start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def grant(client: httpx.Client, service: dict[str, str], user: User, tokens: int) -> None:
    arguments = {"user_id": user.user_id, "tokens": tokens}
    client.post("/rest/v1/rpc/add_tokens", json=arguments, headers=service).raise_for_status()


def balance(client: httpx.Client, user: User) -> Any:
    return client.get("/rest/v1/balance", headers=user.headers).json()[0]["balance"]


def sign(payload: str, secret: str = WEBHOOK_SECRET, when: float | None = None) -> dict[str, str]:
    """The headers that Stripe sends with a payload."""
    timestamp = int(time.time() if when is None else when)
    return {
        "Stripe-Signature": stripe.WebhookSignature.generate_signature_header(payload, secret, timestamp),
        "Content-Type": "application/json",
    }
