"""Small things that several tests need."""

from __future__ import annotations

from pgcredits.local.ports import free_ports

PASSWORD = "of the tests/ä%"  # of every login


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    return free_ports(1)[0]
