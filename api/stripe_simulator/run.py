"""Run the simulator as a process of its own."""

import os
from collections.abc import Mapping
from pathlib import Path

import uvicorn

from stripe_simulator.app import create_app
from stripe_simulator.core.chaos import Chaos

IDLE = 75  # seconds: longer than clients keep an idle connection, so that none sends on one that we close


class RealKeysConfigured(RuntimeError):
    """A real Stripe key is set, so the simulator does not start."""


def refuse_real_keys(environment: Mapping[str, str]) -> None:
    """Raise :class:`RealKeysConfigured` when STRIPE_SECRET_KEY is set: somebody who has a key means to use
    Stripe, and must not get simulated payments by mistake."""
    if environment.get("STRIPE_SECRET_KEY"):
        raise RealKeysConfigured(
            "STRIPE_SECRET_KEY is set, so payments belong to Stripe and the simulator does not start. "
            "Unset it to use the simulator."
        )


def run(
    port: int,
    data_dir: Path,
    webhook_url: str,
    webhook_secret: str,
    host: str = "127.0.0.1",
    public_url: str | None = None,
    chaos: Chaos | None = None,
) -> None:
    """Serve until interrupted. State is in ``data_dir/simulator.sqlite3``; ``public_url`` is where a browser
    finds the pay page when that is not ``http://host:port``. Without ``chaos`` it is as the file says. Raises
    :class:`RealKeysConfigured`."""
    refuse_real_keys(os.environ)
    address = public_url or f"http://{host}:{port}"
    app = create_app(data_dir / "simulator.sqlite3", webhook_url, webhook_secret, address, chaos=chaos)
    uvicorn.run(
        app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=2, timeout_keep_alive=IDLE
    )
