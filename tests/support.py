"""Small things that several tests need."""

from __future__ import annotations

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
