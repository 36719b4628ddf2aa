"""Small things that several tests need."""

from __future__ import annotations

import socket

PASSWORD = "of the tests/ä%"  # of every login


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
