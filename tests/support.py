"""Small things that several tests need."""

from __future__ import annotations

from typing import Any

import psycopg
import stripe

from pgcredits.local.ports import free_ports

PASSWORD = "of the tests/ä%"  # of every login


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    return free_ports(1)[0]


def stripe_client(key: str, url: str, http: stripe.HTTPClient | None = None) -> stripe.StripeClient:
    """A client of the simulator at `url`. It repeats a request that a closing connection cut off.

    stripe-python repeats nothing unless it is told to. A server closes a connection that was idle for some
    seconds, and may do so at the moment when the client sends the next request on it.
    """
    return stripe.StripeClient(key, base_addresses={"api": url}, http_client=http, max_network_retries=2)


def harden(admin: psycopg.Connection[Any]) -> None:
    """Neither a template nor a dump has the right to connect. Grant it as migrate did in the template."""
    name = admin.info.dbname
    admin.execute(f"revoke all on database {name} from public")
    admin.execute(
        f"grant connect on database {name} to pgcredits_api, pgcredits_service, pgcredits_catalog, analyst"
    )
    admin.execute(f"grant connect on database {name} to auditor, spender, support, service_role")
