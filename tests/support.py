"""Small things that several tests need."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from typing import Any

import psycopg
import stripe

from pgcredits.local.ports import free_ports

PASSWORD = "of the tests/ä%"  # of every login


def _verifier(password: str) -> str:
    """The password as PostgreSQL keeps it, hashed once: 4096 times would cost 3 ms for each connection."""
    salt = b"of the tests"
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored, server = (hmac.digest(salted, word, "sha256") for word in (b"Client Key", b"Server Key"))
    parts = (b64encode(part).decode() for part in (salt, hashlib.sha256(stored).digest(), server))
    return "SCRAM-SHA-256$1:{}${}:{}".format(*parts)


VERIFIER = _verifier(PASSWORD)


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    return free_ports(1)[0]


def stripe_client(key: str, url: str, http: stripe.HTTPClient | None = None) -> stripe.StripeClient:
    """A client of the simulator at `url`. It repeats a request that a closing connection cut off.

    stripe-python repeats nothing unless it is told to. A server closes a connection that was idle for some
    seconds, and may do so at the moment when the client sends the next request on it.
    """
    return stripe.StripeClient(key, base_addresses={"api": url}, http_client=http, max_network_retries=2)


def harden(admin: psycopg.Connection[Any], name: str | None = None) -> None:
    """Neither a template nor a dump has the right to connect. Grant it as migrate did in the template."""
    name = name or admin.info.dbname
    admin.execute(
        f"revoke all on database {name} from public; grant connect on database {name} to pgcredits_api,"
        " pgcredits_service, pgcredits_catalog, analyst, auditor, accountant, spender, support, service_role"
    )
